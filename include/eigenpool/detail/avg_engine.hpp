// Averages: what their options mean, and their backward, which is the sum over
// the transposed windows.
#pragma once

#include <vector>

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline Axis::Counted counted(const AvgOptions& options) {
  return options.count_include_pad ? Axis::Counted::taps : Axis::Counted::real_taps;
}

inline MeanReduction checked_mean(const Function& function, const AvgOptions& options) {
  if (options.divisor_override.value_or(1) == 0) fail(function.name() + ": divisor_override is 0, must not be 0");
  return {options.divisor_override};
}

/// dy / divisor, cell by cell, in the lanes that sums are made in.
template <class S>
std::vector<Added<S>> shares(const Problem& problem, const S* dy) {
  using Lane = Added<S>;
  constexpr int single = static_cast<int>(sizeof(Lane));
  std::vector<Lane> scaled(static_cast<std::size_t>(problem.cells() * problem.inner));
  if (scaled.empty()) return scaled;
  Cell cell = Cell::number(problem, 0);
  for (Index i = 0; i < problem.cells(); ++i, cell.next(problem)) {
    Index divisor = 1;
    for (std::size_t a = 0; a < 3; ++a) divisor *= problem.axes[a].divisor(cell.at[a]);
    for (Index at = i * problem.inner; at < (i + 1) * problem.inner; ++at)
      simd::store(&scaled[static_cast<std::size_t>(at)], mean(simd::load_as<Lane, single>(dy + at), divisor));
  }
  return scaled;
}

/// Whether the windows cover every input exactly once.
inline bool is_partition(const Problem& problem) {
  for (const Axis& axis : problem.axes)
    if (!axis.tiles() || axis.kernel() != axis.stride() || axis.dilation() != 1) return false;
  return true;
}

/// The backward of an average over a partition: all inputs of a window get the
/// same share. A task is a row of outputs.
template <class S>
class SpreadShares {
 public:
  SpreadShares(const Problem& forward, const S* dy, S* dx, Index divisor)
      : forward_(forward), dy_(dy), dx_(dx), divisor_(divisor) {}

  Index tasks() const { return forward_.cells() / forward_.axes[2].result(); }

  template <int B>
  void run(Index begin, Index end) const {
    const auto& [n0, n1, n2] = forward_.axes;
    const bool one = n2.result() == 1;  // then the rows of a window are one run
    const Index run = one ? n2.kernel() * n1.kernel() : n2.kernel(), rows = one ? 1 : n1.kernel();
    const Index inner = forward_.inner, row = n2.source() * inner, slab = n1.source() * row;
    Cell cell = Cell::number(forward_, begin * n2.result());
    for (Index i = begin; i < end; ++i, cell.next_row(forward_)) {
      S* to = dx_ + (cell.outer * n0.source() + cell.at[0] * n0.kernel()) * slab + cell.at[1] * n1.kernel() * row;
      const S* from = dy_ + i * n2.result() * inner;
      simd::apart<B>([=, divisor = divisor_, outputs = n2.result(), slabs = n0.kernel()]() EIGENPOOL_LAMBDA {
        spread<B>(from, to, outputs, run, inner, divisor);
        const Index length = outputs * run * inner;
        for (Index s = 0; s < slabs; ++s)
          for (Index r = s == 0 ? 1 : 0; r < rows; ++r) std::copy_n(to, length, to + s * slab + r * row);
      });
    }
  }

 private:
  using Lane = Added<S>;
  static constexpr int single = static_cast<int>(sizeof(Lane));

  // Each output `run` times.
  template <int B>
  EIGENPOOL_INLINE static void spread(const S* from, S* to, Index outputs, Index run, Index inner, Index divisor) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    Index o = 0;
    if (inner == 1 && run == 2) {
      for (; o + lanes <= outputs; o += lanes) {
        const auto value = share<B>(from + o, divisor);
        simd::Vec<Lane, B> low, high;
        simd::zip(value, value, low, high);
        simd::store_as(to + 2 * o, low, lanes);
        simd::store_as(to + 2 * o + lanes, high, lanes);
      }
    }
    for (; o < outputs; ++o) {
      if (inner == 1)
        fill<B>(share<single>(from + o, divisor), to + o * run, run);
      else
        for (Index c = 0; c < run; ++c) divide<B>(from + o * inner, to + (o * run + c) * inner, inner, divisor);
    }
  }

  template <int B>
  EIGENPOOL_INLINE static auto share(const S* from, Index divisor) {
    return mean(simd::load_as<Lane, B>(from), divisor);
  }
  template <int B>
  EIGENPOOL_INLINE static void fill(const simd::Vec<Lane, single>& value, S* to, Index count) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const auto all = simd::broadcast<Lane, B>(value.raw[0]);
    for (Index i = 0; i < count; i += lanes) simd::store_as(to + i, all, std::min(lanes, count - i));
  }
  template <int B>
  EIGENPOOL_INLINE static void divide(const S* from, S* to, Index count, Index divisor) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    Index i = 0;
    for (; i + lanes <= count; i += lanes) simd::store_as(to + i, share<B>(from + i, divisor), lanes);
    for (; i < count; ++i) simd::store_as(to + i, share<single>(from + i, divisor), 1);
  }

  const Problem& forward_;
  const S* dy_;
  S* dx_;
  Index divisor_;
};

/// dx[c] = the sum of dy / divisor over the windows that hold c. Where all
/// divisors are one, it divides the sum.
template <class S, class P>
void mean_backward(const Problem& forward, std::optional<Index> divisor, const S* dy, S* dx, const P& parallel) {
  const Problem backward = forward.transposed();
  if (!divisor && forward.divisor_is_uniform()) {
    divisor = 1;
    for (const Axis& axis : forward.axes) *divisor *= axis.result() > 0 ? axis.divisor(0) : 1;
  }
  if constexpr (std::is_arithmetic_v<Added<S>>) {
    if (divisor && is_partition(forward) && forward.cells() > 0 && forward.inner > 0)
      return run_kernel(SpreadShares<S>(forward, dy, dx, *divisor), forward.bytes<S>(), parallel);
  }
  if (divisor)
    mean_windows(backward, dy, dx, divisor, parallel);
  else
    mean_windows(backward, shares(forward, dy).data(), dx, Index{1}, parallel);
}

/// dx of an average; `output()` gives the tensor to write, as for max_backward.
template <Layout layout, int D, std::size_t R, class G, class Windows, class Output, PoolingDevice Device>
void avg_backward(const Function& function, const char* argument, const Extents<R>& shape, const G& dy,
                  const Windows& windows, const MeanReduction& reduction, const Output& output, const Device& device) {
  const Operand<G> gradient(dy, device);
  const auto plan = backward_plan<layout, D>(function, argument, shape, gradient, windows);
  auto& dx = output();
  require_apart(function, "output", Bytes(dx.data(), dx.size()), "gradient",
                Bytes(gradient.data(), elements(gradient.shape())));
  mean_backward(plan.problem, reduction.divisor, gradient.data(), dx.data(), Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
