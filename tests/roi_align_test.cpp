// RoI align against loops over sampling points.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "error_calls.hpp"
#include "roi_cases.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::RoiAlignOptions;
using eigenpool::RoiMode;
using eigenpool_test::error_of;
using eigenpool_test::PoolingCase;
using roi::Problem;
using roi::Values;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Boxes = Eigen::Tensor<float, 2, Eigen::RowMajor>;
using Numbers = Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor>;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

/// The functions, with the options of a problem.
struct Align {
  const Problem& p;

  RoiAlignOptions options() const {
    return {.output_size = {p.bins[0], p.bins[1]},
            .spatial_scale = p.scale,
            .sampling_ratio = p.ratio,
            .aligned = p.aligned,
            .mode = p.mode};
  }
  template <Layout layout>
  auto forward(const auto&... args) const {
    return eigenpool::roi_align<layout>(args..., options());
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& boxes, const auto& images, const auto& device) const {
    eigenpool::roi_align_into<layout>(y, x, boxes, images, options(), device);
  }
  template <Layout layout>
  auto backward(const auto&... args) const {
    return eigenpool::roi_align_backward<layout>(args..., options());
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& boxes, const auto& images, const auto& device) const {
    eigenpool::roi_align_backward_into<layout>(dx, dy, boxes, images, options(), device);
  }
  template <Layout layout>
  auto backward_from_input(const auto&... args) const {
    return eigenpool::roi_align_backward_from_input<layout>(args..., options());
  }
  template <Layout layout>
  void backward_from_input_into(auto& dx, const auto& dy, const auto& x, const auto& boxes, const auto& images,
                                const auto& device) const {
    eigenpool::roi_align_backward_from_input_into<layout>(dx, dy, x, boxes, images, options(), device);
  }
};

template <class Case>
class RoiAlign : public testing::Test {};
using Cases =
    testing::Types<PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(RoiAlign, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(RoiAlign, EqualsLoopsOverPoints) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed)
    for (const RoiMode mode : {RoiMode::average, RoiMode::max, RoiMode::max_of_corners}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", mode " + std::to_string(static_cast<int>(mode)));
      Problem p = roi::random_problem(seed, false);
      p.mode = mode;
      const Values want = roi::all_bins(p, roi::aligned_bin);
      roi::expect_numbers<TypeParam, double, Align>(p, want, 1e-13);
      roi::expect_numbers<TypeParam, float, Align>(p, want, 1e-6);
    }
}

TEST(RoiAlignScalars, SmallFloatsAreRoundedOnce) {
  Problem p = roi::random_problem(12, false);
  for (double& x : p.x) x = static_cast<double>(static_cast<Eigen::bfloat16>(static_cast<float>(x)));
  const Values want = roi::all_bins(p, roi::aligned_bin);
  roi::expect_numbers<PoolingCase<2, channels_last>, Eigen::bfloat16, Align>(p, want, 0x1p-9 * 1.01);
  roi::expect_numbers<PoolingCase<2, channels_first>, Eigen::half, Align>(p, want, 0x1p-12 * 1.01);
}

TEST(RoiAlignGradient, EqualsCentralDifferences) {
  for (std::uint64_t seed = 3; seed <= 8; ++seed)
    for (const RoiMode mode : {RoiMode::average, RoiMode::max, RoiMode::max_of_corners}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", mode " + std::to_string(static_cast<int>(mode)));
      Problem p = roi::random_problem(seed, false);
      p.lead[1] = 2;
      p.x = families::signed_values.values(p.lead[0] * 2 * oracle::product(p.spatial), seed);
      p.mode = mode;
      roi::expect_central_differences<Align>(p);
    }
}

Image ramp(Eigen::Index channels, Eigen::Index height, Eigen::Index width) {
  Image x(1, channels, height, width);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  return x;
}
Boxes one_box(float x1, float y1, float x2, float y2) {
  Boxes boxes(1, 4);
  boxes.setValues({{x1, y1, x2, y2}});
  return boxes;
}
Numbers first_image() {
  Numbers images(1);
  images.setZero();
  return images;
}

