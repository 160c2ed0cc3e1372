// Global min pooling: global_min_pool, with indices, and its backward. Shapes are as in global_max_pool.hpp, everything
// else is as in min_pool.hpp.
#pragma once

#include "detail/max_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* global_min_pool_name = "global_min_pool";

}  // namespace detail

/// y = the minimum of each plane of x, of shape (N, C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_min_pool(const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::pooled<layout, D, 2>({detail::global_min_pool_name}, x, detail::GlobalWindow<D>(),
                                      detail::MinReduction());
}

/// The same, of x's rank: (N, C, 1, ...) or (N, 1, ..., C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_min_pool(const X& x, KeepDims) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::pooled<layout, D, D + 2>({detail::global_min_pool_name}, x, detail::GlobalWindow<D>(),
                                          detail::MinReduction());
}

/// The same into y of either shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> || detail::Squeezed<Y, X>
void global_min_pool_into(Y&& y, const X& x, const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::pool_into<layout, D>({detail::global_min_pool_name, 0, "_into"}, y, x, detail::GlobalWindow<D>(),
                               detail::MinReduction(), device);
}

/// {output, indices}, both (N, C); the kinds of indices are those of min_pool2d_with_indices, and the window is the
/// plane, so that compact ones equal flat ones.
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::GlobalInput X>
auto global_min_pool_with_indices(const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::max_pooled_with_indices<layout, D, 2, I, detail::Smaller>(
      {detail::global_min_pool_name, 0, "_with_indices"}, x, detail::GlobalWindow<D>());
}
template <detail::IndexScalar I, detail::GlobalInput X>
auto global_min_pool_with_indices(const X& x) {
  return global_min_pool_with_indices<channels_first, I>(x);
}

/// The same, of x's rank.
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::GlobalInput X>
auto global_min_pool_with_indices(const X& x, KeepDims) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::max_pooled_with_indices<layout, D, D + 2, I, detail::Smaller>(
      {detail::global_min_pool_name, 0, "_with_indices"}, x, detail::GlobalWindow<D>());
}
template <detail::IndexScalar I, detail::GlobalInput X>
auto global_min_pool_with_indices(const X& x, KeepDims) {
  return global_min_pool_with_indices<channels_first, I>(x, keep_dims);
}

/// The same into y and indices, both of either shape.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires(detail::SameKind<Y, X> || detail::Squeezed<Y, X>)
&&detail::IndexTensor<T, Y> void global_min_pool_with_indices_into(Y&& y, T&& indices, const X& x,
                                                                   const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::max_pool_with_indices_into<layout, D, detail::Smaller>(
      {detail::global_min_pool_name, 0, "_with_indices_into"}, y, indices, x, detail::GlobalWindow<D>(), device);
}

/// dx: zero, plus dy at the cell that each index names. dy and indices are (N, C) or of the input's rank.
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T,
          detail::GlobalShapeFor<G> Shape>
auto global_min_pool_backward(const G& dy, const T& indices, const Shape& input_shape) {
  constexpr int D = detail::shape_rank<Shape> - 2;
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::max_backward<layout, D>({detail::global_min_pool_name, 0, "_backward"}, "input_shape", shape, dy, indices,
                                    detail::GlobalWindow<D>(), output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<G, Y> || detail::Squeezed<G, Y>
void global_min_pool_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  constexpr int D = detail::rank_of<Y> - 2;
  detail::max_backward<layout, D>(
      {detail::global_min_pool_name, 0, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::GlobalWindow<D>(), [&]() -> auto& { return dx; }, device);
}

/// dx without indices: the minima of x are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, detail::GlobalInput X>
  requires detail::SameKind<G, X> || detail::Squeezed<G, X>
auto global_min_pool_backward_from_input(const G& dy, const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::max_backward_from_input<layout, D, detail::Smaller>(
        {detail::global_min_pool_name, 0, "_backward_from_input"}, dy, x, detail::GlobalWindow<D>(), output,
        Eigen::DefaultDevice());
  });
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires(detail::SameKind<G, X> || detail::Squeezed<G, X>)
&&detail::SameKind<Y, X> void global_min_pool_backward_from_input_into(Y&& dx, const G& dy, const X& x,
                                                                       const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::max_backward_from_input_into<layout, D, detail::Smaller>(
      {detail::global_min_pool_name, 0, "_backward_from_input_into"}, dx, dy, x, detail::GlobalWindow<D>(), device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(GlobalMinPool<>()). A customOp keeps the rank, as keep_dims
/// does.
template <Layout layout = channels_first>
class GlobalMinPool {
 public:
  template <class X>
  auto dimensions(const X& x) const {
    constexpr int D = detail::rank_of<X> - 2;
    return detail::result_dimensions<layout, D>(function_, x, detail::GlobalWindow<D>());
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    constexpr int D = detail::rank_of<X> - 2;
    detail::pool_into<layout, D>(function_, y, x, detail::GlobalWindow<D>(), detail::MinReduction(), device);
  }

 private:
  static constexpr detail::Function function_{detail::global_min_pool_name};
};

EIGENPOOL_END
