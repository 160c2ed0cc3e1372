// Fractional max pooling (Graham 2014): fractional_max_pool2d, fractional_max_pool3d, with indices, and their backward.
// Windows of one size stand at places that are drawn for each plane and axis, so that the result may be a little
// smaller than the input.
//
// Along an axis of n cells with o results and a kernel of k, window i of a plane with the sample u in [0, 1) begins at
// int((i + u) a) - int(u a), a = (n - k) / (o - 1), and the last one at n - k: PyTorch's rule, in the samples' own
// arithmetic (PyTorch's samples are of the input's scalar). o is output_size, or int(n * output_ratio).
//
// samples is a tensor of x's storage order and of float or double, of shape (N, C, D): one more axis than x has beside
// the spatial ones, in the order N, C in both layouts. Its columns are PyTorch's: (w, h) in 2D, (d, h, w) in 3D. A
// Seed{n} instead draws them.
//
// Errors: those of max_pool.hpp; both or none of output_size and output_ratio; a ratio outside (0, 1); an output below
// 1 or above n - k + 1; samples of another shape or outside [0, 1). Layouts, scalars, NaNs and ties are as in
// max_pool.hpp; indices are flat ones, of std::int64_t or std::int32_t.
#pragma once

#include "detail/fractional_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* fractional_max_pool_name = "fractional_max_pool";

template <Layout layout, int D, class X, class Source>
auto fractional_max_pooled(const X& x, const FractionalWindow<D>& window, const Source& samples) {
  using S = ScalarOf<X>;
  ResultTensor<X> y;
  const auto output = [&](const auto& shape) -> Maxima<S, std::int64_t> {
    y = make_tensor<ResultTensor<X>>(shape);
    return {y.data(), nullptr};
  };
  fractional_max_pool<layout, D, std::int64_t>({fractional_max_pool_name, D}, x, window, samples, output,
                                               Eigen::DefaultDevice());
  return y;
}

template <Layout layout, int D, class Y, class X, class Source, class Device>
void fractional_max_pool_into(Y& y, const X& x, const FractionalWindow<D>& window, const Source& samples,
                              const Device& device) {
  constexpr Function function{fractional_max_pool_name, D, "_into"};
  const auto output = [&](const auto& shape) -> Maxima<ScalarOf<X>, std::int64_t> {
    require_shape(function, "output", shape_of(y), shape);
    return {y.data(), nullptr};
  };
  fractional_max_pool<layout, D, std::int64_t>(function, x, window, samples, output, device);
}

template <Layout layout, int D, class I, class X, class Source>
auto fractional_max_pooled_with_indices(const X& x, const FractionalWindow<D>& window, const Source& samples) {
  using S = ScalarOf<X>;
  WithIndices<ResultTensor<X>, ResultTensor<X, rank_of<X>, I>> result;
  const auto output = [&](const auto& shape) -> Maxima<S, I> {
    result.output = make_tensor<ResultTensor<X>>(shape);
    result.indices = make_tensor<ResultTensor<X, rank_of<X>, I>>(shape);
    return {result.output.data(), result.indices.data()};
  };
  fractional_max_pool<layout, D, I>({fractional_max_pool_name, D, "_with_indices"}, x, window, samples, output,
                                    Eigen::DefaultDevice());
  return result;
}

template <Layout layout, int D, class Y, class T, class X, class Source, class Device>
void fractional_max_pool_with_indices_into(Y& y, T& indices, const X& x, const FractionalWindow<D>& window,
                                           const Source& samples, const Device& device) {
  using I = ScalarOf<T>;
  constexpr Function function{fractional_max_pool_name, D, "_with_indices_into"};
  const auto output = [&](const auto& shape) -> Maxima<ScalarOf<X>, I> {
    require_shape(function, "output", shape_of(y), shape);
    require_shape(function, "indices", shape_of(indices), shape);
    return {y.data(), indices.data()};
  };
  fractional_max_pool<layout, D, I>(function, x, window, samples, output, device);
}

/// Flat indices say all, so any table between the two shapes will do.
template <Layout layout, int D, class G, class T, class Shape>
auto fractional_max_pool_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    const OutputSize<D> size = output_size_of<layout, D, rank_of<G>>(shape_of(dy));
    max_backward<layout, D>({fractional_max_pool_name, D, "_backward"}, "input_shape", shape, dy, indices,
                            AdaptiveWindows<D>{size}, output, Eigen::DefaultDevice());
  });
}

template <Layout layout, int D, class Y, class G, class T, class Device>
void fractional_max_pool_backward_into(Y& dx, const G& dy, const T& indices, const Device& device) {
  const OutputSize<D> size = output_size_of<layout, D, rank_of<G>>(shape_of(dy));
  max_backward<layout, D>(
      {fractional_max_pool_name, D, "_backward_into"}, "output", shape_of(dx), dy, indices,
      AdaptiveWindows<D>{size}, [&]() -> auto& { return dx; }, device);
}

/// A tensor of flat indices beside values Y.
template <class T, class Y>
concept FlatIndexTensor = IndexTensor<T, Y> && FlatIndex<ScalarOf<T>>;

}  // namespace detail

