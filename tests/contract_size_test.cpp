// Output sizes and where windows lie: rounding modes, explicit and SAME padding, adaptive bounds, huge extents.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <vector>

namespace {

using eigenpool::keep;
using eigenpool::Padding;
using eigenpool::same_lower;
using eigenpool::same_upper;
using eigenpool::Sizes;
using eigenpool::Window;
using Row = Eigen::Tensor<float, 1, Eigen::RowMajor>;
using Plane = Eigen::Tensor<float, 2, Eigen::RowMajor>;
// No channels: any spatial extent without memory for it.
using Bare = Eigen::Tensor<float, 2, Eigen::RowMajor>;

Row row(const std::vector<float>& values) {
  Row x(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}
std::vector<float> values(const Row& x) { return {x.data(), x.data() + x.size()}; }

Row counting(Eigen::Index n, float from) {
  Row x(n);
  for (Eigen::Index i = 0; i < n; ++i) x(i) = from + static_cast<float>(i);
  return x;
}

Eigen::Index size_for(Eigen::Index extent, const Window<1>& w) {
  return eigenpool::max_pool1d(Bare(0, extent), w).dimension(1);
}

/// PyTorch's rule by walking along the axis instead of by a formula. A window lies at every stride while it fits
/// the padded input. Rounding up lets a last one stick out: it exists when the padded input has cells left for it,
/// and starts inside the input or the leading padding.
Eigen::Index walked_size(Eigen::Index n, Eigen::Index begin, Eigen::Index end, Eigen::Index extent, Eigen::Index stride,
                         bool ceil) {
  Eigen::Index count = 0;
  const auto fits = [&](Eigen::Index start) { return start + extent <= n + end; };
  Eigen::Index start = -begin;
  for (; fits(start); start += stride) ++count;
  const bool cells_left = start - stride + extent < n + end;
  if (ceil && cells_left && start < n) ++count;
  return count;
}

TEST(OutputSize, EverySmallWindowFollowsTheRule) {
  int checked = 0;
  for (const bool ceil : {false, true})
    for (Eigen::Index n = 1; n <= 9; ++n)
      for (Eigen::Index kernel = 1; kernel <= 4; ++kernel)
        for (Eigen::Index stride = 1; stride <= 5; ++stride)
          for (Eigen::Index dilation = 1; dilation <= 3; ++dilation) {
            const Eigen::Index extent = dilation * (kernel - 1) + 1;
            for (Eigen::Index begin = 0; begin < extent; ++begin)
              for (Eigen::Index end = 0; end < extent; ++end) {
                const Eigen::Index expected = walked_size(n, begin, end, extent, stride, ceil);
                if (expected < 1) continue;  // an error, which errors_window_test covers
                const Window<1> w{.kernel = kernel,
                                  .stride = stride,
                                  .padding = {Sizes<1>(begin), Sizes<1>(end)},
                                  .dilation = dilation,
                                  .ceil_mode = ceil};
                ASSERT_EQ(size_for(n, w), expected)
                    << "n " << n << " kernel " << kernel << " stride " << stride << " dilation " << dilation
                    << " padding " << begin << " " << end << (ceil ? " ceil" : "");
                ++checked;
              }
          }
  EXPECT_GT(checked, 20000);
}

// Rules without the clip give 2 here, with nothing in the second window.
TEST(OutputSize, CeilClipsAWindowThatStartsBehindTheInput) {
  EXPECT_EQ(size_for(2, {.kernel = 1, .stride = 3, .ceil_mode = true}), 1);
  EXPECT_EQ(size_for(4, {.kernel = 2, .stride = 3, .padding = {Sizes<1>(0), Sizes<1>(1)}, .ceil_mode = true}), 2);
  EXPECT_EQ(size_for(3, {.kernel = 2, .stride = 3, .padding = {Sizes<1>(0), Sizes<1>(1)}, .ceil_mode = true}), 1);
}

// onnx's evaluator spreads the overhang over both ends and finds 1.5 and 3 (averages) instead.
TEST(OutputSize, CeilOverhangIsAllAtTheEnd) {
  const Row x = row({1, 2, 3, 4});
  const Window<1> w{.kernel = 3, .stride = 3, .ceil_mode = true};
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, w)), (std::vector<float>{2, 4}));
  EXPECT_EQ(values(eigenpool::max_pool1d(x, w)), (std::vector<float>{3, 4}));
}

