// Known identities between operators, and with Eigen's own convolution.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <limits>

#include "families.hpp"

namespace {

using namespace eigenpool;
using eigenpool::Index;

template <int order>
using Tensor = Eigen::Tensor<double, 4, order>;

using Batch = Tensor<Eigen::RowMajor>;

template <int order>
Tensor<order> filled(const std::array<Index, 4>& shape, const families::Family& family = families::signed_values) {
  Tensor<order> x(shape);
  const auto values = family.values(x.size(), 3);
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

template <class A, class B>
void expect_near(const A& a, const B& b, double tolerance = 1e-14) {
  ASSERT_EQ(a.dimensions(), b.dimensions());
  for (Index i = 0; i < a.size(); ++i) ASSERT_NEAR(a.data()[i], b.data()[i], tolerance) << "element " << i;
}

template <class A, class B>
void expect_equal(const A& a, const B& b) {
  ASSERT_EQ(a.dimensions(), b.dimensions());
  for (Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

// Eigen's convolve keeps the cells whose window is whole, at stride 1.
template <int order>
void expect_average_is_convolution() {
  const Tensor<order> x = filled<order>({2, 3, 11, 13});
  const Eigen::array<Index, 2> spatial{2, 3};
  for (const auto& [height, width] : {std::array<Index, 2>{3, 3}, {1, 4}, {5, 2}}) {
    Eigen::Tensor<double, 2, order> kernel(height, width);
    kernel.setConstant(1.0 / static_cast<double>(height * width));
    const Tensor<order> convolved = x.convolve(kernel, spatial);
    expect_near(avg_pool2d(x, {.kernel = {height, width}, .stride = 1}), convolved);
    const Tensor<order> strided = convolved.stride(Eigen::array<Index, 4>{1, 1, 2, 3});
    expect_near(avg_pool2d(x, {.kernel = {height, width}, .stride = {2, 3}}), strided);
  }
}

TEST(Identities, AverageIsConvolutionWithAConstantKernel) {
  expect_average_is_convolution<Eigen::RowMajor>();
  expect_average_is_convolution<Eigen::ColMajor>();
}

TEST(Identities, PaddedAverageIsConvolutionOfThePaddedInput) {
  const Tensor<Eigen::RowMajor> x = filled<Eigen::RowMajor>({2, 3, 8, 9});
  using Pair = std::pair<Index, Index>;
  const Tensor<Eigen::RowMajor> padded = x.pad(std::array<Pair, 4>{Pair{0, 0}, Pair{0, 0}, Pair{1, 0}, Pair{2, 1}});
  Eigen::Tensor<double, 2, Eigen::RowMajor> kernel(2, 3);
  kernel.setConstant(1.0 / 6);
  const Tensor<Eigen::RowMajor> convolved = padded.convolve(kernel, Eigen::array<Index, 2>{2, 3});
  expect_near(avg_pool2d(x, {.kernel = {2, 3}, .stride = 1, .padding = {{1, 2}, {0, 1}}}), convolved);
}

TEST(Identities, BlurIsConvolutionWithABinomialKernel) {
  const Tensor<Eigen::RowMajor> x = filled<Eigen::RowMajor>({2, 3, 11, 13});
  Eigen::Tensor<double, 1, Eigen::RowMajor> down(4), along(3);
  down.setValues({0.125, 0.375, 0.375, 0.125});
  along.setValues({0.25, 0.5, 0.25});
  const Tensor<Eigen::RowMajor> once = x.convolve(down, Eigen::array<Index, 1>{2});
  const Tensor<Eigen::RowMajor> twice = once.convolve(along, Eigen::array<Index, 1>{3});
  const Tensor<Eigen::RowMajor> y = blur_pool2d(x, {.kernel = {4, 3}, .stride = 1});
  const Tensor<Eigen::RowMajor> inside =
      y.slice(Eigen::array<Index, 4>{0, 0, 1, 1}, Eigen::array<Index, 4>{2, 3, 8, 11});
  expect_near(inside, twice);
}

TEST(Identities, AverageCommutesWithAddingAConstant) {
  const Tensor<Eigen::RowMajor> x = filled<Eigen::RowMajor>({2, 3, 10, 12});
  const double constant = 17.25;
  const Window<2> window{.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 1}};
  const auto commutes = [&](const auto& pool) {
    const Tensor<Eigen::RowMajor> moved = x + x.constant(constant), y = pool(x);
    const Tensor<Eigen::RowMajor> want = y + y.constant(constant);
    expect_near(pool(moved), want, 1e-13);
  };
  commutes([&](const auto& t) { return avg_pool2d(t, window, {.count_include_pad = false}); });
  commutes([&](const auto& t) { return adaptive_avg_pool2d(t, {3, 7}); });
  commutes([&](const auto& t) { return global_avg_pool(t, keep_dims); });
  commutes([&](const auto& t) { return blur_pool2d(t, {.kernel = {5, 4}}); });
}

TEST(Identities, MaximumCommutesWithEveryIncreasingFunction) {
  const Tensor<Eigen::RowMajor> x = filled<Eigen::RowMajor>({2, 3, 9, 12});
  const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};
  const Tensor<Eigen::RowMajor> raised = x.exp(), y = max_pool2d(x, window).exp();
  expect_near(max_pool2d(raised, window), y, 0);
}

TEST(Identities, AdaptiveToOneCellIsGlobal) {
  const Tensor<Eigen::ColMajor> x = filled<Eigen::ColMajor>({2, 3, 9, 12});
  expect_near(adaptive_avg_pool2d(x, 1), global_avg_pool(x, keep_dims), 0);
  expect_near(adaptive_max_pool2d(x, 1), global_max_pool(x, keep_dims), 0);
}

// One window over all steps, in the same order of sums.
TEST(Identities, WholeSequencesAreGlobal) {
  const Eigen::Tensor<double, 3, Eigen::RowMajor> x =
      filled<Eigen::RowMajor>({1, 4, 37, 5}).reshape(Eigen::array<Index, 3>{4, 37, 5});
  Eigen::Tensor<std::int64_t, 1> lengths(4);
  lengths.setConstant(37);
  expect_near(sequence_avg_pool(x, lengths), global_avg_pool<channels_last>(x), 0);
  expect_near(sequence_max_pool(x, lengths), global_max_pool<channels_last>(x), 0);
}

TEST(Identities, SequencesAreSegmentsOfTheirSteps) {
  const Eigen::Tensor<double, 3, Eigen::RowMajor> x =
      filled<Eigen::RowMajor>({1, 4, 6, 5}).reshape(Eigen::array<Index, 3>{4, 6, 5});
  Eigen::Tensor<std::int64_t, 1> lengths(4), ids(24);
  lengths.setConstant(6);
  for (Index r = 0; r < 24; ++r) ids(r) = r / 6;
  const Eigen::Tensor<double, 2, Eigen::RowMajor> rows = x.reshape(Eigen::array<Index, 2>{24, 5});
  expect_near(segment_sum(rows, ids), sequence_sum_pool(x, lengths), 0);
  expect_near(segment_max(rows, ids), sequence_max_pool(x, lengths), 0);
}

TEST(Identities, MinimumOfASegmentIsMinusTheMaximumOfTheOpposite) {
  const Eigen::Tensor<double, 2, Eigen::RowMajor> x =
      filled<Eigen::RowMajor>({1, 1, 24, 5}).reshape(Eigen::array<Index, 2>{24, 5});
  Eigen::Tensor<std::int64_t, 1> ids(24);
  for (Index r = 0; r < 24; ++r) ids(r) = r * 7 % 5;
  const Eigen::Tensor<double, 2, Eigen::RowMajor> want = -segment_max(-x, ids, 5);
  expect_near(segment_min(x, ids, 5), want, 0);
}

TEST(Identities, AMaximumOfMinusXIsMinusTheMinimum) {
  const auto x = filled<Eigen::RowMajor>({2, 5, 11, 14}, families::infinities);
  const Batch negated = -x;
  const Window<2> w{.kernel = 3, .stride = 2, .padding = 1};
  expect_equal(max_pool2d(negated, w), Batch(-min_pool2d(x, w)));
  expect_equal(adaptive_max_pool2d(negated, {3, 5}), Batch(-adaptive_min_pool2d(x, {3, 5})));
  expect_equal(global_max_pool(negated), Eigen::Tensor<double, 2, Eigen::RowMajor>(-global_min_pool(x)));
}

TEST(Identities, NormsEncloseTheLargestMagnitude) {
  const auto x = filled<Eigen::RowMajor>({2, 3, 12, 15}, families::signed_values);
  const Window<2> w{.kernel = {3, 4}};
  const Batch largest = lp_pool2d(x, w, {.p = std::numeric_limits<double>::infinity()});
  Batch before = lp_pool2d(x, w, {.p = 1});
  expect_near(before, Batch(12 * avg_pool2d(Batch(x.abs()), w)), 1e-14);
  for (const double p : {1.5, 2.0, 3.0, 8.0, 100.0}) {  // norms fall with p, to the largest
    const Batch norms = lp_pool2d(x, w, {.p = p});
    for (Index i = 0; i < norms.size(); ++i) {
      EXPECT_LE(norms.data()[i], before.data()[i] * (1 + 1e-15));
      EXPECT_GE(norms.data()[i], largest.data()[i] * (1 - 1e-15));
    }
    before = norms;
  }
  expect_near(before, largest, 0.03);
}

// x' dx = y' dy: a norm is homogeneous of degree one (Euler).
TEST(Identities, GradientsOfNormsObeyEuler) {
  const auto x = filled<Eigen::RowMajor>({2, 3, 9, 10}, families::signed_values);
  const Window<2> w{.kernel = 3, .stride = 2, .padding = 1};
  for (const double p : {1.0, 2.0, 2.5, 7.0}) {
    const Batch y = lp_pool2d(x, w, {.p = p});
    const Batch dx = lp_pool2d_backward(y, x, y, w, {.p = p});
    double left = 0, right = 0;
    for (Index i = 0; i < x.size(); ++i) left += x.data()[i] * dx.data()[i];
    for (Index i = 0; i < y.size(); ++i) right += y.data()[i] * y.data()[i];
    EXPECT_NEAR(left, right, 1e-11 * right) << p;
  }
}

TEST(Identities, TheVarianceIsTheNormOfWhatTheMeanLeaves) {
  const auto x = filled<Eigen::RowMajor>({2, 3, 9, 10}, families::signed_values);
  const auto [mean, variance] = global_mean_variance(x);
  Batch left = x;
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 3; ++c)
      for (Index i = 0; i < 90; ++i) left(n, c, i / 10, i % 10) -= mean(n, c);
  const auto norm = global_lp_pool(left);
  for (Index i = 0; i < norm.size(); ++i) EXPECT_NEAR(variance.data()[i], norm.data()[i] * norm.data()[i] / 90, 1e-14);
}

}  // namespace
