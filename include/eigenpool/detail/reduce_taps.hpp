// Reduces the taps of one window, over up to three axes, for many neighbouring
// elements at once: the loops that run contiguously through memory, whatever
// they are called (rows of a plane, or the channels of a pixel).
#pragma once

#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Three nested loops over the real taps of a window, outermost first.
struct TapLoops {
  struct Loop {
    Index count = 1;   // real taps; 0 when the window holds nothing
    Index offset = 0;  // elements from one tap to the next
    Index lead = 0;    // taps in the padding before the first
    Index weight = 0;  // what one tap adds to a tap's number
  };
  std::array<Loop, 3> loop;
  Index first_number = 0;  // the number of the first real tap

  constexpr bool empty() const { return loop[0].count == 0 || loop[1].count == 0 || loop[2].count == 0; }

  /// The count when at most one loop has more than one tap and all is one short
  /// run of the canonical tree, (a + b) or ((a + b) + c); otherwise 0.
  constexpr int short_run() const {
    int count = 1;
    for (const Loop& l : loop) {
      if (l.count == 1) continue;
      if (count != 1 || l.count > 3 || (l.count == 3 && l.lead % 2 != 0)) return 0;
      count = static_cast<int>(l.count);
    }
    return count;
  }
  constexpr const Loop& longest() const { return loop[0].count > 1 ? loop[0] : loop[1].count > 1 ? loop[1] : loop[2]; }
};

/// Loads `width` vectors of elements from p, or one of fewer elements.
template <class R, int B, int width, class S>
EIGENPOOL_INLINE void load_elements(const S* p, Index count, simd::Vec<typename R::Lane, B> (&x)[width]) {
  using V = simd::Vec<typename R::Lane, B>;
  if constexpr (width == 1) {
    if (count < V::lanes) {
      x[0] = simd::load_as<typename R::Lane, B>(p, count);
      return;
    }
  }
  for (int u = 0; u < width; ++u) x[u] = simd::load_as<typename R::Lane, B>(p + u * V::lanes);
}

template <class R, int B, int width, class S>
EIGENPOOL_INLINE void fold_taps(const S* p, Index count, const TapLoops& taps,
                                typename R::template Acc<B> (&acc)[width]) {
  simd::Vec<typename R::Lane, B> x[width];
  load_elements<R, B>(p, count, x);
  for (int u = 0; u < width; ++u) acc[u] = R::template first<B>(x[u], taps.first_number);
  const auto& [l0, l1, l2] = taps.loop;
  for (Index j0 = 0; j0 < l0.count; ++j0)
    for (Index j1 = 0; j1 < l1.count; ++j1)
      for (Index j2 = (j0 == 0 && j1 == 0) ? 1 : 0; j2 < l2.count; ++j2) {
        const Index number = taps.first_number + j0 * l0.weight + j1 * l1.weight + j2 * l2.weight;
        load_elements<R, B>(p + j0 * l0.offset + j1 * l1.offset + j2 * l2.offset, count, x);
        for (int u = 0; u < width; ++u) R::template fold<B>(acc[u], x[u], number);
      }
}

// A tree within a tree within a tree.
template <class R, int B, int width, class S>
EIGENPOOL_INLINE void sum_taps(const S* p, Index count, const TapLoops& taps,
                               typename R::template Acc<B> (&acc)[width]) {
  const auto& [l0, l1, l2] = taps.loop;
  Tree<R, B, width> tree;
  const int base0 = tree.start(l0.lead);
  for (Index j0 = 0; j0 < l0.count; ++j0) {
    const int base1 = tree.start(l1.lead);
    for (Index j1 = 0; j1 < l1.count; ++j1) {
      const int base2 = tree.start(l2.lead);
      for (Index j2 = 0; j2 < l2.count; ++j2) {
        load_elements<R, B>(p + j0 * l0.offset + j1 * l1.offset + j2 * l2.offset, count, acc);
        tree.push(acc);
        tree.carry(l2.lead + j2);
      }
      tree.finish(base2);
      tree.carry(l1.lead + j1);
    }
    tree.finish(base1);
    tree.carry(l0.lead + j0);
  }
  tree.finish(base0);
  for (int u = 0; u < width; ++u) acc[u] = tree.top()[u];
}

/// `run` taps of one loop, unrolled.
template <class R, int B, int width, int run, class S>
EIGENPOOL_INLINE void reduce_run(const S* p, const TapLoops& taps, typename R::template Acc<B> (&acc)[width]) {
  const TapLoops::Loop& l = taps.longest();
  for (int u = 0; u < width; ++u) {
    const S* q = p + u * simd::Vec<typename R::Lane, B>::lanes;
    acc[u] = R::template first<B>(simd::load_as<typename R::Lane, B>(q), taps.first_number);
    for (int j = 1; j < run; ++j) {
      const auto x = simd::load_as<typename R::Lane, B>(q + j * l.offset);
      if constexpr (R::ordered_sum)
        R::template merge<B>(acc[u], x);
      else
        R::template fold<B>(acc[u], x, taps.first_number + j * l.weight);
    }
  }
}

template <class R, int B, int width, int run, class S>
EIGENPOOL_INLINE void reduce_block(const S* p, Index count, const TapLoops& taps,
                                   typename R::template Acc<B> (&acc)[width]) {
  if constexpr (run != 0)
    reduce_run<R, B, width, run>(p, taps, acc);
  else if constexpr (R::ordered_sum)
    sum_taps<R, B, width>(p, count, taps, acc);
  else
    fold_taps<R, B, width>(p, count, taps, acc);
}

template <class R, int B, int run, class S, class Sink>
EIGENPOOL_INLINE void reduce_vectors(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  using V = simd::Vec<typename R::Lane, B>;
  constexpr int width = 4;
  Index i = 0;
  for (; i + width * V::lanes <= length; i += width * V::lanes) {
    typename R::template Acc<B> acc[width];
    reduce_block<R, B, width, run>(p + i, V::lanes, taps, acc);
    for (int u = 0; u < width; ++u) sink(i + u * V::lanes, acc[u], V::lanes);
  }
  while (i < length) {  // the last vector overlaps the one before it
    i = std::min(i, length - V::lanes);
    typename R::template Acc<B> acc[1];
    reduce_block<R, B, 1, run>(p + i, V::lanes, taps, acc);
    sink(i, acc[0], V::lanes);
    i += V::lanes;
  }
}

/// For each i below `length`: reduces the taps that start at p + i, and calls
/// sink(i, accumulator, count) for vectors of `count` elements. A sink may be
/// called twice for an element, with the same result.
template <class R, int B, class S, class Sink>
EIGENPOOL_INLINE void reduce_taps(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  if (length < simd::Vec<typename R::Lane, B>::lanes) {
    typename R::template Acc<B> acc[1];
    reduce_block<R, B, 1, 0>(p, length, taps, acc);
    return sink(0, acc[0], length);
  }
  switch (taps.short_run()) {
    case 1:
      return reduce_vectors<R, B, 1>(p, length, taps, sink);
    case 2:
      return reduce_vectors<R, B, 2>(p, length, taps, sink);
    case 3:
      return reduce_vectors<R, B, 3>(p, length, taps, sink);
    default:
      return reduce_vectors<R, B, 0>(p, length, taps, sink);
  }
}

}  // namespace detail
EIGENPOOL_END