// A box that ends before it begins is one cell long where it is not aligned, as torchvision's.
TEST(RoiAlignBoxes, EndingBeforeTheyBegin) {
  const RoiAlignOptions options{.output_size = 2, .aligned = false};
  const auto bad = eigenpool::roi_align(ramp(1, 5, 5), one_box(3, 3, 1, 0), first_image(), options);
  const auto good = eigenpool::roi_align(ramp(1, 5, 5), one_box(3, 3, 4, 4), first_image(), options);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(bad.data()[i], good.data()[i]);
}

// Only what lies in the picture is sampled: this ends soon, and a box 2^30 times the picture still averages by its
// area.
TEST(RoiAlignBoxes, HugeOnes) {
  Image x(1, 1, 8, 8);
  x.setConstant(0x1p30F);
  const float far = 0x1p30F;
  const auto y = eigenpool::roi_align(x, one_box(-far, 0, far, 8), first_image(), {.output_size = 1});
  EXPECT_NEAR(y(0), 4, 1);
  const auto most =
      eigenpool::roi_align(x, one_box(-far, 0, far, 8), first_image(), {.output_size = 1, .mode = RoiMode::max});
  EXPECT_EQ(most(0), 0x1p30F);
}

// Points beyond the picture count as 0, so a picture below 0 has a maximum of 0 there; without them it has not.
TEST(RoiAlignMax, PointsOutsideCountAsZero) {
  Image x(1, 1, 4, 4);
  x.setConstant(-1);
  const RoiAlignOptions options{.output_size = 1, .mode = RoiMode::max};
  EXPECT_EQ(eigenpool::roi_align(x, one_box(0, 0, 9, 4), first_image(), options)(0), 0);
  EXPECT_EQ(eigenpool::roi_align(x, one_box(0, 0, 4, 4), first_image(), options)(0), -1);
}

TEST(RoiAlignValues, NaN) {
  Image x = ramp(1, 4, 4);
  x(0, 0, 1, 1) = nan_value;
  const Image dy = Image(1, 1, 2, 2).constant(1);
  for (const RoiMode mode : {RoiMode::average, RoiMode::max, RoiMode::max_of_corners}) {
    const RoiAlignOptions options{.output_size = 2, .sampling_ratio = 2, .mode = mode};
    const auto y = eigenpool::roi_align(x, one_box(0, 0, 4, 4), first_image(), options);
    EXPECT_TRUE(std::isnan(y(0)));
    EXPECT_FALSE(std::isnan(y(3)));
    const auto dx = eigenpool::roi_align_backward_from_input(dy, x, one_box(0, 0, 4, 4), first_image(), options);
    for (Eigen::Index i = 0; i < dx.size(); ++i) EXPECT_FALSE(std::isnan(dx.data()[i]));
    if (mode != RoiMode::average) {
      EXPECT_EQ(dx(0, 0, 1, 1), 1) << "the last NaN";
    }
  }
}

// Points on whole cells weigh their neighbours with 0: what is there does not matter.
TEST(RoiAlignValues, CellsOfWeightZeroAreNotRead) {
  Image x(1, 1, 3, 3);
  x.setConstant(nan_value);
  x(0, 0, 1, 1) = 5;
  for (const RoiMode mode : {RoiMode::average, RoiMode::max, RoiMode::max_of_corners}) {
    const RoiAlignOptions options{.output_size = 1, .sampling_ratio = 1, .mode = mode};
    EXPECT_EQ(eigenpool::roi_align(x, one_box(1, 1, 2, 2), first_image(), options)(0), 5);
  }
}

// The first of equal points has the gradient: with a constant picture, the first point of the bin.
TEST(RoiAlignMax, TiesGoToTheFirstPoint) {
  Image x(1, 1, 4, 4);
  x.setConstant(3);
  const Image dy = Image(1, 1, 1, 1).constant(1);
  const auto dx = eigenpool::roi_align_backward_from_input(
      dy, x, one_box(0, 0, 4, 4), first_image(), {.output_size = 1, .sampling_ratio = 4, .mode = RoiMode::max});
  EXPECT_EQ(dx(0, 0, 0, 0), 1);
  const Eigen::Tensor<float, 0, Eigen::RowMajor> sum = dx.sum();
  EXPECT_EQ(sum(), 1);
}

