// What a maximum returns where definitions differ: NaN, ties, -inf, the lowest integer and windows without a cell.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "fronts.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::Window;
using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

struct Best {
  float value = -infinity;
  std::int64_t index = -1;  // flat in the plane
  std::int64_t tap = -1;    // the number within the window
};

/// PyTorch's fold: begin with the first cell of the image; a larger value or a NaN takes over. `at(row, column)` reads
/// the plane.
template <class At>
Best fold(const At& at, std::int64_t rows, std::int64_t columns, std::int64_t kernel, std::int64_t row0,
          std::int64_t column0) {
  Best best;
  for (std::int64_t r = row0; r < row0 + kernel; ++r)
    for (std::int64_t c = column0; c < column0 + kernel; ++c) {
      if (r < 0 || r >= rows || c < 0 || c >= columns) continue;
      const Best cell{at(r, c), r * columns + c, (r - row0) * kernel + c - column0};
      if (best.index < 0 || cell.value > best.value || std::isnan(cell.value)) best = cell;
    }
  return best;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Max pooling of every channel against the fold, without indices and with both kinds.
template <Layout layout, int order>
void expect_folds(const Eigen::Tensor<float, 3, order>& x, std::int64_t kernel, std::int64_t stride) {
  const Window<2> w{.kernel = kernel, .stride = stride, .padding = kernel / 2};
  const auto y = eigenpool::max_pool2d<layout>(x, w);
  const auto flat = eigenpool::max_pool2d_with_indices<layout>(x, w);
  const auto compact = eigenpool::max_pool2d_with_indices<layout, std::uint8_t>(x, w);
  constexpr int h = layout == channels_first ? 1 : 0, channel = layout == channels_first ? 0 : 2;
  for (Eigen::Index c = 0; c < x.dimension(channel); ++c) {
    const auto place = [c](Eigen::Index i, Eigen::Index j) {
      return layout == channels_first ? std::array<Eigen::Index, 3>{c, i, j} : std::array<Eigen::Index, 3>{i, j, c};
    };
    const auto at = [&](std::int64_t i, std::int64_t j) { return x(place(i, j)); };
    for (Eigen::Index i = 0; i < y.dimension(h); ++i)
      for (Eigen::Index j = 0; j < y.dimension(h + 1); ++j) {
        const Best best =
            fold(at, x.dimension(h), x.dimension(h + 1), kernel, i * stride - kernel / 2, j * stride - kernel / 2);
        ASSERT_TRUE(same(y(place(i, j)), best.value)) << "output " << i << " " << j << " channel " << c;
        ASSERT_TRUE(same(flat.output(place(i, j)), best.value)) << "output " << i << " " << j << " channel " << c;
        ASSERT_TRUE(same(compact.output(place(i, j)), best.value)) << "output " << i << " " << j << " channel " << c;
        ASSERT_EQ(flat.indices(place(i, j)), best.index) << "output " << i << " " << j << " channel " << c;
        ASSERT_EQ(int{compact.indices(place(i, j))}, best.tap) << "output " << i << " " << j << " channel " << c;
      }
  }
}

template <class Fill>
void for_every_small_plane(const Fill& fill) {
  std::mt19937 random(3);
  for (const std::int64_t kernel : {2, 3, 5})
    for (const std::int64_t stride : {1, 2, 3})
      for (Eigen::Index width = 1; width <= 40; ++width) {
        SCOPED_TRACE(testing::Message() << "kernel " << kernel << " stride " << stride << " width " << width);
        if (width + 2 * (kernel / 2) < kernel) continue;
        Eigen::Tensor<float, 3, Eigen::RowMajor> first(2, 6, width), last(6, 5, width);
        Eigen::Tensor<float, 3, Eigen::ColMajor> reversed(width, 5, 6);
        fill(first, random);
        fill(last, random);
        fill(reversed, random);
        expect_folds<channels_first>(first, kernel, stride);
        expect_folds<channels_last>(last, kernel, stride);
        expect_folds<channels_first>(reversed, kernel, stride);
        if (testing::Test::HasFatalFailure()) return;
      }
}

// Widths (channels first) and channel counts (channels last) of 1 to 40 reach every lane of every vector, and the
// tails behind them.
TEST(MaxNan, RandomNansReachTheirWindowsAndTheLastOneGivesTheIndex) {
  for_every_small_plane([](auto& x, std::mt19937& random) {
    for (Eigen::Index i = 0; i < x.size(); ++i)
      x.data()[i] = random() % 6 == 0 ? nan : -static_cast<float>(random() % 100);
  });
}

// A kernel that keeps a NaN only if it is the first, or only in one operand, fails for one of the places.
TEST(MaxNan, OneNanAtEveryPosition) {
  for (const std::int64_t kernel : {2, 3, 5})
    for (const std::int64_t stride : {1, 2, 3}) {
      Eigen::Tensor<float, 3, Eigen::RowMajor> first(1, 5, 37), last(5, 2, 19);
      for (auto* x : {&first, &last})
        for (Eigen::Index i = 0; i < x->size(); ++i) {
          x->setConstant(-1);
          x->data()[i] = nan;
          SCOPED_TRACE(testing::Message() << "kernel " << kernel << " stride " << stride << " NaN at " << i);
          if (x == &first) expect_folds<channels_first>(*x, kernel, stride);
          if (x == &last && kernel < 5) expect_folds<channels_last>(*x, kernel, stride);
          if (HasFatalFailure()) return;
        }
    }
}

TEST(MaxNan, GoldenRow) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> x(6);
  x.setValues({1, nan, 5, nan, 2, 7});
  const auto [y, index] = eigenpool::max_pool1d_with_indices(x, {.kernel = 6});
  EXPECT_TRUE(std::isnan(y(0)));
  EXPECT_EQ(index(0), 3);
  const auto adaptive = eigenpool::adaptive_max_pool1d_with_indices(x, 1);
  EXPECT_TRUE(std::isnan(adaptive.output(0)));
  EXPECT_EQ(adaptive.indices(0), 3);
}

