// Average pooling over fixed windows: avg_pool1d, avg_pool2d, avg_pool3d, and their backward.
//
// Shapes, layouts and errors as in max_pool.hpp. Scalars: float, double, half, bfloat16, integers, and any type
// with + and *.
//
// y = the sum of the window's cells in the input, divided by
//   divisor_override                              when given (an error when 0; it may be negative), else
//   the taps before in + padding.end              with count_include_pad (the default; never ceil_mode's overhang),
//   the taps in the input                         without.
// A window without a real cell gives 0. NaN and infinities propagate.
//
// Sums follow a fixed tree (detail/tree.hpp): the same bits in every layout, storage order and vector width and
// on any number of threads, and an error that grows with the logarithm of the window. Small floats are summed in
// float, integers in 64 bits, wrapping, and their averages rounded to nearest, halves to even.
#pragma once

#include "detail/avg_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* avg_pool_name = "avg_pool";

template <int D>
FixedWindows<D> avg_windows(const Window<D>& window, const AvgOptions& options) {
  return {window, counted(options)};
}

template <Layout layout, int D, class G, class Shape>
auto avg_pool_backward(const G& dy, const Shape& input_shape, const Window<D>& window, const AvgOptions& options) {
  const Function function{avg_pool_name, D, "_backward"};
  const MeanReduction mean = checked_mean(function, options);
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    avg_backward<layout, D>(function, "input_shape", shape, dy, avg_windows(window, options), mean, output,
                            Eigen::DefaultDevice());
  });
}

}  // namespace detail

/// y = the average of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_pool1d(const X& x, const Window<1>& window, const AvgOptions& options = {}) {
  const detail::Function function{detail::avg_pool_name, 1};
  return detail::pooled<layout, 1, detail::rank_of<X>>(function, x, detail::avg_windows(window, options),
                                                       detail::checked_mean(function, options));
}
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_pool2d(const X& x, const Window<2>& window, const AvgOptions& options = {}) {
  const detail::Function function{detail::avg_pool_name, 2};
  return detail::pooled<layout, 2, detail::rank_of<X>>(function, x, detail::avg_windows(window, options),
                                                       detail::checked_mean(function, options));
}
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_pool3d(const X& x, const Window<3>& window, const AvgOptions& options = {}) {
  const detail::Function function{detail::avg_pool_name, 3};
  return detail::pooled<layout, 3, detail::rank_of<X>>(function, x, detail::avg_windows(window, options),
                                                       detail::checked_mean(function, options));
}

/// The same into y, a tensor or map of the result's shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_pool1d_into(Y&& y, const X& x, const Window<1>& window, const AvgOptions& options = {},
                     const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 1, "_into"};
  detail::pool_into<layout, 1>(function, y, x, detail::avg_windows(window, options),
                               detail::checked_mean(function, options), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_pool2d_into(Y&& y, const X& x, const Window<2>& window, const AvgOptions& options = {},
                     const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 2, "_into"};
  detail::pool_into<layout, 2>(function, y, x, detail::avg_windows(window, options),
                               detail::checked_mean(function, options), device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_pool3d_into(Y&& y, const X& x, const Window<3>& window, const AvgOptions& options = {},
                     const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 3, "_into"};
  detail::pool_into<layout, 3>(function, y, x, detail::avg_windows(window, options),
                               detail::checked_mean(function, options), device);
}

/// dx: each cell gets dy / divisor from every window that holds it. dy has the forward's result shape, input_shape
/// is the forward's x.dimensions(). It is itself a sum over windows (of the outputs that cover an input), in a fixed
/// order.
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto avg_pool1d_backward(const G& dy, const Shape& input_shape, const Window<1>& window,
                         const AvgOptions& options = {}) {
  return detail::avg_pool_backward<layout, 1>(dy, input_shape, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto avg_pool2d_backward(const G& dy, const Shape& input_shape, const Window<2>& window,
                         const AvgOptions& options = {}) {
  return detail::avg_pool_backward<layout, 2>(dy, input_shape, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, class Shape>
auto avg_pool3d_backward(const G& dy, const Shape& input_shape, const Window<3>& window,
                         const AvgOptions& options = {}) {
  return detail::avg_pool_backward<layout, 3>(dy, input_shape, window, options);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_pool1d_backward_into(Y&& dx, const G& dy, const Window<1>& window, const AvgOptions& options = {},
                              const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 1, "_backward_into"};
  detail::avg_backward<layout, 1>(
      function, "output", detail::shape_of(dx), dy, detail::avg_windows(window, options),
      detail::checked_mean(function, options), [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_pool2d_backward_into(Y&& dx, const G& dy, const Window<2>& window, const AvgOptions& options = {},
                              const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 2, "_backward_into"};
  detail::avg_backward<layout, 2>(
      function, "output", detail::shape_of(dx), dy, detail::avg_windows(window, options),
      detail::checked_mean(function, options), [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_pool3d_backward_into(Y&& dx, const G& dy, const Window<3>& window, const AvgOptions& options = {},
                              const Device& device = {}) {
  const detail::Function function{detail::avg_pool_name, 3, "_backward_into"};
  detail::avg_backward<layout, 3>(
      function, "output", detail::shape_of(dx), dy, detail::avg_windows(window, options),
      detail::checked_mean(function, options), [&]() -> auto& { return dx; }, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(AvgPool<2>(window, options)).
template <int D, Layout layout = channels_first>
class AvgPool {
 public:
  explicit AvgPool(const Window<D>& window, const AvgOptions& options = {}) : window_(window), options_(options) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::avg_windows(window_, options_));
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::avg_windows(window_, options_),
                                 detail::checked_mean(function_, options_), device);
  }

 private:
  static constexpr detail::Function function_{detail::avg_pool_name, D};
  Window<D> window_;
  AvgOptions options_;
};

/// For Eigen's customOp: dx.device(device) = dy.customOp(AvgPoolBackward<2>({height, width}, window, options)), with
/// the spatial extents of the forward's input.
template <int D, Layout layout = channels_first>
class AvgPoolBackward {
 public:
  AvgPoolBackward(const Sizes<D>& input_extents, const Window<D>& window, const AvgOptions& options = {})
      : input_extents_(input_extents), window_(window), options_(options) {}

  template <class G>
  auto dimensions(const G& dy) const {
    auto shape = detail::shape_of(dy);
    for (int a = 0; a < D; ++a)
      shape[static_cast<std::size_t>(detail::first_spatial<layout>(detail::rank_of<G>, D) + a)] = input_extents_[a];
    detail::require_countable<detail::DefaultIndexOf<G>>(function_, "input_extents", shape,
                                                         sizeof(detail::ScalarOf<G>));
    return detail::dimensions_of<G>(shape);
  }
  template <class G, class Y, class Device>
  void eval(const G& dy, Y& dx, const Device& device) const {
    detail::avg_backward<layout, D>(
        function_, "input_extents", detail::shape_of(dx), dy, detail::avg_windows(window_, options_),
        detail::checked_mean(function_, options_), [&]() -> auto& { return dx; }, device);
  }

 private:
  static constexpr detail::Function function_{detail::avg_pool_name, D, "_backward"};
  Sizes<D> input_extents_;
  Window<D> window_;
  AvgOptions options_;
};

EIGENPOOL_END