TEST(RoiAlignEmpty, BoxesAndBatches) {
  const Boxes none(0, 4);
  const Numbers nobody(0);
  const auto y = eigenpool::roi_align(ramp(3, 4, 4), none, nobody, {.output_size = 2});
  EXPECT_EQ(y.size(), 0);
  EXPECT_EQ(y.dimension(1), 3);
  const auto dx =
      eigenpool::roi_align_backward(y, none, nobody, std::array<Eigen::Index, 4>{2, 3, 4, 4}, {.output_size = 2});
  EXPECT_TRUE(eigenpool_test::holds_only(dx, 0.0F));
  EXPECT_EQ(eigenpool::roi_align(Image(0, 3, 4, 4), none, nobody, {.output_size = 2}).size(), 0);
}

class RoiAlignErrors : public testing::Test {
 protected:
  void expect_all(const RoiAlignOptions& options, const std::string& text) {
    const std::string name = "roi_align";
    const std::array<Eigen::Index, 4> shape{2, 3, 5, 6};
    EXPECT_EQ(error_of([&] { eigenpool::roi_align(x_, boxes_, images_, options); }), name + ": " + text);
    EXPECT_EQ(error_of([&] { eigenpool::roi_align_into(y_, x_, boxes_, images_, options); }), name + "_into: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::roi_align_backward(y_, boxes_, images_, shape, options); }),
              name + "_backward: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::roi_align_backward_into(dx_, y_, boxes_, images_, options); }),
              name + "_backward_into: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::roi_align_backward_from_input(y_, x_, boxes_, images_, options); }),
              name + "_backward_from_input: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::roi_align_backward_from_input_into(dx_, y_, x_, boxes_, images_, options); }),
              name + "_backward_from_input_into: " + text);
    EXPECT_TRUE(eigenpool_test::holds_only(y_, 77.0F));
    EXPECT_TRUE(eigenpool_test::holds_only(dx_, 77.0F));
  }
  void SetUp() override {
    x_.setConstant(1);
    y_.setConstant(77);
    dx_.setConstant(77);
    boxes_.setValues({{0, 0, 3, 3}, {1, 1, 4, 4}, {0, 2, 5, 3}});
    images_.setValues({0, 1, 0});
  }

  const RoiAlignOptions options_{.output_size = {2, 4}};
  Image x_{2, 3, 5, 6}, y_{3, 3, 2, 4}, dx_{2, 3, 5, 6};
  Boxes boxes_{3, 4};
  Numbers images_{3};
};

TEST_F(RoiAlignErrors, Options) {
  expect_all({.output_size = {2, 0}}, "output_size[1] is 0, must be at least 1");
  expect_all({}, "output_size[0] is 0, must be at least 1");
  expect_all({.output_size = {2, 4}, .spatial_scale = 0}, "spatial_scale is 0.000000, must be finite and above 0");
  expect_all({.output_size = {2, 4}, .spatial_scale = std::nan("")},
             "spatial_scale is nan, must be finite and above 0");
  expect_all({.output_size = {2, 4}, .sampling_ratio = -1}, "sampling_ratio is -1, must be from 0 to 65536");
  expect_all({.output_size = {2, 4}, .sampling_ratio = 65537}, "sampling_ratio is 65537, must be from 0 to 65536");
  expect_all({.output_size = {eigenpool::Index{1} << 40, eigenpool::Index{1} << 40}},
             "output[3] is 1099511627776, the tensor's size overflows its index type");
  EXPECT_EQ(error_of([&] {
              eigenpool::roi_align_backward(y_, boxes_, images_, x_.dimensions(),
                                            {.output_size = {2, 4}, .mode = RoiMode::max});
            }),
            "roi_align_backward: mode is a maximum, whose gradient needs the input: see _backward_from_input");
}

