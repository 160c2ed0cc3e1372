// Reduces the taps of one window, over up to three axes, for many neighbouring
// elements at once: the loops that run contiguously through memory, whatever
// they are called (rows of a plane, or the channels of a pixel).
#pragma once

#include <algorithm>

#include "integer.hpp"
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

  /// From the first tap to the last, in elements.
  constexpr Index last_offset() const {
    Index offset = 0;
    for (const Loop& l : loop) offset += (l.count - 1) * l.offset;
    return offset;
  }

  /// Whether adding from the first tap to the last is the canonical order: at
  /// most three taps, (a + b) + c, in each loop.
  constexpr bool is_short() const {
    for (const Loop& l : loop)
      if (l.count > 3 || (l.count == 3 && l.lead % 2 != 0)) return false;
    return true;
  }

  /// The same with loops over a single tap outermost: beside padding, which
  /// counts for 0, they change no sum, and the innermost loop is a long one.
  constexpr TapLoops compacted() const {
    TapLoops result = *this;
    std::size_t next = 3;
    for (std::size_t i = 3; i-- > 0;)
      if (loop[i].count != 1) result.loop[--next] = loop[i];
    while (next > 0) result.loop[--next] = Loop();
    return result;
  }

  /// The number of taps where one loop has them all.
  constexpr Index single_run() const {
    const Index longest = std::max({loop[0].count, loop[1].count, loop[2].count});
    return loop[0].count * loop[1].count * loop[2].count == longest ? longest : 0;
  }
  constexpr const Loop& longest() const { return loop[0].count > 1 ? loop[0] : loop[1].count > 1 ? loop[1] : loop[2]; }
};

/// Calls f(i) for vectors of `lanes` that make up [0, length), of which there
/// is at least one; the last may overlap the one before it.
template <Index lanes, class F>
EIGENPOOL_INLINE void for_vectors(Index length, const F& f) {
  const Index last = length - lanes;
  for (Index i = 0; i < last; i += lanes) f(i);
  f(last);
}

/// One to three taps, unrolled.
template <class R, int B, int taps, class S, class Sink>
EIGENPOOL_INLINE void reduce_run(const S* p, Index length, const TapLoops& loops, const Sink& sink) {
  using Lane = typename R::Lane;
  const Index offset = loops.longest().offset, number = loops.first_number, weight = loops.longest().weight;
  const S *second = p + offset, *third = second + offset;
  for_vectors<simd::Vec<Lane, B>::lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
    auto acc = R::template first<B>(simd::load_as<Lane, B>(p + i), number);
    if constexpr (taps > 1) R::template fold<B>(acc, simd::load_as<Lane, B>(second + i), number + weight);
    if constexpr (taps > 2) R::template fold<B>(acc, simd::load_as<Lane, B>(third + i), number + 2 * weight);
    sink(i, acc);
  });
}

/// The sum of one to eight taps, in the canonical order.
template <class R, int B, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_to_eight(const S* p, Index offset, Index count) {
  const auto tap = [&](int j) EIGENPOOL_LAMBDA { return simd::load_as<typename R::Lane, B>(p + j * offset); };
  const auto pair = [&](int j) EIGENPOOL_LAMBDA { return simd::add(tap(j), tap(j + 1)); };
  if (count == 1) return tap(0);
  if (count == 2) return pair(0);
  if (count == 3) return simd::add(pair(0), tap(2));
  const auto four = simd::add(pair(0), pair(2));
  if (count == 4) return four;
  if (count == 5) return simd::add(four, tap(4));
  if (count == 6) return simd::add(four, pair(4));
  if (count == 7) return simd::add(four, simd::add(pair(4), tap(6)));
  return simd::add(four, simd::add(pair(4), pair(6)));
}

template <class R, int B, class S, class Sink>
EIGENPOOL_INLINE void sum_run(const S* p, Index length, const TapLoops& loops, const Sink& sink) {
  const TapLoops::Loop l = loops.longest();
  for_vectors<simd::Vec<typename R::Lane, B>::lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
    const auto sum = sum_to_eight<R, B>(p + i, l.offset, l.count);
    sink(i, sum);
  });
}

