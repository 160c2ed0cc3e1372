// Contenders that take turns on the same memory, and their medians.
#pragma once

#include "contender.hpp"

#include <string>
#include <vector>

namespace bench {

// Somebody who may do a problem's work.
struct Kind {
  std::string name;
  Run (*make)(const Problem& problem, const Buffers& buffers) = nullptr;
  Check check = Check::nothing;  // against the naive loops', before it is timed
  bool may_stop_early = false;
};

inline const Kind eigenpool_kind{"eigenpool", &make_eigenpool, Check::values_and_indices};
inline const Kind naive_kind{"naive", &make_naive, Check::nothing, true};
inline const Kind eigen_kind{"eigen", &make_eigen, Check::values_and_indices, true};
inline const Kind floor_kind{"floor", &make_floor};

// The thread's own time, which what other programs do meanwhile is not part of; or the clock on the wall, for work
// that other threads share.
enum class Clock { thread, wall };

struct Contender {
  Kind kind;
  Run run;
  Clock clock = Clock::thread;
  int calls = 1;                  // in one sample
  std::vector<double> samples{};  // seconds of one call

  double sample();  // takes one, and returns it
  double median() const;
};

// A problem with its memory and checked, warmed-up contenders.
class Fixture {
 public:
  explicit Fixture(const Problem& problem);

  const Problem& problem() const { return problem_; }
  // Throws std::runtime_error where its result is wrong. No run: there is no such contender.
  Contender contender(const Kind& kind, Clock clock = Clock::thread) const;
  // What must be read once and written once.
  std::size_t bytes() const;

 private:
  Problem problem_;
  Buffers buffers_;
  Result expected_;
};

// Rounds of one sample each, in turn; a contender that may stop early does when it is slow.
void take_turns(std::vector<Contender>& contenders, int rounds);

}  // namespace bench
