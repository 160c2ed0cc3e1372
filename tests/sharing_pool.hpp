// A thread pool whose threads share every call.
#pragma once

#include <eigenpool/detail/parallel.hpp>

#include <unsupported/Eigen/CXX11/ThreadPool>

namespace harness {

/// While it lives, calls on its device use all its threads, which small calls are not worth otherwise.
class SharingPool : public Eigen::ThreadPool {
 public:
  explicit SharingPool(int threads) : Eigen::ThreadPool(threads) { eigenpool::detail::set_force_threads(true); }
  ~SharingPool() override { eigenpool::detail::set_force_threads(false); }
};

}  // namespace harness
