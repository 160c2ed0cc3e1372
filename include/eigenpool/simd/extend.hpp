// Integers loaded as wider ones in one instruction. g++ 12 takes four to ten for it: it converts halves of vectors, and
// puts them together.
#pragma once

#include "dispatch.hpp"
#include "vec.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// Whether extend() loads S as T: in entries for vectors of 32 bytes and more, which are compiled for AVX2.
template <class T, int Bytes, class S>
inline constexpr bool extends =
#if defined(EIGENPOOL_X86_DISPATCH) && !defined(__clang__)
    Bytes >= 32 && std::integral<S>&& std::integral<T> && (sizeof(T) > sizeof(S)) && Vec<T, Bytes>::compiled;
#else
    false;
#endif

#if defined(EIGENPOOL_X86_DISPATCH) && !defined(__clang__)
/// The lanes' widths, of S and of T, as the instruction's name has them.
#define EIGENPOOL_EXTEND(widths)                                                                  \
  do {                                                                                            \
    if constexpr (std::is_signed_v<S>)                                                            \
      asm("{vpmovsx" widths " %1, %0|vpmovsx" widths " %0, %1}" : "=v"(wide.raw) : "m"(*narrow)); \
    else                                                                                          \
      asm("{vpmovzx" widths " %1, %0|vpmovzx" widths " %0, %1}" : "=v"(wide.raw) : "m"(*narrow)); \
  } while (false)

template <class T, int Bytes, class S>
EIGENPOOL_INLINE Vec<T, Bytes> extend(const S* p) {
  Vec<T, Bytes> wide;
  using Narrow = unsigned char[static_cast<std::size_t>(Vec<T, Bytes>::lanes) * sizeof(S)];
  const auto* const narrow = reinterpret_cast<const Narrow*>(p);
  if constexpr (sizeof(S) == 1 && sizeof(T) == 2) EIGENPOOL_EXTEND("bw");
  if constexpr (sizeof(S) == 1 && sizeof(T) == 4) EIGENPOOL_EXTEND("bd");
  if constexpr (sizeof(S) == 1 && sizeof(T) == 8) EIGENPOOL_EXTEND("bq");
  if constexpr (sizeof(S) == 2 && sizeof(T) == 4) EIGENPOOL_EXTEND("wd");
  if constexpr (sizeof(S) == 2 && sizeof(T) == 8) EIGENPOOL_EXTEND("wq");
  if constexpr (sizeof(S) == 4 && sizeof(T) == 8) EIGENPOOL_EXTEND("dq");
  return wide;
}
#undef EIGENPOOL_EXTEND
#endif

}  // namespace simd
EIGENPOOL_END
