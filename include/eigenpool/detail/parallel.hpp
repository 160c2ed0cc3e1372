// Runs a kernel's tasks on an Eigen device.
#pragma once

#include <atomic>

#include "function_ref.hpp"
#include "tensor.hpp"

#if defined(EIGEN_USE_THREADS)
#include "team.hpp"
#endif

namespace eigenpool::process {
inline std::atomic<bool> force_threads{false};
}

EIGENPOOL_BEGIN
namespace detail {

/// Every later call in this process on a device with threads uses them, however small it is; for tests.
inline void set_force_threads(bool forced) { process::force_threads.store(forced); }

/// DefaultDevice, or ThreadPoolDevice, which Eigen declares when
/// EIGEN_USE_THREADS is defined.
template <class Device>
concept ThreadedDevice = requires(const Device& device) {
  device.numThreads();
  device.getPool()->Schedule([] {});
};
template <class Device>
concept PoolingDevice = std::same_as<Device, Eigen::DefaultDevice> || ThreadedDevice<Device>;

template <PoolingDevice Device>
class Parallel {
 public:
  explicit Parallel(const Device& device) : device_(device) {}

  /// Calls run(begin, end) on ranges that make up [0, tasks); a task moves
  /// about `bytes` bytes, and `grain` of them are best done together. On several
  /// threads an exception ends the program.
  template <class Run>
  void operator()(Index tasks, double bytes, const Run& run, Index grain = 1) const {
    if constexpr (ThreadedDevice<Device>) {
      const Index workers = worth(tasks, bytes);
      if (workers > 1) return run_in_team(device_.getPool(), tasks, grain, workers, RunTasks(run));
    }
    run(0, tasks);
  }

 private:
  /// How many threads pay for waking them. Measured: waking a second one takes the first 1e4 cycles, in which the
  /// fastest kernels move 3e5 bytes of the nearest caches.
  Index worth(Index tasks, double bytes) const {
    constexpr double bytes_per_worker = 4e5;
    const Index most = std::min<Index>(tasks, device_.numThreads());
    if (process::force_threads.load(std::memory_order_relaxed)) return most;
    const double paid = static_cast<double>(tasks) * bytes / bytes_per_worker;
    return paid < static_cast<double>(most) ? static_cast<Index>(paid) : most;
  }

  const Device& device_;
};

}  // namespace detail
EIGENPOOL_END
