// The canonical order of a sum, the same in every kernel, layout, storage
// order, vector width and thread.
//
// Along one axis the taps 0 ... n - 1 of a window are split at the largest
// power of two below n, both parts are summed so, and the sums are added: a
// pairwise sum, whose error grows with log n. Taps in the padding are 0. Over
// several axes, logical axis 0 (the outermost) is summed first, then axis 1 of
// those sums, and so on.
//
// This is the order in which doubling (doubling.hpp) builds sums from powers of
// two; and a Tree, a binary counter of partial sums, gives it for taps that
// arrive one by one, or in groups.
#pragma once

#include <array>

#include "reducers.hpp"
#include "tap_loops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// A binary counter of partial sums on a stack: after t taps, an entry for each
/// bit of t, the larger powers of two below the smaller. A tree may stand on
/// the stack of another, whose next tap it becomes. The `Stack` holds the sums:
/// clear(d) makes entry d the sum of nothing, merge(d) adds entry d + 1 to it.
template <class Stack>
class Tree {
 public:
  EIGENPOOL_INLINE explicit Tree(Stack& stack) : stack_(stack) {}

  /// Starts a tree with taps [0, lead) in the padding; gives the number that
  /// finish() wants.
  EIGENPOOL_INLINE int start(Index lead) {
    const int base = depth_;
    for (; lead != 0; lead &= lead - 1) stack_.clear(depth_++);
    return base;
  }

  /// The entry for the next taps, which the caller fills.
  EIGENPOOL_INLINE int push() { return depth_++; }

  /// Makes the entry on top group number t of the tree below it, of groups that
  /// are as large as the entry.
  EIGENPOOL_INLINE void carry(Index t) {
    for (; t & 1; t >>= 1) merge_top();
  }

  /// Ends a tree of at least one tap: its sum is the entry on top.
  EIGENPOOL_INLINE void finish(int base) {
    while (depth_ > base + 1) merge_top();
  }

 private:
  EIGENPOOL_INLINE void merge_top() {
    --depth_;
    stack_.merge(depth_ - 1);
  }

  Stack& stack_;
  int depth_ = 0;
};

/// Meets the taps of one window in the canonical order, in runs of the innermost loop of up to `most`, a power of two:
/// run(offset, count, d) makes entry d of the stack the sum of `count` taps, the first of which is `offset` elements
/// from the window's. What they add up to is entry 0.
template <Index most, class Stack, class Run>
EIGENPOOL_INLINE void runs_along_tree(const TapLoops& taps, Stack& stack, const Run& run) {
  const auto& [l0, l1, l2] = taps.loop;
  Tree<Stack> tree(stack);
  const int base0 = tree.start(l0.lead);
  for (Index j0 = 0; j0 < l0.count; ++j0) {
    const int base1 = tree.start(l1.lead);
    for (Index j1 = 0; j1 < l1.count; ++j1) {
      const int base2 = tree.start(l2.lead);
      for (Index j2 = 0, count = 0; j2 < l2.count; j2 += count) {
        const bool aligned = (l2.lead + j2) % most == 0;
        count = aligned ? std::min(l2.count - j2, most) : 1;
        run(j0 * l0.offset + j1 * l1.offset + j2 * l2.offset, count, tree.push());
        if (count == most || !aligned) tree.carry((l2.lead + j2) / count);
      }
      tree.finish(base2);
      tree.carry(l1.lead + j1);
    }
    tree.finish(base1);
    tree.carry(l0.lead + j0);
  }
  tree.finish(base0);
}

/// The same tap by tap: tap(offset, d) makes entry d the tap there.
template <class Stack, class Tap>
EIGENPOOL_INLINE void along_tree(const TapLoops& taps, Stack& stack, const Tap& tap) {
  runs_along_tree<1>(taps, stack, [&](Index offset, Index, int d) EIGENPOOL_LAMBDA { tap(offset, d); });
}

/// The most entries of three trees, one within the other: one for each bit of a
/// 63-bit count.
inline constexpr int max_tree_entries = 192;

/// A stack of sums of B bytes, or of single ones.
template <class R, int B = static_cast<int>(sizeof(typename R::Lane))>
struct LaneStack {
  using Acc = typename R::template Acc<B>;

  EIGENPOOL_INLINE void clear(int d) { entry(d) = R::template identity<B>(); }
  EIGENPOOL_INLINE void merge(int d) { R::template merge<B>(entry(d), entry(d + 1)); }
  EIGENPOOL_INLINE Acc& entry(int d) { return entries[static_cast<std::size_t>(d)]; }

  std::array<Acc, max_tree_entries> entries;
};

}  // namespace detail
EIGENPOOL_END
