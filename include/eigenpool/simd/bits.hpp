// Operations on the bits of lanes: what needs no comparison, and no branch.
#pragma once

#include "vec.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// Each lane's bits as another type of the same width.
template <class To, class T, int Bytes>
EIGENPOOL_INLINE Vec<To, Bytes> bits_as(const Vec<T, Bytes>& a) {
  Vec<To, Bytes> result;
  std::memcpy(&result, &a, sizeof(result));
  return result;
}

/// The bits that are set in either.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> bit_or(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  auto x = bits_as<Signed<T>>(a);
  const auto y = bits_as<Signed<T>>(b);
  if constexpr (Vec<T, Bytes>::compiled)
    x.raw |= y.raw;
  else
    for (std::size_t i = 0; i < x.raw.size(); ++i) x.raw[i] |= y.raw[i];
  return bits_as<T>(x);
}

/// The bits that are set in one of them.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> bit_xor(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  auto x = bits_as<Signed<T>>(a);
  const auto y = bits_as<Signed<T>>(b);
  if constexpr (Vec<T, Bytes>::compiled)
    x.raw ^= y.raw;
  else
    for (std::size_t i = 0; i < x.raw.size(); ++i) x.raw[i] ^= y.raw[i];
  return bits_as<T>(x);
}

/// The bits of a that are not set in b.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> bit_clear(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  auto x = bits_as<Signed<T>>(a);
  const auto y = bits_as<Signed<T>>(b);
  if constexpr (Vec<T, Bytes>::compiled)
    x.raw &= ~y.raw;
  else
    for (std::size_t i = 0; i < x.raw.size(); ++i) x.raw[i] = static_cast<Signed<T>>(x.raw[i] & ~y.raw[i]);
  return bits_as<T>(x);
}

/// a, but 0, or NaN, in the lanes whose flags in memory have all bits set; the others have none.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> zero_where(const Signed<T>* flags, const Vec<T, Bytes>& a) {
  return bit_clear(a, bits_as<T>(load<Signed<T>, Bytes>(flags)));
}
template <std::floating_point T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> nan_where(const Signed<T>* flags, const Vec<T, Bytes>& a) {
  return bit_or(a, bits_as<T>(load<Signed<T>, Bytes>(flags)));
}

/// The larger of both, lane by lane; NaN where either is. `a > b ? a : b` is one
/// instruction on x86 and gives b where either is NaN, so the two ways round,
/// put together bit by bit, keep any NaN and otherwise agree (but for the sign
/// of a zero).
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> maximum(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (std::floating_point<T> && sizeof(T) <= 8)
    return bit_or(larger(a, b), larger(b, a));
  else if constexpr (can_be_nan<T>)
    return select(is_nan(a), a, larger(a, b));
  else
    return larger(a, b);
}

}  // namespace simd
EIGENPOOL_END
