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
#include "../simd/half.hpp"
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
  EIGENPOOL_INLINE static Vec<float, B> widen(const std::uint16_t* bits) {
    return bits_as<float>(Vec<std::uint32_t, B>{load_as<std::uint32_t, B>(bits).raw << 16});
  }
  template <int B>
  EIGENPOOL_INLINE static ShortBits<B> narrow(const Vec<float, B>& x) {
    const auto bits = bits_as<std::uint32_t>(x);
    const Vec<std::uint32_t, B> rounded{(bits.raw + 0x7fff + (bits.raw >> 16 & 1)) >> 16};
    return narrow_bits(select(is_nan(x), broadcast<std::uint32_t, B>(0x7fc0), rounded));
  }
};

template <>
struct simd::Widening<Eigen::half> {
  template <int B>
  EIGENPOOL_INLINE static Vec<float, B> widen(const std::uint16_t* bits) {
    if constexpr (has_half_instructions<B>)
      return from_half(load<std::uint16_t, B / 2>(bits));
    else
      return from_half_bits(load_as<std::uint32_t, B>(bits));
  }
  template <int B>
  EIGENPOOL_INLINE static ShortBits<B> narrow(const Vec<float, B>& x) {
    if constexpr (has_half_instructions<B>)
      return to_half(x);
    else
      return narrow_bits(to_half_bits(x));
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
