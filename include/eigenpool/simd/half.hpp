// IEEE half to float and back: by the machine's own instructions, or by the bits.
#pragma once

#include "bits.hpp"
#include "convert.hpp"
#include "dispatch.hpp"
#include "shuffle.hpp"

EIGENPOOL_BEGIN
namespace simd {

// Giesen's public-domain conversions: a multiplication moves the exponent, also of denormals; adding a power of two
// rounds those.
template <int Bytes>
EIGENPOOL_INLINE Vec<float, Bytes> from_half_bits(const Vec<std::uint32_t, Bytes>& bits) {
  const Vec<std::uint32_t, Bytes> magnitude{(bits.raw & 0x7fff) << 13};
  const auto scaled = bits_as<std::uint32_t>(multiply(bits_as<float>(magnitude), broadcast<float, Bytes>(0x1p112F)));
  const auto is_finite = greater(broadcast<std::uint32_t, Bytes>(0x7c00 << 13), magnitude);
  const Vec<std::uint32_t, Bytes> special{magnitude.raw | 0x7f800000};
  return bits_as<float>(Vec<std::uint32_t, Bytes>{select(is_finite, scaled, special).raw | (bits.raw & 0x8000) << 16});
}
template <int Bytes>
EIGENPOOL_INLINE Vec<std::uint32_t, Bytes> to_half_bits(const Vec<float, Bytes>& x) {
  using Bits = Vec<std::uint32_t, Bytes>;
  const auto constant = [](std::uint32_t value) EIGENPOOL_LAMBDA { return broadcast<std::uint32_t, Bytes>(value); };
  const Bits bits = bits_as<std::uint32_t>(x), magnitude{bits.raw & 0x7fffffff};
  const auto half = broadcast<float, Bytes>(0.5F);  // its last bit is that of a half's denormals
  const Bits denormal{bits_as<std::uint32_t>(add(bits_as<float>(magnitude), half)).raw - 0x3f000000};
  const Bits normal{(magnitude.raw - (112U << 23) + 0xfff + (magnitude.raw >> 13 & 1)) >> 13};
  Bits result = select(greater(constant(0x38800000), magnitude), denormal, normal);
  result = select(greater(magnitude, constant(0x477fefff)), constant(0x7c00), result);
  result = select(is_nan(x), constant(0x7e00), result);
  return {result.raw | (bits.raw >> 16 & 0x8000)};
}

#if defined(EIGENPOOL_X86_DISPATCH)
/// F16C: all entries for vectors of 32 bytes and more are compiled for it. As assembly, since compilers refuse its
/// intrinsics in what is yet to be inlined into those; for clang++, 16 bytes at a time, since it refuses wider operands
/// there, too.
template <int Bytes>
inline constexpr bool has_half_instructions = Bytes >= 32;

#if defined(__clang__)
template <int HalfBytes>
EIGENPOOL_INLINE auto from_half(const Vec<std::uint16_t, HalfBytes>& bits) {
  if constexpr (HalfBytes > 16) {
    return join(from_half(half<0>(bits)), from_half(half<1>(bits)));
  } else {
    const auto upper = __builtin_shufflevector(bits.raw, bits.raw, 4, 5, 6, 7, 4, 5, 6, 7);
    Vec<float, 16> low, high;
    asm("{vcvtph2ps %1, %0|vcvtph2ps %0, %1}" : "=x"(low.raw) : "x"(bits.raw));
    asm("{vcvtph2ps %1, %0|vcvtph2ps %0, %1}" : "=x"(high.raw) : "x"(upper));
    return join(low, high);
  }
}
template <int Bytes>
EIGENPOOL_INLINE ShortBits<Bytes> to_half_plain(const Vec<float, Bytes>& x) {
  if constexpr (Bytes > 32) {
    return join(to_half_plain(half<0>(x)), to_half_plain(half<1>(x)));
  } else {
    Vec<std::uint16_t, 16> low, high;
    asm("{vcvtps2ph $0, %1, %0|vcvtps2ph %0, %1, 0}" : "=x"(low.raw) : "x"(half<0>(x).raw));
    asm("{vcvtps2ph $0, %1, %0|vcvtps2ph %0, %1, 0}" : "=x"(high.raw) : "x"(half<1>(x).raw));
    return {__builtin_shufflevector(low.raw, high.raw, 0, 1, 2, 3, 8, 9, 10, 11)};
  }
}
#else
template <int HalfBytes>
EIGENPOOL_INLINE auto from_half(const Vec<std::uint16_t, HalfBytes>& bits) {
  Vec<float, 2 * HalfBytes> x;
  asm("{vcvtph2ps %1, %0|vcvtph2ps %0, %1}" : "=v"(x.raw) : "v"(bits.raw));
  return x;
}
template <int Bytes>
EIGENPOOL_INLINE ShortBits<Bytes> to_half_plain(const Vec<float, Bytes>& x) {
  ShortBits<Bytes> halves;
  asm("{vcvtps2ph $0, %1, %0|vcvtps2ph %0, %1, 0}" : "=v"(halves.raw) : "v"(x.raw));
  return halves;
}
#endif

/// Any NaN becomes the quiet one without a payload, of its sign, as by the bits.
template <int Bytes>
EIGENPOOL_INLINE ShortBits<Bytes> to_half(const Vec<float, Bytes>& x) {
  const auto bits = bits_as<std::uint32_t>(x);
  const Vec<std::uint32_t, Bytes> nan{(bits.raw & 0x80000000) | 0x7fc00000};
  return to_half_plain(bits_as<float>(select(is_nan(x), nan, bits)));
}
#else
template <int Bytes>
inline constexpr bool has_half_instructions = false;
#endif

}  // namespace simd
EIGENPOOL_END
