// The canonical order of a sum, the same in every kernel, layout, storage
// order, vector width and thread.
//
// Along one axis the taps 0 ... n - 1 of a window are split at the largest
// power of two below n, both parts are summed so, and the sums are added: a
// pairwise sum, whose error grows with log n. Taps in the padding are 0. Over
// several axes, logical axis 0 (the outermost) is summed first, then axis 1 of
// those sums, and so on.
//
// This is the order in which doubling and halving build sums from powers of
// two; and a Tree, a binary counter of partial sums, gives it for taps that
// arrive one by one.
#pragma once

#include <array>

#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Sums `width` accumulators at once as a binary counter on a stack: after t
/// taps, an entry for each bit of t, the larger powers of two below the
/// smaller. A tree may stand on the stack of another, whose next tap it
/// becomes.
template <class R, int B, int width>
class Tree {
 public:
  using Acc = typename R::template Acc<B>;

  /// Starts a tree with taps [0, lead) in the padding; gives the number that
  /// finish() wants.
  EIGENPOOL_INLINE int start(Index lead) {
    const int base = depth_;
    for (; lead != 0; lead &= lead - 1) {
      for (int u = 0; u < width; ++u) stack_[depth_][u] = R::template identity<B>();
      ++depth_;
    }
    return base;
  }

  EIGENPOOL_INLINE void push(const Acc (&x)[width]) {
    for (int u = 0; u < width; ++u) stack_[depth_][u] = x[u];
    ++depth_;
  }

  /// Makes the entry on top tap number t of the tree below it.
  EIGENPOOL_INLINE void carry(Index t) {
    for (; t & 1; t >>= 1) merge_top();
  }

  /// Ends a tree of at least one tap: its sum is the entry on top.
  EIGENPOOL_INLINE void finish(int base) {
    while (depth_ > base + 1) merge_top();
  }

  EIGENPOOL_INLINE const Acc (&top() const)[width] { return stack_[depth_ - 1]; }

 private:
  EIGENPOOL_INLINE void merge_top() {
    --depth_;
    for (int u = 0; u < width; ++u) R::template merge<B>(stack_[depth_ - 1][u], stack_[depth_][u]);
  }

  Acc stack_[3 * 63][width];
  int depth_ = 0;
};

}  // namespace detail
EIGENPOOL_END