// 2^24 + 1 is the first extent that a float cannot hold.
TEST(OutputSize, ExtentsBeyondFloatAreExact) {
  for (const Eigen::Index n : {Eigen::Index{16777217}, Eigen::Index{19200001}, (Eigen::Index{1} << 53) + 1}) {
    EXPECT_EQ(size_for(n, {.kernel = 1}), n);
    EXPECT_EQ(size_for(n, {.kernel = 2}), n / 2);
    EXPECT_EQ(size_for(n, {.kernel = 2, .ceil_mode = true}), n / 2 + 1);
    EXPECT_EQ(size_for(n, {.kernel = 3, .stride = 1, .padding = 1}), n);
    EXPECT_EQ(size_for(n, {.kernel = 2, .padding = same_upper}), n / 2 + 1);
    EXPECT_EQ(eigenpool::adaptive_max_pool1d(Bare(0, n), keep).dimension(1), n);
  }
  constexpr Eigen::Index largest = std::numeric_limits<Eigen::Index>::max();
  EXPECT_EQ(size_for(largest, {.kernel = 3, .stride = largest, .ceil_mode = true}), 1);
  EXPECT_EQ(size_for(largest, {.kernel = largest}), 1);
  EXPECT_EQ(size_for(7, {.kernel = 3, .stride = largest, .padding = 1, .ceil_mode = true}), 1);
}

// A stride may be any number: nothing may multiply it by anything, or take memory for it.
TEST(OutputSize, HugeStridesPoolOneWindow) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 3, 20, 20);
  x.setRandom();
  for (const Eigen::Index stride :
       {Eigen::Index{1000}, Eigen::Index{1} << 40, std::numeric_limits<Eigen::Index>::max()})
    for (const Eigen::Index kernel : {2, 7}) {
      const eigenpool::Window<2> w{.kernel = kernel, .stride = stride};
      const auto [y, flat] = eigenpool::max_pool2d_with_indices(x, w);
      const auto compact = eigenpool::max_pool2d_with_indices<std::uint8_t>(x, w).indices;
      const auto from_compact = eigenpool::max_pool2d_backward(y, compact, x.dimensions(), w);
      const auto from_flat = eigenpool::max_pool2d_backward(y, flat, x.dimensions(), w);
      EXPECT_TRUE(std::equal(from_flat.data(), from_flat.data() + from_flat.size(), from_compact.data()));
      const auto mean = eigenpool::avg_pool2d(x, w);
      const auto dx = eigenpool::avg_pool2d_backward(mean, x.dimensions(), w);
      EXPECT_EQ(dx(0, 0, kernel - 1, 0), mean(0, 0, 0, 0) / static_cast<float>(kernel * kernel));
      EXPECT_EQ(dx(0, 0, kernel, 0), 0);
      EXPECT_EQ(eigenpool::max_pool2d(x, w)(1, 2, 0, 0), y(1, 2, 0, 0));
    }
}

TEST(OutputSize, LongRowsArePooledToTheirEnd) {
  for (const Eigen::Index n : {Eigen::Index{16777217}, Eigen::Index{19200001}}) {
    Eigen::Tensor<std::int8_t, 1, Eigen::RowMajor> x(n);
    x.setConstant(-5);
    x(n - 1) = 9;
    const auto [y, index] = eigenpool::max_pool1d_with_indices(x, {.kernel = 2, .ceil_mode = true});
    ASSERT_EQ(y.dimension(0), n / 2 + 1);
    EXPECT_EQ(int{y(n / 2 - 1)}, -5);
    EXPECT_EQ(int{y(n / 2)}, 9);
    EXPECT_EQ(index(n / 2), n - 1);
    EXPECT_EQ(index(n / 2 - 1), n - 3);
    const auto whole = eigenpool::adaptive_max_pool1d_with_indices(x, 1);
    EXPECT_EQ(whole.indices(0), n - 1);
  }
}

