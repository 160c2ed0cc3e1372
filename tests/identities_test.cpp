// Known identities between operators, and with Eigen's own convolution.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>

#include "families.hpp"

namespace {

using namespace eigenpool;
using eigenpool::Index;

template <int order>
using Tensor = Eigen::Tensor<double, 4, order>;

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

}  // namespace
