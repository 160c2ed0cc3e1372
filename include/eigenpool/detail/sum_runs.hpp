// Sums along the canonical tree whose partial sums stay in registers and on a stack: of single elements, and of windows
// over few vectors.
#pragma once

#include "strip_sum.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Meets the taps of one window in the canonical order: tap(offset, d) makes
/// entry d of the stack the tap that is `offset` elements from the first. What
/// they add up to is entry 0.
template <class Stack, class Tap>
EIGENPOOL_INLINE void along_tree(const TapLoops& taps, Stack& stack, const Tap& tap) {
  const auto& [l0, l1, l2] = taps.loop;
  Tree<Stack> tree(stack);
  const int base0 = tree.start(l0.lead);
  for (Index j0 = 0; j0 < l0.count; ++j0) {
    const int base1 = tree.start(l1.lead);
    for (Index j1 = 0; j1 < l1.count; ++j1) {
      const int base2 = tree.start(l2.lead);
      for (Index j2 = 0; j2 < l2.count; ++j2) {
        tap(j0 * l0.offset + j1 * l1.offset + j2 * l2.offset, tree.push());
        tree.carry(l2.lead + j2);
      }
      tree.finish(base2);
      tree.carry(l1.lead + j1);
    }
    tree.finish(base1);
    tree.carry(l0.lead + j0);
  }
  tree.finish(base0);
}

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
  TapLoops runs = taps;
  runs.loop[2] = {};
  along_tree(runs, stack, [&](Index at, int d) EIGENPOOL_LAMBDA {
    with_count(taps.loop[2].count, [&](auto count) EIGENPOOL_LAMBDA {
      simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA {
        stack.entry(d)[u] = sum_few<R, B, count.value>(p + at + static_cast<Index>(u) * apart, taps.loop[2].offset);
      });
    });
  });
  simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { acc[u] = stack.entry(0)[u]; });
}

}  // namespace detail
EIGENPOOL_END
