// The operators whose problems are no windows of bench_cases.tsv (blurs, sequences, segments): the library beside plain
// loops, as multiples of the floor, one line for each problem.
//   bench_operators [--rounds=N] [--benchmark_filter=REGEX] [--tsv=FILE]
#include "library.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"

#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace bench;
using eigenpool::channels_first;
using eigenpool::channels_last;

// One problem: what it reads and writes, in floats, and who does it.
struct Work {
  std::string name;
  Index reads, writes;
  std::function<Run(const float*x, float*y)> library, naive;
};

template <int rank>
using In = Eigen::TensorMap<const Eigen::Tensor<float, rank, Eigen::RowMajor>>;
template <int rank>
using Out = Eigen::TensorMap<Eigen::Tensor<float, rank, Eigen::RowMajor>>;

// Square planes that are blurred; the default is an anti-aliased ResNet's stem.
struct Planes {
  Index n = 1, c = 64, in = 112, kernel = 4, stride = 2;
  Index out() const { return (in - 1) / stride + 1; }
};

Index reflected(Index p, Index n) { return p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p; }

// Weights of one axis, by Pascal's rule.
std::vector<float> binomial(Index kernel) {
  std::vector<float> weights{1};
  for (Index k = 1; k < kernel; ++k) {
    weights.push_back(0);
    for (auto j = static_cast<std::size_t>(k); j > 0; --j) weights[j] = (weights[j] + weights[j - 1]) / 2;
    weights[0] /= 2;
  }
  return weights;
}

template <Layout layout>
void naive_blur(const Planes& p, const float* x, float* y, bool backward) {
  const std::vector<float> w = binomial(p.kernel);
  const Index inner = layout == channels_last ? p.c : 1, outer = p.n * p.c / inner, out = p.out();
  if (backward) std::fill_n(y, p.n * p.c * p.in * p.in, 0.0F);
  for (Index o = 0; o < outer; ++o)
    for (Index i = 0; i < out; ++i)
      for (Index j = 0; j < out; ++j)
        for (Index c = 0; c < inner; ++c) {
          float sum = 0;
          const Index result = ((o * out + i) * out + j) * inner + c;
          for (Index a = 0; a < p.kernel; ++a)
            for (Index b = 0; b < p.kernel; ++b) {
              const Index row = reflected(i * p.stride + a - (p.kernel - 1) / 2, p.in);
              const Index column = reflected(j * p.stride + b - (p.kernel - 1) / 2, p.in);
              const Index cell = ((o * p.in + row) * p.in + column) * inner + c;
              const float weight = w[static_cast<std::size_t>(a)] * w[static_cast<std::size_t>(b)];
              if (backward)
                y[cell] += weight * x[result];
              else
                sum += weight * x[cell];
            }
          if (!backward) y[result] = sum;
        }
}

template <Layout layout>
std::array<Index, 4> planes_shape(const Planes& p, Index extent) {
  if (layout == channels_first) return {p.n, p.c, extent, extent};
  return {p.n, extent, extent, p.c};
}

template <Layout layout>
void add_blur(std::vector<Work>& all, const std::string& name, const Planes& p) {
  const auto in = planes_shape<layout>(p, p.in), out = planes_shape<layout>(p, p.out());
  const Index inputs = p.n * p.c * p.in * p.in, outputs = p.n * p.c * p.out() * p.out();
  const eigenpool::Blur<2> blur{.kernel = p.kernel, .stride = p.stride};
  const std::string where = name + "/" + name_of(layout);
  all.push_back({std::string("blur/") + where + "/forward", inputs, outputs,
                 [=](const float* x, float* y) {
                   return [=] { eigenpool::blur_pool2d_into<layout>(Out<4>(y, out), In<4>(x, in), blur); };
                 },
                 [=](const float* x, float* y) { return [=] { naive_blur<layout>(p, x, y, false); }; }});
  all.push_back({std::string("blur/") + where + "/backward", outputs, inputs,
                 [=](const float* dy, float* dx) {
                   return [=] { eigenpool::blur_pool2d_backward_into<layout>(Out<4>(dx, in), In<4>(dy, out), blur); };
                 },
                 [=](const float* dy, float* dx) { return [=] { naive_blur<layout>(p, dy, dx, true); }; }});
}

