// What a comparison of narrow lanes says to wider ones.
#pragma once

#include "bits.hpp"
#include "shuffle.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// Units of 16 / parts bytes, so that the n-th 16 bytes hold those of number n, n + Bytes / 16, ...
template <int parts, class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> deal(const Vec<T, Bytes>& a) {
  if constexpr (Bytes == 16 || parts == 1) {
    return a;
  } else {
    using Unit = Vec<typename SignedOf<16 / parts>::type, Bytes>;
    Unit units;
    Vec<T, Bytes> dealt;
    std::memcpy(&units, &a, sizeof(units));
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      units.raw = __builtin_shufflevector(units.raw, units.raw, (I % parts * (Bytes / 16) + I / parts)...);
    }
    (std::make_integer_sequence<int, Unit::lanes>{});
    std::memcpy(&dealt, &units, sizeof(dealt));
    return dealt;
  }
}

/// In each 16 bytes, lanes repeated until they are as wide as those of the masks at `to`.
template <class T, int Bytes, class Narrow>
EIGENPOOL_INLINE void widen_near(const Vec<Narrow, Bytes>& a, Mask<T, Bytes>* to) {
  if constexpr (sizeof(Narrow) == sizeof(T)) {
    to->raw = a.raw;
  } else {
    using Wide = Vec<typename SignedOf<2 * static_cast<int>(sizeof(Narrow))>::type, Bytes>;
    Vec<Narrow, Bytes> halves[2];
    zip_near(a, a, halves[0], halves[1]);
    unrolled<2>([&](std::size_t half) EIGENPOOL_LAMBDA {
      Wide wide;
      std::memcpy(&wide, &halves[half], sizeof(wide));
      widen_near(wide, to + half * (sizeof(T) / sizeof(Narrow) / 2));
    });
  }
}

/// A mask of narrow lanes as masks of T, each for as many of them as it has lanes.
template <class T, class Narrow, int Bytes>
EIGENPOOL_INLINE auto spread(const Mask<Narrow, Bytes>& mask) {
  constexpr std::size_t parts = sizeof(T) / sizeof(Narrow);
  std::array<Mask<T, Bytes>, parts> masks;
  if constexpr (!Vec<T, Bytes>::compiled) {
    constexpr std::size_t lanes = Vec<T, Bytes>::lanes;
    for (std::size_t i = 0; i < mask.raw.size(); ++i) masks[i / lanes].raw[i % lanes] = mask.raw[i];
  } else if constexpr (parts <= 4) {
    widen_near(deal<parts>(Vec<Signed<Narrow>, Bytes>{mask.raw}), masks.data());
  } else {  // no instruction deals units of two bytes
    Mask<std::int16_t, Bytes> halves[2];
    widen_near(deal<2>(Vec<Signed<Narrow>, Bytes>{mask.raw}), halves);
    unrolled<2>([&](std::size_t half) EIGENPOOL_LAMBDA {
      widen_near(deal<4>(Vec<std::int16_t, Bytes>{halves[half].raw}), masks.data() + half * 4);
    });
  }
  return masks;
}

/// a, but 0 in the lanes where the mask does not hold.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> keep_where(const Mask<T, Bytes>& mask, const Vec<T, Bytes>& a) {
  if constexpr (Vec<T, Bytes>::compiled) {
    auto bits = bits_as<Signed<T>>(a);
    bits.raw &= mask.raw;
    return bits_as<T>(bits);
  } else {
    return each::apply<Vec<T, Bytes>>([](bool m, const T& x) { return m ? x : T(0); }, mask, a);
  }
}

}  // namespace simd
EIGENPOOL_END
