// Cuts a kernel's work into tasks for the device, and runs them compiled for this machine.
#pragma once

#include <atomic>

#include "../simd/dispatch.hpp"
#include "function_ref.hpp"

namespace eigenpool::process {
inline std::atomic<bool> force_scalar_kernel{false};
}

EIGENPOOL_BEGIN
namespace detail {

/// Every later call in this process takes the scalar kernel; for tests, which
/// compare the others with it.
inline void set_force_scalar_kernel(bool forced) { process::force_scalar_kernel.store(forced); }
inline bool is_scalar_kernel_forced() { return process::force_scalar_kernel.load(std::memory_order_relaxed); }

/// Tasks [begin, end) of a kernel, for simd::dispatch.
template <class Kernel>
struct KernelTask {
  const Kernel* kernel;
  Index begin, end;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    kernel->template run<B>(begin, end);
  }
};

/// How many neighbouring tasks of a kernel are best done together, because each range of them begins with work that the
/// others did already.
template <class Kernel>
Index grain_of(const Kernel& kernel) {
  if constexpr (requires { kernel.grain(); }) return kernel.grain();
  return 1;
}

/// All tasks of a kernel, which together read and write about `bytes` bytes.
template <class Kernel>
void run_kernel(const Kernel& kernel, double bytes, const AnyParallel& parallel) {
  const auto run = [&](Index begin, Index end) { simd::dispatch(KernelTask<Kernel>{&kernel, begin, end}); };
  parallel(kernel.tasks(), bytes / static_cast<double>(kernel.tasks()), run, grain_of(kernel));
}

/// The same of a kernel that takes elements one by one.
template <class Kernel>
void run_scalar(const Kernel& kernel, double bytes, const AnyParallel& parallel) {
  const auto run = [&](Index begin, Index end) { kernel.run(begin, end); };
  parallel(kernel.tasks(), bytes / static_cast<double>(kernel.tasks()), run, 1);
}

}  // namespace detail
EIGENPOOL_END
