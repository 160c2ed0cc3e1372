// Pooling of segments (the read-out of a graph, the centres of clusters): segment_sum, segment_mean, segment_max,
// segment_min, with indices, and their backward.
//
// x is (rows, features...), with any number of feature axes or none; ids is a tensor of rank 1 that says to which
// segment each row belongs, in signed integers of 32 or 64 bits. y is (segments, features...):
//   y[s, ...] = the sum, mean, maximum or minimum over the rows r with ids[r] == s, as TensorFlow's
//   tf.math.segment_sum.
// Without a number of segments, ids must be sorted, and there is one more segment than the last id. With a number of
// segments, ids may come in any order.
//
// A segment without rows has sum and mean 0; its maximum is -infinity or the type's lowest value, its minimum +infinity
// or the type's largest, and their index -1. NaNs and ties are as in max_pool.hpp, scalars and sums as in avg_pool.hpp:
// a sum takes a segment's rows in their order, along the pairwise tree, so its bits depend neither on the other rows
// nor on the storage order or the number of threads. Sums of integers wrap in the input's scalar.
//
// Errors, before anything is written: ids of another length than x, below 0, not below the number of segments, or not
// sorted where they must be; tensors of a wrong shape; overlapping memory; indices that no forward gave. No rows, no
// segments and no features are no errors.
#pragma once

#include "detail/segments.hpp"

EIGENPOOL_BEGIN

/// y = the sum of each segment's rows, in a new tensor.
template <detail::TensorLike X, detail::RowNumbers T>
auto segment_sum(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_pooled({"segment_sum"}, x, ids, segments, detail::SumOfGroups{false});
}
/// y = the mean of each segment's rows.
template <detail::TensorLike X, detail::RowNumbers T>
auto segment_mean(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_pooled({"segment_mean"}, x, ids, segments, detail::SumOfGroups{true});
}
/// y = the maximum of each segment's rows, feature by feature.
template <detail::TensorLike X, detail::RowNumbers T>
auto segment_max(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_pooled({"segment_max"}, x, ids, segments, detail::ExtremeOfGroups<detail::Larger>());
}
/// y = the minimum of each segment's rows, feature by feature.
template <detail::TensorLike X, detail::RowNumbers T>
auto segment_min(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_pooled({"segment_min"}, x, ids, segments, detail::ExtremeOfGroups<detail::Smaller>());
}

/// The same into y, whose first extent is the number of segments, on `device`. Ids may come in any order.
template <detail::OutputTensor Y, class X, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void segment_sum_into(Y&& y, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_pool_into({"segment_sum_into"}, y, x, ids, detail::SumOfGroups{false}, device);
}
template <detail::OutputTensor Y, class X, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void segment_mean_into(Y&& y, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_pool_into({"segment_mean_into"}, y, x, ids, detail::SumOfGroups{true}, device);
}
template <detail::OutputTensor Y, class X, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void segment_max_into(Y&& y, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_pool_into({"segment_max_into"}, y, x, ids, detail::ExtremeOfGroups<detail::Larger>(), device);
}
template <detail::OutputTensor Y, class X, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void segment_min_into(Y&& y, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_pool_into({"segment_min_into"}, y, x, ids, detail::ExtremeOfGroups<detail::Smaller>(), device);
}

/// {output, indices}: the extremes, and the number of the row that each is in (std::int64_t or std::int32_t), -1 for a
/// segment without rows. The first of equal values, and the last of NaNs.
template <detail::FlatIndex I = std::int64_t, detail::TensorLike X, detail::RowNumbers T>
auto segment_max_with_indices(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_with_indices<detail::Larger, I>({"segment_max_with_indices"}, x, ids, segments);
}
template <detail::FlatIndex I = std::int64_t, detail::TensorLike X, detail::RowNumbers T>
auto segment_min_with_indices(const X& x, const T& ids, std::optional<Index> segments = std::nullopt) {
  return detail::segments_with_indices<detail::Smaller, I>({"segment_min_with_indices"}, x, ids, segments);
}

/// The same into y and indices.
template <detail::OutputTensor Y, detail::OutputTensor N, class X, detail::RowNumbers T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<N, Y> && detail::FlatIndex<detail::ScalarOf<N>>
void segment_max_with_indices_into(Y&& y, N&& indices, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_with_indices_into<detail::Larger>({"segment_max_with_indices_into"}, y, indices, x, ids, device);
}
template <detail::OutputTensor Y, detail::OutputTensor N, class X, detail::RowNumbers T,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X> && detail::IndexTensor<N, Y> && detail::FlatIndex<detail::ScalarOf<N>>
void segment_min_with_indices_into(Y&& y, N&& indices, const X& x, const T& ids, const Device& device = {}) {
  detail::segments_with_indices_into<detail::Smaller>({"segment_min_with_indices_into"}, y, indices, x, ids, device);
}

