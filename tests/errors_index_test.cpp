// Indices that a caller hands back are checked before a gradient is written: each error names the coordinates of
// the offender in the tensor's own axes, whatever the layout and the storage order.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "error_calls.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool_test::error_of;
using eigenpool_test::ErrorCalls;
using eigenpool_test::Fronts;
using eigenpool_test::holds_only;
using eigenpool_test::indices_;
using eigenpool_test::PoolingCase;

constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

template <class Case>
class IndexErrors : public testing::Test {
 protected:
  using Shape = typename Case::Shape;
  using F = Fronts<Case::D>;
  template <class Index>
  using Indices = typename Case::template Tensor<Index>;

  /// A place whose coordinates differ from axis to axis, so that an exchange of two shows.
  Shape place() const {
    Shape result{};
    for (std::size_t a = 0; a < result.size(); ++a)
      result[a] = static_cast<Eigen::Index>(2 * a + 1) % calls_.output_shape[a];
    return result;
  }
  static std::string named(const Shape& place) {
    std::string text;
    for (const Eigen::Index coordinate : place) text += (text.empty() ? "" : ", ") + std::to_string(coordinate);
    return "indices(" + text + ")";
  }
  std::int64_t plane() const {
    std::int64_t cells = 1;
    for (int a = 0; a < Case::D; ++a) cells *= calls_.input_shape[static_cast<std::size_t>(Case::first_spatial + a)];
    return cells;
  }

  /// The compact index tensor that a legal call makes. The input rises, so every window has its own.
  template <class Index>
  Indices<Index> legal_indices() {
    for (Eigen::Index i = 0; i < calls_.x.size(); ++i) calls_.x.data()[i] = static_cast<float>(i);
    return F::template max_pool_with_indices<Case::layout, Index>(calls_.x, calls_.window).indices;
  }
  template <class Index>
  void expect_backward_error(const Indices<Index>& indices, const std::string& text) {
    const std::string name = "max_pool" + std::to_string(Case::D) + "d_backward";
    EXPECT_EQ(error_of([&] {
                F::template max_pool_backward<Case::layout>(calls_.dy, indices, calls_.input_shape, calls_.window);
              }),
              name + ": " + text);
    EXPECT_EQ(error_of([&] {
                F::template max_pool_backward_into<Case::layout>(calls_.dx, calls_.dy, indices, calls_.window);
              }),
              name + "_into: " + text);
    calls_.expect_untouched(name);
  }

  ErrorCalls<Case> calls_;
};

