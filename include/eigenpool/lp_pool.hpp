// Lp pooling: lp_pool1d, lp_pool2d, lp_pool3d, global_lp_pool, and their backward.
//
// y = (sum of |x|^p)^(1/p) over the real cells of each window (ONNX's LpPool and GlobalLpPool); with p = infinity the
// largest |x|. Padding adds nothing; a window without a real cell gives 0. A NaN in a window is its norm. Scalars:
// float, double, half and bfloat16 (in float). A norm overflows or vanishes only where its value does, whatever |x|^p
// does.
//
// The derivative is sign(x) (|x| / y)^(p-1), 0 where y is 0; with p = infinity the first of the largest |x| takes
// it all. Shapes, layouts, windows and errors are as in max_pool.hpp, sums as in avg_pool.hpp.
#pragma once

#include "detail/lp_backward.hpp"

EIGENPOOL_BEGIN

/// The exponent of a norm, at least 1 or infinity. signed_power: PyTorch's lp_pool, which takes x^p with its sign and
/// scales the sum of a window that ceil_mode cuts off up to a full kernel: (mean of x^p * taps of the kernel)^(1/p). It
/// gives NaN where a power or a root has no real value, and its p is any finite number above 0.
struct LpOptions {
  double p = 2;
  bool signed_power = false;
};

namespace detail {

inline constexpr const char* lp_pool_name = "lp_pool";
inline constexpr const char* global_lp_pool_name = "global_lp_pool";

inline LpReduction checked_norm(const Function& function, const LpOptions& options) {
  return checked_norm(function, options.p, options.signed_power);
}

template <Layout layout, int D, class X>
auto lp_pool(const X& x, const Window<D>& window, const LpOptions& options) {
  constexpr Function function{lp_pool_name, D};
  return pooled<layout, D, rank_of<X>>(function, x, FixedWindows<D>{window}, checked_norm(function, options));
}

template <Layout layout, int D, class Y, class X, class Device>
void lp_pool_into(Y& y, const X& x, const Window<D>& window, const LpOptions& options, const Device& device) {
  constexpr Function function{lp_pool_name, D, "_into"};
  pool_into<layout, D>(function, y, x, FixedWindows<D>{window}, checked_norm(function, options), device);
}

template <Layout layout, int D, class G, class X, class Y>
auto lp_pool_backward(const G& dy, const X& x, const Y& y, const Window<D>& window, const LpOptions& options) {
  constexpr Function function{lp_pool_name, D, "_backward"};
  return new_gradient<G>(shape_of(x), [&](const auto&, const auto& output) {
    norm_backward<layout, D>(function, dy, x, y, FixedWindows<D>{window}, checked_norm(function, options), output,
                             Eigen::DefaultDevice());
  });
}

template <Layout layout, int D, class Out, class G, class X, class Y, class Device>
void lp_pool_backward_into(Out& dx, const G& dy, const X& x, const Y& y, const Window<D>& window,
                           const LpOptions& options, const Device& device) {
  constexpr Function function{lp_pool_name, D, "_backward_into"};
  norm_backward<layout, D>(
      function, dy, x, y, FixedWindows<D>{window}, checked_norm(function, options), [&]() -> auto& { return dx; },
      device);
}

}  // namespace detail

