// Published vulnerabilities of other libraries' pooling operators, each as a call of the same shape here. The tests
// are named after the CVE; what the other library did is in the first line of each.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "error_calls.hpp"

namespace {

using eigenpool::channels_last;
using eigenpool::Window;
using eigenpool_test::error_of;
using Index = Eigen::Index;
template <int rank>
using Values = Eigen::Tensor<float, rank, Eigen::RowMajor>;
template <int rank>
using Indices = Eigen::Tensor<std::int64_t, rank, Eigen::RowMajor>;

template <class... Extents>
Values<sizeof...(Extents)> ones(Extents... extents) {
  Values<sizeof...(Extents)> x(extents...);
  x.setConstant(1);
  return x;
}
template <class... Extents>
Indices<sizeof...(Extents)> zeros(Extents... extents) {
  Indices<sizeof...(Extents)> x(extents...);
  x.setZero();
  return x;
}

// TensorFlow MaxPoolGradWithArgmax: one number indexed two arrays of different size.
TEST(Cve2021_29570, IndicesSmallerThanTheGradient) {
  const auto dy = ones(1, 1, 4, 4);
  const std::array<Index, 4> shape{1, 1, 8, 8};
  EXPECT_EQ(error_of([&] { eigenpool::max_pool2d_backward(dy, zeros(1, 1, 4, 3), shape, {.kernel = 2}); }),
            "max_pool2d_backward: indices[3] is 3, expected 4");
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool2d_backward(dy, zeros(1, 1, 3, 4), shape); }),
            "adaptive_max_pool2d_backward: indices[2] is 3, expected 4");
  EXPECT_EQ(error_of([&] { eigenpool::global_max_pool_backward(ones(1, 1), zeros(1, 0), shape); }),
            "global_max_pool_backward: indices[1] is 0, expected 1");
}

// The same operator divided by the batch.
TEST(Cve2021_29573, BatchZero) {
  const std::array<Index, 4> shape{0, 3, 8, 8};
  EXPECT_EQ(eigenpool::max_pool2d_backward(ones(0, 3, 4, 4), zeros(0, 3, 4, 4), shape, {.kernel = 2}).size(), 0);
  EXPECT_EQ(eigenpool::avg_pool2d_backward(ones(0, 3, 4, 4), shape, {.kernel = 2}).size(), 0);
  EXPECT_EQ(eigenpool::adaptive_max_pool2d_backward(ones(0, 3, 4, 4), zeros(0, 3, 4, 4), shape).size(), 0);
  EXPECT_EQ(eigenpool::global_avg_pool_backward(ones(0, 3), shape).size(), 0);
  EXPECT_EQ(eigenpool::global_max_pool_backward(ones(0, 3), zeros(0, 3), shape).size(), 0);
}

// TensorFlow MaxPool3DGradGrad read the first element of an empty tensor: every tensor argument empty in turn.
TEST(Cve2021_29574, EmptyTensors) {
  const Window<3> w{.kernel = 2};
  const std::array<Index, 5> shape{1, 1, 4, 4, 4};
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d(ones(1, 1, 0, 0, 0), w); }),
            "max_pool3d: input[2] is 0, a spatial extent must be at least 1");
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d_backward(ones(1, 1, 0, 0, 0), zeros(1, 1, 2, 2, 2), shape, w); }),
            "max_pool3d_backward: gradient[2] is 0, expected 2");
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d_backward(ones(1, 1, 2, 2, 2), zeros(0, 0, 0, 0, 0), shape, w); }),
            "max_pool3d_backward: indices[0] is 0, expected 1");
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d_backward_from_input(ones(0, 1, 2, 2, 2), ones(1, 1, 4, 4, 4), w); }),
            "max_pool3d_backward_from_input: gradient[0] is 0, expected 1");
  EXPECT_EQ(error_of([&] { eigenpool::max_pool3d_backward_from_input(ones(1, 1, 2, 2, 2), ones(1, 1, 4, 0, 4), w); }),
            "max_pool3d_backward_from_input: input[3] is 0, a spatial extent must be at least 1");
}

// TensorFlow MaxPool3DGradGrad went on with parameters whose construction had failed.
TEST(Cve2021_29576, InvalidWindowOnAnEmptyBatch) {  // where no kernel would run, the window is checked all the same
  EXPECT_EQ(error_of([] {
              eigenpool::max_pool3d(ones(0, 1, 4, 4, 4), {.kernel = {1, 0, 1}});
            }),
            "max_pool3d: kernel[1] is 0, must be at least 1");
  EXPECT_EQ(error_of([] {
              eigenpool::max_pool3d_backward_from_input(ones(0, 1, 4, 4, 4), ones(0, 1, 4, 4, 4),
                                                        {.kernel = 1, .stride = {1, 1, 0}});
            }),
            "max_pool3d_backward_from_input: stride[2] is 0, must be at least 1");
}

