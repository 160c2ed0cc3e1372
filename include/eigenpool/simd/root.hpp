// Square roots of vectors. Compilers keep std::sqrt lane by lane, since it may
// set errno.
#pragma once

#include <cmath>

#include "vec.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

EIGENPOOL_BEGIN
namespace simd {

#if defined(__SSE2__)
inline constexpr int root_bytes = 16;
EIGENPOOL_INLINE void take_roots(float* x) { _mm_storeu_ps(x, _mm_sqrt_ps(_mm_loadu_ps(x))); }
EIGENPOOL_INLINE void take_roots(double* x) { _mm_storeu_pd(x, _mm_sqrt_pd(_mm_loadu_pd(x))); }
#else
inline constexpr int root_bytes = 1 << 30;  // no vectors of roots
template <class T>
void take_roots(T*);
#endif

/// The square root of each lane, correctly rounded; 16 bytes at a time, whatever
/// the instruction set.
template <std::floating_point T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> square_root(const Vec<T, Bytes>& x) {
  constexpr int lanes = Vec<T, Bytes>::lanes;
  std::array<T, static_cast<std::size_t>(lanes)> row;
  store(row.data(), x);
  if constexpr (Bytes % root_bytes == 0 && sizeof(T) <= 8)
    for (int i = 0; i < lanes; i += root_bytes / static_cast<int>(sizeof(T))) take_roots(row.data() + i);
  else
    for (T& lane : row) lane = std::sqrt(lane);
  return load<T, Bytes>(row.data());
}

}  // namespace simd
EIGENPOOL_END
