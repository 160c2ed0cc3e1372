// Adaptive average pooling: adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, and their backward.
//
// Output i of o along an axis of n cells covers the cells floor(i n / o) up to, not including, ceil((i + 1) n / o), as
// PyTorch's: windows may overlap, and o may exceed n. OutputSize gives o for each axis, or `keep` for n; 0 gives an
// empty result, less is an error. Bounds are exact in integers at any size.
// Shapes, layouts, scalars, NaNs, sums and errors are as in avg_pool.hpp.
#pragma once

#include "detail/avg_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* adaptive_avg_pool_name = "adaptive_avg_pool";

template <Layout layout, int D, class G, class Shape>
auto adaptive_avg_pool_backward(const G& dy, const Shape& input_shape) {
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    const OutputSize<D> size = output_size_of<layout, D, rank_of<G>>(shape_of(dy));
    avg_backward<layout, D>({adaptive_avg_pool_name, D, "_backward"}, "input_shape", shape, dy,
                            AdaptiveWindows<D>{size}, MeanReduction(), output, Eigen::DefaultDevice());
  });
}

}  // namespace detail

/// y = the average of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_avg_pool1d(const X& x, const OutputSize<1>& output_size) {
  return detail::pooled<layout, 1, detail::rank_of<X>>(
      {detail::adaptive_avg_pool_name, 1}, x, detail::AdaptiveWindows<1>{output_size}, detail::MeanReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_avg_pool2d(const X& x, const OutputSize<2>& output_size) {
  return detail::pooled<layout, 2, detail::rank_of<X>>(
      {detail::adaptive_avg_pool_name, 2}, x, detail::AdaptiveWindows<2>{output_size}, detail::MeanReduction());
}
template <Layout layout = channels_first, detail::TensorLike X>
auto adaptive_avg_pool3d(const X& x, const OutputSize<3>& output_size) {
  return detail::pooled<layout, 3, detail::rank_of<X>>(
      {detail::adaptive_avg_pool_name, 3}, x, detail::AdaptiveWindows<3>{output_size}, detail::MeanReduction());
}

/// The same into y, a tensor or map of the result's shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_avg_pool1d_into(Y&& y, const X& x, const OutputSize<1>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 1>({detail::adaptive_avg_pool_name, 1, "_into"}, y, x,
                               detail::AdaptiveWindows<1>{output_size}, detail::MeanReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_avg_pool2d_into(Y&& y, const X& x, const OutputSize<2>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 2>({detail::adaptive_avg_pool_name, 2, "_into"}, y, x,
                               detail::AdaptiveWindows<2>{output_size}, detail::MeanReduction(), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void adaptive_avg_pool3d_into(Y&& y, const X& x, const OutputSize<3>& output_size, const Device& device = {}) {
  detail::pool_into<layout, 3>({detail::adaptive_avg_pool_name, 3, "_into"}, y, x,
                               detail::AdaptiveWindows<3>{output_size}, detail::MeanReduction(), device);
}

/// dx: each cell gets dy / (the window's cells) from every window that holds it. The output size is dy's.
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto adaptive_avg_pool1d_backward(const G& dy, const Shape& input_shape) {
  return detail::adaptive_avg_pool_backward<layout, 1>(dy, input_shape);
}
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto adaptive_avg_pool2d_backward(const G& dy, const Shape& input_shape) {
  return detail::adaptive_avg_pool_backward<layout, 2>(dy, input_shape);
}
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto adaptive_avg_pool3d_backward(const G& dy, const Shape& input_shape) {
  return detail::adaptive_avg_pool_backward<layout, 3>(dy, input_shape);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_avg_pool1d_backward_into(Y&& dx, const G& dy, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 1, detail::rank_of<G>>(detail::shape_of(dy));
  detail::avg_backward<layout, 1>(
      {detail::adaptive_avg_pool_name, 1, "_backward_into"}, "output", detail::shape_of(dx), dy,
      detail::AdaptiveWindows<1>{size}, detail::MeanReduction(), [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_avg_pool2d_backward_into(Y&& dx, const G& dy, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 2, detail::rank_of<G>>(detail::shape_of(dy));
  detail::avg_backward<layout, 2>(
      {detail::adaptive_avg_pool_name, 2, "_backward_into"}, "output", detail::shape_of(dx), dy,
      detail::AdaptiveWindows<2>{size}, detail::MeanReduction(), [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void adaptive_avg_pool3d_backward_into(Y&& dx, const G& dy, const Device& device = {}) {
  const auto size = detail::output_size_of<layout, 3, detail::rank_of<G>>(detail::shape_of(dy));
  detail::avg_backward<layout, 3>(
      {detail::adaptive_avg_pool_name, 3, "_backward_into"}, "output", detail::shape_of(dx), dy,
      detail::AdaptiveWindows<3>{size}, detail::MeanReduction(), [&]() -> auto& { return dx; }, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(AdaptiveAvgPool<2>({7, 7})).
template <int D, Layout layout = channels_first>
class AdaptiveAvgPool {
 public:
  explicit AdaptiveAvgPool(const OutputSize<D>& output_size) : output_size_(output_size) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::AdaptiveWindows<D>{output_size_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::AdaptiveWindows<D>{output_size_}, detail::MeanReduction(),
                                 device);
  }

 private:
  static constexpr detail::Function function_{detail::adaptive_avg_pool_name, D};
  OutputSize<D> output_size_;
};

EIGENPOOL_END
