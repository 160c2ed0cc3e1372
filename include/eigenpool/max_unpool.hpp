// Max unpooling: max_unpool1d, max_unpool2d, max_unpool3d, and their backward. The way back from a max pooling with
// indices: y is 0 but for the cells that the indices name, which get x's values.
//
// x is a max pooling's result, or anything of its shape; indices is of x's shape and of any kind that
// max_pool*_with_indices gives: signed ones are flat in y's planes, unsigned ones number the taps of `window`. The
// window is the pooling's. y's spatial extents follow from it, as PyTorch's: (n - 1) * stride - padding + (dilation *
// (kernel - 1) + 1); with SAME padding they are n * stride. Since poolings of other extents may give the same n,
// output_size can name them: less than a stride from the default either way.
//
// Duplicates: where an index occurs more than once in a plane, the value that is last in row-major logical order stays,
// in every layout and storage order and on any number of threads. The backward is the exact derivative of that rule.
//
// Errors: those of max_pool.hpp; an output_size that the window cannot have; an index outside its plane or window; and
// "none" (-1, or the largest value) for a window that holds a cell. Layouts and scalars are as in max_pool.hpp; values
// are moved, never changed, so any scalar will do, and a NaN keeps its payload.
#pragma once

#include "detail/unpool_engine.hpp"

EIGENPOOL_BEGIN

/// gradient_to_all: a backward gives each of several values with the same index the gradient of their cell, as PyTorch,
/// not only the one that stayed.
struct UnpoolOptions {
  bool gradient_to_all = false;
};

namespace detail {

inline constexpr const char* max_unpool_name = "max_unpool";

template <Layout layout, int D, class X, class T>
auto max_unpool(const X& x, const T& indices, const Window<D>& window, const std::optional<Extents<D>>& size) {
  ResultTensor<X> y;
  unpool<layout, D>({max_unpool_name, D}, "output_size", 0, x, indices, window, size, new_tensor(y),
                    Eigen::DefaultDevice());
  return y;
}

template <Layout layout, int D, class Y, class X, class T, class Device>
void max_unpool_into(Y& y, const X& x, const T& indices, const Window<D>& window, const Device& device) {
  constexpr Function function{max_unpool_name, D, "_into"};
  unpool<layout, D>(function, "output", first_spatial<layout>(rank_of<Y>, D), x, indices, window,
                    std::optional(spatial_extents<layout, D>(shape_of(y))), given_tensor(function, y), device);
}

template <Layout layout, int D, class G, class T>
auto max_unpool_backward(const G& dy, const T& indices, const Window<D>& window, const UnpoolOptions& options) {
  ResultTensor<G> dx;
  unpool_backward<layout, D>({max_unpool_name, D, "_backward"}, dy, indices, window, options.gradient_to_all,
                             new_tensor(dx), Eigen::DefaultDevice());
  return dx;
}

template <Layout layout, int D, class Y, class G, class T, class Device>
void max_unpool_backward_into(Y& dx, const G& dy, const T& indices, const Window<D>& window,
                              const UnpoolOptions& options, const Device& device) {
  constexpr Function function{max_unpool_name, D, "_backward_into"};
  unpool_backward<layout, D>(function, dy, indices, window, options.gradient_to_all, given_tensor(function, dx),
                             device);
}

}  // namespace detail

/// y = x at the cells that the indices name, 0 elsewhere, in a new tensor of the default extents.
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool1d(const X& x, const T& indices, const Window<1>& window) {
  return detail::max_unpool<layout, 1>(x, indices, window, std::nullopt);
}
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool2d(const X& x, const T& indices, const Window<2>& window) {
  return detail::max_unpool<layout, 2>(x, indices, window, std::nullopt);
}
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool3d(const X& x, const T& indices, const Window<3>& window) {
  return detail::max_unpool<layout, 3>(x, indices, window, std::nullopt);
}

/// The same with the spatial extents output_size.
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool1d(const X& x, const T& indices, const Window<1>& window, const Sizes<1>& output_size) {
  return detail::max_unpool<layout, 1>(x, indices, window, std::optional(output_size.values));
}
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool2d(const X& x, const T& indices, const Window<2>& window, const Sizes<2>& output_size) {
  return detail::max_unpool<layout, 2>(x, indices, window, std::optional(output_size.values));
}
template <Layout layout = channels_first, detail::TensorLike X, detail::IndexTensor<X> T>
auto max_unpool3d(const X& x, const T& indices, const Window<3>& window, const Sizes<3>& output_size) {
  return detail::max_unpool<layout, 3>(x, indices, window, std::optional(output_size.values));
}

/// The same into y, whose spatial extents are the output size, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, detail::IndexTensor<Y> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void max_unpool1d_into(Y&& y, const X& x, const T& indices, const Window<1>& window, const Device& device = {}) {
  detail::max_unpool_into<layout, 1>(y, x, indices, window, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, detail::IndexTensor<Y> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void max_unpool2d_into(Y&& y, const X& x, const T& indices, const Window<2>& window, const Device& device = {}) {
  detail::max_unpool_into<layout, 2>(y, x, indices, window, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, detail::IndexTensor<Y> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void max_unpool3d_into(Y&& y, const X& x, const T& indices, const Window<3>& window, const Device& device = {}) {
  detail::max_unpool_into<layout, 3>(y, x, indices, window, device);
}

/// dx = dy at each value's cell, 0 for a value that another one replaced (see UnpoolOptions). dx has the shape of the
/// indices.
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T>
auto max_unpool1d_backward(const G& dy, const T& indices, const Window<1>& window, const UnpoolOptions& options = {}) {
  return detail::max_unpool_backward<layout, 1>(dy, indices, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T>
auto max_unpool2d_backward(const G& dy, const T& indices, const Window<2>& window, const UnpoolOptions& options = {}) {
  return detail::max_unpool_backward<layout, 2>(dy, indices, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::IndexTensor<G> T>
auto max_unpool3d_backward(const G& dy, const T& indices, const Window<3>& window, const UnpoolOptions& options = {}) {
  return detail::max_unpool_backward<layout, 3>(dy, indices, window, options);
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void max_unpool1d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<1>& window,
                                const UnpoolOptions& options = {}, const Device& device = {}) {
  detail::max_unpool_backward_into<layout, 1>(dx, dy, indices, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void max_unpool2d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<2>& window,
                                const UnpoolOptions& options = {}, const Device& device = {}) {
  detail::max_unpool_backward_into<layout, 2>(dx, dy, indices, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void max_unpool3d_backward_into(Y&& dx, const G& dy, const T& indices, const Window<3>& window,
                                const UnpoolOptions& options = {}, const Device& device = {}) {
  detail::max_unpool_backward_into<layout, 3>(dx, dy, indices, window, options, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(MaxUnpool<2, Indices>(indices, window)), where Indices is the
/// type of `indices`, a tensor that must outlive the object.
template <int D, class Indices, Layout layout = channels_first>
class MaxUnpool {
 public:
  MaxUnpool(const Indices& indices, const Window<D>& window) : indices_(indices), window_(window) {}

  template <class X>
  auto dimensions(const X& x) const {
    const auto shape = detail::shape_of(x);
    const auto windows = detail::unpooled_windows<layout, D>(function_, "input", shape, window_);
    return detail::dimensions_of<X>(detail::with_spatial_extents<layout, D>(shape, windows.default_extents(function_)));
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::max_unpool_into<layout, D>(y, x, indices_, window_, device);
  }

 private:
  static constexpr detail::Function function_{detail::max_unpool_name, D};
  const Indices& indices_;
  Window<D> window_;
};

EIGENPOOL_END