/// y = the norm of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::RealTensor X>
auto lp_pool1d(const X& x, const Window<1>& window, const LpOptions& options = {}) {
  return detail::lp_pool<layout>(x, window, options);
}
template <Layout layout = channels_first, detail::RealTensor X>
auto lp_pool2d(const X& x, const Window<2>& window, const LpOptions& options = {}) {
  return detail::lp_pool<layout>(x, window, options);
}
template <Layout layout = channels_first, detail::RealTensor X>
auto lp_pool3d(const X& x, const Window<3>& window, const LpOptions& options = {}) {
  return detail::lp_pool<layout>(x, window, options);
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::RealTensor X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void lp_pool1d_into(Y&& y, const X& x, const Window<1>& window, const LpOptions& options = {},
                    const Device& device = {}) {
  detail::lp_pool_into<layout>(y, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::RealTensor X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void lp_pool2d_into(Y&& y, const X& x, const Window<2>& window, const LpOptions& options = {},
                    const Device& device = {}) {
  detail::lp_pool_into<layout>(y, x, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Y, detail::RealTensor X,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void lp_pool3d_into(Y&& y, const X& x, const Window<3>& window, const LpOptions& options = {},
                    const Device& device = {}) {
  detail::lp_pool_into<layout>(y, x, window, options, device);
}

/// dx, from the gradient dy, the input x and the result y of the forward.
template <Layout layout = channels_first, detail::RealTensor G, detail::SameKind<G> X, detail::SameKind<G> Y>
auto lp_pool1d_backward(const G& dy, const X& x, const Y& y, const Window<1>& window, const LpOptions& options = {}) {
  return detail::lp_pool_backward<layout>(dy, x, y, window, options);
}
template <Layout layout = channels_first, detail::RealTensor G, detail::SameKind<G> X, detail::SameKind<G> Y>
auto lp_pool2d_backward(const G& dy, const X& x, const Y& y, const Window<2>& window, const LpOptions& options = {}) {
  return detail::lp_pool_backward<layout>(dy, x, y, window, options);
}
template <Layout layout = channels_first, detail::RealTensor G, detail::SameKind<G> X, detail::SameKind<G> Y>
auto lp_pool3d_backward(const G& dy, const X& x, const Y& y, const Window<3>& window, const LpOptions& options = {}) {
  return detail::lp_pool_backward<layout>(dy, x, y, window, options);
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Out, detail::RealTensor G, detail::SameKind<G> X,
          detail::SameKind<G> Y, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Out, G>
void lp_pool1d_backward_into(Out&& dx, const G& dy, const X& x, const Y& y, const Window<1>& window,
                             const LpOptions& options = {}, const Device& device = {}) {
  detail::lp_pool_backward_into<layout>(dx, dy, x, y, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Out, detail::RealTensor G, detail::SameKind<G> X,
          detail::SameKind<G> Y, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Out, G>
void lp_pool2d_backward_into(Out&& dx, const G& dy, const X& x, const Y& y, const Window<2>& window,
                             const LpOptions& options = {}, const Device& device = {}) {
  detail::lp_pool_backward_into<layout>(dx, dy, x, y, window, options, device);
}
template <Layout layout = channels_first, detail::OutputTensor Out, detail::RealTensor G, detail::SameKind<G> X,
          detail::SameKind<G> Y, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Out, G>
void lp_pool3d_backward_into(Out&& dx, const G& dy, const X& x, const Y& y, const Window<3>& window,
                             const LpOptions& options = {}, const Device& device = {}) {
  detail::lp_pool_backward_into<layout>(dx, dy, x, y, window, options, device);
}

/// y = the norm of each plane of x, of shape (N, C).
template <Layout layout = channels_first, detail::GlobalInput X>
  requires detail::RealTensor<X>
auto global_lp_pool(const X& x, const LpOptions& options = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  constexpr detail::Function function{detail::global_lp_pool_name};
  return detail::pooled<layout, D, 2>(function, x, detail::GlobalWindow<D>(), detail::checked_norm(function, options));
}

/// The same, of x's rank: (N, C, 1, ...) or (N, 1, ..., C).
template <Layout layout = channels_first, detail::GlobalInput X>
  requires detail::RealTensor<X>
auto global_lp_pool(const X& x, KeepDims, const LpOptions& options = {}) {
  constexpr int D = detail::rank_of<X> - 2;
  constexpr detail::Function function{detail::global_lp_pool_name};
  return detail::pooled<layout, D, D + 2>(function, x, detail::GlobalWindow<D>(),
                                          detail::checked_norm(function, options));
}

/// The same into y of either shape, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::RealTensor<X> &&
      (detail::SameKind<Y, X> || detail::Squeezed<Y, X>)void global_lp_pool_into(Y&& y, const X& x,
                                                                                 const LpOptions& options = {},
                                                                                 const Device& device = {}) {
    constexpr int D = detail::rank_of<X> - 2;
    constexpr detail::Function function{detail::global_lp_pool_name, 0, "_into"};
    detail::pool_into<layout, D>(function, y, x, detail::GlobalWindow<D>(), detail::checked_norm(function, options),
                                 device);
  }

  /// dx; dy and y are (N, C) or of the input's rank.
  template <Layout layout = channels_first, detail::RealTensor G, detail::GlobalInput X, detail::SameKind<G> Y>
    requires detail::SameKind<G, X> || detail::Squeezed<G, X>
  auto global_lp_pool_backward(const G& dy, const X& x, const Y& y, const LpOptions& options = {}) {
    constexpr int D = detail::rank_of<X> - 2;
    constexpr detail::Function function{detail::global_lp_pool_name, 0, "_backward"};
    return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
      detail::norm_backward<layout, D>(function, dy, x, y, detail::GlobalWindow<D>(),
                                       detail::checked_norm(function, options), output, Eigen::DefaultDevice());
    });
  }

  /// The same into dx, whose shape is the input's.
  template <Layout layout = channels_first, detail::OutputTensor Out, detail::RealTensor G, detail::GlobalInput X,
            detail::SameKind<G> Y, class Device = Eigen::DefaultDevice>
    requires(detail::SameKind<G, X> || detail::Squeezed<G, X>)
  &&detail::SameKind<Out, X> void global_lp_pool_backward_into(Out&& dx, const G& dy, const X& x, const Y& y,
                                                               const LpOptions& options = {},
                                                               const Device& device = {}) {
    constexpr int D = detail::rank_of<X> - 2;
    constexpr detail::Function function{detail::global_lp_pool_name, 0, "_backward_into"};
    detail::norm_backward<layout, D>(
        function, dy, x, y, detail::GlobalWindow<D>(),
        detail::checked_norm(function, options), [&]() -> auto& { return dx; }, device);
  }

  /// For Eigen's customOp: y.device(device) = x.customOp(LpPool<2>(window, {.p = 3})).
  template <int D, Layout layout = channels_first>
  class LpPool {
   public:
    explicit LpPool(const Window<D>& window, const LpOptions& options = {}) : window_(window), options_(options) {}

    template <class X>
    auto dimensions(const X& x) const {
      return detail::result_dimensions<layout, D>(function_, x, detail::FixedWindows<D>{window_});
    }
    template <class X, class Y, class Device>
    void eval(const X& x, Y& y, const Device& device) const {
      detail::pool_into<layout, D>(function_, y, x, detail::FixedWindows<D>{window_},
                                   detail::checked_norm(function_, options_), device);
    }

   private:
    static constexpr detail::Function function_{detail::lp_pool_name, D};
    Window<D> window_;
    LpOptions options_;
  };

  /// For Eigen's customOp: y.device(device) = x.customOp(GlobalLpPool<>({.p = 3})), of x's rank as keep_dims.
  template <Layout layout = channels_first>
  class GlobalLpPool {
   public:
    explicit GlobalLpPool(const LpOptions& options = {}) : options_(options) {}

    template <class X>
    auto dimensions(const X& x) const {
      constexpr int D = detail::rank_of<X> - 2;
      return detail::result_dimensions<layout, D>(function_, x, detail::GlobalWindow<D>());
    }
    template <class X, class Y, class Device>
    void eval(const X& x, Y& y, const Device& device) const {
      constexpr int D = detail::rank_of<X> - 2;
      detail::pool_into<layout, D>(function_, y, x, detail::GlobalWindow<D>(),
                                   detail::checked_norm(function_, options_), device);
    }

   private:
    static constexpr detail::Function function_{detail::global_lp_pool_name};
    LpOptions options_;
  };

  EIGENPOOL_END
