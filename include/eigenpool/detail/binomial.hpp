// Binomial filters of runs of neighbours.
//
// A binomial filter of k taps is k - 1 times the sum of two neighbours, so it takes additions alone, whose bits no
// compiler changes by fusing them with products.
#pragma once

#include "means.hpp"
#include "scratch_task.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline constexpr Index most_blur_taps = 7;

/// Where sums go: to lanes or, divided, to the caller's scalars.
template <class Lane>
struct ToLanes {
  Lane* to;
  template <int B>
  EIGENPOOL_INLINE void write(Index i, const simd::Vec<Lane, B>& sum) const {
    simd::store(to + i, sum);
  }
  EIGENPOOL_INLINE ToLanes from(Index i) const { return {to + i}; }
};
template <class Lane, class S>
struct ToMeans {
  S* to;
  Index divisor;
  template <int B>
  EIGENPOOL_INLINE void write(Index i, const simd::Vec<Lane, B>& sum) const {
    simd::store_as(to + i, mean(sum, divisor), simd::Vec<Lane, B>::lanes);
  }
  EIGENPOOL_INLINE ToMeans from(Index i) const { return {to + i, divisor}; }
};

/// The taps of one sum, each the start of a run of neighbours.
template <class T>
using BlurTaps = std::array<const T*, static_cast<std::size_t>(most_blur_taps)>;

template <int k, int B, class Lane, class T, class To>
EIGENPOOL_INLINE void sum_taps(const BlurTaps<T>& taps, Index length, const To& to) {
  for_lanes<Lane, B>(length, [&](Index i, auto width) EIGENPOOL_LAMBDA {
    constexpr int bytes = decltype(width)::value;
    simd::Vec<Lane, bytes> sum[k];
    for (int j = 0; j < k; ++j) sum[j] = simd::load_as<Lane, bytes>(taps[static_cast<std::size_t>(j)] + i);
    for (int left = k - 1; left > 0; --left)
      for (int j = 0; j < left; ++j) sum[j] = simd::add(sum[j], sum[j + 1]);
    to.template write<bytes>(i, sum[0]);
  });
}

/// to[i] = the binomial sum of the k taps at i, for i below `length`. No tap may be where the sums go.
template <int B, class Lane, class T, class To>
EIGENPOOL_INLINE void binomial(const BlurTaps<T>& taps, Index k, Index length, const To& to) {
  lanes_apart<Lane, B>([=]() EIGENPOOL_LAMBDA {
    switch (k) {
      case 1:
        return sum_taps<1, B, Lane>(taps, length, to);
      case 2:
        return sum_taps<2, B, Lane>(taps, length, to);
      case 3:
        return sum_taps<3, B, Lane>(taps, length, to);
      case 4:
        return sum_taps<4, B, Lane>(taps, length, to);
      case 5:
        return sum_taps<5, B, Lane>(taps, length, to);
      case 6:
        return sum_taps<6, B, Lane>(taps, length, to);
      default:
        return sum_taps<7, B, Lane>(taps, length, to);
    }
  });
}

/// Taps that are `pitch` apart.
template <class Lane>
EIGENPOOL_INLINE BlurTaps<Lane> taps_from(const Lane* first, Index k, Index pitch) {
  BlurTaps<Lane> taps{};
  for (Index j = 0; j < k; ++j) taps[static_cast<std::size_t>(j)] = first + j * pitch;
  return taps;
}

}  // namespace detail
EIGENPOOL_END
