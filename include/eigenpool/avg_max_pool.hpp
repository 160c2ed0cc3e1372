// Average and max pooling in one pass, concatenated along the channels, as image classifiers' heads do: avg_max_pool1d,
// avg_max_pool2d, avg_max_pool3d, global_avg_max_pool, and their backward.
//
// x is (..., C, spatial...) or, channels_last, (..., spatial..., C); y has the forward's spatial extents and 2 C
// channels: the C averages of avg_pool, then the C maxima of max_pool, bit by bit (but for the sign of a maximum's
// zero). x is read part by part, so that both reductions find it in the cache. Windows, options, scalars, NaNs,
// padding, rounding and errors are as in avg_pool.hpp and max_pool.hpp.
#pragma once

#include "detail/avg_max_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr const char* avg_max_pool_name = "avg_max_pool";
inline constexpr const char* global_avg_max_pool_name = "global_avg_max_pool";

template <Layout layout, int D, class X>
auto avg_max_pool(const X& x, const Window<D>& window, const AvgOptions& options) {
  constexpr Function function{avg_max_pool_name, D};
  return avg_max_pooled<layout, D, rank_of<X>>(function, x, FixedWindows<D>{window, counted(options)},
                                               checked_mean(function, options));
}

template <Layout layout, int D, class Y, class X, class Device>
void avg_max_pool_into(Y& y, const X& x, const Window<D>& window, const AvgOptions& options, const Device& device) {
  constexpr Function function{avg_max_pool_name, D, "_into"};
  avg_max_pool_into<layout, D>(function, y, x, FixedWindows<D>{window, counted(options)},
                               checked_mean(function, options), device);
}

template <Layout layout, int D, class G, class X>
auto avg_max_pool_backward(const G& dy, const X& x, const Window<D>& window, const AvgOptions& options) {
  constexpr Function function{avg_max_pool_name, D, "_backward"};
  return new_gradient<G>(shape_of(x), [&](const auto&, const auto& output) {
    avg_max_backward<layout, D>(function, dy, x, FixedWindows<D>{window, counted(options)},
                                checked_mean(function, options), output, Eigen::DefaultDevice());
  });
}

template <Layout layout, int D, class Y, class G, class X, class Device>
void avg_max_pool_backward_into(Y& dx, const G& dy, const X& x, const Window<D>& window, const AvgOptions& options,
                                const Device& device) {
  constexpr Function function{avg_max_pool_name, D, "_backward_into"};
  avg_max_backward<layout, D>(
      function, dy, x, FixedWindows<D>{window, counted(options)},
      checked_mean(function, options), [&]() -> auto& { return dx; }, device);
}

}  // namespace detail

