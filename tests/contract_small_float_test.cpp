// Averages of half and bfloat16 are accumulated in float.
#include <gtest/gtest.h>

#include <array>
#include <eigenpool/eigenpool.hpp>

namespace {

template <class Scalar>
class SmallFloatAverage : public testing::Test {};
using SmallFloats = testing::Types<Eigen::half, Eigen::bfloat16>;
TYPED_TEST_SUITE(SmallFloatAverage, SmallFloats);

// An accumulator of the scalar's own type stops growing at 2048 (half) or 256 (bfloat16).
TYPED_TEST(SmallFloatAverage, OnesAverageToOneInEveryPooling) {
  using Tensor = Eigen::Tensor<TypeParam, 4, Eigen::RowMajor>;
  Tensor x(1, 2, 64, 64), last(1, 64, 64, 2);
  x.setConstant(TypeParam(1));
  last.setConstant(TypeParam(1));
  const auto expect_ones = [](const auto& y) {
    ASSERT_EQ(y.size(), 2);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(static_cast<float>(y.data()[i]), 1.f);
  };
  expect_ones(eigenpool::avg_pool2d(x, {.kernel = 64}));
  expect_ones(eigenpool::avg_pool2d<eigenpool::channels_last>(last, {.kernel = 64}));
  expect_ones(eigenpool::adaptive_avg_pool2d(x, 1));
  expect_ones(eigenpool::global_avg_pool(x));
  expect_ones(eigenpool::global_avg_pool<eigenpool::channels_last>(last));
}

// The sum of 4096 windows' gradients of 1 / 4096 passes through float as well.
TYPED_TEST(SmallFloatAverage, BackwardAccumulatesInFloat) {
  Eigen::Tensor<TypeParam, 1, Eigen::RowMajor> dy(4096);
  dy.setConstant(TypeParam(1));
  const std::array<Eigen::Index, 1> shape{1};
  const eigenpool::Window<1> w{.kernel = 4096, .stride = 1, .padding = 4095};
  const auto dx = eigenpool::avg_pool1d_backward(dy, shape, w);
  EXPECT_EQ(static_cast<float>(dx(0)), 1.f);
}

}  // namespace
