// Threads that share one call's tasks.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "function_ref.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The calling thread and helpers from a pool, which take a call's tasks block by block.
///
/// The caller works too. Helpers that are slow to wake, or whose pool is busy, delay nothing: the others take their
/// blocks, and the call returns without them. A late helper finds no block left, and touches only this object.
class Team {
 public:
  /// `grain` tasks are best done together.
  Team(Index tasks, Index grain, Index workers, const RunTasks& run)
      : tasks_(tasks), run_(run), shares_(static_cast<std::size_t>(workers)) {
    constexpr Index blocks_per_worker = 8;  // so that who is held up leaves little behind
    const Index grains = ceil_div(tasks, grain);
    block_ = grains < 2 * workers ? ceil_div(tasks, workers) : grain * ceil_div(grains, blocks_per_worker * workers);
    const Index blocks = ceil_div(tasks, block_);
    unfinished_.store(static_cast<int>(blocks), std::memory_order_relaxed);
    for (Index worker = 0; worker < workers; ++worker) {
      Share& share = shares_[static_cast<std::size_t>(worker)];
      share.next.store(blocks * worker / workers, std::memory_order_relaxed);
      share.end = blocks * (worker + 1) / workers;
    }
  }

  /// What the caller does, number 0, and each helper. Waking takes microseconds, so each wakes two more, as in a binary
  /// heap. There is one helper too many: the pool wakes a thread for each that is scheduled, though one that is awake
  /// may take it. Who finds nothing looks on for some 50 us, perhaps on the core of a worker; a helper gives way first.
  template <class Pool>
  static void join(const std::shared_ptr<Team>& team, Pool* pool, std::size_t worker) {
    const std::size_t end = std::min(2 * worker + 3, team->shares_.size() + 1);
    for (std::size_t helper = 2 * worker + 1; helper < end && !team->is_finished(); ++helper)
      pool->Schedule([team, pool, helper] { join(team, pool, helper); });
    if (worker > 0) std::this_thread::yield();
    team->work(worker);
  }

  /// Returns when all tasks are done. What is left by now mostly takes less time than to sleep and be woken, and who
  /// waits does not give way to a helper that comes late.
  void wait() const {
    using Clock = std::chrono::steady_clock;
    for (const auto end = Clock::now() + std::chrono::microseconds(50); !is_finished() && Clock::now() < end;) continue;
    for (int left = 0; (left = unfinished_.load(std::memory_order_acquire)) > 0;) unfinished_.wait(left);
  }

 private:
  /// Blocks [next, end), on a cache line of their own.
  struct alignas(64) Share {
    std::atomic<Index> next;
    Index end;
  };

  bool is_finished() const { return unfinished_.load(std::memory_order_acquire) == 0; }

  /// A worker's own share first, which a later call on the same data may find in its core's cache; then the others'.
  void work(std::size_t worker) {
    for (std::size_t i = 0; i < shares_.size(); ++i) take(shares_[(worker + i) % shares_.size()]);
  }

  void take(Share& share) {
    for (Index block = 0; (block = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
      run_(block * block_, std::min((block + 1) * block_, tasks_));
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    }
  }

  Index tasks_, block_;
  RunTasks run_;
  std::vector<Share> shares_;
  std::atomic<int> unfinished_;
};

/// All tasks of a call, on the calling thread and up to `workers` - 1 of the pool's.
template <class Pool>
void run_in_team(Pool* pool, Index tasks, Index grain, Index workers, const RunTasks& run) noexcept {
  const auto team = std::make_shared<Team>(tasks, grain, workers, run);
  Team::join(team, pool, 0);
  team->wait();
}

}  // namespace detail
EIGENPOOL_END
