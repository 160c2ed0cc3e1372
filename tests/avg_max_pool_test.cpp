// Average and max pooling in one pass: bit by bit the two operators' own results, concatenated along the channels, for
// every geometry, layout, storage order and number of threads; parts of a problem; the backward; refused arguments.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cases.hpp"
#include "compare.hpp"
#include "error_calls.hpp"
#include "families.hpp"
#include "gradient_cases.hpp"
#include "harness.hpp"
#include "oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;
using harness::Values;
using oracle::Extents;
using oracle::Geometry;
using oracle::Index;

bool is_run(const Geometry& g, int rank) {
  return static_cast<int>(g.rank()) == rank && g.kind != oracle::Kind::adaptive;
}

Extents doubled(const Extents& lead) { return {lead[0], 2 * lead[1]}; }

template <class Case, class Scalar>
struct AvgMax {
  static constexpr eigenpool::Layout layout = Case::layout;
  using F = Fronts<Case::D>;
  using Tensor = typename Case::template Tensor<Scalar>;
  const Geometry& g;

  template <class Device = Eigen::DefaultDevice>
  Values forward(const Values& x, const Device& device = {}) const {
    const auto out = oracle::output_spatial(g);
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    Tensor y(harness::shape_of<Case>(doubled(g.lead), out));
    y.setConstant(Scalar(113));
    if (g.kind == oracle::Kind::global)
      eigenpool::global_avg_max_pool_into<layout>(y, input, device);
    else
      F::template avg_max_pool_into<layout>(y, input, harness::window_of<Case>(g), harness::options_of(g), device);
    return harness::from_tensor<Case, Scalar>(doubled(g.lead), out, y);
  }
  template <class Device = Eigen::DefaultDevice>
  Values backward(const Values& dy, const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    const Tensor gradient = harness::to_tensor<Case, Scalar>(doubled(g.lead), oracle::output_spatial(g), dy);
    Tensor dx(harness::shape_of<Case>(g.lead, g.spatial));
    dx.setConstant(Scalar(113));
    if (g.kind == oracle::Kind::global)
      eigenpool::global_avg_max_pool_backward_into<layout>(dx, gradient, input, device);
    else
      F::template avg_max_pool_backward_into<layout>(dx, gradient, input, harness::window_of<Case>(g),
                                                     harness::options_of(g), device);
    return harness::from_tensor<Case, Scalar>(g.lead, g.spatial, dx);
  }
};

// For each n, the averages of its channels, then the maxima.
Values concatenated(const Geometry& g, const Values& averages, const Values& maxima) {
  Values result;
  const auto per_n = static_cast<std::ptrdiff_t>(g.lead[1] * oracle::product(oracle::output_spatial(g)));
  for (std::ptrdiff_t n = 0; n < g.lead[0]; ++n)
    for (const Values* half : {&averages, &maxima})
      result.insert(result.end(), half->begin() + n * per_n, half->begin() + (n + 1) * per_n);
  return result;
}

// The two operators by themselves, in the plainest form, which their own tests compare with the oracle.
template <int D, class Scalar>
Values apart(const Geometry& g, const Values& x) {
  using Case = PoolingCase<D, channels_first>;
  using Tensor = typename Case::template Tensor<Scalar>;
  const auto out = oracle::output_spatial(g);
  const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
  Tensor average(harness::shape_of<Case>(g.lead, out)), maximum = average;
  if (g.kind == oracle::Kind::global) {
    eigenpool::global_avg_pool_into(average, input);
    eigenpool::global_max_pool_into(maximum, input);
  } else {
    const auto w = harness::window_of<Case>(g);
    Fronts<D>::template avg_pool_into<channels_first>(average, input, w, harness::options_of(g));
    Fronts<D>::template max_pool_into<channels_first>(maximum, input, w);
  }
  return concatenated(g, harness::from_tensor<Case, Scalar>(g.lead, out, average),
                      harness::from_tensor<Case, Scalar>(g.lead, out, maximum));
}

template <class Case>
class AvgMaxPool : public testing::Test {};
using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>,
                   PoolingCase<3, channels_first>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(AvgMaxPool, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(AvgMaxPool, EqualsTheTwoOperators) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    for (const auto& family : {families::signed_values, families::nans}) {
      SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name);
      const Values x = family.values(oracle::input_size(g), 1);
      const Values want = apart<TypeParam::D, float>(g, x);
      EXPECT_TRUE(harness::all_same_bits(AvgMax<TypeParam, float>{g}.forward(x), want));
      EXPECT_TRUE(harness::all_same_bits(AvgMax<TypeParam, float>{g}.forward(x, device), want)) << "threads";
    }
    const Values whole = families::integers.values(oracle::input_size(g), 1);
    EXPECT_TRUE(harness::all_equal(AvgMax<TypeParam, Eigen::half>{g}.forward(whole),
                                   apart<TypeParam::D, Eigen::half>(g, whole)))
        << testing::PrintToString(g);
  }
}

