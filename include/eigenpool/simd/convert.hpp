// Conversions between lanes, and while loading and storing.
#pragma once

#include "extend.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// Each lane as another type of the same width.
template <class To, class T, int Bytes>
EIGENPOOL_INLINE Vec<To, Bytes> convert(const Vec<T, Bytes>& a) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {__builtin_convertvector(a.raw, typename Vec<To, Bytes>::Raw)};
  else
    return each::apply<Vec<To, Bytes>>([](const T& x) { return static_cast<To>(x); }, a);
}

/// a / b rounded to nearest, halves to even, for |a| < 2^22 and b != 0: the
/// quotient in float then lies on the same side of each half as the exact one,
/// and float addition rounds it.
template <int Bytes>
EIGENPOOL_INLINE Vec<std::int32_t, Bytes> rounded_quotient(const Vec<std::int32_t, Bytes>& a,
                                                           const Vec<std::int32_t, Bytes>& b) {
  const auto rounder = broadcast<float, Bytes>(12582912.0F);  // 1.5 * 2^23: its neighbours are 1 apart
  const auto quotient = divide(convert<float>(a), convert<float>(b));
  return convert<std::int32_t>(subtract(add(quotient, rounder), rounder));
}

/// The bits of as many 16-bit scalars as a vector of `Bytes` has floats.
template <int Bytes>
using ShortBits = Vec<std::uint16_t, Bytes / 2>;
template <int Bytes>
EIGENPOOL_INLINE ShortBits<Bytes> narrow_bits(const Vec<std::uint32_t, Bytes>& bits) {
  return {__builtin_convertvector(bits.raw, typename ShortBits<Bytes>::Raw)};
}

/// How vectors of a 16-bit scalar S become float and the other way round: widen<Bytes>(p), from its bits in memory, and
/// narrow(Vec<float>). To be specialised.
template <class S>
struct Widening;
template <class S>
concept HasWidening = sizeof(S) == 2 && requires {
  sizeof(Widening<S>);
};

/// Converts in steps of at most a factor of two in width, for which compilers
/// have instructions where they take a longer step lane by lane.
template <class To, class From, int lanes>
EIGENPOOL_INLINE void convert_in_steps(const typename Compiled<From, lanes* static_cast<int>(sizeof(From))>::type& from,
                                       typename Compiled<To, lanes* static_cast<int>(sizeof(To))>::type& to) {
  constexpr bool is_long = sizeof(To) > 2 * sizeof(From) || sizeof(From) > 2 * sizeof(To);
  if constexpr (is_long && std::integral<From> && std::integral<To>) {
    constexpr int step_bytes = static_cast<int>(sizeof(To) > sizeof(From) ? sizeof(From) * 2 : sizeof(From) / 2);
    using SignedStep = typename SignedOf<step_bytes>::type;
    using Step = std::conditional_t<std::is_signed_v<From>, SignedStep, std::make_unsigned_t<SignedStep>>;
    const auto step = __builtin_convertvector(from, typename Compiled<Step, lanes * step_bytes>::type);
    convert_in_steps<To, Step, lanes>(step, to);
  } else {
    to = __builtin_convertvector(from, typename Compiled<To, lanes* static_cast<int>(sizeof(To))>::type);
  }
}

/// Converts while loading: `lanes` elements of S from p become lanes of T. An S
/// may say how it is loaded.
template <class T, int Bytes, class S>
EIGENPOOL_INLINE Vec<T, Bytes> load_as(const S* p) {
  using V = Vec<T, Bytes>;
  if constexpr (requires { S::template load<T, Bytes>(p); }) {
    return S::template load<T, Bytes>(p);
  } else if constexpr (std::is_same_v<S, T>) {
    return load<T, Bytes>(p);
  } else if constexpr (extends<T, Bytes, S>) {
    return extend<T, Bytes>(p);
  } else if constexpr (V::compiled && std::is_arithmetic_v<S>) {
    typename Compiled<S, V::lanes* static_cast<int>(sizeof(S))>::type narrow;
    std::memcpy(&narrow, p, sizeof(narrow));
    V wide;
    convert_in_steps<T, S, V::lanes>(narrow, wide.raw);
    return wide;
  } else if constexpr (V::compiled && HasWidening<S> && std::is_same_v<T, float>) {
    return Widening<S>::template widen<Bytes>(reinterpret_cast<const std::uint16_t*>(p));
  } else {
    std::array<T, static_cast<std::size_t>(V::lanes)> converted;
    for (std::size_t i = 0; i < converted.size(); ++i) converted[i] = static_cast<T>(p[i]);
    return load<T, Bytes>(converted.data());
  }
}

/// The same from fewer than a vector's elements; the other lanes repeat the
/// first.
template <class T, int Bytes, class S>
EIGENPOOL_INLINE Vec<T, Bytes> load_as(const S* p, std::int64_t count) {
  std::array<T, static_cast<std::size_t>(Vec<T, Bytes>::lanes)> converted;
  for (std::size_t i = 0; i < converted.size(); ++i)
    converted[i] = static_cast<T>(p[static_cast<std::int64_t>(i) < count ? i : 0]);
  return load<T, Bytes>(converted.data());
}

/// Converts while storing the first `count` lanes.
template <class S, class T, int Bytes>
EIGENPOOL_INLINE void store_as(S* p, const Vec<T, Bytes>& v, std::int64_t count) {
  using V = Vec<T, Bytes>;
  if constexpr (std::is_same_v<S, T>) {
    if (count == V::lanes) return store(p, v);
  } else if constexpr (V::compiled && std::is_arithmetic_v<S>) {
    if (count == V::lanes) {
      typename Compiled<S, V::lanes* static_cast<int>(sizeof(S))>::type narrow;
      convert_in_steps<S, T, V::lanes>(v.raw, narrow);
      std::memcpy(static_cast<void*>(p), &narrow, sizeof(narrow));
      return;
    }
  } else if constexpr (V::compiled && HasWidening<S> && std::is_same_v<T, float>) {
    if (count == V::lanes) {
      const ShortBits<Bytes> bits = Widening<S>::narrow(v);
      std::memcpy(static_cast<void*>(p), &bits, sizeof(bits));
      return;
    }
  }
  std::array<T, static_cast<std::size_t>(V::lanes)> row;
  store(row.data(), v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = static_cast<S>(row[static_cast<std::size_t>(i)]);
}

}  // namespace simd
EIGENPOOL_END
