#include "measure.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <numeric>

namespace bench {
namespace {

// Long enough for the clock's own cost not to show, short enough that a disturbance spoils few samples.
constexpr double sample_seconds = 2e-4;

// The thread's own time where the system tells it: all contenders run on one thread, and what other programs do
// meanwhile is not theirs.
double now() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
#else
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

double seconds_of(const Run& run, int calls) {
  const double start = now();
  for (int i = 0; i < calls; ++i) run();
  return (now() - start) / calls;
}

}  // namespace

const char* name_of(Who who) {
  constexpr std::array names{"eigenpool", "naive", "eigen", "floor"};
  return names[static_cast<std::size_t>(who)];
}

Run make_run(Who who, const Problem& problem, const Buffers& buffers) {
  switch (who) {
    case Who::eigenpool:
      return make_eigenpool(problem, buffers);
    case Who::naive:
      return make_naive(problem, buffers);
    case Who::eigen:
      return make_eigen(problem, buffers);
    default:
      return make_floor(problem, buffers);
  }
}

double Contender::sample() {
  samples.push_back(seconds_of(run, calls));
  return samples.back();
}

double Contender::median() const {
  std::vector<double> sorted = samples;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

Fixture::Fixture(const Problem& problem)
    : problem_(problem), buffers_(make_buffers(problem)), naive_(make_naive(problem, buffers_)) {}

Contender Fixture::contender(Who who) const {
  Contender contender{who, make_run(who, problem_, buffers_), 1, {}};
  if (!contender.run) return contender;
  const bool has_a_result = who == Who::eigenpool || who == Who::eigen;
  if (has_a_result) check_equal(problem_, buffers_, name_of(who), contender.run, naive_);
  const double first = seconds_of(contender.run, 1);
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
      const bool may_stop = contender.who == Who::naive || contender.who == Who::eigen;
      if (may_stop && spent(contender) > enough_seconds) continue;
      contender.sample();
    }
  }
}

}  // namespace bench
