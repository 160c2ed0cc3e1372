// Minima, norms, several results from one read, pyramids and a user's reducer, in both layouts: the library beside the
// operators it is composed of (where there are any), plain loops and the floor.
//   bench_reductions [--rounds=N] [--benchmark_filter=REGEX] [--tsv=FILE]
#include "dispatch.hpp"
#include "library.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"

#include "../examples/log_sum_exp.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <random>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace bench;
using eigenpool::Pyramid;

struct Picture {
  const char* id;
  Index n, c, height, width;
  Index kernel = 0, stride = 0, padding = 0;  // no kernel: all of the plane

  Index inputs() const { return n * c * height * width; }
  Index taps(Index extent) const { return kernel == 0 ? extent : kernel; }
  Index outputs(Index extent) const { return kernel == 0 ? 1 : (extent + 2 * padding - kernel) / stride + 1; }
  eigenpool::Window<2> window() const { return {.kernel = kernel, .stride = stride, .padding = padding}; }
};

template <Layout layout>
Map<float, 4> map_of(float* data, Index n, Index c, Index height, Index width) {
  if constexpr (layout == Layout::channels_first) return {data, n, c, height, width};
  return {data, n, height, width, c};
}

// Plain loops over a picture: put(n, c, place of the window, start with `acc` and take(acc, x) every cell).
template <Layout layout, class Acc, class Take, class Put>
void plain_loops(const Picture& p, const float* x, const Acc& start, const Take& take, const Put& put) {
  const auto cell = [&](Index n, Index c, Index y, Index z) {
    return layout == Layout::channels_first ? x[((n * p.c + c) * p.height + y) * p.width + z]
                                            : x[((n * p.height + y) * p.width + z) * p.c + c];
  };
  const Index rows = p.outputs(p.height), columns = p.outputs(p.width);
  for (Index n = 0; n < p.n; ++n)
    for (Index c = 0; c < p.c; ++c)
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
          Acc acc = start;
          const Index top = i * p.stride - p.padding, left = j * p.stride - p.padding;
          for (Index y = std::max<Index>(top, 0); y < std::min(top + p.taps(p.height), p.height); ++y)
            for (Index z = std::max<Index>(left, 0); z < std::min(left + p.taps(p.width), p.width); ++z)
              take(acc, cell(n, c, y, z));
          put(layout == Layout::channels_first ? ((n * p.c + c) * rows + i) * columns + j
                                               : ((n * rows + i) * columns + j) * p.c + c,
              acc);
        }
}

// What one line of the report measures.
struct Work {
  Run ours, composed, plain;
  Index outputs;
};

template <Layout layout>
Work minima(const Picture& p, float* x, float* y) {
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  auto out = map_of<layout>(y, p.n, p.c, p.outputs(p.height), p.outputs(p.width));
  return {[=, w = p.window()]() mutable { eigenpool::min_pool2d_into<layout>(out, in, w); },
          [=, w = p.window()]() mutable { eigenpool::max_pool2d_into<layout>(out, in, w); },
          [=] {
            plain_loops<layout>(
                p, x, std::numeric_limits<float>::infinity(), [](float& a, float v) { a = std::min(a, v); },
                [=](Index at, float a) { y[at] = a; });
          },
          out.size()};
}

template <Layout layout>
Work norms(const Picture& p, float* x, float* y, double exponent) {
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  auto out = map_of<layout>(y, p.n, p.c, p.outputs(p.height), p.outputs(p.width));
  const auto power = static_cast<float>(exponent);
  return {[=, w = p.window(), global = p.kernel == 0]() mutable {
            if (global) eigenpool::global_lp_pool_into<layout>(out, in, {.p = exponent});
            if (!global) eigenpool::lp_pool2d_into<layout>(out, in, w, {.p = exponent});
          },
          {},
          [=] {
            plain_loops<layout>(
                p, x, 0.0F,
                [=](float& a, float v) {
                  a += power == 1 ? std::abs(v) : power == 2 ? v * v : std::pow(std::abs(v), power);
                },
                [=](Index at, float a) {
                  y[at] = power == 1 ? a : power == 2 ? std::sqrt(a) : std::pow(a, 1 / power);
                });
          },
          out.size()};
}