// Whole sequences, so that the floor reads what must be read.
void add_sequences(std::vector<Work>& all, const std::string& name, Index n, Index t, Index c) {
  Eigen::Tensor<std::int64_t, 1> lengths(n);
  lengths.setConstant(t);
  const auto reduce = [=](bool is_max) {
    return [=](const float* x, float* y) {
      return [=] {
        for (Index i = 0; i < n; ++i)
          for (Index f = 0; f < c; ++f) y[i * c + f] = x[i * t * c + f];
        for (Index i = 0; i < n; ++i)
          for (Index s = 1; s < t; ++s)
            for (Index f = 0; f < c; ++f) {
              const float value = x[(i * t + s) * c + f];
              y[i * c + f] = is_max ? std::max(y[i * c + f], value) : y[i * c + f] + value;
            }
        for (Index f = 0; f < n * c; ++f) y[f] /= is_max ? 1.0F : static_cast<float>(t);
      };
    };
  };
  all.push_back({std::string("sequence_avg/") + name + "/forward", n * t * c, n * c,
                 [=](const float* x, float* y) {
                   return [=] { eigenpool::sequence_avg_pool_into(Out<2>(y, n, c), In<3>(x, n, t, c), lengths); };
                 },
                 reduce(false)});
  all.push_back({std::string("sequence_max/") + name + "/forward", n * t * c, n * c,
                 [=](const float* x, float* y) {
                   return [=] { eigenpool::sequence_max_pool_into(Out<2>(y, n, c), In<3>(x, n, t, c), lengths); };
                 },
                 reduce(true)});
  all.push_back({std::string("sequence_avg/") + name + "/backward", n * c, n * t * c,
                 [=](const float* dy, float* dx) {
                   return [=] {
                     eigenpool::sequence_avg_pool_backward_into(Out<3>(dx, n, t, c), In<2>(dy, n, c), lengths);
                   };
                 },
                 [=](const float* dy, float* dx) {
                   return [=] {
                     for (Index row = 0; row < n * t; ++row)
                       for (Index f = 0; f < c; ++f) dx[row * c + f] = dy[row / t * c + f] / static_cast<float>(t);
                   };
                 }});
}

// Graphs of `rows / segments` nodes; ids in order or dealt out.
void add_segments(std::vector<Work>& all, const std::string& name, Index rows, Index segments, Index c, bool sorted) {
  Eigen::Tensor<std::int64_t, 1> ids(rows);
  for (Index r = 0; r < rows; ++r) ids(r) = sorted ? r * segments / rows : r * 7919 % segments;
  all.push_back({std::string("segment_sum/") + name + "/forward", rows * c, segments * c,
                 [=](const float* x, float* y) {
                   return [=] { eigenpool::segment_sum_into(Out<2>(y, segments, c), In<2>(x, rows, c), ids); };
                 },
                 [=](const float* x, float* y) {
                   return [=] {
                     std::fill_n(y, segments * c, 0.0F);
                     for (Index r = 0; r < rows; ++r)
                       for (Index f = 0; f < c; ++f) y[ids(r) * c + f] += x[r * c + f];
                   };
                 }});
}

std::vector<Work> all_work() {
  std::vector<Work> all;
  add_blur<channels_first>(all, "resnet_stem", {});
  add_blur<channels_last>(all, "resnet_stem", {});
  add_blur<channels_first>(all, "dense3", {.kernel = 3, .stride = 1});
  add_blur<channels_last>(all, "dense3", {.kernel = 3, .stride = 1});
  add_sequences(all, "bert", 16, 128, 768);
  add_segments(all, "molecules", 24000, 1000, 64, true);
  add_segments(all, "molecules_shuffled", 24000, 1000, 64, false);
  return all;
}

void require_equal(const Work& work, const Buffers& buffers, const Run& run, const Run& naive) {
  const Result found = result_of(buffers, run), wanted = result_of(buffers, naive);
  const auto* a = reinterpret_cast<const float*>(found.values.data());
  const auto* b = reinterpret_cast<const float*>(wanted.values.data());
  for (Index i = 0; i < work.writes; ++i)
    if (!(std::abs(a[i] - b[i]) <= 2e-4F))
      throw std::runtime_error(work.name + ": result " + std::to_string(i) + " is " + std::to_string(a[i]) +
                               ", the naive loops' is " + std::to_string(b[i]));
}

void print_row(const Work& work, int rounds, Report& report) {
  const auto bytes = [](Index floats) { return static_cast<std::size_t>(floats) * sizeof(float); };
  const Buffers buffers{Block(bytes(work.reads)), Block(bytes(work.writes)), Block(0)};
  for (Index i = 0; i < work.reads; ++i)
    buffers.source.as<float>()[i] = static_cast<float>(i * 7919 % 1013) / 512.0F - 1.0F;
  const Run library = work.library(buffers.source.as<float>(), buffers.result.as<float>());
  const Run naive = work.naive(buffers.source.as<float>(), buffers.result.as<float>());
  require_equal(work, buffers, library, naive);
  std::vector<Contender> contenders{
      {eigenpool_kind, library}, {floor_kind, make_floor(Problem{}, buffers)}, {naive_kind, naive}};
  take_turns(contenders, rounds);
  const double seconds = contenders[0].median();
  report.row({work.name, number(1e6 * seconds, 2), number(seconds / contenders[1].median(), 2),
              number(contenders[2].median() / seconds, 1)});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    const std::regex wanted(options.filter);
    Report report({{"problem", -48}, {"us", 10}, {"x_floor", 9}, {"naive/us", 10}}, options.tsv,
                  remarks_on_this_run(options.rounds));
    for (const Work& work : all_work())
      if (std::regex_search(work.name, wanted)) print_row(work, options.rounds, report);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_operators: %s\n", error.what());
    return 1;
  }
}
