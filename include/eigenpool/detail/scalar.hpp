// What a scalar is computed in: the lane type of each reduction, its lowest
// value, and the rounding of averages.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "../simd/bits.hpp"
#include "../simd/convert.hpp"
#include "../window.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S>
inline constexpr bool is_small_float = std::is_same_v<S, Eigen::half> || std::is_same_v<S, Eigen::bfloat16>;

}  // namespace detail

/// bfloat16: the upper half of a float's bits, rounded to even.
template <>
struct simd::Widening<Eigen::bfloat16> {
  template <int B>
  EIGENPOOL_INLINE static Vec<float, B> widen(const Vec<std::uint32_t, B>& bits) {
    return bits_as<float>(Vec<std::uint32_t, B>{bits.raw << 16});
  }
  template <int B>
  EIGENPOOL_INLINE static Vec<std::uint32_t, B> narrow(const Vec<float, B>& x) {
    const auto bits = bits_as<std::uint32_t>(x);
    const Vec<std::uint32_t, B> rounded{(bits.raw + 0x7fff + (bits.raw >> 16 & 1)) >> 16};
    return select(is_nan(x), broadcast<std::uint32_t, B>(0x7fc0), rounded);
  }
};

/// IEEE half, after F. Giesen's public-domain conversions: a multiplication
/// moves the exponent, also of denormals; adding a power of two rounds those.
template <>
struct simd::Widening<Eigen::half> {
  template <int B>
  EIGENPOOL_INLINE static Vec<float, B> widen(const Vec<std::uint32_t, B>& bits) {
    const Vec<std::uint32_t, B> magnitude{(bits.raw & 0x7fff) << 13};
    const auto scaled = bits_as<std::uint32_t>(multiply(bits_as<float>(magnitude), broadcast<float, B>(0x1p112F)));
    const auto is_finite = greater(broadcast<std::uint32_t, B>(0x7c00 << 13), magnitude);
    const Vec<std::uint32_t, B> special{magnitude.raw | 0x7f800000};
    return bits_as<float>(Vec<std::uint32_t, B>{select(is_finite, scaled, special).raw | (bits.raw & 0x8000) << 16});
  }
  template <int B>
  EIGENPOOL_INLINE static Vec<std::uint32_t, B> narrow(const Vec<float, B>& x) {
    using Bits = Vec<std::uint32_t, B>;
    const auto constant = [](std::uint32_t value) EIGENPOOL_LAMBDA { return broadcast<std::uint32_t, B>(value); };
    const Bits bits = bits_as<std::uint32_t>(x), magnitude{bits.raw & 0x7fffffff};
    const auto half = broadcast<float, B>(0.5F);  // its last bit is that of a half's denormals
    const Bits denormal{bits_as<std::uint32_t>(add(bits_as<float>(magnitude), half)).raw - 0x3f000000};
    const Bits normal{(magnitude.raw - (112U << 23) + 0xfff + (magnitude.raw >> 13 & 1)) >> 13};
    Bits result = select(greater(constant(0x38800000), magnitude), denormal, normal);
    result = select(greater(magnitude, constant(0x477fefff)), constant(0x7c00), result);
    result = select(is_nan(x), constant(0x7e00), result);
    return {result.raw | (bits.raw >> 16 & 0x8000)};
  }
};

namespace detail {

/// float, double and the integers; small floats are computed in float, anything
/// else is a custom scalar.
template <class S>
inline constexpr bool is_custom = !std::is_arithmetic_v<S> && !is_small_float<S>;

template <class S, bool small = is_small_float<S>>
struct Widened {
  using type = S;
};
template <class S>
struct Widened<S, true> {
  using type = float;
};

/// Lanes for comparing: the scalar itself, or float for the small floats.
template <class S>
using Compared = typename Widened<S>::type;

/// Lanes for comparing beside tap numbers of the same width: at least 32 bits,
/// since numbers need them.
template <class S>
using Numbered = std::conditional_t<std::integral<S> && sizeof(S) < 4, std::int32_t, Compared<S>>;

/// Lanes for adding: bytes in 32 bits, other integers in 64 bits that wrap, small
/// floats in float.
template <class S>
using Added =
    typename std::conditional_t<std::integral<S>, std::conditional<sizeof(S) == 1, std::int32_t, std::uint64_t>,
                                Widened<S>>::type;

/// Windows of more taps are too large for sums of bytes in 32 bits, and for the
/// exact quotients of such sums in float.
inline constexpr std::int64_t max_byte_taps = 1 << 14;

/// The identity of a maximum: -infinity, or the lowest value of a type that has
/// none.
template <class T>
T lowest() {
  using Limits = std::numeric_limits<T>;
  if constexpr (Limits::has_infinity && std::is_arithmetic_v<T>)
    return -Limits::infinity();
  else if constexpr (std::is_arithmetic_v<T>)
    return Limits::lowest();
  else if constexpr (std::is_constructible_v<T, double>)
    return T(-std::numeric_limits<double>::infinity());
  else
    return Eigen::NumTraits<T>::lowest();
}

/// The identity of a minimum: infinity, or the highest value.
template <class T>
T highest() {
  using Limits = std::numeric_limits<T>;
  if constexpr (Limits::has_infinity && std::is_arithmetic_v<T>)
    return Limits::infinity();
  else if constexpr (std::is_arithmetic_v<T>)
    return Limits::max();
  else if constexpr (std::is_constructible_v<T, double>)
    return T(std::numeric_limits<double>::infinity());
  else
    return Eigen::NumTraits<T>::highest();
}

/// sum / divisor rounded to nearest, halves to even. The divisor may be
/// negative.
inline std::int64_t rounded_quotient(std::int64_t sum, std::int64_t divisor) {
  if (divisor == -1) return static_cast<std::int64_t>(-static_cast<std::uint64_t>(sum));
  const std::int64_t quotient = sum / divisor;
  const std::int64_t rest = sum % divisor;
  const auto magnitude = [](std::int64_t x) {
    return x < 0 ? -static_cast<std::uint64_t>(x) : static_cast<std::uint64_t>(x);
  };
  const std::uint64_t twice = 2 * magnitude(rest), whole = magnitude(divisor);
  if (twice < whole || (twice == whole && quotient % 2 == 0)) return quotient;
  return quotient + ((rest < 0) == (divisor < 0) ? 1 : -1);
}

}  // namespace detail
EIGENPOOL_END
