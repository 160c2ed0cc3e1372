// Min pooling over fixed windows: min_pool1d, min_pool2d, min_pool3d, with indices, and their backward: max pooling
// with the order turned round.
//
// Shapes, layouts, scalars, padding, NaNs, ties, indices, bits and errors are as in max_pool.hpp: a NaN in a window is
// its minimum, the first of equal values and the last of NaNs give the index. A window without a real cell gives
// +infinity or the type's highest value. min_pool(-x) is -max_pool(x), at the same indices.
#pragma once

#include "detail/max_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* min_pool_name = "min_pool";

template <Layout layout, int D, class G, class T, class Shape>
auto min_pool_backward(const G& dy, const T& indices, const Shape& input_shape, const Window<D>& window) {
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    max_backward<layout, D>({min_pool_name, D, "_backward"}, "input_shape", shape, dy, indices, FixedWindows<D>{window},
                            output, Eigen::DefaultDevice());
  });
}

template <Layout layout, int D, class G, class X>
auto min_pool_backward_from_input(const G& dy, const X& x, const Window<D>& window) {
  return new_gradient<G>(shape_of(x), [&](const auto&, const auto& output) {
    max_backward_from_input<layout, D, Smaller>({min_pool_name, D, "_backward_from_input"}, dy, x,
                                                FixedWindows<D>{window}, output, Eigen::DefaultDevice());
  });
}

}  // namespace detail