// TensorFlow AvgPool3DGrad trusted the gradient's batch and channels.
TEST(Cve2021_29577, GradientOfAnotherBatchOrChannelCount) {
  const std::array<Index, 5> shape{2, 3, 4, 4, 4};
  const Window<3> w{.kernel = 2};
  for (const Index batch : {1, 3})
    EXPECT_EQ(error_of([&] { eigenpool::avg_pool3d_backward(ones(batch, 3, 2, 2, 2), shape, w); }),
              "avg_pool3d_backward: gradient[0] is " + std::to_string(batch) + ", expected 2");
  for (const Index channels : {2, 4})
    EXPECT_EQ(error_of([&] { eigenpool::avg_pool3d_backward(ones(2, channels, 2, 2, 2), shape, w); }),
              "avg_pool3d_backward: gradient[1] is " + std::to_string(channels) + ", expected 3");
}

// TensorFlow MaxPoolGrad read beyond a gradient smaller than the output.
TEST(Cve2021_29579, GradientSmallerOrLargerThanTheOutput) {
  const auto x = ones(1, 1, 8, 8);
  for (const Index extent : {1, 3, 5, 1000})
    EXPECT_EQ(error_of([&] {
                eigenpool::max_pool2d_backward_from_input(ones(Index{1}, Index{1}, Index{4}, extent), x, {.kernel = 2});
              }),
              "max_pool2d_backward_from_input: gradient[3] is " + std::to_string(extent) + ", expected 4");
}

template <class Scalar>
void expect_stride_errors() {
  for (const int axis : {0, 1}) {
    Window<2> w{.kernel = 2};
    w.stride[axis] = 0;
    const std::string text = ": stride[" + std::to_string(axis) + "] is 0, must be at least 1";
    Eigen::Tensor<Scalar, 4, Eigen::RowMajor> x(1, 8, 8, 8);
    x.setConstant(Scalar(1));
    EXPECT_EQ(error_of([&] { eigenpool::max_pool2d(x, w); }), "max_pool2d" + text);
    EXPECT_EQ(error_of([&] { eigenpool::max_pool2d<channels_last>(x, w); }), "max_pool2d" + text);
    EXPECT_EQ(error_of([&] { eigenpool::max_pool2d_with_indices(x, w); }), "max_pool2d_with_indices" + text);
    EXPECT_EQ(error_of([&] { eigenpool::avg_pool2d(x, w); }), "avg_pool2d" + text);
  }
}

// TensorFlow Lite divided by the stride.
TEST(Cve2021_29586, StrideZeroOnEachAxis) { expect_stride_errors<std::int8_t>(); }

// PyTorch's oneDNN route of max_pool2d lacked the check that the others had.
TEST(Cve2025_2953, StrideZeroOnEveryRoute) {
  expect_stride_errors<float>();
  eigenpool::detail::set_force_scalar_kernel(true);
  expect_stride_errors<float>();
  eigenpool::detail::set_force_scalar_kernel(false);
}

// TensorFlow MaxPoolGrad with explicit padding and a spatial extent of 0.
TEST(Cve2021_37674, PaddingAroundNothing) {
  const Window<2> w{.kernel = 3, .stride = 1, .padding = 2};
  const std::array<Index, 4> shape{1, 1, 0, 5};
  EXPECT_EQ(error_of([&] { eigenpool::max_pool2d(ones(1, 1, 0, 5), w); }),
            "max_pool2d: input[2] is 0, a spatial extent must be at least 1");
  EXPECT_EQ(error_of([&] { eigenpool::max_pool2d_backward(ones(1, 1, 2, 7), zeros(1, 1, 2, 7), shape, w); }),
            "max_pool2d_backward: input_shape[2] is 0, a spatial extent must be at least 1");
}

template <class Call>
void expect_kernel_errors(const std::string& function, const Call& call) {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(error_of([&] {
                call(Window<3>{.kernel = {2, bad, 2}, .stride = 1});
              }),
              function + ": kernel[1] is " + std::to_string(bad) + ", must be at least 1");
}

// Keras' max pooling 3D took a window of 0 or less.
TEST(Cve2021_41196, KernelBelowOneInMaxPooling) {
  const auto x = ones(1, 1, 4, 4, 4);
  expect_kernel_errors("max_pool3d", [&](const Window<3>& w) { eigenpool::max_pool3d(x, w); });
}

