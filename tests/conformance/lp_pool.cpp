#include "avg_suite.hpp"
#include "families.hpp"

#include "../fronts.hpp"

namespace conformance {
namespace {

template <int D>
struct LpPool {
  using Fronts = eigenpool_test::Fronts<D>;
  const PoolCase& of;
  eigenpool::Window<D> window;
  eigenpool::LpOptions options;

  static std::string name() { return "lp_pool" + std::to_string(D) + "d"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return Fronts::template lp_pool<layout>(x, window, options);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    Fronts::template lp_pool_into<layout>(y, x, window, options, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto&) const {
    const auto x = input<layout>(dy);
    return Fronts::template lp_pool_backward<layout>(dy, x, forward<layout>(x), window, options);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& device) const {
    const auto x = input<layout>(dy);
    Fronts::template lp_pool_backward_into<layout>(dx, dy, x, forward<layout>(x), window, options, device);
  }

 private:
  /// The case's input in the form of `like`.
  template <Layout layout, class Scalar, int rank, int order, class Index>
  auto input(const Eigen::Tensor<Scalar, rank, order, Index>&) const {
    return to_tensor<Scalar, Form<rank, rank == D + 2, layout, order>>(of.input);
  }
};

}  // namespace

void run_lp_pool(const PoolCase& of, Findings& findings) {
  const eigenpool::LpOptions options{.p = of.p, .signed_power = of.signed_power};
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    with_each_padding<D>(of.window, [&](const eigenpool::Window<D>& window) {
      run_avg_suite<D, Scalar>(of, LpPool<D>{of, window, options}, findings);
    });
  });
}

}  // namespace conformance