using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last>, PoolingCase<2, channels_first>,
                   PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                   PoolingCase<2, channels_last, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                   PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(IndexErrors, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(IndexErrors, FlatIndexOutsideThePlane) {
  auto& calls = this->calls_;
  const auto place = this->place();
  const std::string reason = ", must be -1 or below the plane's " + std::to_string(this->plane()) + " cells";
  for (const std::int64_t bad : {std::int64_t{-2}, int64_min, this->plane(), int64_max}) {
    calls.indices(place) = bad;
    calls.expect_error(indices_, this->named(place) + " is " + std::to_string(bad) + reason);
  }
  for (const std::int64_t legal : {std::int64_t{-1}, std::int64_t{0}, this->plane() - 1}) {
    calls.indices(place) = legal;
    calls.expect_no_error();
    calls.refill();
  }
}

// A check that looks only at whole vectors, or only at the first or last plane, would let one of these pass.
TYPED_TEST(IndexErrors, EveryPositionIsChecked) {
  auto& calls = this->calls_;
  for (Eigen::Index i = 0; i < calls.indices.size(); ++i) {
    calls.indices.setZero();
    calls.indices.data()[i] = this->plane();
    EXPECT_NE(error_of([&] {
                TestFixture::F::template max_pool_backward_into<TypeParam::layout>(calls.dx, calls.dy, calls.indices,
                                                                                   calls.window);
              }),
              "no error")
        << "element " << i;
  }
  calls.expect_untouched("max_pool_backward_into");
}

TYPED_TEST(IndexErrors, Flat32BitIndexOutsideThePlane) {
  typename TestFixture::template Indices<std::int32_t> indices(this->calls_.output_shape);
  const auto place = this->place();
  for (const std::int32_t bad : {-2, std::numeric_limits<std::int32_t>::min(), static_cast<int>(this->plane())}) {
    indices.setConstant(-1);
    indices(place) = bad;
    this->expect_backward_error(indices, this->named(place) + " is " + std::to_string(bad) +
                                             ", must be -1 or below the plane's " + std::to_string(this->plane()) +
                                             " cells");
  }
}

TYPED_TEST(IndexErrors, CompactIndexBeyondTheWindow) {
  auto indices = this->template legal_indices<std::uint8_t>();
  const std::string taps = TypeParam::D == 1 ? "3" : TypeParam::D == 2 ? "9" : "27";
  const auto place = this->place();
  for (const int bad : {std::stoi(taps), 254}) {
    indices(place) = static_cast<std::uint8_t>(bad);
    this->expect_backward_error(indices, this->named(place) + " is " + std::to_string(bad) +
                                             ", must be 255 or below the window's " + taps + " taps");
  }
}

TYPED_TEST(IndexErrors, Compact16BitIndexBeyondTheWindow) {
  auto indices = this->template legal_indices<std::uint16_t>();
  const std::string taps = TypeParam::D == 1 ? "3" : TypeParam::D == 2 ? "9" : "27";
  indices(this->place()) = 255;  // no exception for the 8-bit type's mark
  this->expect_backward_error(
      indices, this->named(this->place()) + " is 255, must be 65535 or below the window's " + taps + " taps");
}

// Every window at the beginning of an axis overlaps one cell of padding, which its tap 0 would name.
TYPED_TEST(IndexErrors, CompactIndexOfAPaddingTap) {
  auto indices = this->template legal_indices<std::uint8_t>();
  auto corner = this->place();
  for (int a = 0; a < TypeParam::D; ++a) corner[static_cast<std::size_t>(TypeParam::first_spatial + a)] = 0;
  indices(corner) = 0;
  this->expect_backward_error(indices, this->named(corner) + " is 0, a tap outside the input");
}

TYPED_TEST(IndexErrors, NoCellIsLegalInEveryKind) {
  auto& calls = this->calls_;
  typename TestFixture::template Indices<std::uint8_t> none(calls.output_shape);
  none.setConstant(255);
  TestFixture::F::template max_pool_backward_into<TypeParam::layout>(calls.dx, calls.dy, none, calls.window);
  EXPECT_TRUE(holds_only(calls.dx, 0.f));
  calls.refill();
  calls.indices.setConstant(-1);
  TestFixture::F::template max_pool_backward_into<TypeParam::layout>(calls.dx, calls.dy, calls.indices, calls.window);
  EXPECT_TRUE(holds_only(calls.dx, 0.f));
}

// Every tap of every window alone, in windows that reach beyond one, both or no end of their axes.
template <eigenpool::Layout layout, int order, class Index>
void expect_faults_at_padding_alone(const eigenpool::Window<2>& window) {
  using Shape = std::array<Eigen::Index, 4>;
  constexpr std::size_t first = layout == channels_last ? 1 : 2;
  Shape shape{2, 3, 3, 3};
  shape[first] = 5, shape[first + 1] = 6;
  Eigen::Tensor<float, 4, order> x(shape);
  x.setZero();
  auto pooled = eigenpool::max_pool2d_with_indices<layout, Index>(x, window);
  const Shape cells = pooled.output.dimensions();
  const auto is_outside = [&](const Shape& cell, int a, Eigen::Index tap) {
    const std::size_t axis = first + static_cast<std::size_t>(a);
    const Eigen::Index at = cell[axis] * window.stride[a] - window.padding.begin[a] + tap * window.dilation[a];
    return at < 0 || at >= shape[axis];
  };
  Shape cell{};
  for (cell[0] = 0; cell[0] < cells[0]; ++cell[0])
    for (cell[1] = 0; cell[1] < cells[1]; ++cell[1])
      for (cell[2] = 0; cell[2] < cells[2]; ++cell[2])
        for (cell[3] = 0; cell[3] < cells[3]; ++cell[3])
          for (Eigen::Index t0 = 0; t0 < window.kernel[0]; ++t0)
            for (Eigen::Index t1 = 0; t1 < window.kernel[1]; ++t1) {
              pooled.indices.setConstant(std::numeric_limits<Index>::max());
              pooled.indices(cell) = static_cast<Index>(t0 * window.kernel[1] + t1);
              const std::string error = error_of(
                  [&] { eigenpool::max_pool2d_backward<layout>(pooled.output, pooled.indices, shape, window); });
              ASSERT_EQ(error != "no error", is_outside(cell, 0, t0) || is_outside(cell, 1, t1))
                  << "tap " << t0 << ", " << t1;
            }
}
template <eigenpool::Layout layout, int order, class Index>
void expect_faults_at_padding_alone() {
  expect_faults_at_padding_alone<layout, order, Index>({.kernel = 3, .stride = 1, .padding = 1});
  expect_faults_at_padding_alone<layout, order, Index>({.kernel = {3, 2}, .stride = {2, 3}, .padding = {2, 0}});
  expect_faults_at_padding_alone<layout, order, Index>({.kernel = 3, .stride = 2, .padding = 2, .dilation = 2});
  expect_faults_at_padding_alone<layout, order, Index>({.kernel = 6, .stride = 1, .padding = 3, .ceil_mode = true});
}
TEST(CompactIndexOfAPaddingTap, IsFoundInEveryWindow) {
  expect_faults_at_padding_alone<channels_first, Eigen::RowMajor, std::uint8_t>();
  expect_faults_at_padding_alone<channels_last, Eigen::RowMajor, std::uint8_t>();
  expect_faults_at_padding_alone<channels_first, Eigen::ColMajor, std::uint16_t>();
}

// 5 cells to 3 give windows of 2, 3 and 2 cells.
TEST(AdaptiveIndexErrors, CompactIndexIsComparedWithItsOwnWindow) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> dy(3);
  dy.setConstant(1);
  Eigen::Tensor<std::uint8_t, 1, Eigen::RowMajor> indices(3);
  const std::array<Eigen::Index, 1> shape{5};
  indices.setValues({0, 2, 1});
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool1d_backward(dy, indices, shape); }), "no error");
  indices.setValues({0, 2, 2});
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool1d_backward(dy, indices, shape); }),
            "adaptive_max_pool1d_backward: indices(2) is 2, must be 255 or below the window's 2 taps");
  indices.setValues({0, 3, 0});
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool1d_backward(dy, indices, shape); }),
            "adaptive_max_pool1d_backward: indices(1) is 3, must be 255 or below the window's 3 taps");
}

