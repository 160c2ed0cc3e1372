// How columns over channels are read: in which order, and whether memory is asked for before. Processors see by
// themselves what is read in order, but not the columns of several windows that take turns.
#pragma once

#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Whether a source is more than a core's share of the caches. What those hold is read as fast without asking, which
/// would take a tenth of the time.
template <class S>
constexpr bool comes_from_memory(const Problem& problem) {
  constexpr Index cached = (Index{8} << 20) / sizeof(S);
  return problem.outer * problem.plane() * problem.inner >= cached;
}

/// Whether columns are of so few vectors that a loop over them has hardly begun when it ends: all cells of one vector
/// are reduced, then those of the next, which read the same lines of memory; more of them only if those are near.
template <class Lane, int B, class S>
constexpr bool is_narrow(const Problem& problem) {
  constexpr Index near = (Index{512} << 10) / sizeof(S);
  const bool is_near = problem.outer * problem.plane() * problem.inner <= near;
  return problem.inner <= (is_near ? 4 : 2) * simd::Vec<Lane, B>::lanes;
}

/// Asks for what is some way behind p.
template <class S>
EIGENPOOL_INLINE void fetch_behind([[maybe_unused]] const S* p) {
#if defined(__GNUC__) || defined(__clang__)
  constexpr std::uintptr_t distance = 4096;  // bytes; 1024 to 8192 were tried
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + distance));
#endif
}

}  // namespace detail
EIGENPOOL_END
