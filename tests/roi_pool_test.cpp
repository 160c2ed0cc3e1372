// RoI pooling against loops that ask of every cell whether it is in a bin.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "error_calls.hpp"
#include "roi_cases.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::RoiMode;
using eigenpool::RoiPoolOptions;
using eigenpool_test::error_of;
using eigenpool_test::PoolingCase;
using roi::Problem;
using roi::Values;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Boxes = Eigen::Tensor<float, 2, Eigen::RowMajor>;
using Numbers = Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor>;

/// The functions, with the options of a problem.
struct Pool {
  const Problem& p;

  RoiPoolOptions options() const {
    return {.output_size = {p.bins[0], p.bins[1]}, .spatial_scale = p.scale, .mode = p.mode};
  }
  template <Layout layout>
  auto forward(const auto&... args) const {
    return eigenpool::roi_pool<layout>(args..., options());
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& boxes, const auto& images, const auto& device) const {
    eigenpool::roi_pool_into<layout>(y, x, boxes, images, options(), device);
  }
  template <Layout layout>
  auto backward(const auto&... args) const {
    return eigenpool::roi_pool_backward<layout>(args..., options());
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& boxes, const auto& images, const auto& device) const {
    eigenpool::roi_pool_backward_into<layout>(dx, dy, boxes, images, options(), device);
  }
  template <Layout layout>
  auto backward_from_input(const auto&... args) const {
    return eigenpool::roi_pool_backward_from_input<layout>(args..., options());
  }
  template <Layout layout>
  void backward_from_input_into(auto& dx, const auto& dy, const auto& x, const auto& boxes, const auto& images,
                                const auto& device) const {
    eigenpool::roi_pool_backward_from_input_into<layout>(dx, dy, x, boxes, images, options(), device);
  }
};

template <class Case>
class RoiPool : public testing::Test {};
using Cases =
    testing::Types<PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(RoiPool, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(RoiPool, EqualsLoopsOverCells) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    for (const RoiMode mode : {RoiMode::average, RoiMode::max}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", mode " + std::to_string(static_cast<int>(mode)));
      Problem p = roi::random_problem(seed, true);
      p.mode = mode;
      const Values want = roi::all_bins(p, roi::pooled_bin);
      roi::expect_numbers<TypeParam, double, Pool>(p, want, mode == RoiMode::max ? 0 : 1e-14);
      roi::expect_numbers<TypeParam, float, Pool>(p, want, mode == RoiMode::max ? 0 : 1e-6);
    }
}

TEST(RoiPoolScalars, SmallFloatsAreRoundedOnce) {
  Problem p = roi::random_problem(12, true);
  for (double& x : p.x) x = static_cast<double>(static_cast<Eigen::bfloat16>(static_cast<float>(x)));
  const Values want = roi::all_bins(p, roi::pooled_bin);
  roi::expect_numbers<PoolingCase<2, channels_last>, Eigen::bfloat16, Pool>(p, want, 0x1p-9 * 1.01);
  p.mode = RoiMode::max;
  roi::expect_numbers<PoolingCase<2, channels_first>, Eigen::bfloat16, Pool>(p, roi::all_bins(p, roi::pooled_bin), 0);
}

TEST(RoiPoolGradient, EqualsCentralDifferences) {
  for (std::uint64_t seed = 3; seed <= 8; ++seed)
    for (const RoiMode mode : {RoiMode::average, RoiMode::max}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", mode " + std::to_string(static_cast<int>(mode)));
      Problem p = roi::random_problem(seed, true);
      p.lead[1] = 2;
      p.x = families::signed_values.values(p.lead[0] * 2 * oracle::product(p.spatial), seed);
      p.mode = mode;
      roi::expect_central_differences<Pool>(p);
    }
}

Numbers first_image() {
  Numbers images(1);
  images.setZero();
  return images;
}
Boxes one_box(float x1, float y1, float x2, float y2) {
  Boxes boxes(1, 4);
  boxes.setValues({{x1, y1, x2, y2}});
  return boxes;
}

