// Chooses the kernel, cuts its work into tasks for the device, and runs them
// compiled for this machine.
#pragma once

#include "../simd/dispatch.hpp"
#include "kernel_inner.hpp"
#include "kernel_row.hpp"
#include "kernel_scalar.hpp"

namespace eigenpool::process {
inline std::atomic<bool> force_scalar_kernel{false};
}

EIGENPOOL_BEGIN
namespace detail {

/// Every later call in this process takes the scalar kernel; for tests, which
/// compare the others with it.
inline void set_force_scalar_kernel(bool forced) { process::force_scalar_kernel.store(forced); }

/// Tasks [begin, end) of a kernel, for simd::dispatch.
template <class InnerKernel, class RowKernel>
struct VectorTask {
  const InnerKernel* inner;
  const RowKernel* row;
  Index begin, end;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    if (inner != nullptr)
      inner->template run<B>(begin, end);
    else
      row->template run<B>(begin, end);
  }
};

/// Whether the numbers of all taps, padding included, fit beside the lanes of R,
/// with one to spare for "none".
template <class R>
bool numbers_fit(const Problem& problem, const Numbering& numbering) {
  Wide largest = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    const Axis& axis = problem.axes[a];
    largest += (axis.source() + Wide{2} * axis.max_count() * axis.dilation()) * numbering.stride[a];
  }
  return largest < std::numeric_limits<typename R::Number>::max();
}

/// Whether a window so long along a row should be reduced in rows, whose cost
/// does not grow with its area.
inline bool is_long(const Axis& axis) { return axis.is_affine() && axis.kernel() >= 5 && axis.overlaps_twice(); }

template <class Output>
Numbering numbering_of(const Output& output) {
  if constexpr (requires { output.numbering(); })
    return output.numbering();
  else
    return {};
}

/// Reduces every window of `problem` with R into `output`. `parallel(tasks,
/// bytes, run)` calls run(begin, end) on ranges that make up [0, tasks), from
/// any thread; a task reads and writes about `bytes` bytes.
template <class R, class S, class Output, class Parallel>
void reduce_windows(const Problem& problem, const S* source, const Output& output, const Parallel& parallel) {
  if (problem.cells() == 0 || problem.inner == 0) return;
  const double work = static_cast<double>(problem.outer * problem.inner) *
                      static_cast<double>(problem.plane() + problem.result_plane()) * sizeof(S);
  const auto run_parallel = [&](Index tasks, const auto& run) {
    parallel(tasks, work / static_cast<double>(tasks), run);
  };
  constexpr Index tiny = 64;  // taps, which are read in the time that another kernel takes to get ready
  const bool is_tiny =
      problem.cells() * problem.inner <= tiny && problem.cells() * problem.inner * problem.max_taps() <= tiny;
  if constexpr (std::is_arithmetic_v<typename R::Lane>) {
    if (!is_tiny && !process::force_scalar_kernel.load(std::memory_order_relaxed)) {
      const Index lanes = simd::vector_bytes() / static_cast<Index>(sizeof(typename R::Lane));
      const bool row_suits = RowKernel<R, S, Output>::suits(problem, numbering_of(output));
      if (problem.inner >= lanes && !(row_suits && is_long(problem.axes[2]))) {
        const InnerKernel<R, S, Output> kernel(problem, source, output);
        return run_parallel(kernel.tasks(), [&](Index begin, Index end) {
          simd::dispatch(VectorTask<InnerKernel<R, S, Output>, RowKernel<R, S, Output>>{&kernel, nullptr, begin, end});
        });
      }
      if (row_suits) {
        const RowKernel<R, S, Output> kernel(problem, source, output);
        return run_parallel(kernel.tasks(), [&](Index begin, Index end) {
          simd::dispatch(VectorTask<InnerKernel<R, S, Output>, RowKernel<R, S, Output>>{nullptr, &kernel, begin, end});
        });
      }
    }
  }
  const ScalarKernel<typename R::Exact, S, Output> kernel(problem, source, output);
  run_parallel(kernel.tasks(), [&](Index begin, Index end) { kernel.run(begin, end); });
}

/// Forward of a maximum.
template <class S, class Parallel>
void max_windows(const Problem& problem, const S* source, S* result, const Parallel& parallel) {
  reduce_windows<Max<Compared<S>>>(problem.simplified(), source, Values<S>(result), parallel);
}

/// Forward of a maximum with indices, flat or compact.
template <class S, class I, class Parallel>
void max_windows_with_indices(const Problem& problem, Numbering::Kind kind, const S* source, S* result, I* indices,
                              const Parallel& parallel) {
  if (problem.cells() == 0) return;
  const bool flat = kind == Numbering::Kind::flat;
  const Numbering numbering =
      flat ? Numbering::flat(problem) : Numbering::compact(problem, window_taps(problem, Cell::number(problem, 0)));
  const ValuesAndIndices<S, I> output(result, indices, problem, numbering);
  if constexpr (!is_custom<S>) {
    using Lanes = ArgMax<S, Numbered<S>, simd::Signed<Numbered<S>>>;
    if ((flat || problem.is_affine()) && numbers_fit<Lanes>(problem, numbering))
      return reduce_windows<Lanes>(problem, source, output, parallel);
  }
  const ScalarKernel<ArgMax<S, Compared<S>, std::int64_t, true>, S, ValuesAndIndices<S, I>> kernel(problem, source,
                                                                                                   output);
  parallel(kernel.tasks(), 64.0, [&](Index begin, Index end) { kernel.run(begin, end); });
}

/// Sums over windows, divided by `divisor` or, without one, by the axes' own.
template <class S, class T, class Parallel>
void mean_windows(const Problem& problem, const S* source, T* result, std::optional<Index> divisor,
                  const Parallel& parallel) {
  const Problem simplified = problem.simplified();
  if constexpr (std::is_same_v<Added<T>, std::int32_t>)  // all larger divisors give 0
    if (divisor) divisor = std::clamp(*divisor, -(Index{1} << 30), Index{1} << 30);
  const Means<T> output(result, simplified, divisor);
  if constexpr (std::is_same_v<Added<T>, std::int32_t>) {
    if (problem.max_taps() > max_byte_taps) {
      const ScalarKernel<Sum<std::uint64_t>, S, Means<T>> kernel(simplified, source, output);
      return parallel(kernel.tasks(), 64.0, [&](Index begin, Index end) { kernel.run(begin, end); });
    }
  }
  reduce_windows<Sum<Added<T>>>(simplified, source, output, parallel);
}

}  // namespace detail
EIGENPOOL_END
