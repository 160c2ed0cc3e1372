// Pooling with a reducer of your own: pool, and its backward.
//
// A reducer says what becomes of a window. It is an object, and may hold parameters:
//
//   struct GeneralisedMean {                              // (mean of x^p)^(1/p), for x > 0
//     using State = double;                               // what a group of taps comes to; copyable
//     double p;
//     State identity() const { return 0; }                // of no tap: merging it in changes nothing
//     State take(double x) const { return std::pow(x, p); }               // of one tap
//     State merge(State a, State b) const { return a + b; }               // of two groups, a before b
//     double finish(State sum, Index taps) const { return std::pow(sum / double(taps), 1 / p); }
//     double derivative(double x, State sum, Index taps) const {          // of the result by the tap x; for
//     pool_backward
//       return std::pow(x, p - 1) / double(taps) * std::pow(sum / double(taps), 1 / p - 1);
//     }
//   };
//
//   auto y = pool(x, Window<2>{.kernel = 3, .stride = 2}, GeneralisedMean{3.0});
//
// merge must be associative but for rounding. Groups are merged along the library's fixed tree of a sum, so that
// results are the same bits in every layout and storage order and on any number of threads; padding is taken as the
// identity. `taps` counts the window's cells in the input: 0 for a window without any, which finish() must bear. NaNs,
// ties and overflow are what the reducer makes of them. Scalars: any; take() and derivative() get half and bfloat16 as
// float. Members are called from several threads at once. What they throw passes through on a DefaultDevice; on a
// ThreadPoolDevice they must not throw.
//
// Shapes, layouts and errors are as in max_pool.hpp. Taps are taken one by one: a maximum, a sum or a norm is faster as
// the function of its own name.
#pragma once

#include "detail/reducer_engine.hpp"

EIGENPOOL_BEGIN

/// What pool() asks of a reducer over lanes L.
template <class R, class L>
concept Reducer = requires(const R& reducer, const typename R::State& state, const L& x, Index taps) {
  { reducer.identity() } -> std::convertible_to<typename R::State>;
  { reducer.take(x) } -> std::convertible_to<typename R::State>;
  { reducer.merge(state, state) } -> std::convertible_to<typename R::State>;
  reducer.finish(state, taps);
};

/// What pool_backward() asks beside it.
template <class R, class L>
concept DifferentiableReducer = Reducer<R, L> &&
    requires(const R& reducer, const typename R::State& state, const L& x, Index taps) {
  reducer.derivative(x, state, taps);
};

namespace detail {

inline constexpr const char* pool_name = "pool";

template <class R, class X>
concept ReducerFor = TensorLike<X> && Reducer<R, Compared<ScalarOf<X>>>;
template <class R, class X>
concept DifferentiableReducerFor = TensorLike<X> && DifferentiableReducer<R, Compared<ScalarOf<X>>>;

}  // namespace detail

/// y = what the reducer makes of each window of x, in a new tensor.
template <Layout layout = channels_first, detail::TensorLike X, int D, detail::ReducerFor<X> R>
auto pool(const X& x, const Window<D>& window, const R& reducer) {
  return detail::pooled<layout, D, detail::rank_of<X>>({detail::pool_name}, x, detail::FixedWindows<D>{window},
                                                       detail::ReducerReduction<R>{reducer});
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, class X, int D, detail::ReducerFor<X> R,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void pool_into(Y&& y, const X& x, const Window<D>& window, const R& reducer, const Device& device = {}) {
  detail::pool_into<layout, D>({detail::pool_name, 0, "_into"}, y, x, detail::FixedWindows<D>{window},
                               detail::ReducerReduction<R>{reducer}, device);
}

/// dx[c] = the sum of dy * derivative(x[c], state, taps) over the windows that hold c. The states are made again from
/// x.
template <Layout layout = channels_first, detail::Differentiable G, detail::SameKind<G> X, int D,
          detail::DifferentiableReducerFor<X> R>
auto pool_backward(const G& dy, const X& x, const Window<D>& window, const R& reducer) {
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::reducer_backward<layout, D>({detail::pool_name, 0, "_backward"}, dy, x, detail::FixedWindows<D>{window},
                                        reducer, output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is x's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Differentiable G, detail::SameKind<G> X,
          int D, detail::DifferentiableReducerFor<X> R, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void pool_backward_into(Y&& dx, const G& dy, const X& x, const Window<D>& window, const R& reducer,
                        const Device& device = {}) {
  detail::reducer_backward<layout, D>(
      {detail::pool_name, 0, "_backward_into"}, dy, x, detail::FixedWindows<D>{window},
      reducer, [&]() -> auto& { return dx; }, device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(Pool(Window<2>{.kernel = 2}, reducer)).
template <int D, class R, Layout layout = channels_first>
class Pool {
 public:
  Pool(const Window<D>& window, const R& reducer) : window_(window), reducer_(reducer) {}

  template <class X>
  auto dimensions(const X& x) const {
    return detail::result_dimensions<layout, D>(function_, x, detail::FixedWindows<D>{window_});
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    detail::pool_into<layout, D>(function_, y, x, detail::FixedWindows<D>{window_},
                                 detail::ReducerReduction<R>{reducer_}, device);
  }

 private:
  static constexpr detail::Function function_{detail::pool_name};
  Window<D> window_;
  R reducer_;
};

/// For Eigen's customOp of two arguments: dx.device(device) = dy.customOp(x, PoolBackward(window, reducer)).
template <int D, class R, Layout layout = channels_first>
class PoolBackward {
 public:
  PoolBackward(const Window<D>& window, const R& reducer) : window_(window), reducer_(reducer) {}

  template <class G, class X>
  auto dimensions(const G&, const X& x) const {
    return detail::dimensions_of<X>(detail::shape_of(x));
  }
  template <class G, class X, class Y, class Device>
  void eval(const G& dy, const X& x, Y& dx, const Device& device) const {
    pool_backward_into<layout>(dx, dy, x, window_, reducer_, device);
  }

 private:
  Window<D> window_;
  R reducer_;
};

EIGENPOOL_END