template <Layout layout>
Work averages_and_maxima(const Picture& p, float* x, float* y) {
  struct Both {
    float sum, most;
  };
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  const Index rows = p.outputs(p.height), columns = p.outputs(p.width), half = p.n * p.c * rows * columns;
  auto both = map_of<layout>(y, p.n, 2 * p.c, rows, columns);
  auto average = map_of<layout>(y, p.n, p.c, rows, columns),
       maximum = map_of<layout>(y + half, p.n, p.c, rows, columns);
  return {[=, w = p.window(), global = p.kernel == 0]() mutable {
            if (global) eigenpool::global_avg_max_pool_into<layout>(both, in);
            if (!global) eigenpool::avg_max_pool2d_into<layout>(both, in, w);
          },
          [=, w = p.window(), global = p.kernel == 0]() mutable {  // two calls, without putting them together
            if (global) {
              eigenpool::global_avg_pool_into<layout>(average, in);
              return eigenpool::global_max_pool_into<layout>(maximum, in);
            }
            eigenpool::avg_pool2d_into<layout>(average, in, w);
            eigenpool::max_pool2d_into<layout>(maximum, in, w);
          },
          [=, taps = static_cast<float>(p.taps(p.height) * p.taps(p.width))] {
            plain_loops<layout>(
                p, x, Both{0, -std::numeric_limits<float>::infinity()},
                [](Both& a, float v) {
                  a = {a.sum + v, std::max(a.most, v)};
                },
                [=](Index at, const Both& a) { y[at] = a.sum / taps, y[half + at] = a.most; });
          },
          2 * half};
}

template <Layout layout>
Work mean_and_variance(const Picture& p, float* x, float* y) {
  struct Two {
    double sum, squares;
  };
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  Map<float, 2> mean(y, p.n, p.c), variance(y + p.n * p.c, p.n, p.c);
  return {[=]() mutable { eigenpool::global_mean_variance_into<layout>(mean, variance, in); },
          [=]() mutable {  // not stable: the norm and the mean, which a caller would subtract
            eigenpool::global_avg_pool_into<layout>(mean, in);
            eigenpool::global_lp_pool_into<layout>(variance, in);
          },
          [=, cells = static_cast<double>(p.height * p.width), count = p.n * p.c] {
            plain_loops<layout>(
                p, x, Two{0, 0},
                [](Two& a, float v) {
                  a = {a.sum + v, a.squares + double{v} * v};
                },
                [=](Index at, const Two& a) {
                  y[at] = static_cast<float>(a.sum / cells);
                  y[count + at] = static_cast<float>(a.squares / cells - a.sum / cells * (a.sum / cells));
                });
          },
          2 * p.n * p.c};
}

template <Layout layout>
Work pyramid(const Picture& p, float* x, float* y, const std::vector<Index>& levels, Pyramid kind) {
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  Index features = 0;
  for (const Index level : levels) features += p.c * level * level;
  Map<float, 2> out(y, p.n, features);
  return {[=]() mutable { eigenpool::spatial_pyramid_pool_into<layout>(out, in, levels, kind); },
          [=]() mutable {  // every level from the picture, without putting them together
            for (const Index level : levels) {
              auto made = map_of<layout>(y, p.n, p.c, level, level);
              if (kind == Pyramid::max) eigenpool::adaptive_max_pool2d_into<layout>(made, in, level);
              if (kind == Pyramid::average) eigenpool::adaptive_avg_pool2d_into<layout>(made, in, level);
            }
          },
          {},
          out.size()};
}

template <Layout layout>
Work user_reducer(const Picture& p, float* x, float* y) {
  auto in = map_of<layout>(x, p.n, p.c, p.height, p.width);
  auto out = map_of<layout>(y, p.n, p.c, p.outputs(p.height), p.outputs(p.width));
  const LogSumExp reducer{2};
  return {[=, w = p.window()]() mutable { eigenpool::pool_into<layout>(out, in, w, reducer); },
          {},
          [=] {
            plain_loops<layout>(
                p, x, reducer.identity(),
                [=](LogSumExp::State& a, float v) { a = reducer.merge(a, reducer.take(double{v})); },
                [=](Index at, const LogSumExp::State& a) {
                  y[at] = static_cast<float>(reducer.finish(a, p.kernel * p.kernel));
                });
          },
          out.size()};
}

struct Line {
  std::string name;
  Picture picture;
  Index most_outputs;
  std::function<Work(Layout, const Picture&, float* x, float* y)> make;
};

#define EIGENPOOL_BENCH_WORK(call)                              \
  [=](Layout in_layout, const Picture& p, float* x, float* y) { \
    return with_layout(in_layout, [&](auto tag) -> Work {       \
      constexpr Layout layout = decltype(tag)::value;           \
      return call;                                              \
    });                                                         \
  }

