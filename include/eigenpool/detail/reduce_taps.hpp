// Reduces the taps of one window, over up to three axes, for many neighbouring
// elements at once: the loops that run contiguously through memory, whatever
// they are called (rows of a plane, or the channels of a pixel).
#pragma once

#include "strip_sum.hpp"
#include "sum_runs.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// One to three taps, unrolled.
template <class R, int B, int count, class S>
EIGENPOOL_INLINE auto fold_run(const S* p, const TapLoops& taps) {
  using Lane = typename R::Lane;
  const Index offset = taps.loop[2].offset, number = taps.first_number, weight = taps.loop[2].weight;
  auto acc = R::template first<B>(simd::load_as<Lane, B>(p), number);
  if constexpr (count > 1) R::template fold<B>(acc, simd::load_as<Lane, B>(p + offset), number + weight);
  if constexpr (count > 2) R::template fold<B>(acc, simd::load_as<Lane, B>(p + 2 * offset), number + 2 * weight);
  return acc;
}

/// Two loops of `side` taps each, unrolled.
template <class R, int B, std::size_t side, class S>
EIGENPOOL_INLINE auto fold_square(const S* p, const TapLoops& taps) {
  const auto& [single, outer, inner] = taps.loop;
  const std::array<Index, 2> offset{outer.offset, inner.offset}, weight{outer.weight, inner.weight};
  const auto tap = [&](std::size_t j, std::size_t k) EIGENPOOL_LAMBDA {
    return simd::load_as<typename R::Lane, B>(p + static_cast<Index>(j) * offset[0] +
                                              static_cast<Index>(k) * offset[1]);
  };
  auto acc = R::template first<B>(tap(0, 0), taps.first_number);
  simd::unrolled<side>([&](std::size_t j) EIGENPOOL_LAMBDA {
    const auto fold_row = [&](auto& into, std::size_t begin) EIGENPOOL_LAMBDA {
      simd::unrolled<side>([&](std::size_t k) EIGENPOOL_LAMBDA {
        const Index n = taps.first_number + static_cast<Index>(j) * weight[0] + static_cast<Index>(k) * weight[1];
        if (k >= begin) R::template fold<B>(into, tap(j, k), n);
      });
    };
    if (j == 0 || !R::ordered_sum) return fold_row(acc, j == 0 ? 1 : 0);
    auto row = R::template first<B>(tap(j, 0), taps.first_number);
    fold_row(row, 1);
    R::template merge<B>(acc, row);
  });
  return acc;
}

/// Any taps, one after the other, for `width` vectors, `apart` elements from each other: for a sum, few of them on each
/// axis.
template <class R, int B, std::size_t width, class S>
EIGENPOOL_INLINE void fold_taps(const S* p, const TapLoops& taps, typename R::template Acc<B> (&acc)[width],
                                Index apart = simd::Vec<typename R::Lane, B>::lanes) {
  const auto& [l0, l1, l2] = taps.loop;
  const auto load = [&](Index offset, std::size_t u) EIGENPOOL_LAMBDA {
    return simd::load_as<typename R::Lane, B>(p + offset + static_cast<Index>(u) * apart);
  };
  const auto each = [](const auto& f) EIGENPOOL_LAMBDA { simd::unrolled<width>(f); };
  if constexpr (R::ordered_sum) {
    each([&](std::size_t u) EIGENPOOL_LAMBDA { acc[u] = R::template identity<B>(); });
    for (Index j0 = 0; j0 < l0.count; ++j0) {
      typename R::template Acc<B> middle[width];
      each([&](std::size_t u) EIGENPOOL_LAMBDA { middle[u] = R::template identity<B>(); });
      for (Index j1 = 0; j1 < l1.count; ++j1) {
        const Index offset = j0 * l0.offset + j1 * l1.offset;
        typename R::template Acc<B> inner[width];
        each([&](std::size_t u) EIGENPOOL_LAMBDA { inner[u] = load(offset, u); });
        for (Index j2 = 1; j2 < l2.count; ++j2) {
          const Index at = offset + j2 * l2.offset;
          each([&](std::size_t u) EIGENPOOL_LAMBDA { R::template merge<B>(inner[u], load(at, u)); });
        }
        each([&](std::size_t u) EIGENPOOL_LAMBDA { R::template merge<B>(middle[u], inner[u]); });
      }
      each([&](std::size_t u) EIGENPOOL_LAMBDA { R::template merge<B>(acc[u], middle[u]); });
    }
  } else {
    each([&](std::size_t u) EIGENPOOL_LAMBDA { acc[u] = R::template first<B>(load(0, u), taps.first_number); });
    for (Index j0 = 0; j0 < l0.count; ++j0)
      for (Index j1 = 0; j1 < l1.count; ++j1)
        for (Index j2 = (j0 == 0 && j1 == 0) ? 1 : 0; j2 < l2.count; ++j2) {
          const Index number = taps.first_number + j0 * l0.weight + j1 * l1.weight + j2 * l2.weight;
          const Index offset = j0 * l0.offset + j1 * l1.offset + j2 * l2.offset;
          each([&](std::size_t u) EIGENPOOL_LAMBDA { R::template fold<B>(acc[u], load(offset, u), number); });
        }
  }
}

