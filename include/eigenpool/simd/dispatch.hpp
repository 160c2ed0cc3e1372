// The one place that names instruction sets: runs a task compiled for the
// widest vectors this machine has.
//
// A task is a function object whose always-inlined run<VectorBytes>() holds the
// whole kernel, so that the entry it is inlined into decides what it is
// compiled for. Every object holds the same entries; which one runs is found
// out once per process.
#pragma once

#include <atomic>
#include <cstdlib>

#include "../config.hpp"

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__)) && \
    !defined(EIGENPOOL_PORTABLE_SIMD) && EIGENPOOL_MAX_VECTOR_BYTES >= 32
#define EIGENPOOL_X86_DISPATCH 1
#endif

// g++ 12 takes 64-byte comparisons apart, lane by lane, in functions that only
// an attribute allows AVX-512.
#if defined(EIGENPOOL_X86_DISPATCH) && EIGENPOOL_MAX_VECTOR_BYTES >= 64 && (defined(__clang__) || defined(__AVX512F__))
#define EIGENPOOL_AVX512_DISPATCH 1
#endif

namespace eigenpool::process {
inline std::atomic<int> max_vector_bytes{0};  // 0: not asked for yet
}

EIGENPOOL_BEGIN
namespace simd {

/// The widest vectors, in bytes, that this build has an entry for and this
/// machine can run: 16, 32 or 64.
inline int machine_vector_bytes() {
#if defined(EIGENPOOL_AVX512_DISPATCH)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return 64;
#endif
#if defined(EIGENPOOL_X86_DISPATCH)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return 32;
#endif
  return 16;
}

/// Caps the vector width of all later calls in this process (16, 32 or 64);
/// results do not depend on it.
inline void set_max_vector_bytes(int bytes) { process::max_vector_bytes.store(bytes); }

/// The vector width in use: the machine's, under set_max_vector_bytes or,
/// before the first call of that, the environment variable
/// EIGENPOOL_MAX_VECTOR_BYTES.
inline int vector_bytes() {
  static const int machine = machine_vector_bytes();
  int cap = process::max_vector_bytes.load(std::memory_order_relaxed);
  if (cap == 0) {
    const char* text = std::getenv("EIGENPOOL_MAX_VECTOR_BYTES");
    cap = text != nullptr ? std::atoi(text) : 64;
    if (cap < 16) cap = text != nullptr && cap > 0 ? 16 : 64;
    process::max_vector_bytes.store(cap, std::memory_order_relaxed);
  }
  return cap >= 64 && machine >= 64 ? 64 : cap >= 32 && machine >= 32 ? 32 : 16;
}

template <class Task>
void enter_16(const Task& task) {
  task.template run<16>();
}

#if defined(EIGENPOOL_X86_DISPATCH)
template <class Task>
__attribute__((target("avx2,fma,f16c,bmi2"))) void enter_32(const Task& task) {
  task.template run<32>();
}
#endif

#if defined(EIGENPOOL_AVX512_DISPATCH)
template <class Task>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))) void enter_64(const Task& task) {
  task.template run<64>();
}
#endif

/// Calls f() as a function of its own, compiled for vectors of B bytes: f should
/// hold copies of all it needs, so that its loops find them in registers, not
/// where a store might have changed them.
#if defined(__GNUC__) || defined(__clang__)
#define EIGENPOOL_APART __attribute__((noinline, aligned(64)))  // whatever is before it, its loops are as fast
#else
#define EIGENPOOL_APART
#endif
template <class F>
EIGENPOOL_APART auto apart_16(const F& captured) {
  const F f = captured;
  return f();
}
#if defined(EIGENPOOL_X86_DISPATCH)
template <class F>
EIGENPOOL_APART __attribute__((target("avx2,fma,f16c,bmi2"))) auto apart_32(const F& captured) {
  const F f = captured;
  return f();
}
#endif
#if defined(EIGENPOOL_AVX512_DISPATCH)
template <class F>
EIGENPOOL_APART __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c,bmi2"))) auto apart_64(
    const F& captured) {
  const F f = captured;
  return f();
}
#endif
template <int B, class F>
EIGENPOOL_INLINE auto apart(const F& f) {
#if defined(EIGENPOOL_AVX512_DISPATCH)
  if constexpr (B == 64)
    return apart_64(f);
  else
#endif
#if defined(EIGENPOOL_X86_DISPATCH)
      if constexpr (B == 32)
    return apart_32(f);
  else
#endif
    return apart_16(f);
}

template <class Task>
void dispatch(const Task& task) {
  [[maybe_unused]] const int bytes = vector_bytes();
#if defined(EIGENPOOL_AVX512_DISPATCH)
  if (bytes == 64) return enter_64(task);
#endif
#if defined(EIGENPOOL_X86_DISPATCH)
  if (bytes >= 32) return enter_32(task);
#endif
  enter_16(task);
}

}  // namespace simd
EIGENPOOL_END
