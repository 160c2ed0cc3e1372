#include "table.hpp"

#include "measure.hpp"
#include "report.hpp"

#include <cstdio>
#include <map>
#include <regex>
#include <stdexcept>

namespace bench {
namespace {

using Means = std::map<std::string, GeometricMean>;

const std::vector<Report::Column> columns{{"us", 10}, {"GB/s", 8}, {"x_floor", 9}, {"naive/us", 10}, {"eigen/us", 10}};

// The contenders that the problem has, the library first.
std::vector<Contender> contenders_of(const Fixture& fixture) {
  std::vector<Contender> contenders;
  for (const Kind* kind : {&eigenpool_kind, &floor_kind, &naive_kind, &eigen_kind}) {
    Contender contender = fixture.contender(*kind);
    if (contender.run) contenders.push_back(std::move(contender));
  }
  return contenders;
}

void print_row(const Problem& problem, int rounds, Report& report, Means& means) {
  const Fixture fixture(problem);
  std::vector<Contender> contenders = contenders_of(fixture);
  if (contenders[0].kind.make != eigenpool_kind.make) {
    report.row(with_problem_cells(problem, {"-", "-", "-", "-", "-"}));  // not built for this type or rank
    return;
  }
  take_turns(contenders, rounds);

  const double seconds = contenders[0].median(), to_floor = seconds / contenders[1].median();
  const std::string eigen = contenders.size() > 3 ? number(contenders[3].median() / seconds, 1) : "-";
  report.row(with_problem_cells(
      problem, {number(1e6 * seconds, 2), number(1e-9 * static_cast<double>(fixture.bytes()) / seconds, 2),
                number(to_floor, 2), number(contenders[2].median() / seconds, 1), eigen}));
  means[mean_name(problem)].add(to_floor);
}

}  // namespace

bool print_table(const std::vector<Case>& cases, const Options& options) {
  const std::regex wanted(options.filter);
  Report report(with_problem_columns(columns), options.tsv, remarks_on_this_run(options.rounds));
  Means means;
  bool all_right = true;
  for (const Case& c : cases) {
    for (const Problem& problem : problems_of(c)) {
      if (!std::regex_search(problem.name(), wanted)) continue;
      try {
        print_row(problem, options.rounds, report, means);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", problem.name().c_str(), error.what());
        all_right = false;
      }
    }
  }
  std::printf("\ngeometric means of time / floor\n");
  for (const auto& [name, mean] : means) std::printf("  %-40s %6.2f  (%d)\n", name.c_str(), mean.value(), mean.count());
  return all_right;
}

}  // namespace bench