// A box of 5 x 3 cells in 2 x 2 bins: rows 0-1 and 1-2 share row 1, columns 0-2 and 2-4 share column 2.
TEST(RoiPoolBins, ShareCells) {
  Image x(1, 1, 4, 6);
  for (Eigen::Index i = 0; i < 24; ++i) x.data()[i] = static_cast<float>(i);
  const auto most = eigenpool::roi_pool(x, one_box(0, 0, 4, 2), first_image(), {.output_size = 2});
  const auto mean =
      eigenpool::roi_pool(x, one_box(0, 0, 4, 2), first_image(), {.output_size = 2, .mode = RoiMode::average});
  const Values largest{8, 10, 14, 16}, average{4, 6, 10, 12};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(most.data()[i], largest[i]);
    EXPECT_EQ(mean.data()[i], average[i]);
  }
}

// Huge boxes are cut down to the picture; where bins miss it, they are 0, even of a picture below 0.
TEST(RoiPoolBins, OutsideOfThePicture) {
  Image x(1, 1, 3, 3);
  x.setConstant(-2);
  const float far = 0x1p30F;
  const auto y = eigenpool::roi_pool(x, one_box(-far, -far, far, far), first_image(), {.output_size = {1, 3}});
  const Values want{0, -2, 0};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(y.data()[i], want[i]);
}

TEST(RoiPoolMax, TiesAndNaN) {
  Image x(1, 1, 3, 3);
  x.setConstant(1);
  const Image dy = Image(1, 1, 1, 1).constant(1);
  const RoiPoolOptions options{.output_size = 1};
  const auto gradient = [&] {
    return eigenpool::roi_pool_backward_from_input(dy, x, one_box(0, 0, 2, 2), first_image(), options);
  };
  EXPECT_EQ(gradient()(0, 0, 0, 0), 1);
  x(0, 0, 0, 1) = x(0, 0, 2, 0) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(eigenpool::roi_pool(x, one_box(0, 0, 2, 2), first_image(), options)(0)));
  EXPECT_EQ(gradient()(0, 0, 2, 0), 1);
}

TEST(RoiPoolErrors, OptionsAndBoxes) {
  Image x(1, 2, 4, 4), y(1, 2, 2, 2);
  x.setConstant(1);
  y.setConstant(77);
  const auto error = [&](const Boxes& boxes, const RoiPoolOptions& options) {
    const std::string text = error_of([&] { eigenpool::roi_pool(x, boxes, first_image(), options); });
    EXPECT_EQ(error_of([&] { eigenpool::roi_pool_into(y, x, boxes, first_image(), options); }),
              "roi_pool_into" + text.substr(std::string("roi_pool").size()));
    EXPECT_TRUE(eigenpool_test::holds_only(y, 77.0F));
    return text;
  };
  const Boxes good = one_box(0, 0, 3, 3);
  EXPECT_EQ(error(good, {}), "roi_pool: output_size[0] is 0, must be at least 1");
  EXPECT_EQ(error(good, {.output_size = 2, .mode = RoiMode::max_of_corners}),
            "roi_pool: mode is max_of_corners, which only roi_align has");
  EXPECT_EQ(error(good, {.output_size = 2, .spatial_scale = -1}),
            "roi_pool: spatial_scale is -1.000000, must be finite and above 0");
  EXPECT_EQ(error(one_box(0, 0, std::numeric_limits<float>::quiet_NaN(), 1), {.output_size = 2}),
            "roi_pool: boxes(0, 2) is nan, must be finite and, scaled, below 2^31");
  EXPECT_EQ(error(one_box(0, 0x1p30F, 1, 1), {.output_size = 2, .spatial_scale = 2}),
            "roi_pool: boxes(0, 1) is 1073741824.000000, must be finite and, scaled, below 2^31");
}

TEST(RoiPoolOp, EqualsTheFunction) {
  const Problem p = roi::random_problem(2, true);
  const auto x = harness::to_tensor<PoolingCase<2, channels_first>, float>(p.lead, p.spatial, p.x);
  const auto boxes = roi::boxes_of<float>(p);
  const auto images = roi::images_of(p);
  const RoiPoolOptions options{.output_size = 3};
  const Image want = eigenpool::roi_pool(x, boxes, images, options);
  const Image got = x.customOp(eigenpool::RoiPool<Boxes, Numbers>(boxes, images, options));
  ASSERT_GT(want.size(), 0);
  for (Eigen::Index i = 0; i < want.size(); ++i) ASSERT_EQ(got.data()[i], want.data()[i]);
}

}  // namespace