// Between the taps of a dilated window lie rows that only its neighbours read, and the last window need not reach the
// furthest: a NaN in any of them counts.
TEST(MaxNan, DilatedWindowsFindItInEveryRow) {
  const Window<3> w{.kernel = {3, 6, 1}, .stride = 1, .padding = {{1, 11, 0}, {6, 14, 0}}, .dilation = {3, 3, 1}};
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 2, 8, 5);
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    x.setConstant(1);
    x.data()[i] = nan;
    const auto [y, index] = eigenpool::max_pool3d_with_indices(x, w);
    const auto bare = eigenpool::max_pool3d(x, w);
    const Eigen::Index plane = x.size() / 2, outputs = y.size() / 2;
    for (Eigen::Index o = 0; o < y.size(); ++o) {
      const bool is_at_nan = o / outputs == i / plane && index.data()[o] == i % plane;
      EXPECT_EQ(std::isnan(bare.data()[o]), is_at_nan) << "NaN at " << i << ", output " << o;
    }
    // A window of every residue of the dilation reaches the cell.
    EXPECT_GT(std::count_if(bare.data(), bare.data() + bare.size(), [](float v) { return std::isnan(v); }), 0);
  }
}

TEST(MaxNan, LongWindowsAndGlobal) {
  for (Eigen::Index i = 0; i < 211; ++i) {
    Eigen::Tensor<float, 3, Eigen::RowMajor> x(1, 1, 211);
    x.setConstant(-2);
    x(0, 0, i) = nan;
    const auto y = eigenpool::max_pool1d(x, {.kernel = 31, .stride = 1});
    for (Eigen::Index j = 0; j < y.size(); ++j)
      ASSERT_TRUE(same(y.data()[j], j <= i && i < j + 31 ? nan : -2.f)) << "NaN at " << i << " window " << j;
    const auto global = eigenpool::global_max_pool_with_indices(x);
    ASSERT_TRUE(std::isnan(global.output(0, 0))) << i;
    ASSERT_EQ(global.indices(0, 0), i);
    ASSERT_TRUE(std::isnan(eigenpool::global_max_pool(x)(0, 0))) << i;
  }
}

TEST(MaxTies, SmallIntegersInEveryPlane) {
  for_every_small_plane([](auto& x, std::mt19937& random) {
    for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = -static_cast<float>(random() % 2 + 1);
  });
}

TEST(MaxInfinity, AllMinusInfinityGivesTheFirstCellInTheImage) {
  for_every_small_plane([](auto& x, std::mt19937&) { x.setConstant(-infinity); });
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(3, 3);
  x.setConstant(-infinity);
  const auto [y, index] = eigenpool::max_pool2d_with_indices(x, {.kernel = 3, .stride = 1, .padding = 1});
  const std::vector<std::int64_t> golden{0, 0, 1, 0, 0, 1, 3, 3, 4};
  EXPECT_EQ(std::vector<std::int64_t>(index.data(), index.data() + 9), golden);
  EXPECT_EQ(y(0, 0), -infinity);
}

template <class Case>
class MaxTies : public testing::Test {};
using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>,
                   PoolingCase<3, channels_first>, PoolingCase<3, channels_last>,
                   PoolingCase<3, channels_first, Eigen::ColMajor>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(MaxTies, Cases, eigenpool_test::PoolingCaseName);

