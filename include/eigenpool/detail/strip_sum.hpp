// Long sums along the canonical tree, for many neighbouring elements at once.
#pragma once

#include <bit>

#include "row_loops.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The sum of `count` taps in the canonical order.
template <class R, int B, int count, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_few(const S* p, Index offset) {
  if constexpr (count == 1) {
    return simd::load_as<typename R::Lane, B>(p);
  } else {
    constexpr int half = std::bit_floor(static_cast<unsigned>(count - 1));
    return simd::add(sum_few<R, B, half>(p, offset), sum_few<R, B, count - half>(p + half * offset, offset));
  }
}

/// f(count), the count as a type, from `least` to 8: a loop over vectors in f need not ask for it.
template <int least = 1, int most = 8, class F>
EIGENPOOL_INLINE auto with_count(Index count, const F& f) {
  if constexpr (most > least) {
    constexpr int middle = (least + most + 1) / 2;
    if (count < middle) return with_count<least, middle - 1>(count, f);
    return with_count<middle, most>(count, f);
  } else {
    return f(std::integral_constant<int, most>());
  }
}

template <class R, int B, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_to_eight(const S* p, Index offset, Index count) {
  return with_count(count, [&](auto n) EIGENPOOL_LAMBDA { return sum_few<R, B, n.value>(p, offset); });
}

/// The sum of the taps of a single loop, up to 64 and none before them in the padding, in registers.
template <class R, int B, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_to_sixty_four(const S* p, Index offset, Index count) {
  const auto part = [&](auto size) EIGENPOOL_LAMBDA {
    auto sum = R::template identity<B>();
    if (count > size.value) {
      sum = sum_few<R, B, size.value>(p, offset);
      p += size.value * offset, count -= size.value;
    }
    return sum;
  };
  const auto first = part(std::integral_constant<int, 32>()), second = part(std::integral_constant<int, 16>()),
             third = part(std::integral_constant<int, 8>());
  return simd::add(first, simd::add(second, simd::add(third, sum_to_eight<R, B>(p, offset, count))));
}

/// Whether that is worth it: from one vector to the next, the nearest cache holds the taps.
template <class S>
constexpr bool is_near_run(const TapLoops& taps) {
  constexpr Index near = (16 << 10) / sizeof(S);
  return taps.single_run() > 0 && taps.single_run() <= 64 && taps.loop[2].lead == 0 && taps.last_offset() <= near;
}

/// A long sum: groups of up to eight taps are added in registers, and a stack
/// of strips holds the partial sums between them.
template <class R, int B, class S>
class StripSum {
 public:
  using Lane = typename R::Lane;
  using Acc = typename R::template Acc<B>;
  static constexpr Index lanes = simd::Vec<Lane, B>::lanes;

  EIGENPOOL_INLINE explicit StripSum(const TapLoops& taps) : taps_(taps) {
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

  EIGENPOOL_INLINE void clear(int d) { fill_vectors<R, B>(entry(d), length_); }
  EIGENPOOL_INLINE void merge(int d) {
    const typename R::Row sum = entry(d), rest = entry(d + 1);
    for_whole_vectors<R, B>(length_,
                            [&](Index i) EIGENPOOL_LAMBDA { sum.template store<B>(i, merged<R, B>(i, sum, rest)); });
  }

 private:
  static constexpr Index capacity = 64 * 1024 / static_cast<Index>(sizeof(Lane));

  EIGENPOOL_INLINE typename R::Row entry(int d) { return {sums_ + d * strip_}; }

  EIGENPOOL_INLINE void sum(const S* p) {
    runs_along_tree<8>(taps_, *this, [&](Index offset, Index count, int d) EIGENPOOL_LAMBDA {
      add_taps(p + offset, count, entry(d));
    });
  }

  EIGENPOOL_INLINE void add_taps(const S* p, Index taps, const typename R::Row& to) const {
    simd::apart<B>([=, offset = taps_.loop[2].offset, length = length_]() EIGENPOOL_LAMBDA {
      with_count(taps, [&](auto count) EIGENPOOL_LAMBDA {
        for_whole_vectors<R, B>(length, [&](Index i) EIGENPOOL_LAMBDA {
          to.template store<B>(i, sum_few<R, B, count.value>(p + i, offset));
        });
      });
    });
  }

  TapLoops taps_;
  Index strip_ = 0, length_ = 0;
  alignas(64) Lane sums_[capacity];
};

}  // namespace detail
EIGENPOOL_END
