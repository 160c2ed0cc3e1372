// Integer arithmetic that neither truncates towards zero nor overflows unseen.
#pragma once

#include <bit>

#include "../window.hpp"

EIGENPOOL_BEGIN
namespace detail {

constexpr Index floor_div(Index a, Index b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
constexpr Index ceil_div(Index a, Index b) { return -floor_div(-a, b); }

__extension__ using Wide = __int128;

/// Whether the result fits into 64 bits.
constexpr bool multiply(Index a, Index b, Index& product) { return !__builtin_mul_overflow(a, b, &product); }
constexpr bool add(Index a, Index b, Index& sum) { return !__builtin_add_overflow(a, b, &sum); }

/// floor(a * b / c) for 0 <= a <= c, whatever the size of the product.
constexpr Index scaled(Index a, Index b, Index c) {
  Index product = 0;
  return multiply(a, b, product) ? product / c : static_cast<Index>(Wide{a} * b / c);
}

constexpr Index greatest_common_divisor(Index a, Index b) {
  while (b != 0) {
    const Index rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// The inverse of a modulo m, for a and m without a common divisor (extended
/// Euclid).
constexpr Index modular_inverse(Index a, Index m) {
  Index inverse = 0, next = 1, r = m, next_r = a % m;
  while (next_r != 0) {
    const Index quotient = r / next_r;
    Index t = inverse - quotient * next;
    inverse = next;
    next = t;
    t = r - quotient * next_r;
    r = next_r;
    next_r = t;
  }
  return inverse < 0 ? inverse + m : inverse;
}

/// The bits that n >= 0 takes, 0 for 0.
constexpr Index bit_width(Index n) { return static_cast<Index>(std::bit_width(static_cast<std::uint64_t>(n))); }

}  // namespace detail
EIGENPOOL_END
