// Tensors of the wrong shape: the text names the tensor's own axis, whatever the layout and the storage order, and
// no output is written.
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
using eigenpool_test::dx_;
using eigenpool_test::dx_alone_;
using eigenpool_test::ErrorCalls;
using eigenpool_test::gradient_;
using eigenpool_test::indices_;
using eigenpool_test::input_;
using eigenpool_test::input_shape_;
using eigenpool_test::new_indices_;
using eigenpool_test::output_;
using eigenpool_test::output_size_;
using eigenpool_test::PoolingCase;
using eigenpool_test::window_;

const std::string overflows = "the tensor's size overflows its index type";

template <class Case>
class ShapeErrors : public testing::Test {
 protected:
  using Shape = typename Case::Shape;
  using Values = typename Case::template Tensor<float>;
  using Indices = typename Case::template Tensor<std::int64_t>;

  static bool is_spatial(std::size_t axis) {
    return axis >= std::size_t{Case::first_spatial} && axis < std::size_t{Case::first_spatial + Case::D};
  }
  static Shape changed(Shape shape, std::size_t axis, Eigen::Index extent) {
    shape[axis] = extent;
    return shape;
  }
  static std::string text(const std::string& argument, std::size_t axis, Eigen::Index value) {
    return argument + "[" + std::to_string(axis) + "] is " + std::to_string(value) + ", ";
  }

  /// Runs `check(wrong shape, axis, wrong extent, right extent)` for an extent too large and one too small.
  template <class Check>
  static void for_each_wrong_extent(const Shape& right, const Check& check) {
    for (std::size_t axis = 0; axis < right.size(); ++axis)
      for (const Eigen::Index wrong : {right[axis] + 1, right[axis] - 1})
        check(changed(right, axis, wrong), axis, wrong, std::to_string(right[axis]));
  }

  ErrorCalls<Case> calls_;
};

using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last>, PoolingCase<2, channels_first>,
                   PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                   PoolingCase<2, channels_last, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                   PoolingCase<3, channels_last>, PoolingCase<3, channels_first, Eigen::ColMajor>>;
