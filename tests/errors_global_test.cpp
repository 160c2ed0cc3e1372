// Bad arguments of the global poolings, whose names carry no 1d, 2d or 3d and whose results are (N, C) or keep-dims.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "error_calls.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::keep_dims;
using eigenpool_test::error_of;
using eigenpool_test::holds_only;
using eigenpool_test::PoolingCase;

template <class Case>
class GlobalErrors : public testing::Test {
 protected:
  using Shape = typename Case::Shape;
  using Values = typename Case::template Tensor<float>;
  using Indices = typename Case::template Tensor<std::int64_t>;
  using FlatValues = Eigen::Tensor<float, 2, Case::order>;
  using FlatIndices = Eigen::Tensor<std::int64_t, 2, Case::order>;

  static typename Case::Extents filled(std::int64_t extent) {
    typename Case::Extents extents{};
    extents.fill(extent);
    return extents;
  }
  static Shape changed(Shape shape, std::size_t axis, Eigen::Index extent) {
    shape[axis] = extent;
    return shape;
  }
  template <class Tensor>
  static Tensor holding(const std::array<Eigen::Index, static_cast<std::size_t>(Tensor::NumIndices)>& shape,
                        typename Tensor::Scalar value) {
    Tensor x(shape);
    x.setConstant(value);
    return x;
  }
  static void expect_errors(const std::vector<std::pair<std::string, std::function<void()>>>& calls,
                            const std::string& text) {
    for (const auto& [function, call] : calls) EXPECT_EQ(error_of(call), function + ": " + text);
  }

  Shape input_shape = Case::shape(2, 3, filled(4)), kept_shape = Case::shape(2, 3, filled(1));
  Values x = holding<Values>(input_shape, 1), dx = holding<Values>(input_shape, 77);
  Values kept = holding<Values>(kept_shape, 77);
  Indices kept_indices = holding<Indices>(kept_shape, 0);
  FlatValues flat = holding<FlatValues>({2, 3}, 77);
  FlatIndices flat_indices = holding<FlatIndices>({2, 3}, 0);
};

using Cases = testing::Types<PoolingCase<1, channels_first>, PoolingCase<2, channels_first>,
                             PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                             PoolingCase<2, channels_last, Eigen::ColMajor>, PoolingCase<3, channels_last>>;
