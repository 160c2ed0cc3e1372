// Sequences: from lengths or a mask to groups of steps, with every check on the way.
#pragma once

#include "group_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// A mask beside a tensor X of sequences: (N, T), in X's storage order.
template <class T, class X>
concept SequenceMask = TensorLike<T> && std::same_as < ScalarOf<T>,
bool > &&rank_of<T> == 2 && is_row_major<T> == is_row_major<X>;

/// Which steps of each sequence count.
template <class T, class X>
concept ValidSteps = RowNumbers<T> || SequenceMask<T, X>;

template <class X>
concept SequenceInput = TensorLike<X> &&(rank_of<X> >= 2);
template <class Y, class X>
concept SequenceOutput = TensorLike<X> && std::same_as<ScalarOf<Y>, ScalarOf<X>> && rank_of<Y>
== rank_of<X> - 1 && is_row_major<Y> == is_row_major<X>;

/// N sequences of T steps of features, in memory.
template <Layout layout, std::size_t R>
struct SequenceShape {
  Extents<R> shape;
  bool row_major;

  static constexpr std::size_t step_axis = layout == channels_last ? 1 : R - 1;

  Index sequences() const { return shape[0]; }
  Index steps() const { return shape[step_axis]; }
  Extents<R - 1> result() const {
    Extents<R - 1> extents{};
    for (std::size_t a = 0, next = 0; a < R; ++a)
      if (a != step_axis) extents[next++] = shape[a];
    return extents;
  }
  Index features() const {
    Index product = 1;
    for (std::size_t a = 1; a < R; ++a)
      if (a != step_axis) product *= shape[a];
    return product;
  }

  /// Row n * T + t or, column-major, t * N + n is step t of sequence n: as in a mask's memory.
  Rows rows() const {
    const Index n = sequences(), t = steps(), f = features();
    if (layout == channels_last) return Rows::of(n * t, f, row_major);
    return row_major ? Rows{n, f, t} : Rows{t, f, n};
  }
  Rows result_rows() const { return Rows::of(sequences(), features(), row_major); }
  Groups no_groups() const { return row_major ? Groups(sequences(), steps(), 1) : Groups(sequences(), 1, sequences()); }
};

/// The groups of a shape by lengths, which are checked.
template <class Shape, RowNumber I, std::size_t R>
Groups valid_steps(const Function& function, const Shape& shape, const I* lengths, const std::array<Index, R>& given) {
  if (given[0] != shape.sequences())
    fail(function.name() + ": lengths has " + std::to_string(given[0]) + " entries, expected one for each of the " +
         std::to_string(shape.sequences()) + " sequences");
  Groups groups = shape.no_groups();
  for (Index n = 0; n < shape.sequences(); ++n) {
    const Index length = static_cast<Index>(lengths[n]);
    if (length < 0 || length > shape.steps())
      fail(function.name() + ": lengths(" + std::to_string(n) + ") is " + std::to_string(length) +
           ", must be at least 0 and at most the input's " + std::to_string(shape.steps()) + " steps");
    groups.set(n, groups.row_of(n, 0), length);
  }
  return groups;
}

/// The same by a mask.
template <class Shape>
Groups valid_steps(const Function& function, const Shape& shape, const bool* mask, const Extents<2>& given) {
  require_shape(function, "mask", given, {shape.sequences(), shape.steps()});
  Groups groups = shape.no_groups();
  const Index n = shape.sequences(), t = shape.steps();
  groups.list_rows(n * t, [&](Index row) { return !mask[row] ? Index{-1} : shape.row_major ? row / t : row % n; });
  return groups;
}

/// `options.empty` as a scalar of the output; fails unless an integer can be it.
template <class S>
S empty_value(const Function& function, double value) {
  if constexpr (std::integral<S>) {
    const double end = std::ldexp(1.0, std::numeric_limits<S>::digits);
    if (!(value >= static_cast<double>(std::numeric_limits<S>::lowest()) && value < end) || value != std::trunc(value))
      fail(function.name() + ": options.empty is " + std::to_string(value) + ", not a value of the output's scalar");
  }
  return static_cast<S>(value);
}