std::vector<Line> lines() {
  const Picture stem{"resnet_stem", 1, 64, 112, 112, 3, 2, 1}, dense{"densenet", 1, 256, 56, 56, 2, 2, 0};
  const Picture gap{"gap_resnet", 1, 2048, 7, 7}, batch{"gap_resnet_n8", 8, 2048, 7, 7};
  const Picture squeeze{"se_squeeze", 8, 64, 112, 112}, speech{"speech", 8, 512, 1, 500}, psp{"psp", 1, 512, 60, 60};
  std::vector<Line> all{
      {"min", stem, stem.inputs(), EIGENPOOL_BENCH_WORK(minima<layout>(p, x, y))},
      {"pool_log_sum_exp", dense, dense.inputs(), EIGENPOOL_BENCH_WORK(user_reducer<layout>(p, x, y))}};
  for (const Picture& picture : {stem, dense, gap, squeeze})
    for (const double e : {1.0, 2.0, 3.0, std::numeric_limits<double>::infinity()})
      all.push_back({"lp" + number(e, 0), picture, picture.inputs(), EIGENPOOL_BENCH_WORK(norms<layout>(p, x, y, e))});
  for (const Picture& picture : {stem, dense, gap, batch, squeeze})
    all.push_back(
        {"avg_max", picture, 2 * picture.inputs(), EIGENPOOL_BENCH_WORK(averages_and_maxima<layout>(p, x, y))});
  for (const Picture& picture : {batch, squeeze, speech})
    all.push_back(
        {"mean_variance", picture, 2 * picture.inputs(), EIGENPOOL_BENCH_WORK(mean_and_variance<layout>(p, x, y))});
  const std::vector<Index> doubling{1, 2, 4}, psp_net{1, 2, 3, 6};
  for (const auto& levels : {doubling, psp_net})
    for (const Pyramid kind : {Pyramid::max, Pyramid::average})
      all.push_back(
          {std::string(levels == doubling ? "pyramid124" : "pyramid1236") + (kind == Pyramid::max ? "_max" : "_avg"),
           psp, psp.inputs(), EIGENPOOL_BENCH_WORK(pyramid<layout>(p, x, y, levels, kind))});
  return all;
}

#undef EIGENPOOL_BENCH_WORK

void fill(const Block& block) {
  std::mt19937 generator(20240229);
  std::uniform_real_distribution<float> values(-1, 1);
  std::generate_n(block.as<float>(), block.bytes() / sizeof(float), [&] { return values(generator); });
}

double median_of(const std::vector<Contender>& contenders, const std::string& name) {
  for (const Contender& c : contenders)
    if (c.kind.name == name) return c.median();
  return std::numeric_limits<double>::quiet_NaN();
}

void measure(const Line& line, Layout layout, int rounds, Report& report) {
  const auto bytes = [](Index count) { return static_cast<std::size_t>(count) * sizeof(float); };
  Block x(bytes(line.picture.inputs())), y(bytes(line.most_outputs));
  fill(x);
  const Work work = line.make(layout, line.picture, x.as<float>(), y.as<float>());
  const Buffers floor{std::move(x), Block(bytes(work.outputs)), {}};
  std::vector<Contender> contenders;
  const auto add = [&](const char* name, const Run& run, bool may_stop_early) {
    if (run) contenders.push_back({Kind{name, nullptr, Check::nothing, may_stop_early}, run});
  };
  add("ours", work.ours, false), add("composed", work.composed, false), add("plain", work.plain, true);
  add("floor", make_floor({}, floor), false);
  take_turns(contenders, rounds);
  const double ours = median_of(contenders, "ours");
  const auto ratio = [&](double seconds) { return std::isnan(seconds) ? std::string("-") : number(seconds / ours, 2); };
  report.row({line.name + "/" + line.picture.id, name_of(layout), number(1e6 * ours, 1),
              number(ours / median_of(contenders, "floor"), 2), ratio(median_of(contenders, "composed")),
              ratio(median_of(contenders, "plain"))});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    const std::regex wanted(options.filter);
    Report report(
        {{"case", -28}, {"layout", -15}, {"us", 10}, {"x_floor", 9}, {"composed/ours", 14}, {"plain/ours", 11}},
        options.tsv, remarks_on_this_run(options.rounds));
    for (const Line& line : lines())
      for (const Layout layout : {Layout::channels_first, Layout::channels_last})
        if (std::regex_search(line.name + "/" + line.picture.id, wanted)) measure(line, layout, options.rounds, report);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_reductions: %s\n", error.what());
    return 1;
  }
}
