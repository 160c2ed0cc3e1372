// Segments: from ids to groups of rows, with every check on the way.
#pragma once

#include "group_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class I>
[[noreturn]] void fail_id(const Function& function, Index row, I id, const std::string& reason) {
  fail(function.name() + ": ids(" + std::to_string(row) + ") is " + std::to_string(id) + ", " + reason);
}

/// The number of segments, one more than the last id; fails unless ids are sorted and at least 0.
template <RowNumber I>
Index sorted_segments(const Function& function, const I* ids, Index rows) {
  I previous = 0;
  for (Index r = 0; r < rows; ++r) {
    if (ids[r] < 0) fail_id(function, r, ids[r], "must be at least 0");
    if (ids[r] < previous)
      fail_id(function, r, ids[r], "less than the one before it: ids in any order need the number of segments");
    previous = ids[r];
  }
  Index segments = 0;
  if (rows > 0 && !add(static_cast<Index>(previous), 1, segments))
    fail_id(function, rows - 1, previous, "the number of segments overflows 64 bits");
  return segments;
}

template <RowNumber I>
void require_ids(const Function& function, const I* ids, Index rows, Index segments) {
  if (segments < 0) fail(function.name() + ": segments is " + std::to_string(segments) + ", must be at least 0");
  for (Index r = 0; r < rows; ++r)
    if (ids[r] < 0 || static_cast<Index>(ids[r]) >= segments)
      fail_id(function, r, ids[r], "must be at least 0 and below the " + std::to_string(segments) + " segments");
}

/// The number of segments, given or of sorted ids; fails on ids that it does not allow.
template <RowNumber I>
Index checked_segments(const Function& function, const I* ids, Index rows, std::optional<Index> segments) {
  if (!segments) return sorted_segments(function, ids, rows);
  require_ids(function, ids, rows, *segments);
  return *segments;
}

inline void require_id_count(const Function& function, Index ids, Index rows) {
  if (ids != rows)
    fail(function.name() + ": ids has " + std::to_string(ids) + " entries, expected one for each of the " +
         std::to_string(rows) + " rows");
}

/// The rows of each segment, of ids that have been checked. Sorted ones need no list.
template <RowNumber I>
Groups segment_groups(const I* ids, Index rows, Index segments) {
  Groups groups(segments, 0, 1);
  if (!std::is_sorted(ids, ids + rows)) {
    groups.list_rows(rows, [&](Index r) { return static_cast<Index>(ids[r]); });
    return groups;
  }
  for (Index begin = 0, end = 0; begin < rows; begin = end) {
    while (end < rows && ids[end] == ids[begin]) ++end;
    groups.set(static_cast<Index>(ids[begin]), begin, end - begin);
  }
  return groups;
}

/// (rows, features...) as a matrix.
template <class X, std::size_t R>
Rows rows_of(const Extents<R>& shape) {
  Index features = 1;
  for (std::size_t a = 1; a < R; ++a) features *= shape[a];
  return Rows::of(shape[0], features, is_row_major<X>);
}

template <std::size_t R>
Extents<R> with_rows(Extents<R> shape, Index rows) {
  shape[0] = rows;
  return shape;
}

/// The arguments of a forward, checked, and its groups.
template <class X, class T>
class SegmentedInput {
 public:
  template <class Device>
  SegmentedInput(const Function& function, const X& x, const T& ids, std::optional<Index> segments,
                 const Device& device)
      : x_(x, device), ids_(ids, device) {
    require_id_count(function, ids_.shape()[0], x_.shape()[0]);
    result_shape_ = with_rows(x_.shape(), checked_segments(function, ids_.data(), ids_.shape()[0], segments));
    require_countable<DefaultIndexOf<X>>(function, "output", result_shape_, sizeof(ScalarOf<X>));
  }

  const Extents<rank_of<X>>& result_shape() const { return result_shape_; }

  void require_output(const Function& function, const char* name, const Bytes& output) const {
    require_apart(function, name, output, "input", Bytes(x_.data(), elements(x_.shape())));
    require_apart(function, name, output, "ids", Bytes(ids_.data(), elements(ids_.shape())));
  }

  /// Calls reduce(rows of x, groups, x, rows of y).
  template <class Reduce>
  void run(const Reduce& reduce) const {
    if (elements(result_shape_) == 0) return;
    reduce(rows_of<X>(x_.shape()), segment_groups(ids_.data(), ids_.shape()[0], result_shape_[0]), x_.data(),
           rows_of<X>(result_shape_));
  }

 private:
  Operand<X> x_;
  Operand<T> ids_;
  Extents<rank_of<X>> result_shape_{};
};

template <class X, class T, class Reduction>
auto segments_pooled(const Function& function, const X& x, const T& ids, std::optional<Index> segments,
                     const Reduction& reduction) {
  const Eigen::DefaultDevice device;
  const SegmentedInput<X, T> input(function, x, ids, segments, device);
  auto y = make_tensor<ResultTensor<X>>(input.result_shape());
  input.run([&](const Rows& x_rows, const Groups& groups, const auto* values, const Rows& y_rows) {
    reduction(x_rows, groups, values, y_rows, y.data(), Parallel(device));
  });
  return y;
}

template <class Y, class X, class T, class Reduction, PoolingDevice Device>
void segments_pool_into(const Function& function, Y& y, const X& x, const T& ids, const Reduction& reduction,
                        const Device& device) {
  const SegmentedInput<X, T> input(function, x, ids, static_cast<Index>(y.dimension(0)), device);
  require_shape(function, "output", shape_of(y), input.result_shape());
  input.require_output(function, "output", Bytes(y.data(), y.size()));
  input.run([&](const Rows& x_rows, const Groups& groups, const auto* values, const Rows& y_rows) {
    reduction(x_rows, groups, values, y_rows, y.data(), Parallel<Device>(device));
  });
}

