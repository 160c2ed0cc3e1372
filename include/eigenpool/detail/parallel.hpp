// Runs a kernel's tasks on an Eigen device.
#pragma once

#include "tensor.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// DefaultDevice, or ThreadPoolDevice, which Eigen declares when
/// EIGEN_USE_THREADS is defined.
template <class Device>
concept ThreadedDevice = requires(const Device& device) {
  device.numThreadsInPool();
  device.parallelFor(0, Eigen::TensorOpCost(), [](Eigen::Index, Eigen::Index) {});
};
template <class Device>
concept PoolingDevice = std::same_as<Device, Eigen::DefaultDevice> || ThreadedDevice<Device>;

template <PoolingDevice Device>
class Parallel {
 public:
  explicit Parallel(const Device& device) : device_(device) {}

  /// Calls run(begin, end) on ranges that make up [0, tasks); a task moves
  /// about `bytes` bytes.
  template <class Run>
  void operator()(Index tasks, double bytes, const Run& run) const {
    if constexpr (ThreadedDevice<Device>) {
      // Measured, from the nearest caches. Eigen starts a second thread at 2e5 cycles, which on a machine of 3 GHz
      // is what waking it takes.
      constexpr double cycles_per_byte = 0.12;
      device_.parallelFor(static_cast<Eigen::Index>(tasks), Eigen::TensorOpCost(0, 0, bytes * cycles_per_byte),
                          [&run](Eigen::Index begin, Eigen::Index end) { run(begin, end); });
    } else {
      run(0, tasks);
    }
  }

 private:
  const Device& device_;
};

}  // namespace detail
EIGENPOOL_END
