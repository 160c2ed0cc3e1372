// What the public fronts have in common: concepts for their arguments, and
// forward pooling for all of them.
#pragma once

#include "parallel.hpp"
#include "plan.hpp"

EIGENPOOL_BEGIN

/// What a function with indices returns.
template <class Output, class Indices>
struct WithIndices {
  Output output;
  Indices indices;
};

namespace detail {

/// Tensors that agree in scalar, rank and storage order: the input and the
/// output of a pooling.
template <class Y, class X>
concept SameKind = TensorLike<X> && std::same_as<ScalarOf<Y>, ScalarOf<X>> && rank_of<Y>
== rank_of<X>&& is_row_major<Y> == is_row_major<X>;

/// The same but for the rank: (N, C), the result of a global pooling without
/// its spatial axes.
template <class Y, class X>
concept Squeezed = TensorLike<X> && std::same_as<ScalarOf<Y>, ScalarOf<X>> && rank_of<Y>
== 2 && (rank_of<X> > 2) && is_row_major<Y> == is_row_major<X>;

/// (N, C, spatial...): what a global pooling takes.
template <class X>
concept GlobalInput = TensorLike<X> &&(rank_of<X> >= 3) && (rank_of<X> <= 5);

/// The shape of a global pooling's input, for a gradient of rank 2 or of the
/// input's rank.
template <class Shape, class G>
concept GlobalShapeFor = (shape_rank<Shape> >= 3) && (shape_rank<Shape> <= 5) &&
                         (rank_of<G> == 2 || rank_of<G> == shape_rank<Shape>);

/// Index scalars: signed ones are flat in the plane, unsigned ones number the
/// taps of their window.
template <class I>
concept FlatIndex = std::same_as<I, std::int64_t> || std::same_as<I, std::int32_t>;
template <class I>
concept CompactIndex =
    std::same_as<I, std::uint8_t> || std::same_as<I, std::uint16_t> || std::same_as<I, std::uint32_t>;
template <class I>
concept IndexScalar = FlatIndex<I> || CompactIndex<I>;

/// A tensor of indices beside values Y: of an index scalar, and of Y's rank and
/// storage order.
template <class T, class Y>
concept IndexTensor = TensorLike<T> && IndexScalar<ScalarOf<T>> && rank_of<T>
== rank_of<Y>&& is_row_major<T> == is_row_major<Y>;

/// A tensor that has gradients: not of integers.
template <class T>
concept Differentiable = TensorLike<T> && !std::integral<ScalarOf<T>>;

/// What wins over windows: a maximum or a minimum.
template <class Order>
struct ExtremeReduction {
  template <class S, class P>
  void operator()(const Problem& problem, const S* x, S* y, const P& parallel) const {
    extreme_windows<Order>(problem, x, y, parallel);
  }
};
using MaxReduction = ExtremeReduction<Larger>;
using MinReduction = ExtremeReduction<Smaller>;

/// A mean over windows.
struct MeanReduction {
  std::optional<Index> divisor;

  template <class S, class P>
  void operator()(const Problem& problem, const S* x, S* y, const P& parallel) const {
    mean_windows(problem, x, y, divisor, parallel);
  }
};

template <class X>
using DefaultIndexOf = typename TraitsOf<X>::Index;

template <Layout layout, int D, class X, class Windows>
auto forward_plan(const Function& function, const Operand<X>& x, const Windows& windows) {
  const auto plan = make_plan<layout, D>(function, "input", x.shape(), windows, is_row_major<X>);
  require_countable<DefaultIndexOf<X>>(function, "output", plan.result_shape, sizeof(ScalarOf<X>));
  return plan;
}

/// y = reduction over the windows of x, in a new tensor of rank Q.
template <Layout layout, int D, int Q, class X, class Windows, class Reduction>
auto pooled(const Function& function, const X& x, const Windows& windows, const Reduction& reduction) {
  const Eigen::DefaultDevice device;
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, windows);
  auto y = make_tensor<ResultTensor<X, Q>>(plan.template result<layout, Q>());
  reduction(plan.problem, input.data(), y.data(), Parallel(device));
  return y;
}

/// The same in the caller's tensor.
template <Layout layout, int D, OutputTensor Y, class X, class Windows, class Reduction, PoolingDevice Device>
void pool_into(const Function& function, Y& y, const X& x, const Windows& windows, const Reduction& reduction,
               const Device& device) {
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, windows);
  require_shape(function, "output", shape_of(y), plan.template result<layout, rank_of<Y>>());
  require_apart(function, "output", Bytes(y.data(), y.size()), "input", Bytes(input.data(), elements(input.shape())));
  reduction(plan.problem, input.data(), y.data(), Parallel<Device>(device));
}

/// The plan of a backward, from the shape of the forward's input; checks the
/// gradient's shape.
template <Layout layout, int D, std::size_t R, class G, class Windows>
Plan<R> backward_plan(const Function& function, const char* argument, const Extents<R>& shape, const Operand<G>& dy,
                      const Windows& windows) {
  const auto plan = make_plan<layout, D>(function, argument, shape, windows, is_row_major<G>);
  require_countable<DefaultIndexOf<G>>(function, argument, shape, sizeof(ScalarOf<G>));
  require_shape(function, "gradient", dy.shape(), plan.template result<layout, Operand<G>::rank>());
  return plan;
}

/// The spatial extents of a gradient: an adaptive pooling's output size.
template <Layout layout, int D, std::size_t R>
OutputSize<D> output_size_of(const Extents<R>& shape) {
  OutputSize<D> size(1);
  for (int a = 0; a < D; ++a)
    size.values[static_cast<std::size_t>(a)] =
        shape[static_cast<std::size_t>(first_spatial<layout>(static_cast<int>(R), D) + a)];
  return size;
}

/// Calls backward(shape of dx, output), where output() makes a new tensor of
/// that shape, and returns the tensor.
template <class G, class Shape, class Backward>
auto new_gradient(const Shape& input_shape, const Backward& backward) {
  constexpr int R = shape_rank<Shape>;
  const Extents<R> shape = extents_of<R>(input_shape);
  ResultTensor<G, R> dx;
  backward(
      shape, [&]() -> auto& {
        dx = make_tensor<ResultTensor<G, R>>(shape);
        return dx;
      });
  return dx;
}

}  // namespace detail
EIGENPOOL_END
