// The mean and the variance of planes, against plain loops in long double; large means; bits; the backward; errors.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "compare.hpp"
#include "error_calls.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool_test::PoolingCase;
using harness::Values;
using oracle::Extents;
using oracle::Index;

struct Planes {
  Extents lead, spatial;
  Index cells() const { return oracle::product(spatial); }
  Index count() const { return oracle::product(lead); }
};

// Small, with tails, of one cell, and of several parts.
std::vector<Planes> planes_of(int rank) {
  if (rank == 1) return {{{2, 3}, {1}}, {{1, 1}, {37}}, {{3, 70}, {500}}};
  if (rank == 2) return {{{2, 3}, {4, 5}}, {{2, 17}, {9, 31}}, {{5, 40}, {40, 33}}, {{1, 2}, {300, 201}}};
  return {{{2, 3}, {3, 4, 5}}, {{2, 40}, {11, 12, 9}}};
}

struct Moments {
  Values mean{}, variance{};
};

template <class Case, class Scalar>
struct Statistics {
  static constexpr eigenpool::Layout layout = Case::layout;
  using Tensor = typename Case::template Tensor<Scalar>;
  using Flat = Eigen::Tensor<Scalar, 2, Case::order>;
  const Planes& g;
  Index correction = 0;

  template <class Device = Eigen::DefaultDevice>
  Moments forward(const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    Flat mean(g.lead[0], g.lead[1]), variance(g.lead[0], g.lead[1]);
    mean.setConstant(Scalar(113)), variance.setConstant(Scalar(113));
    eigenpool::global_mean_variance_into<layout>(mean, variance, input, {.correction = correction}, device);
    return {values(mean), values(variance)};
  }
  template <class Device = Eigen::DefaultDevice>
  Values backward(const Values& dmean, const Values& dvariance, const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    Tensor dx(harness::shape_of<Case>(g.lead, g.spatial));
    dx.setConstant(Scalar(113));
    eigenpool::global_mean_variance_backward_into<layout>(dx, flat(dmean), flat(dvariance), input,
                                                          {.correction = correction}, device);
    return harness::from_tensor<Case, Scalar>(g.lead, g.spatial, dx);
  }

 private:
  Values values(const Flat& tensor) const {
    Values result;
    for (Index n = 0; n < g.lead[0]; ++n)
      for (Index c = 0; c < g.lead[1]; ++c) result.push_back(static_cast<double>(tensor(n, c)));
    return result;
  }
  Flat flat(const Values& of) const {
    Flat tensor(g.lead[0], g.lead[1]);
    for (Index n = 0; n < g.lead[0]; ++n)
      for (Index c = 0; c < g.lead[1]; ++c)
        tensor(n, c) = static_cast<Scalar>(of[static_cast<std::size_t>(n * g.lead[1] + c)]);
    return tensor;
  }
};

Moments moments_of(const Planes& g, const Values& x, Index correction) {
  Moments result;
  for (Index plane = 0; plane < g.count(); ++plane) {
    const double* p = x.data() + plane * g.cells();
    long double sum = 0, squares = 0;
    for (Index i = 0; i < g.cells(); ++i) sum += p[i];
    const long double mean = sum / static_cast<long double>(g.cells());
    for (Index i = 0; i < g.cells(); ++i) squares += (p[i] - mean) * (p[i] - mean);
    result.mean.push_back(static_cast<double>(mean));
    result.variance.push_back(static_cast<double>(squares / static_cast<long double>(g.cells() - correction)));
  }
  return result;
}

testing::AssertionResult all_near(const Values& got, const Values& want, double tolerance) {
  return harness::all_agree(
      got, want, [&](double a, double b, std::size_t) { return std::abs(a - b) <= tolerance * (1 + std::abs(b)); });
}

Values signed_values(Index count, std::uint64_t seed) { return families::signed_values.values(count, seed); }

