#include "sweep.hpp"

#include "measure.hpp"
#include "report.hpp"

#include <cstdio>
#include <optional>
#include <regex>

namespace bench {
namespace {

constexpr Index channels = 16;

// Square windows on 16 channels, padded by half a window.
Case plane(const std::string& id, Index height, Index width, Index kernel, Index stride = 1, Index dilation = 1) {
  Case c{.id = id, .axes = 2, .n = 1, .c = channels};
  const Index extent = dilation * (kernel - 1) + 1, padding = extent / 2;
  const auto cells = [=](Index in) { return (in + 2 * padding - extent) / stride + 1; };
  c.in = {1, height, width}, c.out = {1, cells(height), cells(width)};
  c.kernel = {1, kernel, kernel}, c.stride = {1, stride, stride};
  c.padding = {0, padding, padding}, c.dilation = {1, dilation, dilation};
  return c;
}

// The call itself: there is almost nothing to do.
Case one_plane_of_4x4() {
  Case c = plane("call4x4", 4, 4, 2, 2);
  c.c = 1, c.padding = {}, c.out = {1, 2, 2};
  return c;
}

// Two cases that should cost about the same, or whose costs should grow slowly from one to the other.
struct Pair {
  Case c;
  std::optional<Case> beside;
};

std::vector<Pair> pairs() {
  constexpr Index n = 192;
  const Case k3 = plane("k3", n, n, 3);
  std::vector<Pair> all;
  for (const auto& [id, k] : {std::pair{"k3", 3}, {"k7", 7}, {"k15", 15}, {"k31", 31}, {"k63", 63}}) {
    all.push_back({plane(id, n, n, k), k3});
  }
  all.push_back({plane("dilation2", n, n, 3, 1, 2), k3});
  all.push_back({plane("stride3", n, n, 3, 3), plane("stride2", n, n, 3, 2)});
  all.push_back({plane("rows_of_4096", 48, 4096, 3), plane("rows_of_1024", 192, 1024, 3)});
  all.push_back({plane("k33", n, n, 33), plane("k32", n, n, 32)});
  all.push_back({plane("width127", n, 127, 3), plane("width128", n, 128, 3)});
  all.push_back({plane("width131", n, 131, 3), plane("width128", n, 128, 3)});
  all.push_back({plane("width127_stride2", n, 127, 3, 2), plane("width128_stride2", n, 128, 3, 2)});
  all.push_back({plane("width131_stride2", n, 131, 3, 2), plane("width128_stride2", n, 128, 3, 2)});
  all.push_back({one_plane_of_4x4(), std::nullopt});
  return all;
}

struct Kernel {
  Op op;
  Direction direction;
};
constexpr std::array kernels{Kernel{Op::max, Direction::forward}, Kernel{Op::max, Direction::indices},
                             Kernel{Op::average, Direction::forward}, Kernel{Op::average, Direction::backward}};

Problem problem_of(Case c, const Kernel& kernel, Layout layout) {
  c.op = kernel.op;
  return {c, layout, kernel.direction, Dtype::f32};
}

// The naive loops know no dilation; that its results are right is left to the library's tests.
Kind library_for(const Problem& problem) {
  Kind kind = eigenpool_kind;
  if (problem.c.dilation != Case{}.dilation) kind.check = Check::nothing;
  return kind;
}

// Seconds of one cell of y, or in a backward of dx.
double per_result(const Contender& contender, const Problem& problem) {
  return contender.median() / static_cast<double>(problem.is_backward() ? problem.c.inputs() : problem.c.outputs());
}

// A problem and its neighbour have memory of their own, which takes a few calls to get into the caches. So they take
// turns less often; but they do, so that a machine that slows down for a while slows both.
void take_long_turns(std::vector<Contender>& contenders, std::vector<Contender>& neighbours, int rounds) {
  constexpr int turns = 3;
  for (int turn = 0; turn < turns; ++turn) {
    take_turns(contenders, (rounds + turns - 1) / turns);
    take_turns(neighbours, (rounds + turns - 1) / turns);
  }
}

void print_row(const Problem& problem, const std::optional<Problem>& beside, int rounds, Report& report) {
  const Fixture fixture(problem);
  std::vector<Contender> contenders{fixture.contender(library_for(problem)), fixture.contender(floor_kind)}, neighbours;
  std::optional<Fixture> neighbour;
  if (beside) {
    neighbour.emplace(*beside);
    neighbours.push_back(neighbour->contender(library_for(*beside)));
  }
  take_long_turns(contenders, neighbours, rounds);

  const double seconds = contenders[0].median(), each = per_result(contenders[0], problem);
  report.row(with_problem_cells(
      problem, {name_of(problem.c.op), number(1e6 * seconds, 3), number(seconds / contenders[1].median(), 2),
                number(1e9 * each, 4), beside ? beside->c.id : "-",
                beside ? number(each / per_result(neighbours[0], *beside), 2) : "-"}));
}

const std::vector<Report::Column> columns{{"operator", -8},  {"us", 11},      {"x_floor", 8},
                                          {"ns/result", 10}, {"beside", -17}, {"ratio", 6}};

}  // namespace

bool print_sweep(const Options& options) {
  const std::regex wanted(options.filter);
  Report report(with_problem_columns(columns), options.tsv, remarks_on_this_run(options.rounds));
  bool all_right = true;
  for (const Kernel& kernel : kernels) {
    for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
      for (const Pair& pair : pairs()) {
        const Problem problem = problem_of(pair.c, kernel, layout);
        if (!std::regex_search(problem.name(), wanted)) continue;
        try {
          std::optional<Problem> beside;
          if (pair.beside) beside = problem_of(*pair.beside, kernel, layout);
          print_row(problem, beside, options.rounds, report);
        } catch (const std::exception& error) {
          std::fprintf(stderr, "%s: %s\n", problem.name().c_str(), error.what());
          all_right = false;
        }
      }
    }
  }
  return all_right;
}

}  // namespace bench
