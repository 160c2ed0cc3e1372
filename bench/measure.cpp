#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>

namespace bench {
namespace {

// Long enough for the clock's own cost not to show, short enough that a disturbance spoils few samples.
constexpr double sample_seconds = 2e-4;

double now(Clock clock) {
#if defined(CLOCK_THREAD_CPUTIME_ID)
  if (clock == Clock::thread) {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
#endif
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double seconds_of(const Run& run, int calls, Clock clock) {
  const double start = now(clock);
  for (int i = 0; i < calls; ++i) run();
  return (now(clock) - start) / calls;
}

}  // namespace

double Contender::sample() {
  run();  // The caches hold what it uses, not what the contender before it left, and a pool's threads are awake.
  samples.push_back(seconds_of(run, calls, clock));
  return samples.back();
}

double Contender::median() const {
  std::vector<double> sorted = samples;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

Fixture::Fixture(const Problem& problem)
    : problem_(problem),
      buffers_(make_buffers(problem)),
      expected_(result_of(buffers_, make_naive(problem, buffers_))) {}

Contender Fixture::contender(const Kind& kind, Clock clock) const {
  Contender contender{kind, kind.make(problem_, buffers_), clock};
  if (!contender.run) return contender;
  check_equal(problem_, kind.name, result_of(buffers_, contender.run), expected_, kind.check);
  const double first = seconds_of(contender.run, 1, clock);
  contender.calls = std::clamp(static_cast<int>(sample_seconds / (first + 1e-9)), 1, 1000);
  return contender;
}

std::size_t Fixture::bytes() const {
  return buffers_.source.bytes() + buffers_.result.bytes() + buffers_.indices.bytes();
}

void take_turns(std::vector<Contender>& contenders, int rounds) {
  constexpr double enough_seconds = 0.3;
  const auto spent = [](const Contender& c) {
    return c.calls * std::accumulate(c.samples.begin(), c.samples.end(), 0.0);
  };
  for (int round = 0; round < rounds; ++round) {
    for (Contender& contender : contenders) {
      if (contender.kind.may_stop_early && spent(contender) > enough_seconds) continue;
      contender.sample();
    }
  }
}

}  // namespace bench