template <class Case>
class MeanVariance : public testing::Test {};
using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last>, PoolingCase<2, channels_first>,
                   PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                   PoolingCase<2, channels_last, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                   PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(MeanVariance, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(MeanVariance, EqualsPlainLoops) {
  for (const Planes& g : planes_of(TypeParam::D)) {
    const Values x = signed_values(g.count() * g.cells(), 1);
    for (const Index correction : {Index{0}, Index{1}}) {
      if (correction >= g.cells()) continue;
      const Moments want = moments_of(g, x, correction);
      const Moments single = Statistics<TypeParam, float>{g, correction}.forward(x);
      const Moments whole = Statistics<TypeParam, double>{g, correction}.forward(x);
      EXPECT_TRUE(all_near(single.mean, want.mean, 1e-6));
      EXPECT_TRUE(all_near(single.variance, want.variance, 2e-6));
      EXPECT_TRUE(all_near(whole.mean, want.mean, 1e-15));
      EXPECT_TRUE(all_near(whole.variance, want.variance, 4e-15));
    }
  }
}

TYPED_TEST(MeanVariance, SmallFloatsAreComputedInFloat) {
  const Planes g{{2, 3}, Extents(static_cast<std::size_t>(TypeParam::D), 16)};
  const Values x = families::integers.values(g.count() * g.cells(), 1);  // exact in a half, their squares' sum is not
  const Moments want = moments_of(g, x, 0);
  const Moments got = Statistics<TypeParam, Eigen::half>{g}.forward(x);
  EXPECT_TRUE(all_near(got.mean, want.mean, 6e-4));
  EXPECT_TRUE(all_near(got.variance, want.variance, 6e-4));
}

// The difference of two sums of squares would have no digit left.
TYPED_TEST(MeanVariance, LosesNothingToALargeMean) {
  for (const Planes& g : planes_of(TypeParam::D)) {
    Values x = families::integers.values(g.count() * g.cells(), 1);
    for (double& value : x) value += 1 << 22;
    const Moments want = moments_of(g, x, 0);
    const Moments got = Statistics<TypeParam, float>{g}.forward(x);
    EXPECT_TRUE(all_near(got.variance, want.variance, 1e-3));
  }
}

TYPED_TEST(MeanVariance, HasTheSameBitsEverywhere) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Planes& g : planes_of(TypeParam::D)) {
    const Values x = signed_values(g.count() * g.cells(), 1);
    const Moments first = Statistics<PoolingCase<TypeParam::D, channels_first>, float>{g}.forward(x);
    const Moments got = Statistics<TypeParam, float>{g}.forward(x);
    const Moments threaded = Statistics<TypeParam, float>{g}.forward(x, device);
    for (const Moments& m : {got, threaded}) {
      EXPECT_TRUE(harness::all_same_bits(m.mean, first.mean));
      EXPECT_TRUE(harness::all_same_bits(m.variance, first.variance));
    }
    eigenpool::simd::set_max_vector_bytes(16);
    EXPECT_TRUE(harness::all_same_bits(Statistics<TypeParam, float>{g}.forward(x).variance, first.variance));
    eigenpool::simd::set_max_vector_bytes(64);
  }
}

TYPED_TEST(MeanVariance, BackwardIsTheDerivative) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  const Planes g{{2, 3}, Extents(static_cast<std::size_t>(TypeParam::D), 3)};
  for (const Index correction : {Index{0}, Index{1}, Index{2}}) {
    const Statistics<TypeParam, double> statistics{g, correction};
    const Values x = signed_values(g.count() * g.cells(), 1);
    const Values dmean = signed_values(g.count(), 2), dvariance = signed_values(g.count(), 3);
    const Values dx = statistics.backward(dmean, dvariance, x);
    const auto loss = [&](const Values& at) {
      const Moments m = statistics.forward(at);
      double sum = 0;
      for (std::size_t i = 0; i < dmean.size(); ++i) sum += dmean[i] * m.mean[i] + dvariance[i] * m.variance[i];
      return sum;
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double step = 1e-6;
      Values above = x, below = x;
      above[i] += step, below[i] -= step;
      EXPECT_NEAR(dx[i], (loss(above) - loss(below)) / (2 * step), 1e-8);
    }
    EXPECT_TRUE(harness::all_same_bits(statistics.backward(dmean, dvariance, x, device), dx));
  }
}

