// Contenders that take turns on the same memory, and their medians.
#pragma once

#include "contender.hpp"

#include <string>
#include <vector>

namespace bench {

enum class Who { eigenpool, naive, eigen, floor };
const char* name_of(Who who);

Run make_run(Who who, const Problem& problem, const Buffers& buffers);

struct Contender {
  Who who{};
  Run run;
  int calls = 1;                // in one sample
  std::vector<double> samples;  // seconds of one call

  double sample();  // takes one, and returns it
  double median() const;
};

// A problem with its memory and a checked, warmed-up contender.
class Fixture {
 public:
  explicit Fixture(const Problem& problem);

  const Problem& problem() const { return problem_; }
  // Throws std::runtime_error where its result is wrong. No run: there is no such contender.
  Contender contender(Who who) const;
  // What must be read once and written once.
  std::size_t bytes() const;

 private:
  Problem problem_;
  Buffers buffers_;
  Run naive_;
};

// Rounds of one sample each, in turn; a contender that is slow stops early.
void take_turns(std::vector<Contender>& contenders, int rounds);

}  // namespace bench