TEST(TapNumbers, AByteNumbers255TapsAndNoMore) {
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(16, 17);
  x.setConstant(0);
  x(14, 16) = 1;  // the last of 15 x 17 taps: number 254, the largest a byte can tell from "none"
  const auto [value, tap] = eigenpool::max_pool2d_with_indices<std::uint8_t>(x, {.kernel = {15, 17}});
  EXPECT_EQ(int{tap(0, 0)}, 254);
  const std::string text = "max_pool2d_with_indices: kernel has 256 taps, more than a 1-byte index can number (255)";
  EXPECT_EQ(error_of([&] { eigenpool::max_pool2d_with_indices<std::uint8_t>(x, {.kernel = 16}); }), text);
}

TEST(TapNumbers, TooManyTapsInEveryFunction) {
  using Values = Eigen::Tensor<float, 3, Eigen::RowMajor>;
  using Taps = Eigen::Tensor<std::uint8_t, 3, Eigen::RowMajor>;
  Values x(1, 1, 300), dy(1, 1, 1), dx(1, 1, 300);
  Taps taps(1, 1, 1);
  x.setConstant(1);
  dy.setConstant(1);
  dx.setConstant(77);
  taps.setConstant(7);
  const eigenpool::Window<1> w{.kernel = 300};
  const std::string text = " has 300 taps, more than a 1-byte index can number (255)";
  EXPECT_EQ(error_of([&] { eigenpool::max_pool1d_with_indices<std::uint8_t>(x, w); }),
            "max_pool1d_with_indices: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::max_pool1d_with_indices_into(dy, taps, x, w); }),
            "max_pool1d_with_indices_into: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::max_pool1d_backward(dy, taps, x.dimensions(), w); }),
            "max_pool1d_backward: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::max_pool1d_backward_into(dx, dy, taps, w); }),
            "max_pool1d_backward_into: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool1d_with_indices<std::uint8_t>(x, 1); }),
            "adaptive_max_pool1d_with_indices: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool1d_backward_into(dx, dy, taps); }),
            "adaptive_max_pool1d_backward_into: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::global_max_pool_with_indices<std::uint8_t>(x); }),
            "global_max_pool_with_indices: kernel" + text);
  EXPECT_EQ(error_of([&] { eigenpool::global_max_pool_backward_into(dx, dy, taps); }),
            "global_max_pool_backward_into: kernel" + text);
  EXPECT_TRUE(holds_only(dx, 77.f));
  EXPECT_TRUE(holds_only(taps, std::uint8_t{7}));
}

TEST(TapNumbers, TwoBytesNumber65535Taps) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> x(65536);
  x.setConstant(0);
  x(65534) = 1;
  EXPECT_EQ(eigenpool::max_pool1d_with_indices<std::uint16_t>(x, {.kernel = 65535}).indices(0), 65534);
  EXPECT_EQ(error_of([&] { eigenpool::max_pool1d_with_indices<std::uint16_t>(x, {.kernel = 65536}); }),
            "max_pool1d_with_indices: kernel has 65536 taps, more than a 2-byte index can number (65535)");
}

// 2^22 x 2^21 x 2^21 taps are 2^64, which wraps to 0: every tap could be numbered.
TEST(TapNumbers, ProductOfTheKernelOverflows) {
  Eigen::Tensor<float, 3, Eigen::RowMajor> x(1, 1, 1);
  x.setConstant(1);
  constexpr std::int64_t k0 = std::int64_t{1} << 22, k1 = std::int64_t{1} << 21;
  const eigenpool::Window<3> w{.kernel = {k0, k1, k1},
                               .padding = {eigenpool::Sizes<3>{k0 - 1, k1 - 1, k1 - 1}, eigenpool::Sizes<3>(0)}};
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d_with_indices<std::uint8_t>(x, w); }),
            "max_pool3d_with_indices: kernel[2] is 2097152, the window's number of taps overflows 64 bits");
}

}  // namespace
