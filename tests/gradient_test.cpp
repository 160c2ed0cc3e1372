// Backwards are the derivatives of forwards: the adjoint identity <dy, J u> = <J^T dy, u>, and central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <utility>

#include "compare.hpp"
#include "families.hpp"
#include "gradient_cases.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace {

using eigenpool::Layout;
using harness::Inputs;
using harness::PoolingCase;
using harness::Results;
using harness::Values;
using oracle::Geometry;

template <Layout layout>
Results run(const Geometry& g, const Inputs& inputs) {
  const oracle::Extents out = oracle::output_spatial(g);
  if (g.rank() == 1) return harness::run<PoolingCase<1, layout>, double>(g, out, inputs);
  if (g.rank() == 2) return harness::run<PoolingCase<2, layout>, double>(g, out, inputs);
  return harness::run<PoolingCase<3, layout>, double>(g, out, inputs);
}

double dot(const Values& a, const Values& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void expect_near(const Values& got, const Values& want, double tolerance) {
  EXPECT_TRUE(
      harness::all_agree(got, want, [&](double a, double b, std::size_t) { return std::abs(a - b) <= tolerance; }));
}

// The whole numbers from 1, shuffled: no ties, and a gap to the next that central differences stay within.
Values distinct(std::int64_t count) {
  Values result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 1.0);
  families::Random random(7);
  for (std::int64_t i = count - 1; i > 0; --i) {
    std::swap(result[static_cast<std::size_t>(i)], result[static_cast<std::size_t>(random.between(0, i))]);
  }
  return result;
}

class Gradient : public testing::TestWithParam<std::tuple<Geometry, Layout>> {
 protected:
  const Geometry& geometry() const { return std::get<0>(GetParam()); }
  Inputs inputs() const {
    const Values dy = families::signed_values.values(oracle::output_size(geometry()), 3);
    return {distinct(oracle::input_size(geometry())), dy, dy};
  }
  Results run(const Inputs& inputs) const {
    return std::get<1>(GetParam()) == eigenpool::channels_first ? ::run<eigenpool::channels_first>(geometry(), inputs)
                                                                : ::run<eigenpool::channels_last>(geometry(), inputs);
  }
  // J u of the maximum at fixed indices: each output takes its window's chosen cell.
  Values gather(const Values& u, const Values& flat) const {
    const auto cells = static_cast<std::size_t>(oracle::product(geometry().spatial));
    const std::size_t outputs_per_plane = flat.size() * cells / u.size();
    Values result;
    for (std::size_t i = 0; i < flat.size(); ++i) {
      result.push_back(u[i / outputs_per_plane * cells + static_cast<std::size_t>(flat[i])]);
    }
    return result;
  }
};

TEST_P(Gradient, AverageIsTheAdjointOfItsBackward) {
  Inputs in = inputs();
  in.x = families::signed_values.values(oracle::input_size(geometry()), 5);
  const Results result = run(in);
  EXPECT_NEAR(dot(in.average_dy, result.average), dot(result.average_dx, in.x), 1e-12);
}

TEST_P(Gradient, MaxAtFixedIndicesIsTheAdjointOfItsBackward) {
  const Inputs in = inputs();
  const Results result = run(in);
  const Values u = families::signed_values.values(oracle::input_size(geometry()), 5);
  const double forward = dot(in.max_dy, gather(u, result.flat));
  EXPECT_NEAR(forward, dot(result.max_dx_flat, u), 1e-12);
  EXPECT_NEAR(forward, dot(result.max_dx_compact, u), 1e-12);
  EXPECT_NEAR(forward, dot(result.max_dx_input, u), 1e-12);
}

TEST_P(Gradient, EqualsCentralDifferences) {
  constexpr double step = 0.25;
  Inputs in = inputs();
  const Results at_x = run(in);
  Values max_dx, average_dx;
  for (double& x : in.x) {
    x += step;
    const Results above = run(in);
    x -= 2 * step;
    const Results below = run(in);
    x += step;
    max_dx.push_back((dot(in.max_dy, above.max) - dot(in.max_dy, below.max)) / (2 * step));
    average_dx.push_back((dot(in.average_dy, above.average) - dot(in.average_dy, below.average)) / (2 * step));
  }
  expect_near(at_x.max_dx_flat, max_dx, 1e-9);
  expect_near(at_x.max_dx_compact, max_dx, 1e-9);
  expect_near(at_x.max_dx_input, max_dx, 1e-9);
  expect_near(at_x.average_dx, average_dx, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Geometries, Gradient,
                         testing::Combine(testing::ValuesIn(cases::gradients()),
                                          testing::Values(Layout::channels_first, Layout::channels_last)),
                         [](const auto& test) {
                           const bool first = std::get<1>(test.param) == Layout::channels_first;
                           return std::get<0>(test.param).name + (first ? "_channels_first" : "_channels_last");
                         });

}  // namespace