// In a constant tensor the first cell of the image wins: in memory of the other order that is not the first visited.
TYPED_TEST(MaxTies, FirstCellOfAConstantPlane) {
  constexpr int D = TypeParam::D;
  typename TypeParam::Extents extents{};
  extents.fill(5);
  typename TypeParam::template Tensor<float> x(TypeParam::shape(2, 3, extents));
  for (const float value : {-1.f, 0.f, -0.f}) {
    x.setConstant(value);
    if (value == 0) x.data()[x.size() / 2] = -value;  // zeros of both signs are equal
    const auto [y, index] = Fronts<D>::template max_pool_with_indices<TypeParam::layout, std::int64_t>(
        x, Window<D>{.kernel = 3, .stride = 2, .padding = 1});
    const auto taps = Fronts<D>::template max_pool_with_indices<TypeParam::layout, std::uint8_t>(
        x, Window<D>{.kernel = 3, .stride = 2, .padding = 1});
    ASSERT_EQ(y.size(), 6 * std::lround(std::pow(3, D)));
    typename TypeParam::Shape place{};
    for (Eigen::Index n = 0; n < y.size(); ++n) {
      Eigen::Index rest = n;
      for (std::size_t a = place.size(); a-- > 0; rest /= y.dimension(a)) place[a] = rest % y.dimension(a);
      std::int64_t first = 0, tap = 0;
      for (int a = 0; a < D; ++a) {
        const Eigen::Index o = place[static_cast<std::size_t>(TypeParam::first_spatial + a)];
        first = first * 5 + std::max<Eigen::Index>(2 * o - 1, 0);
        tap = tap * 3 + (o == 0 ? 1 : 0);
      }
      ASSERT_EQ(index(place), first);
      ASSERT_EQ(int{taps.indices(place)}, tap);
    }
  }
}

TEST(EmptyWindow, MaxIsTheIdentityAndItsGradientIsDropped) {
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(1, 8);
  x.setConstant(5);
  const Window<2> w{.kernel = 3, .stride = 6, .padding = 1, .dilation = 2, .ceil_mode = true};
  const auto [y, index] = eigenpool::max_pool2d_with_indices(x, w);
  const auto bytes = eigenpool::max_pool2d_with_indices<std::uint8_t>(x, w);
  const auto words = eigenpool::max_pool2d_with_indices<std::uint32_t>(x, w);
  ASSERT_EQ(y.size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(y(0, i), -infinity);
    EXPECT_EQ(eigenpool::max_pool2d(x, w)(0, i), -infinity);
    EXPECT_EQ(index(0, i), -1);
    EXPECT_EQ(int{bytes.indices(0, i)}, 255);
    EXPECT_EQ(words.indices(0, i), std::numeric_limits<std::uint32_t>::max());
  }
  auto dy = y;
  dy.setConstant(1);
  for (const auto& dx : {eigenpool::max_pool2d_backward(dy, index, x.dimensions(), w),
                         eigenpool::max_pool2d_backward(dy, bytes.indices, x.dimensions(), w),
                         eigenpool::max_pool2d_backward_from_input(dy, x, w)})
    for (Eigen::Index i = 0; i < dx.size(); ++i) EXPECT_EQ(dx.data()[i], 0.f);
}

TEST(EmptyWindow, DilationAloneSteppingOverTheInput) {  // taps at -1 and 1 of a row of one cell
  Eigen::Tensor<std::int8_t, 1, Eigen::RowMajor> x(1);
  x.setConstant(3);
  const auto [y, index] = eigenpool::max_pool1d_with_indices(x, {.kernel = 2, .padding = 1, .dilation = 2});
  ASSERT_EQ(y.size(), 1);
  EXPECT_EQ(int{y(0)}, -128);
  EXPECT_EQ(index(0), -1);
}

template <class Scalar>
class IntegerMax : public testing::Test {};
using Integers = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(IntegerMax, Integers);

// The lowest value equals the identity: it must still get the index of a cell in the image.
TYPED_TEST(IntegerMax, LowestValuesAndExtremes) {
  constexpr TypeParam low = std::numeric_limits<TypeParam>::lowest(), high = std::numeric_limits<TypeParam>::max();
  Eigen::Tensor<TypeParam, 1, Eigen::RowMajor> x(40);
  x.setConstant(low);
  x(36) = high;
  x(37) = static_cast<TypeParam>(high - 1);  // differs from its neighbour in the last bit of 64
  const auto [y, index] = eigenpool::max_pool1d_with_indices(x, {.kernel = 3, .stride = 1, .padding = 1});
  for (Eigen::Index i = 0; i < 40; ++i) {
    const Eigen::Index first = std::max<Eigen::Index>(i - 1, 0);
    const bool reaches_high = i >= 35 && i <= 37;
    EXPECT_EQ(+y(i), +(reaches_high ? high : i == 38 ? static_cast<TypeParam>(high - 1) : low)) << i;
    EXPECT_EQ(index(i), reaches_high ? 36 : i == 38 ? 37 : first) << i;
  }
}

}  // namespace
