// Averages and maxima from one pass over memory: part by part, while a part is
// in the cache. The result holds, for all that is slower in memory than the
// channels, a run of averages and a run of maxima.
#pragma once

#include "avg_engine.hpp"
#include "max_engine.hpp"
#include "parts.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Where the two halves of a concatenation lie in memory: runs of `run`
/// elements take turns.
struct Halves {
  Index run;

  /// Element i of the first half; the second's is one run later.
  constexpr Index at(Index i) const { return i / run * 2 * run + i % run; }

  /// f(i, place of i, length) for the pieces of [begin, end) that are contiguous.
  template <class F>
  void for_each_piece(Index begin, Index end, const F& f) const {
    for (Index i = begin; i < end;) {
      const Index length = std::min(end, (i / run + 1) * run) - i;
      f(i, at(i), length);
      i += length;
    }
  }
};

/// The tensor axis of the channels, which the spatial axes follow or precede.
template <Layout layout>
constexpr int channel_axis(int rank, int spatial_rank) {
  return layout == channels_last ? rank - 1 : rank - spatial_rank - 1;
}

/// A result of rank Q whose channels are averages, then maxima.
template <Layout layout, int D, std::size_t R>
struct Concatenation {
  Extents<R> shape;
  Halves halves;

  Concatenation(const Function& function, const Plan<R>& plan) : shape(plan.result_shape), halves{1} {
    static_assert(static_cast<int>(R) > D, "eigenpool: the tensor has no channel axis to concatenate along");
    constexpr auto channels = static_cast<std::size_t>(channel_axis<layout>(static_cast<int>(R), D));
    for (std::size_t a = 0; a < R; ++a)
      if (plan.row_major ? a >= channels : a <= channels) halves.run *= shape[a];
    if (!multiply(shape[channels], 2, shape[channels]))
      fail_axis(function, "input", static_cast<int>(channels), plan.source_shape[channels],
                "twice as many channels overflow 64 bits");
  }

  /// The shape in a tensor of rank Q: its own, or (N, C).
  template <int Q>
  Extents<Q> as() const {
    if constexpr (static_cast<std::size_t>(Q) == R)
      return shape;
    else
      return {shape[0], shape[layout == channels_last ? R - 1 : 1]};
  }
};

/// How many outer slices a run of the halves holds; 1 where it is part of a slice.
constexpr Index slices_of(const Problem& problem, const Halves& halves) {
  const Index slice = problem.result_plane() * problem.inner;
  return slice > 0 && halves.run % slice == 0 ? halves.run / slice : 1;
}

template <class S, class P>
void avg_max_windows(const Problem& problem, const Halves& halves, const S* x, S* y, std::optional<Index> divisor,
                     const P& parallel) {
  if (problem.cells() == 0 || problem.inner == 0) return;
  const Parts parts(problem, sizeof(S), slices_of(problem, halves));
  for_each_part(parts, problem.bytes<S>(), parallel, [&](const Part& part) {
    const Index count = part.problem.cells() * part.problem.inner, end = part.result + count;
    if (halves.run >= count && part.result / halves.run == (end - 1) / halves.run) {
      S* to = y + halves.at(part.result);
      mean_windows(part.problem, x + part.source, to, divisor, Serial());
      return extreme_windows<Larger>(part.problem, x + part.source, to + halves.run, Serial());
    }
    std::vector<S> made(static_cast<std::size_t>(count));
    const auto place = [&](Index shift) {
      halves.for_each_piece(part.result, end, [&](Index i, Index at, Index length) {
        std::copy_n(made.data() + (i - part.result), length, y + at + shift);
      });
    };
    mean_windows(part.problem, x + part.source, made.data(), divisor, Serial());
    place(0);
    extreme_windows<Larger>(part.problem, x + part.source, made.data(), Serial());
    place(halves.run);
  });
}

template <Layout layout, int D, int Q, class X, class Windows>
auto avg_max_pooled(const Function& function, const X& x, const Windows& windows, const MeanReduction& reduction) {
  const Eigen::DefaultDevice device;
  const Operand<X> input(x, device);
  const auto plan = make_plan<layout, D>(function, "input", input.shape(), windows, is_row_major<X>);
  const Concatenation<layout, D, rank_of<X>> both(function, plan);
  require_countable<DefaultIndexOf<X>>(function, "output", both.shape, sizeof(ScalarOf<X>));
  auto y = make_tensor<ResultTensor<X, Q>>(both.template as<Q>());
  avg_max_windows(plan.problem, both.halves, input.data(), y.data(), reduction.divisor, Parallel(device));
  return y;
}

template <Layout layout, int D, class Y, class X, class Windows, PoolingDevice Device>
void avg_max_pool_into(const Function& function, Y& y, const X& x, const Windows& windows,
                       const MeanReduction& reduction, const Device& device) {
  const Operand<X> input(x, device);
  const auto plan = make_plan<layout, D>(function, "input", input.shape(), windows, is_row_major<X>);
  const Concatenation<layout, D, rank_of<X>> both(function, plan);
  require_shape(function, "output", shape_of(y), both.template as<rank_of<Y>>());
  require_apart(function, "output", Bytes(y.data(), y.size()), "input", Bytes(input.data(), elements(input.shape())));
  avg_max_windows(plan.problem, both.halves, input.data(), y.data(), reduction.divisor, Parallel<Device>(device));
}

/// dx = the average's share of the first half of dy, plus the second half at the maxima of x.
template <Layout layout, int D, class G, class X, class Windows, class Output, PoolingDevice Device>
void avg_max_backward(const Function& function, const G& dy, const X& x, const Windows& windows,
                      const MeanReduction& reduction, const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const auto plan = make_plan<layout, D>(function, "input", input.shape(), windows, is_row_major<X>);
  const Concatenation<layout, D, rank_of<X>> both(function, plan);
  require_countable<DefaultIndexOf<X>>(function, "input", both.shape, sizeof(S));
  require_shape(function, "gradient", gradient.shape(), both.template as<rank_of<G>>());
  auto& dx = output();
  require_shape(function, "output", shape_of(dx), input.shape());
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  const Index half = elements(plan.result_shape);
  std::vector<S> part(static_cast<std::size_t>(half)), at_maxima(static_cast<std::size_t>(dx.size()));
  std::vector<std::int64_t> indices(static_cast<std::size_t>(half));
  const auto take = [&](Index shift) {
    both.halves.for_each_piece(0, half, [&](Index i, Index at, Index length) {
      std::copy_n(gradient.data() + at + shift, length, part.data() + i);
    });
  };
  const Parallel<Device> parallel(device);
  max_indexed<Larger>(plan.problem, input.data(), part.data(), indices.data(), parallel);
  take(both.halves.run);
  scatter(plan.problem, part.data(), indices.data(), at_maxima.data(), parallel);
  take(0);
  mean_backward(plan.problem, reduction.divisor, part.data(), dx.data(), parallel);
  for (Index i = 0; i < dx.size(); ++i)
    dx.data()[i] = static_cast<S>(dx.data()[i] + at_maxima[static_cast<std::size_t>(i)]);
}

}  // namespace detail
EIGENPOOL_END
