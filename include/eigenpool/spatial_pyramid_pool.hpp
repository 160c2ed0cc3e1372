// Spatial pyramid pooling: spatial_pyramid_pool, and its backward. A row of features of one length for pictures of any
// size, as He et al. 2014 put before a classifier.
//
// x is (N, C, spatial...) or, channels_last, (N, spatial..., C), with one to three spatial axes. A level l pools every
// spatial axis to l cells, as adaptive_max_pool or adaptive_avg_pool do; y is (N, features): the levels in the order
// given, each flattened as its tensor's axes stand, the last fastest, in either storage order. That is l^D features for
// each of C channels or, channels_last, C for each of l^D cells: C * (sum of l^D) in all.
//
// A coarse level is made from a finer one that is a multiple of it: maxima always, averages where the levels' bounds
// divide the picture exactly (their last bits may then differ from adaptive_avg_pool's). Scalars, NaNs and sums are as
// in max_pool.hpp and avg_pool.hpp; the results are the same bits in every layout, storage order and number of threads.
//
// Errors: as those functions', and for no levels, a level below 1, or more features than 64 bits count.
#pragma once

#include "detail/pyramid_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* pyramid_name = "spatial_pyramid_pool";

/// (N, features) beside an input X.
template <class Y, class X>
concept PyramidRows = GlobalInput<X> && Squeezed<Y, X>;

}  // namespace detail

/// y = the features of x: spatial_pyramid_pool(x, {1, 2, 4}, Pyramid::max).
template <Layout layout = channels_first, detail::GlobalInput X>
auto spatial_pyramid_pool(const X& x, const std::vector<Index>& levels, Pyramid kind) {
  using Tensor = detail::ResultTensor<X, 2>;
  Tensor y;
  const auto output = [&](const auto& shape) -> auto& {
    y = detail::make_tensor<Tensor>(shape);
    return y;
  };
  detail::pyramid_pool<layout, detail::rank_of<X> - 2>({detail::pyramid_name}, x, levels, kind, output,
                                                       Eigen::DefaultDevice());
  return y;
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::PyramidRows<Y, X>
void spatial_pyramid_pool_into(Y&& y, const X& x, const std::vector<Index>& levels, Pyramid kind,
                               const Device& device = {}) {
  const auto output = [&](const auto&) -> auto& { return y; };
  detail::pyramid_pool<layout, detail::rank_of<X> - 2>({detail::pyramid_name, 0, "_into"}, x, levels, kind, output,
                                                       device);
}

/// dx, from dy of shape (N, features) and the forward's input: maxima are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, class X>
  requires detail::PyramidRows<G, X>
auto spatial_pyramid_pool_backward(const G& dy, const X& x, const std::vector<Index>& levels, Pyramid kind) {
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::pyramid_backward<layout, detail::rank_of<X> - 2>({detail::pyramid_name, 0, "_backward"}, dy, x, levels,
                                                             kind, output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is x's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::PyramidRows<G, X> && detail::SameKind<Y, X>
void spatial_pyramid_pool_backward_into(Y&& dx, const G& dy, const X& x, const std::vector<Index>& levels, Pyramid kind,
                                        const Device& device = {}) {
  detail::pyramid_backward<layout, detail::rank_of<X> - 2>(
      {detail::pyramid_name, 0, "_backward_into"}, dy, x, levels, kind, [&]() -> auto& { return dx; }, device);
}

EIGENPOOL_END
