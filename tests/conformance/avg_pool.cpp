#include "avg_suite.hpp"
#include "families.hpp"

#include "../fronts.hpp"

namespace conformance {
namespace {

template <int D>
struct AvgPool {
  using Fronts = eigenpool_test::Fronts<D>;
  eigenpool::Window<D> window;
  eigenpool::AvgOptions options;

  static std::string name() { return "avg_pool" + std::to_string(D) + "d"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return Fronts::template avg_pool<layout>(x, window, options);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    Fronts::template avg_pool_into<layout>(y, x, window, options, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto& shape) const {
    return Fronts::template avg_pool_backward<layout>(dy, shape, window, options);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& device) const {
    Fronts::template avg_pool_backward_into<layout>(dx, dy, window, options, device);
  }
};

}  // namespace

void run_avg_pool(const PoolCase& of, Findings& findings) {
  const eigenpool::AvgOptions options{.count_include_pad = of.count_include_pad,
                                      .divisor_override = of.divisor_override};
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    with_each_padding<D>(of.window, [&](const eigenpool::Window<D>& window) {
      run_avg_suite<D, Scalar>(of, AvgPool<D>{window, options}, findings);
    });
  });
}

}  // namespace conformance