/// y = the maximum of each window of x, in a new tensor. samples: a tensor of samples, or a Seed.
template <Layout layout = channels_first, detail::TensorLike X, detail::SampleSource<X, 2> Source>
auto fractional_max_pool2d(const X& x, const FractionalWindow<2>& window, const Source& samples) {
  return detail::fractional_max_pooled<layout, 2>(x, window, samples);
}
template <Layout layout = channels_first, detail::TensorLike X, detail::SampleSource<X, 3> Source>
auto fractional_max_pool3d(const X& x, const FractionalWindow<3>& window, const Source& samples) {
  return detail::fractional_max_pooled<layout, 3>(x, window, samples);
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, detail::SampleSource<Y, 2> Source,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void fractional_max_pool2d_into(Y&& y, const X& x, const FractionalWindow<2>& window, const Source& samples,
                                const Device& device = {}) {
  detail::fractional_max_pool_into<layout, 2>(y, x, window, samples, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, detail::SampleSource<Y, 3> Source,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void fractional_max_pool3d_into(Y&& y, const X& x, const FractionalWindow<3>& window, const Source& samples,
                                const Device& device = {}) {
  detail::fractional_max_pool_into<layout, 3>(y, x, window, samples, device);
}

/// {output, indices}: the maxima, and where they were, flat in the plane.
template <Layout layout = channels_first, detail::FlatIndex I = std::int64_t, detail::TensorLike X,
          detail::SampleSource<X, 2> Source>
auto fractional_max_pool2d_with_indices(const X& x, const FractionalWindow<2>& window, const Source& samples) {
  return detail::fractional_max_pooled_with_indices<layout, 2, I>(x, window, samples);
}
template <detail::FlatIndex I, detail::TensorLike X, detail::SampleSource<X, 2> Source>
auto fractional_max_pool2d_with_indices(const X& x, const FractionalWindow<2>& window, const Source& samples) {
  return fractional_max_pool2d_with_indices<channels_first, I>(x, window, samples);
}
template <Layout layout = channels_first, detail::FlatIndex I = std::int64_t, detail::TensorLike X,
          detail::SampleSource<X, 3> Source>
auto fractional_max_pool3d_with_indices(const X& x, const FractionalWindow<3>& window, const Source& samples) {
  return detail::fractional_max_pooled_with_indices<layout, 3, I>(x, window, samples);
}
template <detail::FlatIndex I, detail::TensorLike X, detail::SampleSource<X, 3> Source>
auto fractional_max_pool3d_with_indices(const X& x, const FractionalWindow<3>& window, const Source& samples) {
  return fractional_max_pool3d_with_indices<channels_first, I>(x, window, samples);
}

/// The same into y and indices.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          detail::SampleSource<Y, 2> Source, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::FlatIndexTensor<T, Y>
void fractional_max_pool2d_with_indices_into(Y&& y, T&& indices, const X& x, const FractionalWindow<2>& window,
                                             const Source& samples, const Device& device = {}) {
  detail::fractional_max_pool_with_indices_into<layout, 2>(y, indices, x, window, samples, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::OutputTensor T, class X,
          detail::SampleSource<Y, 3> Source, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::FlatIndexTensor<T, Y>
void fractional_max_pool3d_with_indices_into(Y&& y, T&& indices, const X& x, const FractionalWindow<3>& window,
                                             const Source& samples, const Device& device = {}) {
  detail::fractional_max_pool_with_indices_into<layout, 3>(y, indices, x, window, samples, device);
}

/// dx: zero, plus dy at the cell that each index names; windows that overlap add up. input_shape is the forward's
/// x.dimensions(); the indices are checked.
template <Layout layout = channels_first, detail::Differentiable G, detail::FlatIndexTensor<G> T, class Shape>
auto fractional_max_pool2d_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return detail::fractional_max_pool_backward<layout, 2>(dy, indices, input_shape);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::FlatIndexTensor<G> T, class Shape>
auto fractional_max_pool3d_backward(const G& dy, const T& indices, const Shape& input_shape) {
  return detail::fractional_max_pool_backward<layout, 3>(dy, indices, input_shape);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          detail::FlatIndexTensor<G> T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void fractional_max_pool2d_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  detail::fractional_max_pool_backward_into<layout, 2>(dx, dy, indices, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G,
          detail::FlatIndexTensor<G> T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void fractional_max_pool3d_backward_into(Y&& dx, const G& dy, const T& indices, const Device& device = {}) {
  detail::fractional_max_pool_backward_into<layout, 3>(dx, dy, indices, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(FractionalMaxPool<2>(window, Seed{1})).
template <int D, Layout layout = channels_first>
class FractionalMaxPool {
 public:
  FractionalMaxPool(const FractionalWindow<D>& window, Seed seed) : window_(window), seed_(seed) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>({detail::fractional_max_pool_name, D}, x,
                                                detail::FractionalWindows<D>{window_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::fractional_max_pool_into<layout, D>(y, x, window_, seed_, device);
  }

 private:
  FractionalWindow<D> window_;
  Seed seed_;
};

EIGENPOOL_END
