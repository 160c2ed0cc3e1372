#include "families.hpp"
#include "max_suite.hpp"

#include "../fronts.hpp"

namespace conformance {
namespace {

template <int D>
struct AdaptiveMaxPool {
  using Fronts = eigenpool_test::Fronts<D>;
  eigenpool::OutputSize<D> output_size;

  static std::string name() { return "adaptive_max_pool" + std::to_string(D) + "d"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return Fronts::template adaptive_max_pool<layout>(x, output_size);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    Fronts::template adaptive_max_pool_into<layout>(y, x, output_size, device);
  }
  template <Layout layout, class Index>
  auto with_indices(const auto& x) const {
    return Fronts::template adaptive_max_pool_with_indices<layout, Index>(x, output_size);
  }
  template <Layout layout>
  void with_indices_into(auto& y, auto& indices, const auto& x, const auto& device) const {
    Fronts::template adaptive_max_pool_with_indices_into<layout>(y, indices, x, output_size, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto& indices, const auto& shape) const {
    return Fronts::template adaptive_max_pool_backward<layout>(dy, indices, shape);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    Fronts::template adaptive_max_pool_backward_into<layout>(dx, dy, indices, device);
  }
  template <Layout layout>
  auto backward_from_input(const auto& dy, const auto& x) const {
    return Fronts::template adaptive_max_pool_backward_from_input<layout>(dy, x);
  }
  template <Layout layout>
  void backward_from_input_into(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    Fronts::template adaptive_max_pool_backward_from_input_into<layout>(dx, dy, x, device);
  }
};

}  // namespace

void run_adaptive_max_pool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double, std::uint8_t>(of, [&]<int D, class Scalar>() {
    run_max_suite<D, Scalar>(of, AdaptiveMaxPool<D>{make_output_size<D>(of.output_size)}, findings);
  });
}

}  // namespace conformance