/// Any taps, one after the other: for a sum, few of them on each axis.
template <class R, int B, int width, class S>
EIGENPOOL_INLINE void fold_taps(const S* p, const TapLoops& taps, typename R::template Acc<B> (&acc)[width]) {
  using V = simd::Vec<typename R::Lane, B>;
  const auto& [l0, l1, l2] = taps.loop;
  const auto load = [&](Index offset, int u)
                        EIGENPOOL_LAMBDA { return simd::load_as<typename R::Lane, B>(p + offset + u * V::lanes); };
  if constexpr (R::ordered_sum) {
    for (int u = 0; u < width; ++u) acc[u] = R::template identity<B>();
    for (Index j0 = 0; j0 < l0.count; ++j0) {
      typename R::template Acc<B> middle[width];
      for (int u = 0; u < width; ++u) middle[u] = R::template identity<B>();
      for (Index j1 = 0; j1 < l1.count; ++j1) {
        const Index offset = j0 * l0.offset + j1 * l1.offset;
        typename R::template Acc<B> inner[width];
        for (int u = 0; u < width; ++u) inner[u] = load(offset, u);
        for (Index j2 = 1; j2 < l2.count; ++j2)
          for (int u = 0; u < width; ++u) R::template merge<B>(inner[u], load(offset + j2 * l2.offset, u));
        for (int u = 0; u < width; ++u) R::template merge<B>(middle[u], inner[u]);
      }
      for (int u = 0; u < width; ++u) R::template merge<B>(acc[u], middle[u]);
    }
  } else {
    for (int u = 0; u < width; ++u) acc[u] = R::template first<B>(load(0, u), taps.first_number);
    for (Index j0 = 0; j0 < l0.count; ++j0)
      for (Index j1 = 0; j1 < l1.count; ++j1)
        for (Index j2 = (j0 == 0 && j1 == 0) ? 1 : 0; j2 < l2.count; ++j2) {
          const Index number = taps.first_number + j0 * l0.weight + j1 * l1.weight + j2 * l2.weight;
          for (int u = 0; u < width; ++u)
            R::template fold<B>(acc[u], load(j0 * l0.offset + j1 * l1.offset + j2 * l2.offset, u), number);
        }
  }
}

template <class R, int B, class S, class Sink>
EIGENPOOL_INLINE void fold_vectors(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes, width = 4;
  Index i = 0;
  for (; i + width * lanes <= length; i += width * lanes) {
    typename R::template Acc<B> acc[width];
    fold_taps<R, B, width>(p + i, taps, acc);
    for (int u = 0; u < width; ++u) sink(i + u * lanes, acc[u]);
  }
  while (i < length) {
    i = std::min(i, length - lanes);
    typename R::template Acc<B> acc[1];
    fold_taps<R, B, 1>(p + i, taps, acc);
    sink(i, acc[0]);
    i += lanes;
  }
}

/// A long sum: groups of up to eight taps are added in registers, and a stack
/// of strips holds the partial sums between them.
template <class R, int B, class S>
class StripSum {
 public:
  using Lane = typename R::Lane;
  using Acc = typename R::template Acc<B>;
  static constexpr Index lanes = simd::Vec<Lane, B>::lanes;

  EIGENPOOL_INLINE explicit StripSum(const TapLoops& taps) : taps_(taps.compacted()) {
    Index entries = 1;
    for (const TapLoops::Loop& l : taps_.loop) entries += bit_width(l.lead + l.count);
    strip_ = capacity / entries / lanes * lanes;
  }

  template <class Sink>
  EIGENPOOL_INLINE void run(const S* p, Index length, const Sink& sink) {
    for (Index begin = 0; begin < length; begin += length_) {
      // Whole vectors; the last one may overlap the one before it.
      length_ = std::clamp((length - begin) / lanes * lanes, lanes, strip_);
      const Index start = std::min(begin, length - length_);
      sum(p + start);
      for (Index i = 0; i < length_; i += lanes) {
        Acc acc = entry(0).template load<B>(i);
        sink(start + i, acc);
      }
    }
  }

  EIGENPOOL_INLINE void clear(int d) {
    for (Index i = 0; i < length_; i += lanes) entry(d).template store<B>(i, R::template identity<B>());
  }
  EIGENPOOL_INLINE void merge(int d) {
    for (Index i = 0; i < length_; i += lanes) {
      auto acc = entry(d).template load<B>(i);
      R::template merge<B>(acc, entry(d + 1).template load<B>(i));
      entry(d).template store<B>(i, acc);
    }
  }

 private:
  static constexpr Index capacity = 32 * 1024 / static_cast<Index>(sizeof(Lane));

