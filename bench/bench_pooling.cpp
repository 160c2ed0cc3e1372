// Every case of bench_cases.tsv, in both layouts and all directions: the library beside naive loops, an Eigen
// expression where there is one, and the floor (a pass that reads the input once and writes the output once).
//   bench_pooling [--cases=FILE] [--benchmark_...]                             Google Benchmark's own output
//   bench_pooling [--cases=FILE] --table [--rounds=N] [--benchmark_filter=R]   one line for each problem
#include "measure.hpp"
#include "table.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace bench;

// Google Benchmark calls a benchmark several times in a row, and the contenders of a problem follow each other:
// the last problem's memory is kept.
const Fixture& fixture_of(const Problem& problem) {
  static std::unique_ptr<Fixture> kept;
  if (!kept || kept->problem().name() != problem.name()) {
    kept.reset();  // before the next one is made: the largest ones take 50 MB
    kept = std::make_unique<Fixture>(problem);
  }
  return *kept;
}

// The floor is sampled in turn with the contender, so a machine that slows down for a while slows both.
void measure(benchmark::State& state, const Problem& problem, Who who) {
  try {
    const Fixture& fixture = fixture_of(problem);
    Contender contender = fixture.contender(who), floor = fixture.contender(Who::floor);
    while (state.KeepRunningBatch(contender.calls)) {
      state.SetIterationTime(contender.sample() * contender.calls);
      floor.sample();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(fixture.bytes()));
    state.counters["x_floor"] = contender.median() / floor.median();
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

void register_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    for (const Problem& problem : problems_of(c)) {
      for (const Who who : {Who::eigenpool, Who::naive, Who::eigen, Who::floor}) {
        if (!make_run(who, problem, Buffers{})) continue;
        const std::string name = problem.name() + "/" + name_of(who);
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { measure(state, problem, who); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

struct Options {
  std::string cases = EIGENPOOL_BENCH_CASES, filter;
  bool table = false;
  int rounds = 31;
  std::vector<char*> for_benchmark;  // the program's name and everything that is not ours
};

Options parse(int argc, char** argv) {
  Options options;
  const auto value = [](std::string_view argument, std::string_view flag, std::string& into) {
    if (!argument.starts_with(flag)) return false;
    into = argument.substr(flag.size());
    return true;
  };
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    std::string rounds;
    if (value(argument, "--cases=", options.cases)) continue;
    if (value(argument, "--rounds=", rounds)) {
      options.rounds = std::atoi(rounds.c_str());
      if (options.rounds < 1) throw std::invalid_argument("--rounds=" + rounds + " is not a number of at least 1");
    } else if (argument == "--table") {
      options.table = true;
    } else {
      value(argument, "--benchmark_filter=", options.filter);
      options.for_benchmark.push_back(argv[i]);
    }
  }
  return options;
}

int run(Options& options) {
  const CaseTable table = read_cases(options.cases);
  for (const std::string& id : table.skipped) {
    std::fprintf(stderr, "skipped for now, no such operator here: %s\n", id.c_str());
  }
  if (options.table) return print_table(table.cases, options.filter, options.rounds) ? 0 : 1;

  register_all(table.cases);
  int count = static_cast<int>(options.for_benchmark.size());
  benchmark::Initialize(&count, options.for_benchmark.data());
  if (benchmark::ReportUnrecognizedArguments(count, options.for_benchmark.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options = parse(argc, argv);
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_pooling: %s\n", error.what());
    return 1;
  }
}