TYPED_TEST_SUITE(GlobalErrors, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(GlobalErrors, EmptySpatialAxisOfTheInput) {
  constexpr auto layout = TypeParam::layout;
  for (std::size_t a = 0; a < std::size_t{TypeParam::D}; ++a) {
    const std::size_t axis = std::size_t{TypeParam::first_spatial} + a;
    const typename TestFixture::Values empty(this->changed(this->input_shape, axis, 0));
    this->expect_errors(
        {{"global_max_pool", [&] { eigenpool::global_max_pool<layout>(empty); }},
         {"global_max_pool", [&] { eigenpool::global_max_pool<layout>(empty, keep_dims); }},
         {"global_max_pool_into", [&] { eigenpool::global_max_pool_into<layout>(this->flat, empty); }},
         {"global_max_pool_with_indices", [&] { eigenpool::global_max_pool_with_indices<layout>(empty); }},
         {"global_max_pool_with_indices_into",
          [&] { eigenpool::global_max_pool_with_indices_into<layout>(this->flat, this->flat_indices, empty); }},
         {"global_max_pool_backward_from_input",
          [&] { eigenpool::global_max_pool_backward_from_input<layout>(this->flat, empty); }},
         {"global_avg_pool", [&] { eigenpool::global_avg_pool<layout>(empty); }},
         {"global_avg_pool", [&] { eigenpool::global_avg_pool<layout>(empty, keep_dims); }},
         {"global_avg_pool_into", [&] { eigenpool::global_avg_pool_into<layout>(this->kept, empty); }}},
        "input[" + std::to_string(axis) + "] is 0, a spatial extent must be at least 1");
  }
  EXPECT_TRUE(holds_only(this->flat, 77.f));
  EXPECT_TRUE(holds_only(this->kept, 77.f));
}

TYPED_TEST(GlobalErrors, NegativeInputShape) {
  constexpr auto layout = TypeParam::layout;
  for (std::size_t axis = 0; axis < std::size_t{TypeParam::rank}; ++axis) {
    const auto shape = this->changed(this->input_shape, axis, -5);
    this->expect_errors(
        {{"global_avg_pool_backward", [&] { eigenpool::global_avg_pool_backward<layout>(this->flat, shape); }},
         {"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(this->flat, this->flat_indices, shape); }}},
        "input_shape[" + std::to_string(axis) + "] is -5, must be at least 0");
  }
}

// The axis is the result's own: channels are axis 1 of (N, C) in every layout.
TYPED_TEST(GlobalErrors, FlatOutputAndGradientOfTheWrongShape) {
  constexpr auto layout = TypeParam::layout;
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    std::array<Eigen::Index, 2> shape{2, 3};
    const std::string right = std::to_string(shape[axis]);
    shape[axis] = 7;
    auto wrong = this->template holding<typename TestFixture::FlatValues>(shape, 77);
    auto wrong_indices = this->template holding<typename TestFixture::FlatIndices>(shape, 77);
    const std::string text = "[" + std::to_string(axis) + "] is 7, expected " + right;
    this->expect_errors(
        {{"global_max_pool_into", [&] { eigenpool::global_max_pool_into<layout>(wrong, this->x); }},
         {"global_avg_pool_into", [&] { eigenpool::global_avg_pool_into<layout>(wrong, this->x); }},
         {"global_max_pool_with_indices_into",
          [&] { eigenpool::global_max_pool_with_indices_into<layout>(wrong, this->flat_indices, this->x); }}},
        "output" + text);
    this->expect_errors(
        {{"global_max_pool_with_indices_into",
          [&] { eigenpool::global_max_pool_with_indices_into<layout>(this->flat, wrong_indices, this->x); }},
         {"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(this->flat, wrong_indices, this->input_shape); }},
         {"global_max_pool_backward_into",
          [&] { eigenpool::global_max_pool_backward_into<layout>(this->dx, this->flat, wrong_indices); }}},
        "indices" + text);
    this->expect_errors(
        {{"global_avg_pool_backward", [&] { eigenpool::global_avg_pool_backward<layout>(wrong, this->input_shape); }},
         {"global_avg_pool_backward_into", [&] { eigenpool::global_avg_pool_backward_into<layout>(this->dx, wrong); }},
         {"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(wrong, this->flat_indices, this->input_shape); }},
         {"global_max_pool_backward_into",
          [&] { eigenpool::global_max_pool_backward_into<layout>(this->dx, wrong, this->flat_indices); }},
         {"global_max_pool_backward_from_input",
          [&] { eigenpool::global_max_pool_backward_from_input<layout>(wrong, this->x); }},
         {"global_max_pool_backward_from_input_into",
          [&] { eigenpool::global_max_pool_backward_from_input_into<layout>(this->dx, wrong, this->x); }}},
        "gradient" + text);
    EXPECT_TRUE(holds_only(wrong, 77.f));
    EXPECT_TRUE(holds_only(wrong_indices, std::int64_t{77}));
  }
  EXPECT_TRUE(holds_only(this->dx, 77.f));
  EXPECT_TRUE(holds_only(this->flat, 77.f));
}

TYPED_TEST(GlobalErrors, KeepDimsOutputAndGradientOfTheWrongShape) {
  constexpr auto layout = TypeParam::layout;
  for (std::size_t axis = 0; axis < std::size_t{TypeParam::rank}; ++axis) {
    auto wrong = this->template holding<typename TestFixture::Values>(this->changed(this->kept_shape, axis, 7), 77);
    const std::string text = "[" + std::to_string(axis) + "] is 7, expected " + std::to_string(this->kept_shape[axis]);
    this->expect_errors({{"global_max_pool_into", [&] { eigenpool::global_max_pool_into<layout>(wrong, this->x); }},
                         {"global_avg_pool_into", [&] { eigenpool::global_avg_pool_into<layout>(wrong, this->x); }}},
                        "output" + text);
    this->expect_errors(
        {{"global_avg_pool_backward", [&] { eigenpool::global_avg_pool_backward<layout>(wrong, this->input_shape); }},
         {"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(wrong, this->kept_indices, this->input_shape); }},
         {"global_max_pool_backward_from_input",
          [&] { eigenpool::global_max_pool_backward_from_input<layout>(wrong, this->x); }}},
        "gradient" + text);
    EXPECT_TRUE(holds_only(wrong, 77.f));
  }
}

TYPED_TEST(GlobalErrors, IndexOutsideThePlane) {
  constexpr auto layout = TypeParam::layout;
  const std::string cells = std::to_string(TypeParam::D == 1 ? 4 : TypeParam::D == 2 ? 16 : 64);
  for (const std::int64_t bad : {std::int64_t{-2}, std::int64_t{std::stoi(cells)}}) {
    const std::string text = " is " + std::to_string(bad) + ", must be -1 or below the plane's " + cells + " cells";
    this->flat_indices(1, 2) = bad;
    this->expect_errors(
        {{"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(this->flat, this->flat_indices, this->input_shape); }},
         {"global_max_pool_backward_into",
          [&] { eigenpool::global_max_pool_backward_into<layout>(this->dx, this->flat, this->flat_indices); }}},
        "indices(1, 2)" + text);
    typename TestFixture::Shape place{};
    place[0] = 1, place[std::size_t{TypeParam::channel_axis}] = 2;
    this->kept_indices(place) = bad;
    std::string named;
    for (const Eigen::Index at : place) named += (named.empty() ? "" : ", ") + std::to_string(at);
    this->expect_errors(
        {{"global_max_pool_backward",
          [&] { eigenpool::global_max_pool_backward<layout>(this->kept, this->kept_indices, this->input_shape); }}},
        "indices(" + named + ")" + text);
  }
  EXPECT_TRUE(holds_only(this->dx, 77.f));
}

TYPED_TEST(GlobalErrors, CompactIndexBeyondThePlane) {
  constexpr auto layout = TypeParam::layout;
  Eigen::Tensor<std::uint8_t, 2, TypeParam::order> taps(2, 3);
  taps.setZero();
  taps(1, 0) = 64;
  const std::string cells = std::to_string(TypeParam::D == 1 ? 4 : TypeParam::D == 2 ? 16 : 64);
  this->expect_errors({{"global_max_pool_backward_into",
                        [&] { eigenpool::global_max_pool_backward_into<layout>(this->dx, this->flat, taps); }}},
                      "indices(1, 0) is 64, must be 255 or below the window's " + cells + " taps");
  EXPECT_TRUE(holds_only(this->dx, 77.f));
}

TYPED_TEST(GlobalErrors, EmptyBatchIsNoError) {
  constexpr auto layout = TypeParam::layout;
  const auto shape = this->changed(this->input_shape, 0, 0);
  const typename TestFixture::Values none(shape);
  EXPECT_EQ(eigenpool::global_max_pool<layout>(none).dimension(0), 0);
  EXPECT_EQ(eigenpool::global_avg_pool<layout>(none).dimension(1), 3);
  EXPECT_EQ(eigenpool::global_max_pool_with_indices<layout>(none, keep_dims).indices.dimension(0), 0);
  EXPECT_EQ(eigenpool::global_avg_pool_backward<layout>(typename TestFixture::FlatValues(0, 3), shape).size(), 0);
}

}  // namespace
