#include "table.hpp"

#include "measure.hpp"

#include <cmath>
#include <cstdio>
#include <map>
#include <regex>
#include <stdexcept>

namespace bench {
namespace {

struct Mean {
  double log_sum = 0;
  int count = 0;
  void add(double value) {
    log_sum += std::log(value);
    ++count;
  }
};
using Means = std::map<std::string, Mean>;  // by direction, type and layout

void print_header() {
  std::printf("%-68s %10s %8s %11s %11s %11s\n", "problem", "us", "GB/s", "x floor", "naive / us", "Eigen / us");
  std::printf("%-68s %10s %8s %11s %11s %11s\n", "", "(median)", "", "(1 = floor)", "(speed-up)", "(speed-up)");
}

// The contenders that the problem has, the library first.
std::vector<Contender> contenders_of(const Fixture& fixture) {
  std::vector<Contender> contenders;
  for (const Who who : {Who::eigenpool, Who::floor, Who::naive, Who::eigen}) {
    Contender contender = fixture.contender(who);
    if (contender.run) contenders.push_back(std::move(contender));
  }
  return contenders;
}

std::string mean_name(const Problem& p) {
  return std::string(name_of(p.direction)) + ", " + name_of(p.dtype) + ", " + name_of(p.layout);
}

void print_row(const Problem& problem, int rounds, Means& means) {
  const Fixture fixture(problem);
  std::vector<Contender> contenders = contenders_of(fixture);
  if (contenders[0].who != Who::eigenpool) {
    std::printf("%-68s not built for this type or rank\n", problem.name().c_str());
    return;
  }
  take_turns(contenders, rounds);

  const double seconds = contenders[0].median(), to_floor = seconds / contenders[1].median();
  std::printf("%-68s %10.2f %8.2f %11.2f %11.1f", problem.name().c_str(), 1e6 * seconds,
              1e-9 * static_cast<double>(fixture.bytes()) / seconds, to_floor, contenders[2].median() / seconds);
  if (contenders.size() > 3)
    std::printf(" %11.1f\n", contenders[3].median() / seconds);
  else
    std::printf(" %11s\n", "-");
  std::fflush(stdout);
  means[mean_name(problem)].add(to_floor);
}

}  // namespace

bool print_table(const std::vector<Case>& cases, const std::string& filter, int rounds) {
  const std::regex wanted(filter);
  Means means;
  bool all_right = true;
  print_header();
  for (const Case& c : cases) {
    for (const Problem& problem : problems_of(c)) {
      if (!std::regex_search(problem.name(), wanted)) continue;
      try {
        print_row(problem, rounds, means);
      } catch (const std::exception& error) {
        std::printf("%-68s %s\n", problem.name().c_str(), error.what());
        all_right = false;
      }
    }
  }
  std::printf("\ngeometric means of time / floor\n");
  for (const auto& [name, mean] : means) {
    std::printf("  %-40s %6.2f  (%d)\n", name.c_str(), std::exp(mean.log_sum / mean.count), mean.count);
  }
  return all_right;
}

}  // namespace bench
