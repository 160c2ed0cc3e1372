// What a scalar is computed in: the lane type of each reduction, its lowest
// value, and the rounding of averages.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "../window.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S>
inline constexpr bool is_small_float = std::is_same_v<S, Eigen::half> || std::is_same_v<S, Eigen::bfloat16>;

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
    typename std::conditional_t<std::integral<S>,
                                std::conditional<sizeof(S) == 1, std::int32_t, std::uint64_t>, Widened<S>>::type;

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