TYPED_TEST_SUITE(ShapeErrors, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(ShapeErrors, EmptySpatialAxisOfTheInput) {
  auto& calls = this->calls_;
  for (std::size_t axis = 0; axis < TypeParam::rank; ++axis) {
    if (!this->is_spatial(axis)) continue;
    calls.x = typename TestFixture::Values(this->changed(calls.input_shape, axis, 0));
    calls.expect_error(input_, this->text("input", axis, 0) + "a spatial extent must be at least 1");
  }
}

TYPED_TEST(ShapeErrors, EmptySpatialAxisOfTheInputShape) {
  auto& calls = this->calls_;
  const auto legal = calls.input_shape;
  for (std::size_t axis = 0; axis < TypeParam::rank; ++axis) {
    if (!this->is_spatial(axis)) continue;
    calls.input_shape = this->changed(legal, axis, 0);
    calls.expect_error(input_shape_, this->text("input_shape", axis, 0) + "a spatial extent must be at least 1");
  }
}

TYPED_TEST(ShapeErrors, NegativeInputShape) {
  auto& calls = this->calls_;
  const auto legal = calls.input_shape;
  for (std::size_t axis = 0; axis < TypeParam::rank; ++axis) {
    for (const Eigen::Index bad : {Eigen::Index{-1}, std::numeric_limits<Eigen::Index>::min()}) {
      calls.input_shape = this->changed(legal, axis, bad);
      calls.expect_error(input_shape_, this->text("input_shape", axis, bad) + "must be at least 0");
    }
  }
}

TYPED_TEST(ShapeErrors, OutputOfTheWrongShape) {
  auto& calls = this->calls_;
  this->for_each_wrong_extent(calls.output_shape,
                              [&](const auto& shape, std::size_t axis, Eigen::Index wrong, const std::string& right) {
                                calls.y = typename TestFixture::Values(shape);
                                calls.refill();
                                calls.expect_error(output_, this->text("output", axis, wrong) + "expected " + right);
                              });
}

TYPED_TEST(ShapeErrors, DxOfTheWrongShapeBesideTheInput) {
  auto& calls = this->calls_;
  this->for_each_wrong_extent(calls.input_shape,
                              [&](const auto& shape, std::size_t axis, Eigen::Index wrong, const std::string& right) {
                                calls.dx = typename TestFixture::Values(shape);
                                calls.refill();
                                calls.expect_error(dx_, this->text("output", axis, wrong) + "expected " + right);
                              });
}

// Where dx alone gives the input's shape, a wrong one shows in what no longer fits it.
TYPED_TEST(ShapeErrors, DxThatDoesNotFitTheGradient) {
  auto& calls = this->calls_;
  const auto legal = calls.input_shape;
  for (const std::size_t axis : {std::size_t{0}, std::size_t{TypeParam::channel_axis}}) {
    calls.dx = typename TestFixture::Values(this->changed(legal, axis, 7));
    calls.refill();
    calls.expect_error(dx_alone_, this->text("gradient", axis, legal[axis]) + "expected 7");
  }
  for (std::size_t axis = 0; axis < TypeParam::rank; ++axis) {
    if (!this->is_spatial(axis)) continue;
    calls.dx = typename TestFixture::Values(this->changed(legal, axis, 0));
    calls.expect_error(dx_alone_, this->text("output", axis, 0) + "a spatial extent must be at least 1");
  }
}

TYPED_TEST(ShapeErrors, NewIndicesOfTheWrongShape) {
  auto& calls = this->calls_;
  this->for_each_wrong_extent(
      calls.output_shape, [&](const auto& shape, std::size_t axis, Eigen::Index wrong, const std::string& right) {
        calls.new_indices = typename TestFixture::Indices(shape);
        calls.refill();
        calls.expect_error(new_indices_, this->text("indices", axis, wrong) + "expected " + right);
      });
}

// An adaptive backward learns the output's spatial extents from the gradient, so only the other axes can be wrong.
TYPED_TEST(ShapeErrors, GradientOfTheWrongShape) {
  auto& calls = this->calls_;
  this->for_each_wrong_extent(calls.output_shape,
                              [&](const auto& shape, std::size_t axis, Eigen::Index wrong, const std::string& right) {
                                calls.dy = typename TestFixture::Values(shape);
                                const std::string expected = this->text("gradient", axis, wrong) + "expected " + right;
                                if (this->is_spatial(axis)) {
                                  calls.expect_error(gradient_ | window_, expected);
                                } else {
                                  calls.expect_error(gradient_, expected);
                                }
                              });
}

TYPED_TEST(ShapeErrors, IndicesOfTheWrongShape) {
  auto& calls = this->calls_;
  this->for_each_wrong_extent(calls.output_shape,
                              [&](const auto& shape, std::size_t axis, Eigen::Index wrong, const std::string& right) {
                                calls.indices = typename TestFixture::Indices(shape);
                                calls.indices.setZero();
                                calls.expect_error(indices_, this->text("indices", axis, wrong) + "expected " + right);
                              });
}

// Batch 0 or channels 0 is an empty result, but the other axes of a gradient are checked all the same.
TYPED_TEST(ShapeErrors, EmptyBatchOrChannelsAreNoError) {
  for (const std::size_t axis : {std::size_t{0}, std::size_t{TypeParam::channel_axis}}) {
    ErrorCalls<TypeParam> calls;
    calls.input_shape = this->changed(calls.input_shape, axis, 0);
    calls.output_shape = this->changed(calls.output_shape, axis, 0);
    calls.resize();
    calls.expect_no_error();
    const auto pooled =
        eigenpool_test::Fronts<TypeParam::D>::template max_pool<TypeParam::layout>(calls.x, calls.window);
    for (std::size_t a = 0; a < calls.output_shape.size(); ++a) EXPECT_EQ(pooled.dimension(a), calls.output_shape[a]);
    calls.dy =
        typename TestFixture::Values(this->changed(calls.output_shape, std::size_t{TypeParam::first_spatial}, 1));
    calls.expect_error(gradient_ | window_, this->text("gradient", TypeParam::first_spatial, 1) + "expected 3");
  }
}

// 2^62 * 8 is 2^65: the number of values overflows before anything else is wrong.
TYPED_TEST(ShapeErrors, InputShapeWhoseProductOverflows) {
  auto& calls = this->calls_;
  calls.input_shape[0] = Eigen::Index{1} << 62;
  calls.input_shape[std::size_t{TypeParam::channel_axis}] = 8;
  calls.expect_error(input_shape_, this->text("input_shape", 0, Eigen::Index{1} << 62) + overflows);
}

TYPED_TEST(ShapeErrors, AdaptiveOutputWhoseProductOverflows) {
  auto& calls = this->calls_;
  constexpr std::int64_t huge = std::int64_t{1} << 61;
  calls.output_size = calls.first_sizes({huge, huge, huge});
  const auto axis = std::size_t{TypeParam::first_spatial};
  calls.expect_error(output_size_, this->text("output", axis, huge) + overflows);
}

}  // namespace
