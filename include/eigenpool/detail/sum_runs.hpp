// Sums along the canonical tree whose partial sums stay in registers and on a stack: of windows over few vectors.
#pragma once

#include "strip_sum.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Whether a long sum is made of runs of taps: of few vectors, for which strips are not worth it.
template <class R, int B>
constexpr bool sums_runs(const TapLoops& taps, Index length) {
  return length <= 4 * simd::Vec<typename R::Lane, B>::lanes && taps.loop[2].count <= 8 && taps.loop[2].lead == 0;
}

/// Long sums for `width` vectors, `apart` elements from each other: runs of up to eight taps are added in registers,
/// and a stack holds the partial sums between them.
template <class R, int B, std::size_t width, class S>
EIGENPOOL_INLINE void sum_runs(const S* p, const TapLoops& taps, typename R::template Acc<B> (&acc)[width],
                               Index apart) {
  using Vectors = std::array<typename R::template Acc<B>, width>;
  struct Stack {
    EIGENPOOL_INLINE Vectors& entry(int d) { return entries[static_cast<std::size_t>(d)]; }
    EIGENPOOL_INLINE void clear(int d) { entry(d).fill(R::template identity<B>()); }
    EIGENPOOL_INLINE void merge(int d) {
      simd::unrolled<width>([&](std::size_t u)
                                EIGENPOOL_LAMBDA { R::template merge<B>(entry(d)[u], entry(d + 1)[u]); });
    }
    std::array<Vectors, max_tree_entries> entries;
  } stack;
  runs_along_tree<8>(taps, stack, [&](Index at, Index run, int d) EIGENPOOL_LAMBDA {
    with_count(run, [&](auto count) EIGENPOOL_LAMBDA {
      simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA {
        stack.entry(d)[u] = sum_few<R, B, count.value>(p + at + static_cast<Index>(u) * apart, taps.loop[2].offset);
      });
    });
  });
  simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { acc[u] = stack.entry(0)[u]; });
}

}  // namespace detail
EIGENPOOL_END