TEST(MeanVarianceValues, OfConstantNanAndInfinitePlanes) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  Eigen::Tensor<float, 3, Eigen::RowMajor> x(1, 4, 5);
  x.setConstant(0.1F);
  x(0, 1, 2) = std::numeric_limits<float>::quiet_NaN();
  x(0, 2, 4) = infinity;
  const auto [mean, variance] = eigenpool::global_mean_variance(x);
  EXPECT_FLOAT_EQ(mean(0, 0), 0.1F);
  EXPECT_NEAR(variance(0, 0), 0.0F, 1e-15F);
  EXPECT_TRUE(std::isnan(mean(0, 1)) && std::isnan(variance(0, 1)));
  EXPECT_TRUE(mean(0, 2) == infinity && std::isnan(variance(0, 2)));
  EXPECT_FLOAT_EQ(mean(0, 3), 0.1F);
  const Eigen::Tensor<float, 3, Eigen::RowMajor> empty(0, 4, 5);
  EXPECT_EQ(eigenpool::global_mean_variance(empty).mean.dimension(0), 0);
}

TEST(MeanVarianceErrors, NameFunctionArgumentAndValue) {
  Eigen::Tensor<float, 3, Eigen::RowMajor> x(2, 3, 5), dx(2, 3, 5), small(2, 3, 4);
  Eigen::Tensor<float, 2, Eigen::RowMajor> mean(2, 3), variance(2, 3), wrong(2, 4), gradient(2, 3);
  x.setConstant(1), gradient.setConstant(1);
  for (auto* output : {&mean, &variance, &wrong}) output->setConstant(77);
  dx.setConstant(77), small.setConstant(77);
  const auto expect = [&](const std::function<void()>& call, const std::string& text) {
    EXPECT_EQ(eigenpool_test::error_of(call), text);
    for (const auto* output : {&mean, &variance, &wrong}) EXPECT_TRUE(eigenpool_test::holds_only(*output, 77.0F));
    for (const auto* output : {&dx, &small}) EXPECT_TRUE(eigenpool_test::holds_only(*output, 77.0F));
  };
  using eigenpool::global_mean_variance_backward_into;
  using eigenpool::global_mean_variance_into;
  expect([&] { eigenpool::global_mean_variance(x, {.correction = 5}); },
         "global_mean_variance: correction is 5, must be at least 0 and less than the plane's 5 cells");
  expect([&] { global_mean_variance_into(mean, variance, x, {.correction = -1}); },
         "global_mean_variance_into: correction is -1, must be at least 0 and less than the plane's 5 cells");
  expect([&] { global_mean_variance_into(wrong, variance, x); }, "global_mean_variance_into: mean[1] is 4, expected 3");
  expect([&] { global_mean_variance_into(mean, wrong, x); }, "global_mean_variance_into: variance[1] is 4, expected 3");
  expect([&] { global_mean_variance_into(mean, mean, x); }, "global_mean_variance_into: variance overlaps mean");
  expect([&] { eigenpool::global_mean_variance_backward(gradient, wrong, x); },
         "global_mean_variance_backward: variance_gradient[1] is 4, expected 3");
  expect([&] { global_mean_variance_backward_into(small, gradient, gradient, x); },
         "global_mean_variance_backward_into: output[2] is 4, expected 5");
  expect([&] { global_mean_variance_backward_into(dx, gradient, gradient, dx); },
         "global_mean_variance_backward_into: output overlaps input");
}

}  // namespace