/// For Eigen's customOp; ids must outlive it.
template <class T, class Reduction>
class SegmentOp {
 public:
  SegmentOp(const Function& function, const T& ids, std::optional<Index> segments, const Reduction& reduction = {})
      : function_(function), ids_(ids), segments_(segments), reduction_(reduction) {}

  template <class X>
  auto dimensions(const X& x) const {
    const Operand<T> ids(ids_, Eigen::DefaultDevice());
    return dimensions_of<X>(with_rows(shape_of(x), checked_segments(function_, ids.data(), ids.shape()[0], segments_)));
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    segments_pool_into(function_, y, x, ids_, reduction_, device);
  }

 private:
  Function function_;
  const T& ids_;
  std::optional<Index> segments_;
  Reduction reduction_;
};

template <class Order, FlatIndex I, class X, class T>
auto segments_with_indices(const Function& function, const X& x, const T& ids, std::optional<Index> segments) {
  const Eigen::DefaultDevice device;
  const SegmentedInput<X, T> input(function, x, ids, segments, device);
  require_rows_numberable<I>(function, shape_of(x)[0], "rows");
  WithIndices<ResultTensor<X>, ResultTensor<X, rank_of<X>, I>> result{
      make_tensor<ResultTensor<X>>(input.result_shape()),
      make_tensor<ResultTensor<X, rank_of<X>, I>>(input.result_shape())};
  input.run([&](const Rows& x_rows, const Groups& groups, const auto* values, const Rows& y_rows) {
    extreme_groups_with_indices<Order>(x_rows, groups, values, y_rows, result.output.data(), result.indices.data(),
                                       Parallel(device));
  });
  return result;
}

template <class Order, class Y, class N, class X, class T, PoolingDevice Device>
void segments_with_indices_into(const Function& function, Y& y, N& indices, const X& x, const T& ids,
                                const Device& device) {
  const SegmentedInput<X, T> input(function, x, ids, static_cast<Index>(y.dimension(0)), device);
  require_rows_numberable<ScalarOf<N>>(function, shape_of(x)[0], "rows");
  require_shape(function, "output", shape_of(y), input.result_shape());
  require_shape(function, "indices", shape_of(indices), input.result_shape());
  const Bytes output(y.data(), y.size()), numbers(indices.data(), indices.size());
  input.require_output(function, "output", output);
  input.require_output(function, "indices", numbers);
  require_apart(function, "indices", numbers, "output", output);
  input.run([&](const Rows& x_rows, const Groups& groups, const auto* values, const Rows& y_rows) {
    extreme_groups_with_indices<Order>(x_rows, groups, values, y_rows, y.data(), indices.data(),
                                       Parallel<Device>(device));
  });
}

/// dx of a sum or mean; `output(shape)` gives the tensor to write.
template <class G, class T, class Output, PoolingDevice Device>
void segments_backward(const Function& function, const G& dy, const T& ids, bool divided, const Output& output,
                       const Device& device) {
  const Operand<G> gradient(dy, device);
  const Operand<T> numbers(ids, device);
  const Index rows = numbers.shape()[0], segments = gradient.shape()[0];
  require_ids(function, numbers.data(), rows, segments);
  const Extents<rank_of<G>> shape = with_rows(gradient.shape(), rows);
  require_countable<DefaultIndexOf<G>>(function, "gradient", shape, sizeof(ScalarOf<G>));
  auto& dx = output(shape);
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "ids", Bytes(numbers.data(), rows));
  if (elements(shape) == 0) return;
  spread_groups(rows_of<G>(gradient.shape()), segment_groups(numbers.data(), rows, segments), gradient.data(),
                rows_of<G>(shape), dx.data(), divided, Parallel<Device>(device));
}

/// dx of an extreme, of the shape that is called `argument`.
template <class G, class N, std::size_t R, class Output, PoolingDevice Device>
void segments_backward_from_indices(const Function& function, const char* argument, const Extents<R>& shape,
                                    const G& dy, const N& indices, const Output& output, const Device& device) {
  const Operand<G> gradient(dy, device);
  const Operand<N> numbers(indices, device);
  require_extents<G>(function, argument, shape);
  require_shape(function, "gradient", gradient.shape(), with_rows(shape, gradient.shape()[0]));
  require_shape(function, "indices", numbers.shape(), gradient.shape());
  require_row_indices(function, numbers.data(), numbers.shape(), shape[0], "rows", is_row_major<G>);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  if (elements(shape) == 0) return;
  scatter_groups(rows_of<G>(gradient.shape()), Groups(gradient.shape()[0], 0, 1), gradient.data(), numbers.data(),
                 rows_of<G>(shape), dx.data(), Parallel<Device>(device));
}

template <class G, class T>
auto new_segments_gradient(const Function& function, const G& dy, const T& ids, bool divided) {
  ResultTensor<G> dx;
  const auto output = [&](const auto& shape) -> auto& {
    dx = make_tensor<ResultTensor<G>>(shape);
    return dx;
  };
  segments_backward(function, dy, ids, divided, output, Eigen::DefaultDevice());
  return dx;
}

template <class Y, class G, class T, PoolingDevice Device>
void segments_backward_into(const Function& function, Y& dx, const G& dy, const T& ids, bool divided,
                            const Device& device) {
  const auto output = [&](const auto& shape) -> auto& {
    require_shape(function, "output", shape_of(dx), shape);
    return dx;
  };
  segments_backward(function, dy, ids, divided, output, device);
}

}  // namespace detail
EIGENPOOL_END
