// Adaptive min pooling: adaptive_min_pool1d, adaptive_min_pool2d, adaptive_min_pool3d, with indices, and their
// backward. Windows are as in adaptive_max_pool.hpp, everything else is as in min_pool.hpp.
#pragma once

#include "detail/max_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* adaptive_min_pool_name = "adaptive_min_pool";

template <Layout layout, int D, class G, class T, class Shape>
auto adaptive_min_pool_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    const OutputSize<D> size = output_size_of<layout, D, rank_of<G>>(shape_of(dy));
    max_backward<layout, D>({adaptive_min_pool_name, D, "_backward"}, "input_shape", shape, dy, indices,
                            AdaptiveWindows<D>{size}, output, Eigen::DefaultDevice());
  });
}

template <Layout layout, int D, class G, class X>
auto adaptive_min_pool_backward_from_input(const G& dy, const X& x) {
  return new_gradient<G>(shape_of(x), [&](const auto&, const auto& output) {
    const OutputSize<D> size = output_size_of<layout, D, rank_of<G>>(shape_of(dy));
    max_backward_from_input<layout, D, Smaller>({adaptive_min_pool_name, D, "_backward_from_input"}, dy, x,
                                                AdaptiveWindows<D>{size}, output, Eigen::DefaultDevice());
  });
}

}  // namespace detail