// Pictures that are cut into parts: by planes, and by rows within a slice.
TYPED_TEST(AvgMaxPool, EqualsTheTwoOperatorsWherePartsAreCut) {
  for (const Geometry& g :
       {Geometry{.name = "planes",
       .lead = {2, 41},
       .spatial = {40, 41},
       .kernel = {3, 2},
       .stride = {2, 2},
       .begin = {1, 1}},
        Geometry{
            .name = "rows", .lead = {1, 3}, .spatial = {301, 203}, .kernel = {3, 3}, .stride = {2, 2}, .begin = {1, 1}},
        Geometry{.name = "ceil",
        .lead = {1, 2},
        .spatial = {401, 250},
        .kernel = {4, 3},
        .stride = {3, 3},
        .ceil = true,
        .count_include_pad = true},
        Geometry{.name = "exclude",
        .lead = {1, 2},
        .spatial = {400, 250},
        .kernel = {3, 3},
        .stride = {2, 2},
        .begin = {2, 1},
        .count_include_pad = false},
        Geometry{.name = "global", .lead = {3, 7}, .spatial = {101, 99}, .kind = oracle::Kind::global},
        Geometry{
            .name = "volume", .lead = {1, 3}, .spatial = {61, 30, 31}, .kernel = {3, 2, 2}, .stride = {2, 2, 2}}}) {
    if (!is_run(g, TypeParam::D)) continue;
    SCOPED_TRACE(testing::PrintToString(g));
    const Values x = families::signed_values.values(oracle::input_size(g), 3);
    EXPECT_TRUE(harness::all_same_bits((AvgMax<TypeParam, float>{g}.forward(x)), (apart<TypeParam::D, float>(g, x))));
  }
}

TYPED_TEST(AvgMaxPool, BackwardEqualsTheOracle) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    SCOPED_TRACE(testing::PrintToString(g));
    const Values x = families::ties.values(oracle::input_size(g), 1);
    const Values of_average = families::signed_values.values(oracle::output_size(g), 2);
    const Values of_maximum = families::integers.values(oracle::output_size(g), 3);
    oracle::Sums want = oracle::average_backward(g, of_average);
    const Values at_maxima = oracle::max_backward(g, x, of_maximum);
    for (std::size_t i = 0; i < x.size(); ++i) want.values[i] += at_maxima[i];
    const Values dy = concatenated(g, of_average, of_maximum);
    const Values dx = AvgMax<TypeParam, double>{g}.backward(dy, x);
    EXPECT_TRUE(harness::all_agree(
        dx, want.values, [](double a, double b, std::size_t) { return std::abs(a - b) <= 1e-12 * (1 + std::abs(b)); }));
    EXPECT_TRUE(harness::all_same_bits(AvgMax<TypeParam, double>{g}.backward(dy, x, device), dx)) << "threads";
  }
}

TYPED_TEST(AvgMaxPool, BackwardIsTheDerivative) {
  for (const Geometry& g : cases::gradients()) {
    if (!is_run(g, TypeParam::D)) continue;
    const Values x = families::signed_values.values(oracle::input_size(g), 1);
    const Values dy = families::signed_values.values(2 * oracle::output_size(g), 2);
    const AvgMax<TypeParam, double> pooled{g};
    const Values dx = pooled.backward(dy, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double step = 1e-8;  // no closer than that do random values lie
      Values above = x, below = x;
      above[i] += step, below[i] -= step;
      const Values high = pooled.forward(above), low = pooled.forward(below);
      double difference = 0;
      for (std::size_t k = 0; k < dy.size(); ++k) difference += dy[k] * (high[k] - low[k]) / (2 * step);
      EXPECT_NEAR(dx[i], difference, 1e-6) << testing::PrintToString(g) << ' ' << i;
    }
  }
}

