// Every case of bench_cases.tsv, in both layouts and all directions: the library beside naive loops, an Eigen
// expression where there is one, and the floor (a pass that reads the input once and writes the output once).
//   bench_pooling [--cases=FILE] [--benchmark_...]   Google Benchmark's own output
//   bench_pooling [--cases=FILE] --table             one line for each problem
//   bench_pooling [--cases=FILE] --threads=N         each forward pass on N threads against one
//   bench_pooling --sweep                            windows that grow, cases beside their neighbours, tiny calls
//   bench_pooling --placed                           unpooling, fractional windows and boxes
// and with the last four: [--rounds=N] [--benchmark_filter=REGEX] [--tsv=FILE]
#include "measure.hpp"
#include "options.hpp"
#include "placed.hpp"
#include "sweep.hpp"
#include "table.hpp"
#include "threads.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
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
void measure(benchmark::State& state, const Problem& problem, const Kind& kind) {
  try {
    const Fixture& fixture = fixture_of(problem);
    Contender contender = fixture.contender(kind), floor = fixture.contender(floor_kind);
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
      for (const Kind& kind : {eigenpool_kind, naive_kind, eigen_kind, floor_kind}) {
        if (!kind.make(problem, Buffers{})) continue;
        const std::string name = problem.name() + "/" + kind.name;
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { measure(state, problem, kind); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

int run(Options& options) {
  if (options.placed) return print_placed(options) ? 0 : 1;
  if (options.sweep) return print_sweep(options) ? 0 : 1;
  const CaseTable table = read_cases(options.cases);
  for (const std::string& id : table.skipped) {
    std::fprintf(stderr, "skipped for now, no such operator here: %s\n", id.c_str());
  }
  if (options.threads > 0) return print_threads(table.cases, options) ? 0 : 1;
  if (options.table) return print_table(table.cases, options) ? 0 : 1;

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
    Options options = parse_options(argc, argv);
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_pooling: %s\n", error.what());
    return 1;
  }
}
