// Global average pooling: global_avg_pool, and its backward.
//
// x is (N, C, spatial...) or, channels_last, (N, spatial..., C), with one to three spatial axes; the result is (N, C)
// or, with keep_dims, of x's rank with spatial extents of 1.
// Scalars, NaNs, sums and errors are as in avg_pool.hpp.
#pragma once

#include "detail/avg_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* global_avg_pool_name = "global_avg_pool";

}  // namespace detail

/// y = the average of each plane of x, of shape (N, C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_avg_pool(const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::pooled<layout, D, 2>({detail::global_avg_pool_name}, x, detail::GlobalWindow<D>(),
                                      detail::MeanReduction());
}

/// The same, of x's rank: (N, C, 1, ...) or (N, 1, ..., C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_avg_pool(const X& x, KeepDims) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::pooled<layout, D, D + 2>({detail::global_avg_pool_name}, x, detail::GlobalWindow<D>(),
                                          detail::MeanReduction());
}

/// The same into y of either shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> || detail::Squeezed<Y, X>
void global_avg_pool_into(Y&& y, const X& x, const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::pool_into<layout, D>({detail::global_avg_pool_name, 0, "_into"}, y, x, detail::GlobalWindow<D>(),
                               detail::MeanReduction(), device);
}

/// dx = dy / (cells of a plane) in every cell of the plane. dy is (N, C) or of the input's rank.
template <Layout layout = channels_first, detail::Differentiable G, detail::GlobalShapeFor<G> Shape>
auto global_avg_pool_backward(const G& dy, const Shape& input_shape) {
  constexpr int D = detail::shape_rank<Shape> - 2;
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::avg_backward<layout, D>({detail::global_avg_pool_name, 0, "_backward"}, "input_shape", shape, dy,
                                    detail::GlobalWindow<D>(), detail::MeanReduction(), output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<G, Y> || detail::Squeezed<G, Y>
void global_avg_pool_backward_into(Y&& dx, const G& dy, const Device& device = {}) {
  constexpr int D = detail::rank_of<Y> - 2;
  detail::avg_backward<layout, D>(
      {detail::global_avg_pool_name, 0, "_backward_into"}, "output", detail::shape_of(dx), dy,
      detail::GlobalWindow<D>(), detail::MeanReduction(), [&]() -> auto& { return dx; }, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(GlobalAvgPool<>()). A customOp keeps the rank, as keep_dims
/// does.
template <Layout layout = channels_first>
class GlobalAvgPool {
 public:
  template <class X>
  auto dimensions(const X& x) const {
    constexpr int D = detail::rank_of<X> - 2;
    return detail::result_dimensions<layout, D>(function_, x, detail::GlobalWindow<D>());
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    constexpr int D = detail::rank_of<X> - 2;
    detail::pool_into<layout, D>(function_, y, x, detail::GlobalWindow<D>(), detail::MeanReduction(), device);
  }

 private:
  static constexpr detail::Function function_{detail::global_avg_pool_name};
};

EIGENPOOL_END
