// Kernels for maxima take no care of NaN, which would cost them as much again:
// a guard looks at all of the source first, piece by piece while it is in the
// cache, or a watch notes NaN in what they take in. Where there was one, the
// exact reducer does the work again.
#pragma once

#include "../simd/dispatch.hpp"
#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// f(i) for four vectors side by side, as long as `length` holds them: where it stopped.
template <class Lane, int B, class F>
EIGENPOOL_INLINE Index for_fours(Index length, const F& f) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  Index i = 0;
  for (; i + 4 * lanes <= length; i += 4 * lanes)
    simd::unrolled<4>([&](std::size_t u) EIGENPOOL_LAMBDA { f(u, i + static_cast<Index>(u) * lanes); });
  return i;
}

/// Notes NaN in vectors, up to four side by side.
template <class Lane, int B>
class NanNote {
 public:
  template <class S>
  EIGENPOOL_INLINE void look(std::size_t u, const S* p) {  // 0 * x is 0, or NaN for NaN and infinities: one instruction
    seen_[u] = simd::add(seen_[u], simd::multiply(simd::load_as<Lane, B>(p), zero_));
  }
  /// Whether one of them may have been NaN.
  EIGENPOOL_INLINE bool may_hold_nan() const {
    const auto all = simd::add(simd::add(seen_[0], seen_[1]), simd::add(seen_[2], seen_[3]));
    return simd::any(simd::is_nan(all));
  }

 private:
  simd::Vec<Lane, B> zero_ = simd::broadcast<Lane, B>(Lane(0));
  simd::Vec<Lane, B> seen_[4] = {zero_, zero_, zero_, zero_};
};

/// Whether any of `length` elements is NaN.
template <class Lane, int B, class S>
EIGENPOOL_INLINE bool holds_nan(const S* p, Index length) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  const auto any_of = [](const S* begin, const S* end) EIGENPOOL_LAMBDA {
    for (; begin < end; ++begin)
      if (const Lane x = static_cast<Lane>(*begin); x != x) return true;
    return false;
  };
  const Index head = length >= 16 * lanes ? simd::to_aligned<lanes>(p) : 0;
  if (any_of(p, p + head)) return true;
  p += head, length -= head;
  NanNote<Lane, B> note;
  const Index end = for_fours<Lane, B>(length, [&](std::size_t u, Index k) EIGENPOOL_LAMBDA { note.look(u, p + k); });
  if (note.may_hold_nan()) {
    auto found = simd::is_nan(simd::broadcast<Lane, B>(Lane(0)));
    for_fours<Lane, B>(length, [&](std::size_t, Index k) EIGENPOOL_LAMBDA {
      found = simd::either(found, simd::is_nan(simd::load_as<Lane, B>(p + k)));
    });
    if (simd::any(found)) return true;
  }
  return any_of(p + end, p + length);
}

/// Whether any of the first `unit` elements of `count` columns is NaN.
template <class Lane, int B, class S>
EIGENPOOL_INLINE bool columns_hold_nan(const S* p, Index count, Index pitch, Index unit) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  if (unit >= lanes) {
    NanNote<Lane, B> note;
    for_vectors<lanes>(unit, [&](Index i) EIGENPOOL_LAMBDA {
      const auto look = [&](std::size_t u, Index column) EIGENPOOL_LAMBDA { note.look(u, p + column * pitch + i); };
      Index column = 0;
      for (; column + 4 <= count; column += 4)
        simd::unrolled<4>([&](std::size_t u) EIGENPOOL_LAMBDA { look(u, column + static_cast<Index>(u)); });
      for (; column < count; ++column) look(0, column);
    });
    if (!note.may_hold_nan()) return false;
  }
  for (Index column = 0; column < count; ++column)
    if (holds_nan<Lane, B>(p + column * pitch, unit)) return true;
  return false;
}

/// Whether R gives wrong results where a tap is NaN: a sum does not.
template <class R>
inline constexpr bool minds_nan = !R::ordered_sum && simd::can_be_nan<typename R::Lane>;

/// R, and the sum of all that it takes in, which is NaN where one of that was (or where infinities of both signs were).
template <class R>
struct Watched {
  using Lane = typename R::Lane;
  static constexpr bool numbered = false, ordered_sum = false;
  template <int B>
  struct Acc {
    typename R::template Acc<B> value;
    simd::Vec<Lane, B> sum;
  };

  template <int B>
  EIGENPOOL_INLINE static Acc<B> first(const simd::Vec<Lane, B>& x, Index number) {
    return {R::template first<B>(x, number), x};
  }
  template <int B>
  EIGENPOOL_INLINE static void fold(Acc<B>& a, const simd::Vec<Lane, B>& x, Index number) {
    R::template fold<B>(a.value, x, number);
    a.sum = simd::add(a.sum, x);
  }
  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    R::template merge<B>(a.value, b.value);
    a.sum = simd::add(a.sum, b.sum);
  }
};

/// A reducer that is right wherever no NaN is seen.
template <class R>
using WatchedIfNeeded = std::conditional_t<minds_nan<R> && !R::numbered, Watched<R>, R>;

/// Takes accumulators of any reducer, gives what a watched one made, and remembers NaN.
template <class Lane, int B>
class NanWatch {
 public:
  template <class Acc>
  EIGENPOOL_INLINE const auto& value(const Acc& acc) {
    if constexpr (requires { acc.sum; }) {
      seen_ = simd::add(seen_, acc.sum);
      return acc.value;
    } else {
      return acc;
    }
  }
  EIGENPOOL_INLINE bool found_none() const { return !simd::any(simd::is_nan(seen_)); }

 private:
  simd::Vec<Lane, B> seen_ = simd::broadcast<Lane, B>(Lane(0));
};

/// Remembers which run of memory it has seen to be clean, so that windows that
/// overlap and move forward are looked at once.
template <class R, class S>
class NanGuard {
 public:
  using Lane = typename R::Lane;
  static constexpr bool needed = minds_nan<R>;

  NanGuard() = default;
  /// Of columns of `inner` elements, it looks at `unit` from `offset` on.
  NanGuard(Index inner, Index offset, Index unit) : inner_(inner), offset_(offset), unit_(unit) {}

  /// Memory of whole columns.
  template <int B>
  bool is_clean(const S* begin, const S* end) {
    if constexpr (needed) {
      if (begin < begin_ || begin > end_) begin_ = end_ = begin;
      if (end <= end_) return true;
      if (finds_nan<B>(end_, end - end_)) {
        begin_ = end_ = nullptr;
        return false;
      }
      end_ = end;
    }
    return true;
  }

 private:
  template <int B>
  bool finds_nan(const S* p, Index length) const {
    if (unit_ == inner_) return simd::apart<B>([=]() EIGENPOOL_LAMBDA { return holds_nan<Lane, B>(p, length); });
    return simd::apart<B>([=, count = length / inner_, inner = inner_, unit = unit_, first = p + offset_]()
                              EIGENPOOL_LAMBDA { return columns_hold_nan<Lane, B>(first, count, inner, unit); });
  }

  Index inner_ = 1, offset_ = 0, unit_ = 1;
  const S *begin_ = nullptr, *end_ = nullptr;
};

}  // namespace detail
EIGENPOOL_END
