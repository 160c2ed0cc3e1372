// Tasks of a kernel that works in memory of its own, which a run gets once for all of its tasks.
#pragma once

#include <vector>

#include "../simd/dispatch.hpp"
#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// For simd::dispatch.
template <class Kernel, class T>
struct ScratchTask {
  const Kernel* kernel;
  Index begin, end;
  T* scratch;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    kernel->template run<B>(begin, end, scratch);
  }
};

/// Runs tasks [begin, end): kernel.run<B>(begin, end, scratch), with kernel.scratch() elements of T. Lanes of custom
/// scalars are taken one by one.
template <class Lane, class T, class Kernel>
void run_in_scratch(const Kernel& kernel, Index begin, Index end) {
  std::vector<T> scratch(static_cast<std::size_t>(kernel.scratch()), T(0));
  if constexpr (std::is_arithmetic_v<Lane>)
    simd::dispatch(ScratchTask<Kernel, T>{&kernel, begin, end, scratch.data()});
  else
    kernel.template run<static_cast<int>(sizeof(Lane))>(begin, end, scratch.data());
}

}  // namespace detail
EIGENPOOL_END