TEST_F(RoiAlignErrors, BoxesAndImages) {
  const auto spoil = [&](Eigen::Index k, Eigen::Index j, float value, const std::string& text) {
    const float kept = boxes_(k, j);
    boxes_(k, j) = value;
    expect_all(options_, text);
    boxes_(k, j) = kept;
  };
  spoil(1, 2, nan_value, "boxes(1, 2) is nan, must be finite and, scaled, below 2^31");
  spoil(2, 0, -std::numeric_limits<float>::infinity(), "boxes(2, 0) is -inf, must be finite and, scaled, below 2^31");
  spoil(0, 3, 0x1p31F, "boxes(0, 3) is 2147483648.000000, must be finite and, scaled, below 2^31");
  spoil(1, 2, 0.5F, "boxes(1, 2) is 0.500000, must not be less than the box's beginning 1.000000");
  spoil(2, 3, 1, "boxes(2, 3) is 1.000000, must not be less than the box's beginning 2.000000");
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{2}, std::numeric_limits<std::int64_t>::max()}) {
    images_(2) = bad;
    expect_all(options_, "batch_indices(2) is " + std::to_string(bad) + ", must be from 0 to 1");
  }
  images_ = Numbers(2);
  images_.setZero();
  expect_all(options_, "batch_indices[0] is 2, expected 3");
  boxes_ = Boxes(3, 5);
  expect_all(options_, "boxes[1] is 5, expected 4");
}

TEST_F(RoiAlignErrors, Tensors) {
  EXPECT_EQ(error_of([&] { eigenpool::roi_align(Image(2, 3, 5, 0), boxes_, images_, options_); }),
            "roi_align: input[3] is 0, a spatial extent must be at least 1");
  EXPECT_EQ(error_of([&] { eigenpool::roi_align_into(dx_, x_, boxes_, images_, options_); }),
            "roi_align_into: output[0] is 2, expected 3");
  EXPECT_EQ(error_of([&] { eigenpool::roi_align_backward_into(dx_, x_, boxes_, images_, options_); }),
            "roi_align_backward_into: gradient[0] is 2, expected 3");
  using Shape = std::array<Eigen::Index, 4>;
  EXPECT_EQ(error_of([&] {
              eigenpool::roi_align_backward(y_, boxes_, images_, Shape{2, -3, 5, 6}, options_);
            }),
            "roi_align_backward: input_shape[1] is -3, must be at least 0");
  Eigen::TensorMap<Image> overlapping(x_.data(), 3, 3, 2, 4);
  EXPECT_EQ(error_of([&] { eigenpool::roi_align_into(overlapping, x_, boxes_, images_, options_); }),
            "roi_align_into: output overlaps input");
  Eigen::TensorMap<Image> mapped(boxes_.data(), 1, 1, 1, 1);
  EXPECT_EQ(error_of([&] {
              eigenpool::roi_align_into(mapped, Image(1, 1, 2, 2), one_box(0, 0, 1, 1), first_image(),
                                        {.output_size = 1});
            }),
            "no error");
}

TEST(RoiAlignOp, EqualsTheFunction) {
  const Problem p = roi::random_problem(2, false);
  const auto x = harness::to_tensor<PoolingCase<2, channels_first>, float>(p.lead, p.spatial, p.x);
  const auto boxes = roi::boxes_of<float>(p);
  const auto images = roi::images_of(p);
  const RoiAlignOptions options{.output_size = 3};
  const Image want = eigenpool::roi_align(x, boxes, images, options);
  harness::SharingPool pool(2);
  const Eigen::ThreadPoolDevice threads(&pool, 2);
  Image got(want.dimensions());
  got.device(threads) = x.customOp(eigenpool::RoiAlign<Boxes, Numbers>(boxes, images, options));
  ASSERT_GT(want.size(), 0);
  for (Eigen::Index i = 0; i < want.size(); ++i) ASSERT_EQ(got.data()[i], want.data()[i]);
}

}  // namespace