inline void require_steps(const Function& function, const char* argument, const Groups& groups) {
  for (Index n = 0; n < groups.size(); ++n)
    if (groups.count(n) == 0)
      fail(function.name() + ": " + argument + " of sequence " + std::to_string(n) +
           " leaves 0 steps, must leave at least 1 unless options.empty is given");
}

/// Checks a shape, what is valid of it and the options.
template <class X, class T, class Shape>
Groups checked_steps(const Function& function, const char* argument, const Shape& shape, const Operand<T>& valid,
                     const SequenceOptions& options) {
  require_extents<X>(function, argument, shape.shape);
  if (shape.steps() == 0)
    fail_axis(function, argument, static_cast<int>(Shape::step_axis), 0, "a sequence must have at least 1 step");
  Groups groups = valid_steps(function, shape, valid.data(), valid.shape());
  if (!options.empty) require_steps(function, RowNumbers<T> ? "lengths" : "mask", groups);
  return groups;
}

/// The arguments of a forward, checked.
template <Layout layout, class X, class T>
class SequenceArguments {
 public:
  using Shape = SequenceShape<layout, static_cast<std::size_t>(rank_of<X>)>;

  template <class Device>
  SequenceArguments(const Function& function, const X& x, const T& valid, const SequenceOptions& options,
                    const Device& device)
      : x_(x, device),
        valid_(valid, device),
        shape_{x_.shape(), is_row_major<X>},
        groups_(checked_steps<X>(function, "input", shape_, valid_, options)) {
    if (options.empty) empty_ = empty_value<ScalarOf<X>>(function, *options.empty);
  }

  const Shape& shape() const { return shape_; }

  void require_output(const Function& function, const char* name, const Bytes& output) const {
    require_apart(function, name, output, "input", Bytes(x_.data(), elements(x_.shape())));
    require_apart(function, name, output, RowNumbers<T> ? "lengths" : "mask",
                  Bytes(valid_.data(), elements(valid_.shape())));
  }

  /// y = reduce(rows of x, groups, x, rows of y, y), and what is empty.
  template <class S, class Reduce>
  void run(S* y, const Reduce& reduce) const {
    const Rows y_rows = shape_.result_rows();
    reduce(shape_.rows(), groups_, x_.data(), y_rows, y);
    if (empty_) fill_empty_groups(groups_, y_rows, y, *empty_);
  }

 private:
  Operand<X> x_;
  Operand<T> valid_;
  Shape shape_;
  Groups groups_;
  std::optional<ScalarOf<X>> empty_;
};

template <class I, class P>
struct MaxWithIndices {
  I* indices;
  P parallel;
  template <class S>
  void operator()(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y) const {
    extreme_groups_with_indices<Extreme::max>(x_rows, groups, x, y_rows, y, indices, parallel);
  }
};
template <class I, class P>
MaxWithIndices(I*, P) -> MaxWithIndices<I, P>;

template <Layout layout, class X, class T, class Reduction>
auto sequences_pooled(const Function& function, const X& x, const T& valid, const SequenceOptions& options,
                      const Reduction& reduction) {
  const Eigen::DefaultDevice device;
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  auto y = make_tensor<ResultTensor<X, rank_of<X> - 1>>(arguments.shape().result());
  arguments.run(y.data(), [&](const auto&... all) { reduction(all..., Parallel(device)); });
  return y;
}

template <Layout layout, class Y, class X, class T, class Reduction, PoolingDevice Device>
void sequences_pool_into(const Function& function, Y& y, const X& x, const T& valid, const SequenceOptions& options,
                         const Reduction& reduction, const Device& device) {
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_shape(function, "output", shape_of(y), arguments.shape().result());
  arguments.require_output(function, "output", Bytes(y.data(), y.size()));
  arguments.run(y.data(), [&](const auto&... all) { reduction(all..., Parallel<Device>(device)); });
}

