#include "avg_suite.hpp"
#include "families.hpp"

#include "../fronts.hpp"

namespace conformance {
namespace {

template <int D>
struct AdaptiveAvgPool {
  using Fronts = eigenpool_test::Fronts<D>;
  eigenpool::OutputSize<D> output_size;

  static std::string name() { return "adaptive_avg_pool" + std::to_string(D) + "d"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return Fronts::template adaptive_avg_pool<layout>(x, output_size);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    Fronts::template adaptive_avg_pool_into<layout>(y, x, output_size, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto& shape) const {
    return Fronts::template adaptive_avg_pool_backward<layout>(dy, shape);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& device) const {
    Fronts::template adaptive_avg_pool_backward_into<layout>(dx, dy, device);
  }
};

}  // namespace

void run_adaptive_avg_pool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    run_avg_suite<D, Scalar>(of, AdaptiveAvgPool<D>{make_output_size<D>(of.output_size)}, findings);
  });
}

}  // namespace conformance