TEST(SamePaddingMode, OddCellGoesToTheNamedEnd) {
  const Row x = counting(5, 1);
  const Window<1> upper{.kernel = 2, .padding = same_upper}, lower{.kernel = 2, .padding = same_lower};
  EXPECT_EQ(values(eigenpool::max_pool1d(x, upper)), (std::vector<float>{2, 4, 5}));
  EXPECT_EQ(values(eigenpool::max_pool1d(x, lower)), (std::vector<float>{1, 3, 5}));
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, upper)), (std::vector<float>{1.5f, 3.5f, 2.5f}));
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, upper, {.count_include_pad = false})), (std::vector<float>{1.5f, 3.5f, 5}));
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, lower)), (std::vector<float>{0.5f, 2.5f, 4.5f}));
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, lower, {.count_include_pad = false})), (std::vector<float>{1, 2.5f, 4.5f}));
}

TEST(SamePaddingMode, DilatedWindow) {  // extent 4 at stride 1: one cell before and two behind, or the reverse
  const Row x = counting(6, 1);
  const Window<1> upper{.kernel = 2, .stride = 1, .padding = same_upper, .dilation = 3};
  const Window<1> lower{.kernel = 2, .stride = 1, .padding = same_lower, .dilation = 3};
  EXPECT_EQ(values(eigenpool::max_pool1d(x, upper)), (std::vector<float>{3, 4, 5, 6, 4, 5}));
  EXPECT_EQ(values(eigenpool::max_pool1d(x, lower)), (std::vector<float>{2, 3, 4, 5, 6, 4}));
}

// A stride beyond the kernel needs no padding: the total, (o-1)s + e - n, is negative there and must not be used.
TEST(SamePaddingMode, StrideBeyondTheKernel) {
  EXPECT_EQ(values(eigenpool::max_pool1d(counting(6, 1), {.kernel = 1, .stride = 3, .padding = same_upper})),
            (std::vector<float>{1, 4}));
  Plane x(4, 6);
  for (int i = 0; i < 24; ++i) x.data()[i] = static_cast<float>(i);
  const Plane y = eigenpool::max_pool2d(x, {.kernel = {3, 1}, .stride = {1, 2}, .padding = same_lower});
  ASSERT_EQ(y.dimension(0), 4);
  ASSERT_EQ(y.dimension(1), 3);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_EQ(y(i, j), static_cast<float>(std::min(i + 1, 3) * 6 + 2 * j));
}

TEST(SamePaddingMode, KernelLargerThanTheInputIsLegal) {
  EXPECT_EQ(values(eigenpool::max_pool1d(row({-3, -1, -2}), {.kernel = 7, .stride = 1, .padding = same_upper})),
            (std::vector<float>{-1, -1, -1}));
}

TEST(SamePaddingMode, SizeIsTheCeilingAndCeilModeChangesNothing) {
  for (Eigen::Index n = 1; n <= 12; ++n)
    for (Eigen::Index kernel = 1; kernel <= 4; ++kernel)
      for (Eigen::Index stride = 1; stride <= 4; ++stride)
        for (const bool ceil : {false, true})
          for (const auto mode : {same_upper, same_lower})
            ASSERT_EQ(size_for(n, {.kernel = kernel, .stride = stride, .padding = mode, .ceil_mode = ceil}),
                      (n + stride - 1) / stride);
}

TEST(ExplicitPadding, BeginAndEndDiffer) {
  const Row x = row({-1, -2, -3, -4});
  const Window<1> behind{.kernel = 3, .stride = 1, .padding = {Sizes<1>(0), Sizes<1>(2)}};
  const Window<1> before{.kernel = 3, .stride = 1, .padding = {Sizes<1>(2), Sizes<1>(0)}};
  EXPECT_EQ(values(eigenpool::max_pool1d(x, behind)), (std::vector<float>{-1, -2, -3, -4}));
  EXPECT_EQ(values(eigenpool::max_pool1d(x, before)), (std::vector<float>{-1, -1, -1, -2}));
}