template <Layout layout, class Y, class N, class X, class T, PoolingDevice Device>
void sequences_with_indices_into(const Function& function, Y& y, N& indices, const X& x, const T& valid,
                                 const SequenceOptions& options, const Device& device) {
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_rows_numberable<ScalarOf<N>>(function, arguments.shape().steps(), "steps");
  require_shape(function, "output", shape_of(y), arguments.shape().result());
  require_shape(function, "indices", shape_of(indices), arguments.shape().result());
  const Bytes output(y.data(), y.size()), numbers(indices.data(), indices.size());
  arguments.require_output(function, "output", output);
  arguments.require_output(function, "indices", numbers);
  require_apart(function, "indices", numbers, "output", output);
  arguments.run(y.data(), MaxWithIndices{indices.data(), Parallel<Device>(device)});
}

template <Layout layout, FlatIndex I, class X, class T>
auto sequences_with_indices(const Function& function, const X& x, const T& valid, const SequenceOptions& options) {
  constexpr int rank = rank_of<X> - 1;
  const Eigen::DefaultDevice device;
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_rows_numberable<I>(function, arguments.shape().steps(), "steps");
  const auto shape = arguments.shape().result();
  WithIndices<ResultTensor<X, rank>, ResultTensor<X, rank, I>> result{make_tensor<ResultTensor<X, rank>>(shape),
                                                                      make_tensor<ResultTensor<X, rank, I>>(shape)};
  arguments.run(result.output.data(), MaxWithIndices{result.indices.data(), Parallel(device)});
  return result;
}

/// dx of a sum or mean; `output()` gives the tensor to write, whose shape is called `argument`.
template <Layout layout, std::size_t R, class G, class T, class Output, PoolingDevice Device>
void sequences_backward(const Function& function, const char* argument, const Extents<R>& extents, const G& dy,
                        const T& valid, const SequenceOptions& options, bool divided, const Output& output,
                        const Device& device) {
  static_assert(R == static_cast<std::size_t>(rank_of<G>) + 1,
                "eigenpool: the input has one axis more than the gradient");
  const Operand<G> gradient(dy, device);
  const Operand<T> steps(valid, device);
  const SequenceShape<layout, R> shape{extents, is_row_major<G>};
  const Groups groups = checked_steps<G>(function, argument, shape, steps, options);
  require_shape(function, "gradient", gradient.shape(), shape.result());
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, RowNumbers<T> ? "lengths" : "mask",
                Bytes(steps.data(), elements(steps.shape())));
  spread_groups(shape.result_rows(), groups, gradient.data(), shape.rows(), dx.data(), divided,
                Parallel<Device>(device));
}

template <Layout layout, std::size_t R, class G, class N, class Output, PoolingDevice Device>
void sequences_backward_from_indices(const Function& function, const char* argument, const Extents<R>& extents,
                                     const G& dy, const N& indices, const Output& output, const Device& device) {
  static_assert(R == static_cast<std::size_t>(rank_of<G>) + 1,
                "eigenpool: the input has one axis more than the gradient");
  const Operand<G> gradient(dy, device);
  const Operand<N> numbers(indices, device);
  const SequenceShape<layout, R> shape{extents, is_row_major<G>};
  require_extents<G>(function, argument, extents);
  require_shape(function, "gradient", gradient.shape(), shape.result());
  require_shape(function, "indices", numbers.shape(), gradient.shape());
  require_row_indices(function, numbers.data(), numbers.shape(), shape.steps(), "steps", is_row_major<G>);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  scatter_groups(shape.result_rows(), shape.no_groups(), gradient.data(), numbers.data(), shape.rows(), dx.data(),
                 Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