/// y = the minimum of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto min_pool1d(const X& x, const Window<1>& window) {
  return detail::pooled<layout, 1, detail::rank_of<X>>({detail::min_pool_name, 1}, x, detail::FixedWindows<1>{window},
                                                       detail::MinReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto min_pool2d(const X& x, const Window<2>& window) {
  return detail::pooled<layout, 2, detail::rank_of<X>>({detail::min_pool_name, 2}, x, detail::FixedWindows<2>{window},
                                                       detail::MinReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto min_pool3d(const X& x, const Window<3>& window) {
  return detail::pooled<layout, 3, detail::rank_of<X>>({detail::min_pool_name, 3}, x, detail::FixedWindows<3>{window},
                                                       detail::MinReduction());
}

/// The same into y, a tensor or map of the result's shape, on `device` (Eigen's DefaultDevice or ThreadPoolDevice).
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void min_pool1d_into(Y&& y, const X& x, const Window<1>& window, const Device& device = {}) {
  detail::pool_into<layout, 1>({detail::min_pool_name, 1, "_into"}, y, x, detail::FixedWindows<1>{window},
                               detail::MinReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void min_pool2d_into(Y&& y, const X& x, const Window<2>& window, const Device& device = {}) {
  detail::pool_into<layout, 2>({detail::min_pool_name, 2, "_into"}, y, x, detail::FixedWindows<2>{window},
                               detail::MinReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void min_pool3d_into(Y&& y, const X& x, const Window<3>& window, const Device& device = {}) {
  detail::pool_into<layout, 3>({detail::min_pool_name, 3, "_into"}, y, x, detail::FixedWindows<3>{window},
                               detail::MinReduction(), device);
}

/// {output, indices}: the minima, and where they were. The index scalar I says how:
///   std::int64_t (default), std::int32_t: the cell's number in its plane, in row-major order of the spatial axes
///     whatever the storage order, as PyTorch; -1 for a window without a real cell.
///   std::uint8_t, uint16_t, uint32_t: the tap's number in its window, row-major, taps in the padding counted too;
///     the scalar's largest value for a window without a real cell. An error when a window has more taps than that.
/// The first of equal values (-0 equals +0), and the last of NaNs, as PyTorch.
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto min_pool1d_with_indices(const X& x, const Window<1>& window) {
  return detail::max_pooled_with_indices<layout, 1, detail::rank_of<X>, I, detail::Smaller>(
      {detail::min_pool_name, 1, "_with_indices"}, x, detail::FixedWindows<1>{window});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto min_pool1d_with_indices(const X& x, const Window<1>& window) {
  return min_pool1d_with_indices<channels_first, I>(x, window);
}
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto min_pool2d_with_indices(const X& x, const Window<2>& window) {
  return detail::max_pooled_with_indices<layout, 2, detail::rank_of<X>, I, detail::Smaller>(
      {detail::min_pool_name, 2, "_with_indices"}, x, detail::FixedWindows<2>{window});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto min_pool2d_with_indices(const X& x, const Window<2>& window) {
  return min_pool2d_with_indices<channels_first, I>(x, window);
}
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto min_pool3d_with_indices(const X& x, const Window<3>& window) {
  return detail::max_pooled_with_indices<layout, 3, detail::rank_of<X>, I, detail::Smaller>(
      {detail::min_pool_name, 3, "_with_indices"}, x, detail::FixedWindows<3>{window});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto min_pool3d_with_indices(const X& x, const Window<3>& window) {
  return min_pool3d_with_indices<channels_first, I>(x, window);
}

/// The same into y and indices.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void min_pool1d_with_indices_into(Y&& y, T&& indices, const X& x, const Window<1>& window, const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 1, detail::Smaller>({detail::min_pool_name, 1, "_with_indices_into"}, y,
                                                                 indices, x, detail::FixedWindows<1>{window}, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void min_pool2d_with_indices_into(Y&& y, T&& indices, const X& x, const Window<2>& window, const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 2, detail::Smaller>({detail::min_pool_name, 2, "_with_indices_into"}, y,
                                                                 indices, x, detail::FixedWindows<2>{window}, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void min_pool3d_with_indices_into(Y&& y, T&& indices, const X& x, const Window<3>& window, const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 3, detail::Smaller>({detail::min_pool_name, 3, "_with_indices_into"}, y,
                                                                 indices, x, detail::FixedWindows<3>{window}, device);
}

/// dx: zero, plus dy at the cell that each index names; windows that overlap add up. dy and indices have the
/// forward's result shape, input_shape is the forward's x.dimensions(); indices of either kind, all of them checked.
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto min_pool1d_backward(const G& dy, const T& indices, const Shape& input_shape, const Window<1>& window) {
  return detail::min_pool_backward<layout, 1>(dy, indices, input_shape, window);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto min_pool2d_backward(const G& dy, const T& indices, const Shape& input_shape, const Window<2>& window) {
  return detail::min_pool_backward<layout, 2>(dy, indices, input_shape, window);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto min_pool3d_backward(const G& dy, const T& indices, const Shape& input_shape, const Window<3>& window) {
  return detail::min_pool_backward<layout, 3>(dy, indices, input_shape, window);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool1d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<1>& window,
                              const Device& device = {}) {
  detail::max_backward<layout, 1>(
      {detail::min_pool_name, 1, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::FixedWindows<1>{window}, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool2d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<2>& window,
                              const Device& device = {}) {
  detail::max_backward<layout, 2>(
      {detail::min_pool_name, 2, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::FixedWindows<2>{window}, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool3d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<3>& window,
                              const Device& device = {}) {
  detail::max_backward<layout, 3>(
      {detail::min_pool_name, 3, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::FixedWindows<3>{window}, [&]() -> auto& { return dx; }, device);
}

/// dx without indices: the minima of x are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto min_pool1d_backward_from_input(const G& dy, const X& x, const Window<1>& window) {
  return detail::min_pool_backward_from_input<layout, 1>(dy, x, window);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto min_pool2d_backward_from_input(const G& dy, const X& x, const Window<2>& window) {
  return detail::min_pool_backward_from_input<layout, 2>(dy, x, window);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto min_pool3d_backward_from_input(const G& dy, const X& x, const Window<3>& window) {
  return detail::min_pool_backward_from_input<layout, 3>(dy, x, window);
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool1d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Window<1>& window,
                                         const Device& device = {}) {
  detail::max_backward_from_input_into<layout, 1, detail::Smaller>(
      {detail::min_pool_name, 1, "_backward_from_input_into"}, dx, dy, x, detail::FixedWindows<1>{window}, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool2d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Window<2>& window,
                                         const Device& device = {}) {
  detail::max_backward_from_input_into<layout, 2, detail::Smaller>(
      {detail::min_pool_name, 2, "_backward_from_input_into"}, dx, dy, x, detail::FixedWindows<2>{window}, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void min_pool3d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Window<3>& window,
                                         const Device& device = {}) {
  detail::max_backward_from_input_into<layout, 3, detail::Smaller>(
      {detail::min_pool_name, 3, "_backward_from_input_into"}, dx, dy, x, detail::FixedWindows<3>{window}, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(MinPool<2>(window)).
template <int D, Layout layout = channels_first>
class MinPool {
 public:
  explicit MinPool(const Window<D>& window) : window_(window) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::FixedWindows<D>{window_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::FixedWindows<D>{window_}, detail::MinReduction(), device);
  }

 private:
  static constexpr detail::Function function_{detail::min_pool_name, D};
  Window<D> window_;
};

/// For Eigen's customOp of two arguments: dx.device(device) = dy.customOp(x, MinPoolBackward<2>(window)).
template <int D, Layout layout = channels_first>
class MinPoolBackward {
 public:
  explicit MinPoolBackward(const Window<D>& window) : window_(window) {}

  template <class G, class X>
  auto dimensions(const G&, const X& x) const {
    return detail::dimensions_of<X>(detail::shape_of(x));
  }
  template <class G, class X, class Y, class Device>
  void eval(const G& dy, const X& x, Y& dx, const Device& device) const {
    detail::max_backward_from_input_into<layout, D, detail::Smaller>(
        {detail::min_pool_name, D, "_backward_from_input"}, dx, dy, x, detail::FixedWindows<D>{window_}, device);
  }

 private:
  Window<D> window_;
};

EIGENPOOL_END
