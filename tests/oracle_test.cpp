// The oracle itself, against numbers that PyTorch printed.
#include "oracle.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "families.hpp"

namespace {

using oracle::Extents;
using oracle::Geometry;
using oracle::Index;
using oracle::Kind;
using oracle::Pad;
using oracle::Values;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

Values counting(Index n, Index from) {
  Values result;
  for (Index i = 0; i < n; ++i) result.push_back(static_cast<double>(from + i));
  return result;
}

// The average of the numbers that count up from `from`.
void expect_average(const Geometry& g, const Values& want, Index from = 0) {
  const Values got = oracle::average_pool(g, counting(oracle::input_size(g), from)).values;
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4) << i;
}

Geometry golden_4x4() { return {.spatial = {4, 4}, .kernel = {3, 3}, .stride = {2, 2}, .begin = {1, 1}, .ceil = true}; }

TEST(Oracle, AverageCountsThePaddingButNotCeilModesOverhang) {
  expect_average(golden_4x4(), {14 / 9.0, 30 / 9.0, 2, 57 / 9.0, 11, 6, 4.5, 7.5, 4}, 1);
  expect_average({.spatial = {7, 7}, .kernel = {2, 2}, .stride = {3, 3}, .ceil = true},
                 {4, 7, 9.5, 25, 28, 30.5, 42.5, 45.5, 48});
}

TEST(Oracle, AverageCountsRealCellsOnly) {
  Geometry g = golden_4x4();
  g.count_include_pad = false;
  expect_average(g, {3.5, 5, 6, 9.5, 11, 12, 13.5, 15, 16}, 1);
}

TEST(Oracle, OverrideReplacesTheDivisor) {
  expect_average({.spatial = {4}, .kernel = {2}, .divisor = -4}, {-0.25, -1.25});
}

TEST(Oracle, AdaptiveWindowsOverlapAndMayOutnumberTheInput) {
  expect_average({.spatial = {3}, .kind = Kind::adaptive, .output_size = {7}}, {0, 0, 0.5, 1, 1.5, 2, 2});
  expect_average({.spatial = {10}, .kind = Kind::adaptive, .output_size = {4}}, {1, 3, 6, 8});
}

void expect_outputs(const Geometry& g, Index want) {
  EXPECT_EQ(oracle::output_spatial(g), Extents{want}) << testing::PrintToString(g);
}

TEST(Oracle, OutputSizesFollowPyTorch) {
  expect_outputs({.spatial = {7}, .kernel = {2}, .stride = {2}}, 3);
  expect_outputs({.spatial = {7}, .kernel = {2}, .stride = {2}, .ceil = true}, 4);
  expect_outputs({.spatial = {2}, .kernel = {1}, .stride = {3}, .ceil = true}, 1);
  expect_outputs({.spatial = {3}, .kernel = {2}, .stride = {2}, .begin = {1}, .ceil = true}, 2);
  expect_outputs({.spatial = {10}, .kernel = {3}, .stride = {1}, .dilation = {4}}, 2);
}

// The rule as PyTorch writes it, for every small problem.
TEST(Oracle, OutputSizesEqualPyTorchsFormula) {
  for (Index n = 1; n <= 9; ++n) {
    for (Index k = 1; k <= 4; ++k) {
      for (Index s = 1; s <= 4; ++s) {
        for (Index p0 = 0; p0 < k; ++p0) {
          for (Index p1 = 0; p1 < k; ++p1) {
            const Index slack = n + p0 + p1 - k;
            if (slack < 0) continue;
            expect_outputs({.spatial = {n}, .kernel = {k}, .stride = {s}, .begin = {p0}, .end = {p1}}, slack / s + 1);
            Index rounded_up = (slack + s - 1) / s + 1;
            if ((rounded_up - 1) * s >= n + p0) --rounded_up;
            expect_outputs({.spatial = {n}, .kernel = {k}, .stride = {s}, .begin = {p0}, .end = {p1}, .ceil = true},
                           rounded_up);
          }
        }
      }
    }
  }
}

TEST(Oracle, SamePaddingPutsTheOddCellAsNamed) {
  const auto upper = oracle::padding_of({.spatial = {6}, .kernel = {4}, .stride = {3}, .pad = Pad::same_upper}, 0);
  EXPECT_EQ(upper.begin, 0);
  EXPECT_EQ(upper.end, 1);
  const auto lower = oracle::padding_of({.spatial = {6}, .kernel = {4}, .stride = {3}, .pad = Pad::same_lower}, 0);
  EXPECT_EQ(lower.begin, 1);
  EXPECT_EQ(lower.end, 0);
}

TEST(Oracle, MaxTakesTheFirstOfTiesAndTheLastNan) {
  const Geometry g{.spatial = {5}, .kernel = {5}};
  EXPECT_EQ(oracle::max_pool(g, {3, 7, 7, 7, 1}).flat, Extents{1});
  EXPECT_EQ(oracle::max_pool(g, {1, nan, 5, nan, 2}).flat, Extents{3});
  EXPECT_TRUE(std::isnan(oracle::max_pool(g, {1, nan, 5, nan, 2}).values[0]));
}

TEST(Oracle, MaxOfMinusInfinitiesIsTheFirstCellInsideTheInput) {
  const Geometry g{.spatial = {3, 3}, .kernel = {3, 3}, .stride = {1, 1}, .begin = {1, 1}};
  const oracle::Max max = oracle::max_pool(g, Values(9, -inf));
  EXPECT_EQ(max.flat, (Extents{0, 0, 1, 0, 0, 1, 3, 3, 4}));
  EXPECT_EQ(max.compact, (Extents{4, 3, 3, 1, 0, 0, 1, 0, 0}));
}

TEST(Oracle, AWindowOfHolesIsTheIdentityAndDropsItsGradient) {
  const Geometry g{.spatial = {1}, .kernel = {3}, .stride = {6}, .begin = {1}, .end = {4}, .dilation = {2}};
  EXPECT_EQ(oracle::max_pool(g, {5}).values, Values{-inf});
  EXPECT_EQ(oracle::max_pool(g, {5}).flat, Extents{-1});
  EXPECT_EQ(oracle::average_pool(g, {5}).values, Values{0});
  EXPECT_EQ(oracle::max_backward(g, {5}, {3}), Values{0});
  EXPECT_EQ(oracle::average_backward(g, {3}).values, Values{0});
}

TEST(Oracle, BackwardsAccumulateWhereWindowsOverlap) {
  const Geometry g{.spatial = {4}, .kernel = {2}, .stride = {1}};
  EXPECT_EQ(oracle::max_backward(g, {1, 9, 2, 3}, {10, 20, 30}), (Values{0, 30, 0, 30}));
  EXPECT_EQ(oracle::average_backward(g, {10, 20, 30}).values, (Values{5, 15, 25, 15}));
}

}  // namespace
