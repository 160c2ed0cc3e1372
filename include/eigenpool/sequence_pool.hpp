// Pooling of sequences of unequal length: sequence_avg_pool, sequence_max_pool, sequence_sum_pool, and their backward.
//
// x is (N, T, features...), as a batch of padded sequences is kept, or, channels_first, (N, features..., T); y is
// (N, features...): the mean, maximum or sum over the steps of each sequence that are valid. `valid` says which:
//   a tensor of rank 1 with N lengths, signed integers of 32 or 64 bits: steps 0 ... length - 1 are valid;
//   a tensor of bool of shape (N, T), in x's storage order: steps where it is true are valid, wherever they are.
// Padding never counts, whatever is in it, a NaN or an infinity too. A sequence without a valid step is an error or,
// with SequenceOptions{.empty = value}, becomes that value, with index -1; its gradient is dropped.
//
// NaNs and ties are as in max_pool.hpp, scalars and sums as in avg_pool.hpp: a sum takes the valid steps in their
// order, along the pairwise tree, so that a padded sequence has the same bits as the sequence by itself, in every
// layout and storage order and on any number of threads. Sums of integers wrap in the input's scalar.
//
// Errors, before anything is written: a length below 0 or above T, lengths or a mask of a wrong shape, an integer
// output that cannot be options.empty, T of 0, tensors of a wrong shape, overlapping memory, indices that no forward
// gave.
#pragma once

#include "detail/sequences.hpp"

EIGENPOOL_BEGIN

/// y = the mean of each sequence's valid steps, in a new tensor.
template <Layout layout = channels_last, detail::SequenceInput X, detail::ValidSteps<X> T>
auto sequence_avg_pool(const X& x, const T& valid, const SequenceOptions& options = {}) {
  return detail::sequences_pooled<layout>({"sequence_avg_pool"}, x, valid, options, detail::SequenceSum{true});
}
/// y = the sum of each sequence's valid steps.
template <Layout layout = channels_last, detail::SequenceInput X, detail::ValidSteps<X> T>
auto sequence_sum_pool(const X& x, const T& valid, const SequenceOptions& options = {}) {
  return detail::sequences_pooled<layout>({"sequence_sum_pool"}, x, valid, options, detail::SequenceSum{false});
}
/// y = the maximum of each sequence's valid steps, feature by feature.
template <Layout layout = channels_last, detail::SequenceInput X, detail::ValidSteps<X> T>
auto sequence_max_pool(const X& x, const T& valid, const SequenceOptions& options = {}) {
  return detail::sequences_pooled<layout>({"sequence_max_pool"}, x, valid, options, detail::SequenceMax());
}

/// The same into y, a tensor or map of the result's shape, on `device`.
template <Layout layout = channels_last, detail::OutputTensor Y, detail::SequenceInput X, detail::ValidSteps<X> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<Y, X>
void sequence_avg_pool_into(Y&& y, const X& x, const T& valid, const SequenceOptions& options = {},
                            const Device& device = {}) {
  detail::sequences_pool_into<layout>({"sequence_avg_pool_into"}, y, x, valid, options, detail::SequenceSum{true},
                                      device);
}
template <Layout layout = channels_last, detail::OutputTensor Y, detail::SequenceInput X, detail::ValidSteps<X> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<Y, X>
void sequence_sum_pool_into(Y&& y, const X& x, const T& valid, const SequenceOptions& options = {},
                            const Device& device = {}) {
  detail::sequences_pool_into<layout>({"sequence_sum_pool_into"}, y, x, valid, options, detail::SequenceSum{false},
                                      device);
}
template <Layout layout = channels_last, detail::OutputTensor Y, detail::SequenceInput X, detail::ValidSteps<X> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<Y, X>
void sequence_max_pool_into(Y&& y, const X& x, const T& valid, const SequenceOptions& options = {},
                            const Device& device = {}) {
  detail::sequences_pool_into<layout>({"sequence_max_pool_into"}, y, x, valid, options, detail::SequenceMax(), device);
}

/// {output, indices}: the maxima, and the step that each is at (std::int64_t or std::int32_t). The first of equal
/// values, and the last of NaNs.
template <Layout layout = channels_last, detail::FlatIndex I = std::int64_t, detail::SequenceInput X,
          detail::ValidSteps<X> T>
