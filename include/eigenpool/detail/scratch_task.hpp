// Tasks of a kernel that works in memory of its own, which a run gets once for all of its tasks; and the loop over
// lanes of such memory.
#pragma once

#include "../simd/dispatch.hpp"
#include "reduce_taps.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// For simd::dispatch.
template <class Kernel, class Scratch>
struct ScratchTask {
  const Kernel* kernel;
  Index begin, end;
  Scratch* scratch;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    kernel->template run<B>(begin, end, *scratch);
  }
};

/// Runs tasks [begin, end): kernel.run<B>(begin, end, scratch), with what kernel.scratch() makes. Custom scalars are
/// taken one by one.
template <class Kernel>
void run_in_scratch(const Kernel& kernel, Index begin, Index end) {
  using Lane = typename Kernel::Lane;
  auto scratch = kernel.scratch();
  if constexpr (std::is_arithmetic_v<Lane>)
    simd::dispatch(ScratchTask<Kernel, decltype(scratch)>{&kernel, begin, end, &scratch});
  else
    kernel.template run<static_cast<int>(sizeof(Lane))>(begin, end, scratch);
}

/// simd::apart for lanes of a machine; lanes of custom scalars stay where they are.
template <class Lane, int B, class F>
EIGENPOOL_INLINE void lanes_apart(const F& f) {
  if constexpr (std::is_arithmetic_v<Lane> && B >= 16)
    simd::apart<B>(f);
  else
    f();
}

/// Calls f(i, width) for vectors that make up [0, length): whole ones of B bytes, of which the last may overlap the one
/// before it, or single lanes where there is none. The width is a type, std::integral_constant.
template <class Lane, int B, class F>
EIGENPOOL_INLINE void for_lanes(Index length, const F& f) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  if (length >= lanes)
    return for_vectors<lanes>(length, [&](Index i) EIGENPOOL_LAMBDA { f(i, std::integral_constant<int, B>()); });
  for (Index i = 0; i < length; ++i) f(i, std::integral_constant<int, static_cast<int>(sizeof(Lane))>());
}

}  // namespace detail
EIGENPOOL_END
