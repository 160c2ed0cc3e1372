// Kernels for maxima take no care of NaN, which would cost them as much again:
// a guard looks at all of the source first, piece by piece while it is in the
// cache, and a piece that holds a NaN is left to the scalar kernel.
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

/// Whether any of `length` elements is NaN.
template <class Lane, int B, class S>
EIGENPOOL_INLINE bool holds_nan(const S* p, Index length) {
  const auto zero = simd::broadcast<Lane, B>(Lane(0));
  simd::Vec<Lane, B> seen[4] = {zero, zero, zero, zero};
  // 0 * x is 0, or NaN for NaN and infinities: one instruction each.
  Index i = for_fours<Lane, B>(length, [&](std::size_t u, Index k) EIGENPOOL_LAMBDA {
    seen[u] = simd::add(seen[u], simd::multiply(simd::load_as<Lane, B>(p + k), zero));
  });
  const auto all = simd::add(simd::add(seen[0], seen[1]), simd::add(seen[2], seen[3]));
  if (simd::any(simd::is_nan(all))) {
    auto found = simd::is_nan(zero);
    for_fours<Lane, B>(length, [&](std::size_t, Index k) EIGENPOOL_LAMBDA {
      found = simd::either(found, simd::is_nan(simd::load_as<Lane, B>(p + k)));
    });
    if (simd::any(found)) return true;
  }
  for (; i < length; ++i) {
    const Lane x = static_cast<Lane>(p[i]);
    if (x != x) return true;
  }
  return false;
}

/// Remembers which run of memory it has seen to be clean, so that windows that
/// overlap and move forward are looked at once.
template <class R, class S>
class NanGuard {
 public:
  using Lane = typename R::Lane;
  static constexpr bool needed = !R::ordered_sum && simd::can_be_nan<Lane>;

  template <int B>
  bool is_clean(const S* begin, const S* end) {
    if constexpr (needed) {
      if (begin < begin_ || begin > end_) begin_ = end_ = begin;
      if (end <= end_) return true;
      const bool found =
          simd::apart<B>([p = end_, length = end - end_]() EIGENPOOL_LAMBDA { return holds_nan<Lane, B>(p, length); });
      if (found) {
        begin_ = end_ = nullptr;
        return false;
      }
      end_ = end;
    }
    return true;
  }

 private:
  const S *begin_ = nullptr, *end_ = nullptr;
};

}  // namespace detail
EIGENPOOL_END
