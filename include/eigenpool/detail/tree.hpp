// The canonical order of a sum, the same in every kernel, layout, storage order, vector width and thread.
//
// Along one axis the taps 0 ... n - 1 of a window are split at the largest power of two below n, both parts are
// summed so, and the sums are added: a pairwise sum, whose error grows with log n. Taps in the padding are 0.
// Over several axes, logical axis 0 (the outermost) is summed first, then axis 1 of those sums, and so on.
//
// This is the order in which doubling and halving build sums from powers of two; and a Tree, a binary counter of
// partial sums, gives it for taps that arrive one by one.
#pragma once

#include <array>

#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Sums `width` accumulators at once as a binary counter: level l holds the sum of 2^l taps.
template <class R, int B, int width>
class Tree {
 public:
  using Acc = typename R::template Acc<B>;

  /// Starts with taps [0, lead) in the padding.
  EIGENPOOL_INLINE explicit Tree(Index lead) : taps_(lead) {
    for (Index rest = lead; rest != 0; rest &= rest - 1) {
      for (int u = 0; u < width; ++u) level_[depth_][u] = R::template identity<B>();
      ++depth_;
    }
  }

  /// Takes in the next tap.
  EIGENPOOL_INLINE void push(Acc (&x)[width]) {
    for (Index t = taps_; t & 1; t >>= 1) take_top(x);
    for (int u = 0; u < width; ++u) level_[depth_][u] = x[u];
    ++depth_, ++taps_;
  }

  /// The sum of all taps; there must be one.
  EIGENPOOL_INLINE void total(Acc (&sum)[width]) {
    --depth_;
    for (int u = 0; u < width; ++u) sum[u] = level_[depth_][u];
    while (depth_ > 0) take_top(sum);
  }

 private:
  EIGENPOOL_INLINE void take_top(Acc (&x)[width]) {
    --depth_;
    for (int u = 0; u < width; ++u) {
      Acc sum = level_[depth_][u];
      R::template merge<B>(sum, x[u]);
      x[u] = sum;
    }
  }

  Acc level_[64][width];
  int depth_ = 0;
  Index taps_;
};

}  // namespace detail
EIGENPOOL_END