TEST(AvgMaxPoolShapes, DoubleTheChannels) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 3, 4, 5);
  x.setRandom();
  const auto flat = eigenpool::global_avg_max_pool(x);
  const auto kept = eigenpool::global_avg_max_pool(x, eigenpool::keep_dims);
  EXPECT_EQ(flat.dimension(1), 6);
  EXPECT_EQ(kept.dimension(1), 6);
  EXPECT_EQ(kept.dimension(3), 1);
  const auto average = eigenpool::global_avg_pool(x), maximum = eigenpool::global_max_pool(x);
  for (Eigen::Index n = 0; n < 2; ++n)
    for (Eigen::Index c = 0; c < 3; ++c) {
      EXPECT_EQ(flat(n, c), average(n, c));
      EXPECT_EQ(flat(n, c + 3), maximum(n, c));
      EXPECT_EQ(kept(n, c + 3, 0, 0), maximum(n, c));
    }
  const eigenpool::Window<2> w{.kernel = 2};
  const Eigen::Tensor<float, 4, Eigen::RowMajor> custom = x.customOp(eigenpool::AvgMaxPool<2>(w));
  const auto called = eigenpool::avg_max_pool2d(x, w);
  ASSERT_EQ(custom.dimension(1), 6);
  for (Eigen::Index i = 0; i < called.size(); ++i) EXPECT_EQ(custom.data()[i], called.data()[i]);
  const Eigen::Tensor<float, 4, Eigen::RowMajor> global = x.customOp(eigenpool::GlobalAvgMaxPool<>());
  ASSERT_EQ(global.dimension(1), 6);
  for (Eigen::Index i = 0; i < kept.size(); ++i) EXPECT_EQ(global.data()[i], kept.data()[i]);
  const Eigen::Tensor<float, 4, Eigen::RowMajor> dx = called.customOp(x, eigenpool::AvgMaxPoolBackward<2>(w));
  const auto want = eigenpool::avg_max_pool2d_backward(called, x, w);
  for (Eigen::Index i = 0; i < want.size(); ++i) EXPECT_EQ(dx.data()[i], want.data()[i]);
  const Eigen::Tensor<float, 3, Eigen::RowMajor> single = x.chip<0>(1);
  EXPECT_EQ(eigenpool::avg_max_pool2d(single, w).dimension(0), 6);
  const Eigen::Tensor<float, 4, Eigen::RowMajor> empty(0, 3, 4, 5), none(2, 0, 4, 5);
  EXPECT_EQ(eigenpool::avg_max_pool2d(empty, w).dimension(0), 0);
  EXPECT_EQ(eigenpool::global_avg_max_pool(none).dimension(1), 0);
}

TEST(AvgMaxPoolErrors, NameFunctionArgumentAndValue) {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Tensor x(1, 2, 6, 6), y(1, 4, 3, 3), dy(1, 4, 3, 3), dx(1, 2, 6, 6), wrong(1, 2, 3, 3);
  Eigen::Tensor<float, 2, Eigen::RowMajor> flat(1, 2);
  x.setConstant(1), dy.setConstant(1), y.setConstant(77), dx.setConstant(77), wrong.setConstant(77), flat.setZero();
  const eigenpool::Window<2> w{.kernel = 2}, bad{.kernel = {2, 0}};
  const auto expect = [&](const std::function<void()>& call, const std::string& text) {
    EXPECT_EQ(eigenpool_test::error_of(call), text);
    for (const Tensor* written : {&y, &dx, &wrong}) EXPECT_TRUE(eigenpool_test::holds_only(*written, 77.0F));
  };
  expect([&] { eigenpool::avg_max_pool2d(x, bad); }, "avg_max_pool2d: kernel[1] is 0, must be at least 1");
  expect([&] { eigenpool::avg_max_pool2d(x, w, {.divisor_override = 0}); },
         "avg_max_pool2d: divisor_override is 0, must not be 0");
  expect([&] { eigenpool::avg_max_pool2d_into(wrong, x, w); }, "avg_max_pool2d_into: output[1] is 2, expected 4");
  expect([&] { eigenpool::avg_max_pool2d_backward(wrong, x, w); },
         "avg_max_pool2d_backward: gradient[1] is 2, expected 4");
  expect([&] { eigenpool::avg_max_pool2d_backward_into(wrong, dy, x, w); },
         "avg_max_pool2d_backward_into: output[2] is 3, expected 6");
  expect([&] { eigenpool::avg_max_pool2d_backward_into(dx, dy, dx, w); },
         "avg_max_pool2d_backward_into: output overlaps input");
  expect([&] { eigenpool::global_avg_max_pool_into(flat, x); }, "global_avg_max_pool_into: output[1] is 2, expected 4");
  expect([&] { eigenpool::global_avg_max_pool_backward(flat, x); },
         "global_avg_max_pool_backward: gradient[1] is 2, expected 4");
}

}  // namespace
