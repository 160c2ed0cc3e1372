// Which steps of a sequence count: from lengths or a mask to groups of steps, with every check on the way.
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
    fail_axis(function, argument, static_cast<int>(Shape::step_axis), Index{0}, "a sequence must have at least 1 step");
  Groups groups = valid_steps(function, shape, valid.data(), valid.shape());
  if (!options.empty) require_steps(function, RowNumbers<T> ? "lengths" : "mask", groups);
  return groups;
}

}  // namespace detail
EIGENPOOL_END
