// How a call's tasks are shared between the calling thread and a pool's.

#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <eigenpool/eigenpool.hpp>
#include <latch>
#include <thread>
#include <vector>

#include "sharing_pool.hpp"

namespace {

using eigenpool::Index;
using Device = Eigen::ThreadPoolDevice;
using Parallel = eigenpool::detail::Parallel<Device>;

constexpr double some_bytes = 64;

/// How often each of `tasks` tasks was run.
std::vector<int> runs_of_each(const Device& device, Index tasks) {
  std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
  Parallel{device}(tasks, some_bytes, [&](Index begin, Index end) {
    for (Index task = begin; task < end; ++task) ++runs[static_cast<std::size_t>(task)];
  });
  return {runs.begin(), runs.end()};
}

TEST(Threads, EveryTaskIsRunOnce) {
  for (const int threads : {1, 2, 3, 7, 16}) {
    harness::SharingPool pool(threads);
    const Device device(&pool, threads);
    for (const Index tasks : {1, 2, 3, 5, 16, 17, 100, 1000})
      EXPECT_EQ(runs_of_each(device, tasks), std::vector<int>(static_cast<std::size_t>(tasks), 1))
          << tasks << " tasks on " << threads << " threads";
  }
}

TEST(Threads, HelpersTakePart) {
  constexpr int threads = 5;
  harness::SharingPool pool(threads);
  const Device device(&pool, threads);
  std::latch all_at_once(threads);  // a task that no other thread took would keep the rest waiting for ever
  Parallel{device}(threads, some_bytes, [&](Index, Index) { all_at_once.arrive_and_wait(); });
  EXPECT_TRUE(all_at_once.try_wait());
}

TEST(Threads, ACallWaitsForWhatAHelperHasBegun) {
  harness::SharingPool pool(2);
  const Device device(&pool, 2);
  std::latch both(2);
  std::atomic<bool> is_done{false};
  Parallel{device}(2, some_bytes, [&, caller = std::this_thread::get_id()](Index, Index) {
    both.arrive_and_wait();
    if (std::this_thread::get_id() == caller) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    is_done = true;
  });
  EXPECT_TRUE(is_done);
}

TEST(Threads, ABusyPoolDelaysNothing) {
  std::latch begun(2), released(1);
  harness::SharingPool pool(2);
  const Device device(&pool, 2);
  for (int thread = 0; thread < 2; ++thread)
    pool.Schedule([&] {
      begun.count_down();
      released.wait();
    });
  begun.wait();
  EXPECT_EQ(runs_of_each(device, 100), std::vector<int>(100, 1));
  released.count_down();  // helpers of a call that has returned now start
}

TEST(Threads, AThreadOfThePoolMayCall) {
  std::latch done(4);
  std::atomic<int> right{0};
  harness::SharingPool pool(2);
  const Device device(&pool, 2);
  for (int call = 0; call < 4; ++call)
    pool.Schedule([&] {
      right += runs_of_each(device, 50) == std::vector<int>(50, 1);
      done.count_down();
    });
  done.wait();
  EXPECT_EQ(right, 4);
}

TEST(Threads, OnlyWhatPaysForAThreadIsShared) {
  Eigen::ThreadPool pool(2);
  const Device device(&pool, 2);
  const auto ranges = [&](Index tasks, double bytes) {
    std::atomic<int> calls{0};
    Parallel{device}(tasks, bytes, [&](Index, Index) { ++calls; });
    return calls.load();
  };
  EXPECT_EQ(ranges(100, 64), 1);
  EXPECT_EQ(ranges(1, 1e9), 1);
  EXPECT_GT(ranges(100, 1e5), 1);
  EXPECT_GT(ranges(100, 1e300), 1);
}

}  // namespace
