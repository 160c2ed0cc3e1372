// IEEE half to float and back: by the machine's own instructions, or by the bits.
#pragma once

#include "bits.hpp"
#include "convert.hpp"
#include "dispatch.hpp"

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
/// F16C: all entries for vectors of 32 bytes and more are compiled for it. No compiler takes its intrinsics in what is
/// yet to be inlined into those; clang++ converts vectors of __fp16, g++ takes assembly.
template <int Bytes>
inline constexpr bool has_half_instructions = Bytes >= 32;

template <int HalfBytes>
EIGENPOOL_INLINE auto from_half(const Vec<std::uint16_t, HalfBytes>& bits) {
  constexpr int Bytes = 2 * HalfBytes;
  Vec<float, Bytes> x;
#if defined(__clang__)
  typename Compiled<__fp16, Bytes / 2>::type halves;
  std::memcpy(&halves, &bits, sizeof(halves));
  x.raw = __builtin_convertvector(halves, typename Vec<float, Bytes>::Raw);
#else
  asm("{vcvtph2ps %1, %0|vcvtph2ps %0, %1}" : "=v"(x.raw) : "v"(bits.raw));
#endif
  return x;
}

/// Any NaN becomes the quiet one without a payload, of its sign, as by the bits.
template <int Bytes>
EIGENPOOL_INLINE ShortBits<Bytes> to_half(const Vec<float, Bytes>& x) {
  const auto bits = bits_as<std::uint32_t>(x);
  const Vec<std::uint32_t, Bytes> nan{(bits.raw & 0x80000000) | 0x7fc00000};
  const auto plain = bits_as<float>(select(is_nan(x), nan, bits));
  ShortBits<Bytes> halves;
#if defined(__clang__)
  const auto converted = __builtin_convertvector(plain.raw, typename Compiled<__fp16, Bytes / 2>::type);
  std::memcpy(&halves, &converted, sizeof(halves));
#else
  asm("{vcvtps2ph $0, %1, %0|vcvtps2ph %0, %1, 0}" : "=v"(halves.raw) : "v"(plain.raw));
#endif
  return halves;
}
#else
template <int Bytes>
inline constexpr bool has_half_instructions = false;
#endif

}  // namespace simd
EIGENPOOL_END
