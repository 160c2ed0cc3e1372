// The only macros, and the inline namespace that keeps objects built with different flags apart.
//
// A template that two objects instantiate is kept once, and the link order picks which. Were one of them
// built with -mavx2, its code could end up in the other's callers and die on an older CPU. So every name
// below lives in an inline namespace that carries the version and whatever changes the code generated.
#pragma once

#include "version.hpp"

#if defined(__GNUC__) || defined(__clang__)
#define EIGENPOOL_INLINE inline __attribute__((always_inline))
#define EIGENPOOL_LAMBDA __attribute__((always_inline))
#else
#define EIGENPOOL_INLINE inline
#define EIGENPOOL_LAMBDA
#endif

// The widest vectors to compile entries for, in bytes: 16, 32 or 64. Smaller means less code to compile.
#if !defined(EIGENPOOL_MAX_VECTOR_BYTES)
#define EIGENPOOL_MAX_VECTOR_BYTES 64
#endif

// What a program may compile in one of its files, kernels.cpp, for all those built with EIGENPOOL_COMPILED_KERNELS.
#if defined(EIGENPOOL_KERNELS_CPP)
#define EIGENPOOL_COMPILED(...) template __VA_ARGS__;
#elif defined(EIGENPOOL_COMPILED_KERNELS)
#define EIGENPOOL_COMPILED(...) extern template __VA_ARGS__;
#else
#define EIGENPOOL_COMPILED(...)
#endif

#if defined(__AVX512F__)
#define EIGENPOOL_ABI_ISA avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define EIGENPOOL_ABI_ISA avx2_fma
#elif defined(__AVX2__)
#define EIGENPOOL_ABI_ISA avx2
#elif defined(__AVX__) && defined(__FMA__)
#define EIGENPOOL_ABI_ISA avx_fma
#elif defined(__AVX__)
#define EIGENPOOL_ABI_ISA avx
#elif defined(__SSE4_2__)
#define EIGENPOOL_ABI_ISA sse4_2
#elif defined(__SSE4_1__)
#define EIGENPOOL_ABI_ISA sse4_1
#elif defined(__SSSE3__)
#define EIGENPOOL_ABI_ISA ssse3
#elif defined(__SSE3__)
#define EIGENPOOL_ABI_ISA sse3
#else
#define EIGENPOOL_ABI_ISA base
#endif

#if defined(EIGENPOOL_PORTABLE_SIMD)
#define EIGENPOOL_ABI_SIMD portable
#else
#define EIGENPOOL_ABI_SIMD native
#endif

#if defined(__cpp_exceptions)
#define EIGENPOOL_ABI_ERRORS throws
#else
#define EIGENPOOL_ABI_ERRORS aborts
#endif

#define EIGENPOOL_JOIN_(version, isa, bytes, simd, errors) v##version##_##isa##_##bytes##_##simd##_##errors
#define EIGENPOOL_JOIN(version, isa, bytes, simd, errors) EIGENPOOL_JOIN_(version, isa, bytes, simd, errors)
#define EIGENPOOL_ABI \
  EIGENPOOL_JOIN(0_1_0, EIGENPOOL_ABI_ISA, EIGENPOOL_MAX_VECTOR_BYTES, EIGENPOOL_ABI_SIMD, EIGENPOOL_ABI_ERRORS)

#define EIGENPOOL_BEGIN \
  namespace eigenpool { \
  inline namespace EIGENPOOL_ABI {
#define EIGENPOOL_END \
  }                   \
  }
