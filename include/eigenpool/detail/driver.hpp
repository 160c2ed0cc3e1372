// Chooses the kernel.
#pragma once

#include <cmath>

#include "kernel_planes.hpp"
#include "kernel_row.hpp"
#include "kernel_rows_first.hpp"
#include "kernel_whole_planes.hpp"
#include "means.hpp"
#include "run_kernel.hpp"

EIGENPOOL_BEGIN
namespace detail {

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

/// How many windows an element of the source is in, on average: the taps that are read for each, window by window.
inline double windows_of_an_element(const Problem& problem) {
  const double reads = static_cast<double>(problem.max_taps()) * static_cast<double>(problem.result_plane());
  return reads / static_cast<double>(problem.plane());
}

/// The longest row, in elements of four bytes, for which windows should be reduced in rows rather than one by one: so
/// long that it pays to make once what neighbours share. Measured.
template <class R>
Index longest_row(const Problem& problem) {
  constexpr Index any = std::numeric_limits<std::int32_t>::max(), most = 8192, few = 128;
  const auto& [n0, n1, n2] = problem.axes;
  const Index kernel = n2.kernel(), stride = n2.stride(), tall = n0.max_count() * n1.max_count();
  if (n2.is_covering()) {
    if (n2.max_count() == 1) return 0;
    return n2.max_count() >= 4 && problem.max_taps() >= 14 ? any : few;
  }
  const Index saved = tall * (kernel - stride) / stride;  // taps, of what a column of the source is read for
  const bool slide = stride == 1 && kernel > 1;
  if (R::numbered && tall == 1) return slide && kernel >= 24 ? any : 0;  // numbers cost rows more
  if (saved >= 16 || (slide && (n2.is_long() || (tall >= 4 && saved >= 4)))) return any;
  const bool is_tall = tall >= 9 && saved >= 4;
  if (R::numbered) return is_tall && problem.inner < 32 ? most : 0;
  if (slide) return kernel > 3 ? most : kernel == 3 && tall > 1 ? few : 0;
  return is_tall || saved >= (R::ordered_sum ? 3 : 12) ? most : 0;
}

/// Whether windows over columns should be reduced in rows; a single row should be worth the preparation.
template <class R>
bool prefers_rows(const Problem& problem) {
  const auto& [n0, n1, n2] = problem.axes;
  if (!RowPlan::joins(n2)) return false;
  if (n1.is_long() && windows_of_an_element(problem) >= 14) return true;
  const Index row = std::max(n2.source(), n2.result()) * problem.inner;
  const bool is_alone = problem.outer * n0.result() * n1.result() == 1;
  return row <= longest_row<R>(problem) * 4 / std::max<Index>(sizeof(typename R::Lane), 4) &&
         !(is_alone && row <= 2048 && !n2.is_long());
}

/// Whether rows of small planes are better reduced as they are than side by side: those of a vector and more. Tall
/// windows want longer rows: how far they reach up and down differs from row to row. Measured.
template <class R, class S>
bool beats_planes(const Problem& problem) {
  const auto& [n0, n1, n2] = problem.axes;
  if (!RowPlan::joins(n2)) return false;
  const Index lanes = simd::vector_bytes() / static_cast<Index>(sizeof(typename R::Lane));
  const Index width = n2.source(), tall = n0.max_count() * n1.max_count() * n2.result();
  const bool wraps = n1.max_count() < 5 && RowPlan::wraps_well(n2, 1);
  if (n2.is_covering()) return width >= 12 && problem.max_taps() >= 9;
  if (wraps && width >= lanes) return true;
  if (R::numbered) return n2.is_long() && n2.stride() == 1 && n2.result() >= 10 && tall > 90;
  if (n2.stride() > 1) {
    constexpr bool is_read_as_it_is = sizeof(S) == sizeof(typename R::Lane);
    return is_read_as_it_is && n1.max_count() <= 3 && n2.kernel() <= 3 && width >= 10 && width * 2 >= lanes * 3;
  }
  if (n2.padding() > 0 ? width * 4 < lanes * 5 : width < lanes) return false;
  return n1.max_count() <= 3 || (n2.kernel() > 3 && tall >= 60);
}

/// Whether sums over columns that begin along rows are better made row by row than window by window: those of many
/// taps. Measured.
inline bool prefers_rows_first(const Problem& problem) {
  const Axis& axis = problem.axes[2];
  const Wide taps = problem.max_taps();
  const bool is_narrow = problem.inner <= 32;
  if (axis.is_covering()) return taps >= 14 || (taps >= 9 && is_narrow);
  return taps >= (axis.stride() > 1 && !is_narrow ? 49 : 25);
}
/// The same where planes are laid side by side instead. Measured.
inline bool rows_first_beat_planes(const Problem& problem) {
  const Axis& axis = problem.axes[2];
  const Wide taps = problem.max_taps();
  if (axis.is_covering()) return axis.result() >= 15 && taps >= 14;
  return axis.stride() == 1 && ((axis.result() >= 12 && taps >= 9) || (axis.result() >= 8 && taps >= 49));
}

enum class KernelChoice { scalar, inner, whole_planes, planes, rows, keyed_rows, rows_first };

/// The kernel that reduces `problem` with R into an Output.
template <class R, class S, class Output>
KernelChoice kernel_for(const Problem& problem, const Numbering& numbering) {
  if constexpr (std::is_arithmetic_v<typename R::Lane>) {
    constexpr Index tiny = 64;  // taps, which are read in the time that another kernel takes to get ready
    const Index elements = problem.cells() * problem.inner;
    const bool is_tiny = elements <= tiny && elements * problem.max_taps() <= tiny;
    if (is_tiny || is_scalar_kernel_forced()) return KernelChoice::scalar;
    const Index lanes = simd::vector_bytes() / static_cast<Index>(sizeof(typename R::Lane));
    const bool rows_suit = RowKernel<R, S, Output>::suits(problem, numbering);
    bool rows_first_suit = false;
    if constexpr (R::ordered_sum) rows_first_suit = RowsFirstKernel<R, S, Output>::suits(problem);
    if (problem.inner >= lanes && !(rows_suit && prefers_rows<R>(problem)) &&
        !(rows_first_suit && prefers_rows_first(problem)))
      return KernelChoice::inner;
    if (WholePlanesKernel<R, S, Output>::suits(problem)) return KernelChoice::whole_planes;
    if (PlanesKernel<R, S, Output>::suits(problem) && !(rows_suit && beats_planes<R, S>(problem)) &&
        !(rows_first_suit && rows_first_beat_planes(problem)))
      return KernelChoice::planes;
    const bool merges_often = problem.axes[1].is_long() || problem.axes[2].is_long();
    if (rows_suit) return HasKeys<R> && merges_often ? KernelChoice::keyed_rows : KernelChoice::rows;
    if (rows_first_suit) return KernelChoice::rows_first;
  }
  return KernelChoice::scalar;
}

/// Reduces every window of `problem` with R into `output`.
template <class R, class S, class Output>
void reduce_windows(const Problem& problem, const S* source, const Output& output, const AnyParallel& parallel) {
  if (problem.cells() == 0 || problem.inner == 0) return;
  // Time grows with the logarithm of the windows that an element is in.
  const double windows = std::max(windows_of_an_element(problem), 1.0);
  const double bytes = problem.bytes<S>() * (1 + std::log2(windows) / 4);
  const KernelChoice choice = kernel_for<R, S, Output>(problem, numbering_of(output));
  if constexpr (std::is_arithmetic_v<typename R::Lane>) {
    if (choice == KernelChoice::inner)
      return run_kernel(InnerKernel<R, S, Output>(problem, source, output), bytes, parallel);
    if constexpr (WholePlanesKernel<R, S, Output>::is_known)
      if (choice == KernelChoice::whole_planes)
        return run_kernel(WholePlanesKernel<R, S, Output>(problem, source, output), bytes, parallel);
    if (choice == KernelChoice::planes)
      return run_kernel(PlanesKernel<R, S, Output>(problem, source, output), bytes, parallel);
    if constexpr (HasKeys<R>)
      if (choice == KernelChoice::keyed_rows)
        return run_kernel(RowKernel<typename KeyedForm<R>::type, S, Output>(problem, source, output), bytes, parallel);
    if constexpr (R::ordered_sum)
      if (choice == KernelChoice::rows_first)
        return run_kernel(RowsFirstKernel<R, S, Output>(problem, source, output), bytes, parallel);
    if (choice == KernelChoice::rows)
      return run_kernel(RowKernel<R, S, Output>(problem, source, output), bytes, parallel);
  }
  run_scalar(ScalarKernel<typename R::Exact, S, Output>(problem, source, output), bytes, parallel);
}

/// Forward of a maximum, or of a minimum: of what wins in an Order.
template <class Order, class S>
void extreme_windows(const Problem& problem, const S* source, S* result, const AnyParallel& parallel) {
  reduce_windows<Extremum<Compared<S>, Order>>(problem.simplified(), source, Values<S>(result), parallel);
}

/// The same with indices, flat or compact.
template <class Order, class S, class I>
void extreme_windows_with_indices(const Problem& problem, Numbering::Kind kind, const S* source, S* result, I* indices,
                                  const AnyParallel& parallel) {
  if (problem.cells() == 0) return;
  const bool flat = kind == Numbering::Kind::flat;
  const Numbering numbering = flat ? Numbering::flat(problem) : Numbering::compact(problem);
  const ValuesAndIndices<S, I> output(result, indices, problem, numbering);
  if constexpr (!is_custom<S>) {
    using Lanes = ArgExtremum<S, Numbered<S>, simd::Signed<Numbered<S>>, Order>;
    if (numbers_fit<Lanes>(problem, numbering)) return reduce_windows<Lanes>(problem, source, output, parallel);
  }
  using Single = ArgExtremum<S, Compared<S>, std::int64_t, Order, true>;
  run_scalar(ScalarKernel<Single, S, ValuesAndIndices<S, I>>(problem, source, output), problem.bytes<S>(), parallel);
}

/// Sums over windows, divided by `divisor` or, without one, by the axes' own.
template <class S, class T>
void mean_windows(const Problem& problem, const S* source, T* result, std::optional<Index> divisor,
                  const AnyParallel& parallel) {
  const Problem simplified = problem.simplified();
  if constexpr (std::is_same_v<Added<T>, std::int32_t>)  // all larger divisors give 0
    if (divisor) divisor = std::clamp(*divisor, -(Index{1} << 30), Index{1} << 30);
  const Means<T> output(result, simplified, divisor);
  if constexpr (std::is_same_v<Added<T>, std::int32_t>) {
    if (problem.max_taps() > max_byte_taps) {
      return run_scalar(ScalarKernel<Sum<std::uint64_t>, S, Means<T>>(simplified, source, output),
                        simplified.bytes<S>(), parallel);
    }
  }
  reduce_windows<Sum<Added<T>>>(simplified, source, output, parallel);
}

EIGENPOOL_COMPILED(void extreme_windows<Larger>(const Problem&, const float*, float*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows<Larger>(const Problem&, const double*, double*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows<Smaller>(const Problem&, const float*, float*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows<Smaller>(const Problem&, const double*, double*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows_with_indices<Larger>(const Problem&, Numbering::Kind, const float*, float*,
                                                             std::int64_t*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows_with_indices<Larger>(const Problem&, Numbering::Kind, const double*, double*,
                                                             std::int64_t*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows_with_indices<Larger>(const Problem&, Numbering::Kind, const float*, float*,
                                                             std::uint8_t*, const AnyParallel&))
EIGENPOOL_COMPILED(void extreme_windows_with_indices<Larger>(const Problem&, Numbering::Kind, const double*, double*,
                                                             std::uint8_t*, const AnyParallel&))
EIGENPOOL_COMPILED(void mean_windows(const Problem&, const float*, float*, std::optional<Index>, const AnyParallel&))
EIGENPOOL_COMPILED(void mean_windows(const Problem&, const double*, double*, std::optional<Index>, const AnyParallel&))

}  // namespace detail
EIGENPOOL_END