  EIGENPOOL_INLINE typename R::Row entry(int d) { return {sums_ + d * strip_}; }

  EIGENPOOL_INLINE void sum(const S* p) {
    const auto& [l0, l1, l2] = taps_.loop;
    Tree<StripSum> tree(*this);
    const int base0 = tree.start(l0.lead);
    for (Index j0 = 0; j0 < l0.count; ++j0) {
      const int base1 = tree.start(l1.lead);
      for (Index j1 = 0; j1 < l1.count; ++j1) {
        const int base2 = tree.start(l2.lead);
        const S* q = p + j0 * l0.offset + j1 * l1.offset;
        for (Index j2 = 0; j2 < l2.count;) {
          const bool aligned = (l2.lead + j2) % 8 == 0;
          const Index taps = aligned ? std::min(l2.count - j2, Index{8}) : 1;
          add_taps(q + j2 * l2.offset, taps, entry(tree.push()));
          if (taps == 8 || !aligned) tree.carry((l2.lead + j2) / taps);
          j2 += taps;
        }
        tree.finish(base2);
        tree.carry(l1.lead + j1);
      }
      tree.finish(base1);
      tree.carry(l0.lead + j0);
    }
    tree.finish(base0);
  }

  EIGENPOOL_INLINE void add_taps(const S* p, Index taps, typename R::Row to) {
    const Index offset = taps_.loop[2].offset;
    for (Index i = 0; i < length_; i += lanes) to.template store<B>(i, sum_to_eight<R, B>(p + i, offset, taps));
  }

  TapLoops taps_;
  Index strip_ = 0, length_ = 0;
  alignas(64) Lane sums_[capacity];
};

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

/// The reduction at a single element.
template <class R, class S>
EIGENPOOL_INLINE auto reduce_element(const S* p, const TapLoops& taps) {
  constexpr int B = static_cast<int>(sizeof(typename R::Lane));
  if constexpr (R::ordered_sum) {
    LaneStack<R> stack;
    along_tree(taps, stack, [&](Index offset, int d) EIGENPOOL_LAMBDA {
      stack.entry(d) = simd::load_as<typename R::Lane, B>(p + offset);
    });
    return stack.entry(0);
  } else {
    typename R::template Acc<B> acc[1];
    fold_taps<R, B, 1>(p, taps, acc);
    return acc[0];
  }
}

/// How the taps of a window are best reduced.
enum class TapWay { one, two, three, few, four_to_eight, long_sum };

/// Calls f(way), where the way is a type, std::integral_constant.
template <class R, class F>
EIGENPOOL_INLINE void with_tap_way(const TapLoops& taps, const F& f) {
  if constexpr (R::ordered_sum) {
    const Index run = taps.single_run();
    if (run >= 4 && run <= 8 && taps.longest().lead % 8 == 0)
      return f(std::integral_constant<TapWay, TapWay::four_to_eight>());
    if (!taps.is_short()) return f(std::integral_constant<TapWay, TapWay::long_sum>());
  }
  if (taps.single_run() == 1) return f(std::integral_constant<TapWay, TapWay::one>());
  if (taps.single_run() == 2) return f(std::integral_constant<TapWay, TapWay::two>());
  if (taps.single_run() == 3) return f(std::integral_constant<TapWay, TapWay::three>());
  f(std::integral_constant<TapWay, TapWay::few>());
}

/// For each i below `length`: reduces the taps that start at p + i, and calls
/// sink(i, accumulator) for vectors. The last vector may overlap the one before
/// it; `length` is at least a vector.
template <class R, int B, TapWay way, class S, class Sink>
EIGENPOOL_INLINE void reduce_taps(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  if constexpr (way == TapWay::long_sum)
    StripSum<R, B, S>(taps).run(p, length, sink);
  else if constexpr (way == TapWay::four_to_eight)
    sum_run<R, B>(p, length, taps, sink);
  else if constexpr (way == TapWay::one)
    reduce_run<R, B, 1>(p, length, taps, sink);
  else if constexpr (way == TapWay::two)
    reduce_run<R, B, 2>(p, length, taps, sink);
  else if constexpr (way == TapWay::three)
    reduce_run<R, B, 3>(p, length, taps, sink);
  else
    fold_vectors<R, B>(p, length, taps, sink);
}

}  // namespace detail
EIGENPOOL_END
