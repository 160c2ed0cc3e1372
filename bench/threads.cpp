#include "threads.hpp"

#include "library_threads.hpp"
#include "measure.hpp"
#include "report.hpp"

#include <cstdio>
#include <regex>

namespace bench {
namespace {

// A pool must not make these slower.
std::vector<Case> tiny_cases() {
  std::vector<Case> cases;
  const auto add = [&](const char* id, Op op, Index extent) {
    Case c{.id = id, .op = op, .axes = 2, .n = 1, .c = 1, .in = {1, extent, extent}};
    c.kernel = c.stride = {1, 2, 2}, c.out = {1, extent / 2, extent / 2};
    c.dtypes = {Dtype::f32};
    cases.push_back(c);
  };
  add("tiny_max_4x4", Op::max, 4), add("tiny_avg_4x4", Op::average, 4);
  add("tiny_max_16x16", Op::max, 16), add("tiny_avg_16x16", Op::average, 16);
  add("tiny_max_64x64", Op::max, 64), add("tiny_avg_64x64", Op::average, 64);
  return cases;
}

void print_row(const Problem& problem, int rounds, Report& report, GeometricMean& mean) {
  const Kind pool_kind{"threads", &make_eigenpool_on_threads, Check::values_and_indices};
  const Fixture fixture(problem);
  std::vector<Contender> contenders{fixture.contender(eigenpool_kind, Clock::wall),
                                    fixture.contender(pool_kind, Clock::wall)};
  if (!contenders[0].run || !contenders[1].run) return;
  take_turns(contenders, rounds);
  const double one = contenders[0].median(), many = contenders[1].median();
  report.row(with_problem_cells(problem, {number(1e6 * one, 3), number(1e6 * many, 3), number(one / many, 2)}));
  mean.add(one / many);
}

}  // namespace

bool print_threads(const std::vector<Case>& cases, const Options& options) {
  const std::regex wanted(options.filter);
  set_threads(options.threads);
  std::vector<Case> all = cases;
  for (const Case& tiny : tiny_cases()) all.push_back(tiny);
  std::vector<std::string> remarks = remarks_on_this_run(options.rounds);
  remarks.push_back("threads: " + std::to_string(options.threads) + ", microseconds on the wall");
  Report report(with_problem_columns({{"one_us", 12}, {"threads_us", 12}, {"speed-up", 9}}), options.tsv, remarks);
  GeometricMean mean;
  bool all_right = true;
  for (const Case& c : all) {
    for (const Problem& problem : problems_of(c)) {
      const bool forward = problem.direction == Direction::forward && problem.dtype == Dtype::f32;
      if (!forward || !std::regex_search(problem.name(), wanted)) continue;
      try {
        print_row(problem, options.rounds, report, mean);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", problem.name().c_str(), error.what());
        all_right = false;
      }
    }
  }
  std::printf("\ngeometric mean of the speed-up: %.2f (%d)\n", mean.value(), mean.count());
  return all_right;
}

}  // namespace bench