/// y = the minimum of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_min_pool1d(const X& x, const OutputSize<1>& output_size) {
  return detail::pooled<layout, 1, detail::rank_of<X>>({detail::adaptive_min_pool_name, 1}, x,
                                                       detail::AdaptiveWindows<1>{output_size}, detail::MinReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_min_pool2d(const X& x, const OutputSize<2>& output_size) {
  return detail::pooled<layout, 2, detail::rank_of<X>>({detail::adaptive_min_pool_name, 2}, x,
                                                       detail::AdaptiveWindows<2>{output_size}, detail::MinReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_min_pool3d(const X& x, const OutputSize<3>& output_size) {
  return detail::pooled<layout, 3, detail::rank_of<X>>({detail::adaptive_min_pool_name, 3}, x,
                                                       detail::AdaptiveWindows<3>{output_size}, detail::MinReduction());
}

/// The same into y, a tensor or map of the result's shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_min_pool1d_into(Y&& y, const X& x, const OutputSize<1>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 1>({detail::adaptive_min_pool_name, 1, "_into"}, y, x,
                               detail::AdaptiveWindows<1>{output_size}, detail::MinReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_min_pool2d_into(Y&& y, const X& x, const OutputSize<2>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 2>({detail::adaptive_min_pool_name, 2, "_into"}, y, x,
                               detail::AdaptiveWindows<2>{output_size}, detail::MinReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_min_pool3d_into(Y&& y, const X& x, const OutputSize<3>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 3>({detail::adaptive_min_pool_name, 3, "_into"}, y, x,
                               detail::AdaptiveWindows<3>{output_size}, detail::MinReduction(), device);
}

/// {output, indices}; the kinds of indices are those of min_pool2d_with_indices. Compact ones number the cells of
/// each window, whatever its size.
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto adaptive_min_pool1d_with_indices(const X& x, const OutputSize<1>& output_size) {
  return detail::max_pooled_with_indices<layout, 1, detail::rank_of<X>, I, detail::Smaller>(
      {detail::adaptive_min_pool_name, 1, "_with_indices"}, x, detail::AdaptiveWindows<1>{output_size});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto adaptive_min_pool1d_with_indices(const X& x, const OutputSize<1>& output_size) {
  return adaptive_min_pool1d_with_indices<channels_first, I>(x, output_size);
}
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto adaptive_min_pool2d_with_indices(const X& x, const OutputSize<2>& output_size) {
  return detail::max_pooled_with_indices<layout, 2, detail::rank_of<X>, I, detail::Smaller>(
      {detail::adaptive_min_pool_name, 2, "_with_indices"}, x, detail::AdaptiveWindows<2>{output_size});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto adaptive_min_pool2d_with_indices(const X& x, const OutputSize<2>& output_size) {
  return adaptive_min_pool2d_with_indices<channels_first, I>(x, output_size);
}
template <Layout layout = channels_first, detail::IndexScalar I = std::int64_t, detail::TensorLike X>
auto adaptive_min_pool3d_with_indices(const X& x, const OutputSize<3>& output_size) {
  return detail::max_pooled_with_indices<layout, 3, detail::rank_of<X>, I, detail::Smaller>(
      {detail::adaptive_min_pool_name, 3, "_with_indices"}, x, detail::AdaptiveWindows<3>{output_size});
}
template <detail::IndexScalar I, detail::TensorLike X>
auto adaptive_min_pool3d_with_indices(const X& x, const OutputSize<3>& output_size) {
  return adaptive_min_pool3d_with_indices<channels_first, I>(x, output_size);
}

/// The same into y and indices.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void adaptive_min_pool1d_with_indices_into(Y&& y, T&& indices, const X& x, const OutputSize<1>& output_size,
                                           const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 1, detail::Smaller>(
      {detail::adaptive_min_pool_name, 1, "_with_indices_into"}, y, indices, x, detail::AdaptiveWindows<1>{output_size},
      device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void adaptive_min_pool2d_with_indices_into(Y&& y, T&& indices, const X& x, const OutputSize<2>& output_size,
                                           const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 2, detail::Smaller>(
      {detail::adaptive_min_pool_name, 2, "_with_indices_into"}, y, indices, x, detail::AdaptiveWindows<2>{output_size},
      device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<T, Y>
void adaptive_min_pool3d_with_indices_into(Y&& y, T&& indices, const X& x, const OutputSize<3>& output_size,
                                           const Device& device = {}) {
  detail::max_pool_with_indices_into<layout, 3, detail::Smaller>(
      {detail::adaptive_min_pool_name, 3, "_with_indices_into"}, y, indices, x, detail::AdaptiveWindows<3>{output_size},
      device);
}

/// dx: zero, plus dy at the cell that each index names. The output size is dy's.
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto adaptive_min_pool1d_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return detail::adaptive_min_pool_backward<layout, 1>(dy, indices, input_shape);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto adaptive_min_pool2d_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return detail::adaptive_min_pool_backward<layout, 2>(dy, indices, input_shape);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T, class Shape>
auto adaptive_min_pool3d_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return detail::adaptive_min_pool_backward<layout, 3>(dy, indices, input_shape);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool1d_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 1, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward<layout, 1>(
      {detail::adaptive_min_pool_name, 1, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::AdaptiveWindows<1>{size}, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool2d_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 2, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward<layout, 2>(
      {detail::adaptive_min_pool_name, 2, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::AdaptiveWindows<2>{size}, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool3d_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 3, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward<layout, 3>(
      {detail::adaptive_min_pool_name, 3, "_backward_into"}, "output", detail::shape_of(dx), dy, indices,
      detail::AdaptiveWindows<3>{size}, [&]() -> auto& { return dx; }, device);
}

/// dx without indices: the minima of x are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto adaptive_min_pool1d_backward_from_input(const G& dy, const X& x) {
  return detail::adaptive_min_pool_backward_from_input<layout, 1>(dy, x);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto adaptive_min_pool2d_backward_from_input(const G& dy, const X& x) {
  return detail::adaptive_min_pool_backward_from_input<layout, 2>(dy, x);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto adaptive_min_pool3d_backward_from_input(const G& dy, const X& x) {
  return detail::adaptive_min_pool_backward_from_input<layout, 3>(dy, x);
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool1d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 1, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward_from_input_into<layout, 1, detail::Smaller>(
      {detail::adaptive_min_pool_name, 1, "_backward_from_input_into"}, dx, dy, x, detail::AdaptiveWindows<1>{size},
      device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool2d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 2, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward_from_input_into<layout, 2, detail::Smaller>(
      {detail::adaptive_min_pool_name, 2, "_backward_from_input_into"}, dx, dy, x, detail::AdaptiveWindows<2>{size},
      device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_min_pool3d_backward_from_input_into(Y&& dx, const G& dy, const X& x, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 3, detail::rank_of<G>>(detail::shape_of(dy));
  detail::max_backward_from_input_into<layout, 3, detail::Smaller>(
      {detail::adaptive_min_pool_name, 3, "_backward_from_input_into"}, dx, dy, x, detail::AdaptiveWindows<3>{size},
      device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(AdaptiveMinPool<2>({7, 7})).
template <int D, Layout layout = channels_first>
class AdaptiveMinPool {
 public:
  explicit AdaptiveMinPool(const OutputSize<D>& output_size) : output_size_(output_size) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::AdaptiveWindows<D>{output_size_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::AdaptiveWindows<D>{output_size_}, detail::MinReduction(),
                                 device);
  }

 private:
  static constexpr detail::Function function_{detail::adaptive_min_pool_name, D};
  OutputSize<D> output_size_;
};

EIGENPOOL_END
