// Anti-aliased pooling: blur_pool1d, blur_pool2d, max_blur_pool2d, and their backward, after Zhang, "Making
// convolutional networks shift-invariant again" (2019).
//
// Shapes and layouts are as in max_pool.hpp. A blur's output has floor((in - 1) / stride) + 1 cells per axis, and
//   y[o] = sum over j < kernel of binomial(kernel - 1, j) / 2^(kernel - 1) * x[o * stride - (kernel - 1) / 2 + j],
// along each axis in turn; what x is outside the input, BlurPadding says. The defaults are Blur's: kernel 3, stride 2,
// reflected padding.
//
// Scalars and NaNs are as in avg_pool.hpp. Sums are made by adding neighbours kernel - 1 times, first along axis 0, and
// are divided once: the same bits in every layout and storage order and on any number of threads. Integers are rounded
// to nearest even once.
//
// Errors, before anything is written: a kernel below 1 or above 7, a stride below 1, an axis that is too short for its
// reflected padding, a spatial extent of 0, tensors of a wrong shape, overlapping memory.
#pragma once

#include "detail/blur_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* blur_pool_name = "blur_pool";
inline constexpr const char* max_blur_pool_name = "max_blur_pool";

template <Layout layout, int D, class G, class Shape>
auto blur_pool_backward(const G& dy, const Shape& input_shape, const Blur<D>& blur) {
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    blur_backward<layout, D>({blur_pool_name, D, "_backward"}, "input_shape", shape, dy, blur, output,
                             Eigen::DefaultDevice());
  });
}

}  // namespace detail

/// y = the blur of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto blur_pool1d(const X& x, const Blur<1>& blur = {}) {
  return detail::pooled<layout, 1, detail::rank_of<X>>({detail::blur_pool_name, 1}, x, detail::BlurWindows<1>{blur},
                                                       detail::BlurReduction{blur.padding});
}
template <Layout layout = channels_first, detail::TensorLike X>
auto blur_pool2d(const X& x, const Blur<2>& blur = {}) {
  return detail::pooled<layout, 2, detail::rank_of<X>>({detail::blur_pool_name, 2}, x, detail::BlurWindows<2>{blur},
                                                       detail::BlurReduction{blur.padding});
}