/// dx of a sum or mean: each row gets the gradient of its segment, of a mean divided by the segment's rows. ids may
/// come in any order; dx has as many rows.
template <detail::Differentiable G, detail::RowNumbers T>
auto segment_sum_backward(const G& dy, const T& ids) {
  return detail::new_segments_gradient({"segment_sum_backward"}, dy, ids, false);
}
template <detail::Differentiable G, detail::RowNumbers T>
auto segment_mean_backward(const G& dy, const T& ids) {
  return detail::new_segments_gradient({"segment_mean_backward"}, dy, ids, true);
}

/// The same into dx.
template <detail::OutputTensor Y, detail::Differentiable G, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void segment_sum_backward_into(Y&& dx, const G& dy, const T& ids, const Device& device = {}) {
  detail::segments_backward_into({"segment_sum_backward_into"}, dx, dy, ids, false, device);
}
template <detail::OutputTensor Y, detail::Differentiable G, detail::RowNumbers T, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void segment_mean_backward_into(Y&& dx, const G& dy, const T& ids, const Device& device = {}) {
  detail::segments_backward_into({"segment_mean_backward_into"}, dx, dy, ids, true, device);
}

/// dx of a maximum or minimum: zero, plus dy in the row that each index names. input_shape is the forward's
/// x.dimensions().
template <detail::Differentiable G, detail::IndexTensor<G> N, class Shape>
  requires detail::FlatIndex<detail::ScalarOf<N>>
auto segment_max_backward(const G& dy, const N& indices, const Shape& input_shape) {
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::segments_backward_from_indices({"segment_max_backward"}, "input_shape", shape, dy, indices, output,
                                           Eigen::DefaultDevice());
  });
}
template <detail::Differentiable G, detail::IndexTensor<G> N, class Shape>
  requires detail::FlatIndex<detail::ScalarOf<N>>
auto segment_min_backward(const G& dy, const N& indices, const Shape& input_shape) {
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::segments_backward_from_indices({"segment_min_backward"}, "input_shape", shape, dy, indices, output,
                                           Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is the input's.
template <detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> N,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G> && detail::FlatIndex<detail::ScalarOf<N>>
void segment_max_backward_into(Y&& dx, const G& dy, const N& indices, const Device& device = {}) {
  detail::segments_backward_from_indices(
      {"segment_max_backward_into"}, "output", detail::shape_of(dx), dy, indices, [&]() -> auto& { return dx; },
      device);
}
template <detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> N,
          class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G> && detail::FlatIndex<detail::ScalarOf<N>>
void segment_min_backward_into(Y&& dx, const G& dy, const N& indices, const Device& device = {}) {
  detail::segments_backward_from_indices(
      {"segment_min_backward_into"}, "output", detail::shape_of(dx), dy, indices, [&]() -> auto& { return dx; },
      device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(SegmentSum(ids)), or SegmentSum(ids, segments) where ids come in
/// any order. The tensor of ids must outlive the object.
template <detail::RowNumbers T>
class SegmentSum : public detail::SegmentOp<T, detail::SumOfGroups> {
 public:
  explicit SegmentSum(const T& ids, std::optional<Index> segments = std::nullopt)
      : detail::SegmentOp<T, detail::SumOfGroups>({"segment_sum"}, ids, segments, detail::SumOfGroups{false}) {}
};
template <detail::RowNumbers T>
class SegmentMean : public detail::SegmentOp<T, detail::SumOfGroups> {
 public:
  explicit SegmentMean(const T& ids, std::optional<Index> segments = std::nullopt)
      : detail::SegmentOp<T, detail::SumOfGroups>({"segment_mean"}, ids, segments, detail::SumOfGroups{true}) {}
};
template <detail::RowNumbers T>
class SegmentMax : public detail::SegmentOp<T, detail::ExtremeOfGroups<detail::Larger>> {
 public:
  explicit SegmentMax(const T& ids, std::optional<Index> segments = std::nullopt)
      : detail::SegmentOp<T, detail::ExtremeOfGroups<detail::Larger>>({"segment_max"}, ids, segments) {}
};
template <detail::RowNumbers T>
class SegmentMin : public detail::SegmentOp<T, detail::ExtremeOfGroups<detail::Smaller>> {
 public:
  explicit SegmentMin(const T& ids, std::optional<Index> segments = std::nullopt)
      : detail::SegmentOp<T, detail::ExtremeOfGroups<detail::Smaller>>({"segment_min"}, ids, segments) {}
};

EIGENPOOL_END