/// y = the averages, then the maxima of the windows of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_max_pool1d(const X& x, const Window<1>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool<layout>(x, window, options);
}
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_max_pool2d(const X& x, const Window<2>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool<layout>(x, window, options);
}
template <Layout layout = channels_first, detail::TensorLike X>
auto avg_max_pool3d(const X& x, const Window<3>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool<layout>(x, window, options);
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_max_pool1d_into(Y&& y, const X& x, const Window<1>& window, const AvgOptions& options = {},
                         const Device& device = {}) {
  detail::avg_max_pool_into<layout>(y, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_max_pool2d_into(Y&& y, const X& x, const Window<2>& window, const AvgOptions& options = {},
                         const Device& device = {}) {
  detail::avg_max_pool_into<layout>(y, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, class X, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void avg_max_pool3d_into(Y&& y, const X& x, const Window<3>& window, const AvgOptions& options = {},
                         const Device& device = {}) {
  detail::avg_max_pool_into<layout>(y, x, window, options, device);
}

/// dx, from dy of 2 C channels and the forward's input: its maxima are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto avg_max_pool1d_backward(const G& dy, const X& x, const Window<1>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool_backward<layout>(dy, x, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto avg_max_pool2d_backward(const G& dy, const X& x, const Window<2>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool_backward<layout>(dy, x, window, options);
}
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X>
auto avg_max_pool3d_backward(const G& dy, const X& x, const Window<3>& window, const AvgOptions& options = {}) {
  return detail::avg_max_pool_backward<layout>(dy, x, window, options);
}

/// The same into dx, whose shape is x's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_max_pool1d_backward_into(Y&& dx, const G& dy, const X& x, const Window<1>& window,
                                  const AvgOptions& options = {}, const Device& device = {}) {
  detail::avg_max_pool_backward_into<layout>(dx, dy, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_max_pool2d_backward_into(Y&& dx, const G& dy, const X& x, const Window<2>& window,
                                  const AvgOptions& options = {}, const Device& device = {}) {
  detail::avg_max_pool_backward_into<layout>(dx, dy, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void avg_max_pool3d_backward_into(Y&& dx, const G& dy, const X& x, const Window<3>& window,
                                  const AvgOptions& options = {}, const Device& device = {}) {
  detail::avg_max_pool_backward_into<layout>(dx, dy, x, window, options, device);
}

/// y = the averages, then the maxima of the planes of x, of shape (N, 2 C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_avg_max_pool(const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::avg_max_pooled<layout, D, 2>({detail::global_avg_max_pool_name}, x, detail::GlobalWindow<D>(),
                                              detail::MeanReduction());
}

/// The same, of x's rank: (N, 2 C, 1, ...) or (N, 1, ..., 2 C).
template <Layout layout = channels_first, detail::GlobalInput X>
auto global_avg_max_pool(const X& x, KeepDims) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::avg_max_pooled<layout, D, D + 2>({detail::global_avg_max_pool_name}, x, detail::GlobalWindow<D>(),
                                                  detail::MeanReduction());
}

/// The same into y of either shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> || detail::Squeezed<Y, X>
void global_avg_max_pool_into(Y&& y, const X& x, const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::avg_max_pool_into<layout, D>({detail::global_avg_max_pool_name, 0, "_into"}, y, x, detail::GlobalWindow<D>(),
                                       detail::MeanReduction(), device);
}

/// dx, from dy of either shape and the forward's input.
template <Layout layout = channels_first, detail::Differentiable G, detail::GlobalInput X>
  requires detail::SameKind<G, X> || detail::Squeezed<G, X>
auto global_avg_max_pool_backward(const G& dy, const X& x) {
  constexpr int D = detail::rank_of<X> - 2;
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::avg_max_backward<layout, D>({detail::global_avg_max_pool_name, 0, "_backward"}, dy, x,
                                        detail::GlobalWindow<D>(), detail::MeanReduction(), output,
                                        Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is x's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires(detail::SameKind<G, X> || detail::Squeezed<G, X>)
&&detail::SameKind<Y, X> void global_avg_max_pool_backward_into(Y&& dx, const G& dy, const X& x,
                                                                const Device& device = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  detail::avg_max_backward<layout, D>(
      {detail::global_avg_max_pool_name, 0, "_backward_into"}, dy, x, detail::GlobalWindow<D>(),
      detail::MeanReduction(), [&]() -> auto& { return dx; }, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(AvgMaxPool<2>(window, options)).
template <int D, Layout layout = channels_first>
class AvgMaxPool {
 public:
  explicit AvgMaxPool(const Window<D>& window, const AvgOptions& options = {}) : window_(window), options_(options) {}

  template <class X>
  auto dimensions(const X& x) const {
    const auto plan =
        detail::make_plan<layout, D>(function_, "input", detail::shape_of(x), windows(), detail::is_row_major<X>);
    return detail::dimensions_of<X>(detail::Concatenation<layout, D, detail::rank_of<X>>(function_, plan).shape);
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::avg_max_pool_into<layout, D>(function_, y, x, windows(), detail::checked_mean(function_, options_), device);
  }

 private:
  detail::FixedWindows<D> windows() const { return {window_, detail::counted(options_)}; }

  static constexpr detail::Function function_{detail::avg_max_pool_name, D};
  Window<D> window_;
  AvgOptions options_;
};

/// For Eigen's customOp of two arguments: dx.device(device) = dy.customOp(x, AvgMaxPoolBackward<2>(window, options)).
template <int D, Layout layout = channels_first>
class AvgMaxPoolBackward {
 public:
  explicit AvgMaxPoolBackward(const Window<D>& window, const AvgOptions& options = {})
      : window_(window), options_(options) {}

  template <class G, class X>
  auto dimensions(const G&, const X& x) const {
    return detail::dimensions_of<X>(detail::shape_of(x));
  }
  template <class G, class X, class Y, class Device>
  void eval(const G& dy, const X& x, Y& dx, const Device& device) const {
    detail::avg_max_pool_backward_into<layout>(dx, dy, x, window_, options_, device);
  }

 private:
  Window<D> window_;
  AvgOptions options_;
};

/// For Eigen's customOp: y.device(device) = x.customOp(GlobalAvgMaxPool<>()), of x's rank as keep_dims.
template <Layout layout = channels_first>
class GlobalAvgMaxPool {
 public:
  template <class X>
  auto dimensions(const X& x) const {
    constexpr int D = detail::rank_of<X> - 2;
    const auto plan = detail::make_plan<layout, D>(function_, "input", detail::shape_of(x), detail::GlobalWindow<D>(),
                                                   detail::is_row_major<X>);
    return detail::dimensions_of<X>(detail::Concatenation<layout, D, detail::rank_of<X>>(function_, plan).shape);
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::avg_max_pool_into<layout, detail::rank_of<X> - 2>(
        function_, y, x, detail::GlobalWindow<detail::rank_of<X> - 2>(), detail::MeanReduction(), device);
  }

 private:
  static constexpr detail::Function function_{detail::global_avg_max_pool_name};
};

EIGENPOOL_END