/// The same into y, a tensor or map of the result's shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void blur_pool1d_into(Y&& y, const X& x, const Blur<1>& blur = {}, const Device& device = {}) {
  detail::pool_into<layout, 1>({detail::blur_pool_name, 1, "_into"}, y, x, detail::BlurWindows<1>{blur},
                               detail::BlurReduction{blur.padding}, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void blur_pool2d_into(Y&& y, const X& x, const Blur<2>& blur = {}, const Device& device = {}) {
  detail::pool_into<layout, 2>({detail::blur_pool_name, 2, "_into"}, y, x, detail::BlurWindows<2>{blur},
                               detail::BlurReduction{blur.padding}, device);
}

/// dx: each cell gets dy times its weight from every output that takes it, as itself or as padding. input_shape is the
/// forward's x.dimensions().
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto blur_pool1d_backward(const G& dy, const Shape& input_shape, const Blur<1>& blur = {}) {
  return detail::blur_pool_backward<layout, 1>(dy, input_shape, blur);
}
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto blur_pool2d_backward(const G& dy, const Shape& input_shape, const Blur<2>& blur = {}) {
  return detail::blur_pool_backward<layout, 2>(dy, input_shape, blur);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void blur_pool1d_backward_into(Y&& dx, const G& dy, const Blur<1>& blur = {}, const Device& device = {}) {
  detail::blur_backward<layout, 1>(
      {detail::blur_pool_name, 1, "_backward_into"}, "output", detail::shape_of(dx), dy,
      blur, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void blur_pool2d_backward_into(Y&& dx, const G& dy, const Blur<2>& blur = {}, const Device& device = {}) {
  detail::blur_backward<layout, 2>(
      {detail::blur_pool_name, 2, "_backward_into"}, "output", detail::shape_of(dx), dy,
      blur, [&]() -> auto& { return dx; }, device);
}

/// y = the blur of the maxima of x over `dense`, a window at every cell: what a strided max_pool2d becomes when it is
/// anti-aliased. The maximum is as in max_pool.hpp.
template <Layout layout = channels_first, detail::TensorLike X>
auto max_blur_pool2d(const X& x, const DenseWindow<2>& dense, const Blur<2>& blur = {}) {
  const detail::Function function{detail::max_blur_pool_name, 2};
  const Eigen::DefaultDevice device;
  const detail::Operand<X> input(x, device);
  const auto plan = detail::max_blur_plan<layout, 2, X>(function, input.shape(), dense, blur);
  auto y = detail::make_tensor<detail::ResultTensor<X>>(plan.blur.result_shape);
  detail::max_blur_into(function, y, input, plan, blur.padding, device);
  return y;
}

/// The same into y.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void max_blur_pool2d_into(Y&& y, const X& x, const DenseWindow<2>& dense, const Blur<2>& blur = {},
                          const Device& device = {}) {
  const detail::Function function{detail::max_blur_pool_name, 2, "_into"};
  const detail::Operand<X> input(x, device);
  const auto plan = detail::max_blur_plan<layout, 2, X>(function, input.shape(), dense, blur);
  detail::max_blur_into(function, y, input, plan, blur.padding, device);
}

/// dx from the forward's input, whose maxima are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, detail::TensorLike X>
  requires detail::SameKind<G, X>
auto max_blur_pool2d_backward(const G& dy, const X& x, const DenseWindow<2>& dense, const Blur<2>& blur = {}) {
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::max_blur_backward<layout, 2>({detail::max_blur_pool_name, 2, "_backward"}, dy, x, dense, blur, output,
                                         Eigen::DefaultDevice());
  });
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, class X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<G, X> && detail::SameKind<Y, X>
void max_blur_pool2d_backward_into(Y&& dx, const G& dy, const X& x, const DenseWindow<2>& dense,
                                   const Blur<2>& blur = {}, const Device& device = {}) {
  const detail::Function function{detail::max_blur_pool_name, 2, "_backward_into"};
  const auto output = [&]() -> auto& {
    detail::require_shape(function, "output", detail::shape_of(dx), detail::shape_of(x));
    return dx;
  };
  detail::max_blur_backward<layout, 2>(function, dy, x, dense, blur, output, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(BlurPool<2>(blur)).
template <int D, Layout layout = channels_first>
class BlurPool {
 public:
  explicit BlurPool(const Blur<D>& blur = {}) : blur_(blur) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::BlurWindows<D>{blur_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::BlurWindows<D>{blur_}, detail::BlurReduction{blur_.padding},
                                 device);
  }

 private:
  static constexpr detail::Function function_{detail::blur_pool_name, D};
  Blur<D> blur_;
};

/// For Eigen's customOp: y.device(device) = x.customOp(MaxBlurPool<2>(dense, blur)).
template <int D, Layout layout = channels_first>
class MaxBlurPool {
 public:
  explicit MaxBlurPool(const DenseWindow<D>& dense, const Blur<D>& blur = {}) : dense_(dense), blur_(blur) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::dimensions_of<X>(
        detail::max_blur_plan<layout, D, X>(function_, detail::shape_of(x), dense_, blur_).blur.result_shape);
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    const detail::Operand<X> input(x, device);
    const auto plan = detail::max_blur_plan<layout, D, X>(function_, input.shape(), dense_, blur_);
    detail::max_blur_into(function_, y, input, plan, blur_.padding, device);
  }

 private:
  static constexpr detail::Function function_{detail::max_blur_pool_name, D};
  DenseWindow<D> dense_;
  Blur<D> blur_;
};

EIGENPOOL_END