/// Calls f(i, apart, accumulators) for vectors from i on, two at a time, which may be the same at the end, and
/// sink(i, accumulator) for each.
template <class R, int B, class F, class Sink>
EIGENPOOL_INLINE void for_pairs(Index i, Index length, const F& f, const Sink& sink) {
  constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  for (const Index last = length - lanes; i < length; i += 2 * lanes) {
    const Index first = std::min(i, last), next = std::min(i + lanes, last);
    typename R::template Acc<B> acc[2];
    f(first, next - first, acc);
    sink(first, acc[0]);
    sink(next, acc[1]);
  }
}

template <class R, int B, class S, class Sink>
EIGENPOOL_INLINE void fold_vectors(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  constexpr std::size_t width = 4;
  constexpr Index together = static_cast<Index>(width) * lanes;
  Index i = 0;
  for (; i + together <= length; i += together) {
    typename R::template Acc<B> acc[width];
    fold_taps<R, B, width>(p + i, taps, acc);
    simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { sink(i + static_cast<Index>(u) * lanes, acc[u]); });
  }
  for_pairs<R, B>(
      i, length,
      [&](Index at, Index apart, auto& acc) EIGENPOOL_LAMBDA { fold_taps<R, B, 2>(p + at, taps, acc, apart); }, sink);
}

/// How the taps of a window are best reduced.
enum class TapWay { one, two, three, two_by_two, three_by_three, few, four_to_eight, long_sum };

/// Calls f(way), where the way is a type, std::integral_constant.
template <class R, class F>
EIGENPOOL_INLINE void with_tap_way(const TapLoops& taps, const F& f) {
  if constexpr (R::ordered_sum) {
    const Index run = taps.single_run();
    if (run >= 4 && run <= 8 && taps.loop[2].lead % 8 == 0)
      return f(std::integral_constant<TapWay, TapWay::four_to_eight>());
    if (!taps.is_short()) return f(std::integral_constant<TapWay, TapWay::long_sum>());
  }
  if (taps.single_run() == 1) return f(std::integral_constant<TapWay, TapWay::one>());
  if (taps.single_run() == 2) return f(std::integral_constant<TapWay, TapWay::two>());
  if (taps.single_run() == 3) return f(std::integral_constant<TapWay, TapWay::three>());
  if (taps.square_side() == 2) return f(std::integral_constant<TapWay, TapWay::two_by_two>());
  if (taps.square_side() == 3) return f(std::integral_constant<TapWay, TapWay::three_by_three>());
  f(std::integral_constant<TapWay, TapWay::few>());
}

/// The accumulator of the taps that start at p, for the vector there. Not for long sums.
template <class R, int B, TapWay way, class S>
EIGENPOOL_INLINE auto reduce_vector(const S* p, const TapLoops& taps) {
  if constexpr (way == TapWay::one)
    return fold_run<R, B, 1>(p, taps);
  else if constexpr (way == TapWay::two)
    return fold_run<R, B, 2>(p, taps);
  else if constexpr (way == TapWay::three)
    return fold_run<R, B, 3>(p, taps);
  else if constexpr (way == TapWay::two_by_two)
    return fold_square<R, B, 2>(p, taps);
  else if constexpr (way == TapWay::three_by_three)
    return fold_square<R, B, 3>(p, taps);
  else if constexpr (way == TapWay::four_to_eight)
    return sum_to_eight<R, B>(p, taps.loop[2].offset, taps.loop[2].count);
  else {
    typename R::template Acc<B> acc[1];
    fold_taps<R, B, 1>(p, taps, acc);
    return acc[0];
  }
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
    return reduce_vector<R, B, TapWay::few>(p, taps);
  }
}

/// For each i below `length`: reduces the taps that start at p + i, and calls
/// sink(i, accumulator) for vectors. The last vector may overlap the one before
/// it; `length` is at least a vector.
template <class R, int B, TapWay way, class S, class Sink>
EIGENPOOL_INLINE void reduce_taps(const S* p, Index length, const TapLoops& taps, const Sink& sink) {
  if constexpr (way == TapWay::long_sum) {
    if (is_near_run<S>(taps))
      for_vectors<simd::Vec<typename R::Lane, B>::lanes>(
          length, [&, offset = taps.loop[2].offset, count = taps.loop[2].count](Index i) EIGENPOOL_LAMBDA {
            auto acc = sum_to_sixty_four<R, B>(p + i, offset, count);
            sink(i, acc);
          });
    else if (sums_runs<R, B>(taps, length))
      for_pairs<R, B>(
          0, length,
          [&](Index i, Index apart, auto& acc) EIGENPOOL_LAMBDA { sum_runs<R, B, 2>(p + i, taps, acc, apart); }, sink);
    else
      StripSum<R, B, S>(taps).run(p, length, sink);
  } else if constexpr (way == TapWay::few) {
    fold_vectors<R, B>(p, length, taps, sink);
  } else if constexpr (way == TapWay::four_to_eight) {
    with_count<4>(taps.loop[2].count, [&](auto count) EIGENPOOL_LAMBDA {
      for_vectors<simd::Vec<typename R::Lane, B>::lanes>(length,
                                                         [&, offset = taps.loop[2].offset](Index i) EIGENPOOL_LAMBDA {
                                                           auto acc = sum_few<R, B, count.value>(p + i, offset);
                                                           sink(i, acc);
                                                         });
    });
  } else
    for_vectors<simd::Vec<typename R::Lane, B>::lanes>(length, [&, own = taps](Index i) EIGENPOOL_LAMBDA {
      auto acc = reduce_vector<R, B, way>(p + i, own);
      sink(i, acc);
    });
}

}  // namespace detail
EIGENPOOL_END
