// Averages: divisors (PyTorch's golden numbers), accumulation and special values.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <limits>
#include <random>
#include <vector>

namespace {

using eigenpool::AvgOptions;
using eigenpool::Window;
using Row = Eigen::Tensor<float, 1, Eigen::RowMajor>;
using Plane = Eigen::Tensor<float, 2, Eigen::RowMajor>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr AvgOptions exclude{.count_include_pad = false};

Row row(const std::vector<float>& values) {
  Row x(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}
template <class Tensor>
std::vector<float> values(const Tensor& x) {
  return {x.data(), x.data() + x.size()};
}

Plane counting(Eigen::Index rows, Eigen::Index columns, float from = 0) {
  Plane x(rows, columns);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = from + static_cast<float>(i);
  return x;
}

/// The golden numbers are printed with five digits.
void expect_close(const Plane& y, const std::vector<float>& golden) {
  ASSERT_EQ(static_cast<std::size_t>(y.size()), golden.size());
  for (std::size_t i = 0; i < golden.size(); ++i) EXPECT_NEAR(y.data()[i], golden[i], 5e-5f) << i;
}

const Window<2> golden_window{.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true};

TEST(Divisor, GoldenIncludePad) {
  expect_close(eigenpool::avg_pool2d(counting(4, 4, 1), golden_window),
               {1.5556f, 3.3333f, 2, 6.3333f, 11, 6, 4.5f, 7.5f, 4});
}

TEST(Divisor, GoldenExcludePad) {
  expect_close(eigenpool::avg_pool2d(counting(4, 4, 1), golden_window, exclude),
               {3.5f, 5, 6, 9.5f, 11, 12, 13.5f, 15, 16});
}

// Dividing the windows at the edge by the whole kernel gives 4.75 instead of 9.5.
TEST(Divisor, CeilOverhangNeverCounts) {
  const Window<2> w{.kernel = 2, .stride = 3, .ceil_mode = true};
  const std::vector<float> golden{4, 7, 9.5f, 25, 28, 30.5f, 42.5f, 45.5f, 48};
  EXPECT_EQ(values(eigenpool::avg_pool2d(counting(7, 7), w)), golden);
  EXPECT_EQ(values(eigenpool::avg_pool2d(counting(7, 7), w, exclude)), golden);
}

TEST(Divisor, OverrideWinsWhateverTheWindowHolds) {
  const Window<2> w{.kernel = 3, .stride = 2, .padding = 1};
  const Plane x = counting(5, 5);
  Plane expected = eigenpool::avg_pool2d(x, w, {.divisor_override = 1});
  for (const std::int64_t divisor : {std::int64_t{1}, std::int64_t{4}, std::int64_t{-2}}) {
    for (const bool include : {true, false}) {
      const Plane y = eigenpool::avg_pool2d(x, w, {.count_include_pad = include, .divisor_override = divisor});
      ASSERT_EQ(y.size(), expected.size());
      for (Eigen::Index i = 0; i < y.size(); ++i)
        EXPECT_EQ(y.data()[i], expected.data()[i] / static_cast<float>(divisor)) << i;
    }
  }
  EXPECT_EQ(values(expected), (std::vector<float>{12, 27, 24, 63, 108, 81, 72, 117, 84}));
}

// With dilation, the taps below in + pad_end count: of [1, 3] and pad 1 the window at -1 has taps -1 and 1.
TEST(Divisor, DilatedWindowCountsItsTapsNotItsExtent) {
  const Window<1> w{.kernel = 2, .stride = 1, .padding = 1, .dilation = 2};
  const auto x = row({1, 3, 5});
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, w)), (std::vector<float>{1.5f, 3, 1.5f}));
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, w, exclude)), (std::vector<float>{3, 3, 3}));
}

// Extent 5 at stride 4 on 4 cells and one of padding on both sides: the second window starts at 3. Its taps are 3,
// 5 and 7, and only position 4 is padding: one tap counts.
TEST(Divisor, DilatedCeilOverhangDoesNotCount) {
  const Window<1> w{.kernel = 3, .stride = 4, .padding = 1, .dilation = 2, .ceil_mode = true};
  const auto y = eigenpool::avg_pool1d(row({1, 2, 3, 6}), w);
  ASSERT_EQ(y.size(), 2);
  EXPECT_FLOAT_EQ(y(0), (2 + 6) / 3.f);
  EXPECT_FLOAT_EQ(y(1), 6);
}

// Only padding in the window, one tap of it below in + pad_end: a count that is not 0 must not be needed.
TEST(EmptyWindow, AverageIsZero) {
  Plane x(1, 8);
  x.setConstant(5);
  const Window<2> w{.kernel = 3, .stride = 6, .padding = 1, .dilation = 2, .ceil_mode = true};
  for (const AvgOptions& options : {AvgOptions{}, exclude, AvgOptions{.divisor_override = -3}}) {
    const Plane y = eigenpool::avg_pool2d(x, w, options);
    for (const float average : values(y)) EXPECT_EQ(average, 0.f);
    Plane dy = y;
    dy.setConstant(1);
    for (const float gradient : values(eigenpool::avg_pool2d_backward(dy, x.dimensions(), w, options)))
      EXPECT_EQ(gradient, 0.f);
  }
}

/// A running sum is off by thousands of these units; a tree of partial sums by less than its depth.
TEST(FloatSum, GlobalAverageOfFourMillionCellsIsAccurate) {
  constexpr Eigen::Index side = 2048;
  std::mt19937 random(7);
  std::uniform_real_distribution<float> between_0_and_1;
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(1, 1, side, side);
  double sum = 0;
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    x.data()[i] = between_0_and_1(random);
    sum += static_cast<double>(x.data()[i]);
  }
  const double cells = side * side, unit = std::numeric_limits<float>::epsilon() * sum / cells;
  EXPECT_NEAR(static_cast<double>(eigenpool::global_avg_pool(x)(0, 0)), sum / cells, 4 * unit);
  EXPECT_NEAR(static_cast<double>(eigenpool::avg_pool2d(x, {.kernel = side})(0, 0, 0, 0)), sum / cells, 4 * unit);
}

TEST(SpecialValues, InfinitiesAndOverflow) {
  const auto average = [](float a, float b) { return eigenpool::avg_pool1d(row({a, b}), {.kernel = 2})(0); };
  EXPECT_TRUE(std::isnan(average(infinity, -infinity)));
  EXPECT_EQ(average(3e38f, 3e38f), infinity);
  EXPECT_EQ(average(-infinity, 1), -infinity);
  EXPECT_TRUE(std::isnan(average(1, std::nanf(""))));
}

// A running sum that subtracts what leaves the window turns every later window into NaN.
TEST(SpecialValues, AnInfinityStaysInItsWindows) {
  for (Eigen::Index kernel : {2, 3, 16, 31}) {
    Row x(100);
    x.setConstant(1);
    x(40) = infinity;
    const auto y = eigenpool::avg_pool1d(x, {.kernel = kernel, .stride = 1});
    for (Eigen::Index i = 0; i < y.size(); ++i)
      ASSERT_EQ(y(i), i <= 40 && 40 < i + kernel ? infinity : 1.f) << "kernel " << kernel << ", window " << i;
  }
}

}  // namespace