// TensorFlow AvgPool took a negative ksize.
TEST(Cve2022_35941, KernelBelowOneInAveragePooling) {
  const auto x = ones(1, 1, 4, 4, 4);
  expect_kernel_errors("avg_pool3d", [&](const Window<3>& w) { eigenpool::avg_pool3d(x, w); });
}

/// Shapes that no tensor has, handed to every backward that takes one.
void expect_shape_errors(const std::array<Index, 4>& shape, const std::string& text) {
  const Window<2> w{.kernel = 2};
  const auto dy = ones(1, 1, 2, 2), total = ones(1, 1, 1, 1);
  const auto indices = zeros(1, 1, 2, 2), place = zeros(1, 1, 1, 1);
  EXPECT_EQ(error_of([&] { eigenpool::avg_pool2d_backward(dy, shape, w); }), "avg_pool2d_backward: " + text);
  EXPECT_EQ(error_of([&] { eigenpool::max_pool2d_backward(dy, indices, shape, w); }), "max_pool2d_backward: " + text);
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_avg_pool2d_backward(dy, shape); }),
            "adaptive_avg_pool2d_backward: " + text);
  EXPECT_EQ(error_of([&] { eigenpool::adaptive_max_pool2d_backward(dy, indices, shape); }),
            "adaptive_max_pool2d_backward: " + text);
  EXPECT_EQ(error_of([&] { eigenpool::global_avg_pool_backward(total, shape); }), "global_avg_pool_backward: " + text);
  EXPECT_EQ(error_of([&] { eigenpool::global_max_pool_backward(total, place, shape); }),
            "global_max_pool_backward: " + text);
}

// TensorFlow AvgPool3DGrad: an original shape that is negative, or whose product overflows.
TEST(Cve2022_35959, HostileOriginalShape) {
  constexpr Index min = std::numeric_limits<Index>::min(), max = std::numeric_limits<Index>::max();
  expect_shape_errors({1, 1, -4, 4}, "input_shape[2] is -4, must be at least 0");
  expect_shape_errors({min, 1, 4, 4}, "input_shape[0] is " + std::to_string(min) + ", must be at least 0");
  const std::string overflows = ", the tensor's size overflows its index type";
  expect_shape_errors({max, max, 4, 4}, "input_shape[0] is " + std::to_string(max) + overflows);
  expect_shape_errors({1, Index{1} << 61, 8, 4}, "input_shape[1] is 2305843009213693952" + overflows);
}

// TensorFlow FractionalAvgPoolGrad took -1879048192 for an extent; it has no fractional twin here, but any backward
// that takes a shape could.
TEST(Cve2022_35963, ShapeValueOfTheReport) {
  expect_shape_errors({1, -1879048192, 4, 4}, "input_shape[1] is -1879048192, must be at least 0");
}

// TensorFlow AvgPoolGrad did not compare the original shape with the gradient.
TEST(Cve2022_35968, OriginalShapeOfAnotherProblem) {
  const std::array<Index, 4> shape{1, 1, 40, 2};
  EXPECT_EQ(error_of([&] { eigenpool::avg_pool2d_backward(ones(1, 1, 2, 2), shape, {.kernel = 2}); }),
            "avg_pool2d_backward: gradient[2] is 2, expected 20");
}

// TensorFlow MaxPool with a window larger than the image.
TEST(Cve2022_35989, WindowLargerThanTheImage) {
  const auto x = ones(1, 1, 4, 3);
  EXPECT_EQ(error_of([&] {
              eigenpool::max_pool2d(x, {.kernel = {2, 6}, .stride = 1, .padding = {0, 1}});
            }),
            "max_pool2d: kernel[1] is 6, the window's extent 6 exceeds the padded input's 5");
}

// TensorFlow AvgPoolGrad wrote beyond its result for a gradient unrelated to the geometry.
TEST(Cve2023_25664, GradientOfSixChannelsForAnInputOfThree) {
  const std::array<Index, 4> shape{1, 28, 28, 3};
  EXPECT_EQ(error_of([&] { eigenpool::avg_pool2d_backward<channels_last>(ones(1, 14, 14, 6), shape, {.kernel = 2}); }),
            "avg_pool2d_backward: gradient[3] is 6, expected 3");
}

// TensorFlow AvgPoolGrad trapped on a stride and kernel that do not belong to the gradient.
TEST(Cve2023_25669, BackwardWithAnotherGeometry) {
  const auto x = ones(1, 1, 9, 9);
  const auto dy = eigenpool::avg_pool2d(x, {.kernel = 3});
  EXPECT_EQ(error_of([&] { eigenpool::avg_pool2d_backward(dy, x.dimensions(), {.kernel = 3, .stride = 2}); }),
            "avg_pool2d_backward: gradient[2] is 3, expected 4");
}

}  // namespace