auto sequence_max_pool_with_indices(const X& x, const T& valid, const SequenceOptions& options = {}) {
  return detail::sequences_with_indices<layout, I>({"sequence_max_pool_with_indices"}, x, valid, options);
}

/// The same into y and indices.
template <Layout layout = channels_last, detail::OutputTensor Y, detail::OutputTensor N, detail::SequenceInput X,
          detail::ValidSteps<X> T, class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<Y, X> && detail::IndexTensor<N, Y> && detail::FlatIndex<detail::ScalarOf<N>>
void sequence_max_pool_with_indices_into(Y&& y, N&& indices, const X& x, const T& valid,
                                         const SequenceOptions& options = {}, const Device& device = {}) {
  detail::sequences_with_indices_into<layout>({"sequence_max_pool_with_indices_into"}, y, indices, x, valid, options,
                                              device);
}

/// dx: each valid step gets dy, of a mean divided by the number of valid steps; padding gets 0. input_shape is the
/// forward's x.dimensions(), options are the forward's.
template <Layout layout = channels_last, detail::Differentiable G, detail::ValidSteps<G> T, class Shape>
auto sequence_avg_pool_backward(const G& dy, const T& valid, const Shape& input_shape,
                                const SequenceOptions& options = {}) {
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::sequences_backward<layout>({"sequence_avg_pool_backward"}, "input_shape", shape, dy, valid, options, true,
                                       output, Eigen::DefaultDevice());
  });
}
template <Layout layout = channels_last, detail::Differentiable G, detail::ValidSteps<G> T, class Shape>
auto sequence_sum_pool_backward(const G& dy, const T& valid, const Shape& input_shape,
                                const SequenceOptions& options = {}) {
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::sequences_backward<layout>({"sequence_sum_pool_backward"}, "input_shape", shape, dy, valid, options, false,
                                       output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_last, detail::OutputTensor Y, detail::Differentiable G, detail::ValidSteps<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<G, Y>
void sequence_avg_pool_backward_into(Y&& dx, const G& dy, const T& valid, const SequenceOptions& options = {},
                                     const Device& device = {}) {
  detail::sequences_backward<layout>(
      {"sequence_avg_pool_backward_into"}, "output", detail::shape_of(dx), dy, valid, options,
      true, [&]() -> auto& { return dx; }, device);
}
template <Layout layout = channels_last, detail::OutputTensor Y, detail::Differentiable G, detail::ValidSteps<G> T,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<G, Y>
void sequence_sum_pool_backward_into(Y&& dx, const G& dy, const T& valid, const SequenceOptions& options = {},
                                     const Device& device = {}) {
  detail::sequences_backward<layout>(
      {"sequence_sum_pool_backward_into"}, "output", detail::shape_of(dx), dy, valid, options,
      false, [&]() -> auto& { return dx; }, device);
}

/// dx of a maximum: zero, plus dy at the step that each index names.
template <Layout layout = channels_last, detail::Differentiable G, detail::IndexTensor<G> N, class Shape>
  requires detail::FlatIndex<detail::ScalarOf<N>>
auto sequence_max_pool_backward(const G& dy, const N& indices, const Shape& input_shape) {
  return detail::new_gradient<G>(input_shape, [&](const auto& shape, const auto& output) {
    detail::sequences_backward_from_indices<layout>({"sequence_max_pool_backward"}, "input_shape", shape, dy, indices,
                                                    output, Eigen::DefaultDevice());
  });
}

/// The same into dx.
template <Layout layout = channels_last, detail::OutputTensor Y, detail::Differentiable G, detail::IndexTensor<G> N,
          class Device = Eigen::DefaultDevice>
  requires detail::SequenceOutput<G, Y> && detail::FlatIndex<detail::ScalarOf<N>>
void sequence_max_pool_backward_into(Y&& dx, const G& dy, const N& indices, const Device& device = {}) {
  detail::sequences_backward_from_indices<layout>(
      {"sequence_max_pool_backward_into"}, "output", detail::shape_of(dx), dy, indices, [&]() -> auto& { return dx; },
      device);
}

EIGENPOOL_END
