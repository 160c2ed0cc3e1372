// Long sums along the canonical tree, for many neighbouring elements at once.
#pragma once

#include "row_loops.hpp"
#include "tap_loops.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The sum of `count` taps, up to eight, in the canonical order.
template <class R, int B, int count, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_few(const S* p, Index offset) {
  constexpr int half = count > 4 ? 4 : count > 2 ? 2 : 1;
  if constexpr (count == 1)
    return simd::load_as<typename R::Lane, B>(p);
  else
    return simd::add(sum_few<R, B, half>(p, offset), sum_few<R, B, count - half>(p + half * offset, offset));
}

/// f(count), the count as a type, from `least` to 8: a loop over vectors in f need not ask for it.
template <int least = 1, int most = 8, class F>
EIGENPOOL_INLINE auto with_count(Index count, const F& f) {
  if constexpr (most > least)
    if (count < most) return with_count<least, most - 1>(count, f);
  return f(std::integral_constant<int, most>());
}

template <class R, int B, class S>
EIGENPOOL_INLINE typename R::template Acc<B> sum_to_eight(const S* p, Index offset, Index count) {
  return with_count(count, [&](auto n) EIGENPOOL_LAMBDA { return sum_few<R, B, n.value>(p, offset); });
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