TEST(ExplicitPadding, AxesAndSidesAreNotExchanged) {
  Plane x(2, 3);
  x.setValues({{1, 2, 3}, {4, 5, 6}});
  const Padding<2> padding{{0, 1}, {1, 2}};  // begin: none and one; end: one and two
  const Plane y =
      eigenpool::avg_pool2d(x, {.kernel = {2, 3}, .stride = 1, .padding = padding}, {.divisor_override = 1});
  Plane expected(2, 4);
  expected.setValues({{12, 21, 16, 9}, {9, 15, 11, 6}});
  ASSERT_EQ(y.dimension(0), 2);
  ASSERT_EQ(y.dimension(1), 4);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y.data()[i], expected.data()[i]) << i;
}

// The longest legal window and its padding cost no more than the one cell in reach.
TEST(ExplicitPadding, HugeKernelAndPadding) {
  constexpr Eigen::Index huge = Eigen::Index{1} << 40;
  const Row x = row({2, -3, 7});
  const Window<1> w{.kernel = huge, .padding = {Sizes<1>(huge - 1), Sizes<1>(huge - 1)}};
  EXPECT_EQ(values(eigenpool::max_pool1d(x, w)), (std::vector<float>{2, 7}));
  const auto [y, index] = eigenpool::max_pool1d_with_indices(x, w);
  EXPECT_EQ(index(0), 0);
  EXPECT_EQ(index(1), 2);
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, w, {.count_include_pad = false})), (std::vector<float>{2, 2}));
}

TEST(Adaptive, AverageGoldens) {
  EXPECT_EQ(values(eigenpool::adaptive_avg_pool1d(counting(3, 0), 7)), (std::vector<float>{0, 0, 0.5f, 1, 1.5f, 2, 2}));
  EXPECT_EQ(values(eigenpool::adaptive_avg_pool1d(counting(10, 0), 4)), (std::vector<float>{1, 3, 6, 8}));
}

// In float, and for the last pair also in 32-bit integers, i * n / o goes wrong.
TEST(Adaptive, BoundsAreExact) {
  const std::array<std::array<Eigen::Index, 2>, 6> pairs{
      {{5877, 2855}, {4757, 3527}, {5873, 3527}, {3527, 5873}, {1, 100}, {100000, 70001}}};
  for (const auto [n, outputs] : pairs) {
    Eigen::Tensor<std::int32_t, 1, Eigen::RowMajor> rising(n), falling(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      rising(i) = static_cast<std::int32_t>(i);
      falling(i) = static_cast<std::int32_t>(-i);
    }
    const auto last = eigenpool::adaptive_max_pool1d(rising, outputs);
    const auto first = eigenpool::adaptive_max_pool1d_with_indices(falling, outputs);
    ASSERT_EQ(last.dimension(0), outputs);
    for (Eigen::Index i = 0; i < outputs; ++i) {
      const Eigen::Index begin = i * n / outputs, end = ((i + 1) * n + outputs - 1) / outputs;
      ASSERT_EQ(last(i), end - 1) << n << " to " << outputs << ", window " << i;
      ASSERT_EQ(first.indices(i), begin) << n << " to " << outputs << ", window " << i;
      ASSERT_EQ(first.output(i), -begin) << n << " to " << outputs << ", window " << i;
    }
  }
}

TEST(Adaptive, KeepLeavesAnAxisAlone) {
  Plane x(4, 5);
  for (int i = 0; i < 20; ++i) x.data()[i] = static_cast<float>(i);
  const Plane y = eigenpool::adaptive_max_pool2d(x, {2, keep});
  ASSERT_EQ(y.dimension(0), 2);
  ASSERT_EQ(y.dimension(1), 5);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 5; ++j) EXPECT_EQ(y(i, j), static_cast<float>((2 * i + 1) * 5 + j));
  const Plane same = eigenpool::adaptive_avg_pool2d(x, keep);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(same.data()[i], x.data()[i]);
}

TEST(Adaptive, OutputSizeZeroIsEmpty) {
  Plane x(4, 5);
  x.setConstant(1);
  const Plane y = eigenpool::adaptive_avg_pool2d(x, {0, 3});
  EXPECT_EQ(y.dimension(0), 0);
  EXPECT_EQ(y.dimension(1), 3);
  EXPECT_EQ(eigenpool::adaptive_max_pool2d_with_indices(x, {2, 0}).indices.size(), 0);
}

}  // namespace
