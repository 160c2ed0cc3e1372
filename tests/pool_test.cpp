// Pooling with a user's reducer: the example's log-sum-exp and a generalised mean against plain loops and central
// differences; what the contract promises about order, taps and scalars; refused arguments.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../examples/log_sum_exp.hpp"
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
using eigenpool_test::PoolingCase;
using harness::Values;
using oracle::Geometry;
using oracle::Index;

struct GeneralisedMean {
  using State = double;
  double p = 3;

  State identity() const { return 0; }
  State take(double x) const { return std::pow(std::abs(x), p); }
  State merge(State a, State b) const { return a + b; }
  double finish(State sum, std::int64_t taps) const {
    return taps == 0 ? 0 : std::pow(sum / static_cast<double>(taps), 1 / p);
  }
  double derivative(double x, State sum, std::int64_t taps) const {
    const double n = static_cast<double>(taps);
    return std::copysign(std::pow(std::abs(x), p - 1), x) / n * std::pow(sum / n, 1 / p - 1);
  }
};

// Float sums: along the library's tree they are the bits of its own averages.
struct Mean {
  using State = float;
  State identity() const { return 0; }
  State take(float x) const { return x; }
  State merge(State a, State b) const { return a + b; }
  float finish(State sum, std::int64_t taps) const { return taps == 0 ? 0 : sum / static_cast<float>(taps); }
};

// What a window holds, in order: shows that groups are merged in the window's order, whatever the memory's.
struct InOrder {
  struct State {
    double first, last;
    bool is_sorted, is_empty;
  };
  State identity() const { return {0, 0, true, true}; }
  State take(double x) const { return {x, x, true, false}; }
  State merge(const State& a, const State& b) const {
    if (a.is_empty) return b;
    if (b.is_empty) return a;
    return {a.first, b.last, a.is_sorted && b.is_sorted && a.last < b.first, false};
  }
  double finish(const State& state, std::int64_t) const { return state.is_sorted ? state.first : -1; }
};

template <class Case, class Scalar, class Reducer>
struct Pooled {
  static constexpr eigenpool::Layout layout = Case::layout;
  using Tensor = typename Case::template Tensor<Scalar>;
  const Geometry& g;
  Reducer reducer;

  template <class Device = Eigen::DefaultDevice>
  Values forward(const Values& x, const Device& device = {}) const {
    const auto out = oracle::output_spatial(g);
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    Tensor y(harness::shape_of<Case>(g.lead, out));
    y.setConstant(Scalar(113));
    eigenpool::pool_into<layout>(y, input, harness::window_of<Case>(g), reducer, device);
    return harness::from_tensor<Case, Scalar>(g.lead, out, y);
  }
  template <class Device = Eigen::DefaultDevice>
  Values backward(const Values& dy, const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    const Tensor gradient = harness::to_tensor<Case, Scalar>(g.lead, oracle::output_spatial(g), dy);
    Tensor dx(harness::shape_of<Case>(g.lead, g.spatial));
    dx.setConstant(Scalar(113));
    eigenpool::pool_backward_into<layout>(dx, gradient, input, harness::window_of<Case>(g), reducer, device);
    return harness::from_tensor<Case, Scalar>(g.lead, g.spatial, dx);
  }
};

bool is_run(const Geometry& g, int rank) {
  return static_cast<int>(g.rank()) == rank && g.kind == oracle::Kind::window;
}

bool has_empty_window(const Geometry& g) {
  bool found = false;
  oracle::for_each_window(g, [&](const oracle::Window& window) { found = found || window.members.empty(); });
  return found;
}

testing::AssertionResult all_near(const Values& got, const Values& want, double tolerance) {
  return harness::all_agree(
      got, want, [&](double a, double b, std::size_t) { return harness::equal(a, b) || std::abs(a - b) <= tolerance; });
}

template <class Case>
class PoolWithReducer : public testing::Test {};
using Cases = testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last, Eigen::ColMajor>,
                             PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                             PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                             PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(PoolWithReducer, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(PoolWithReducer, EqualsPlainLoops) {
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    const Values x = families::signed_values.values(oracle::input_size(g), 1);
    Values smooth, mean;
    oracle::for_each_window(g, [&](const oracle::Window& window) {
      double exponentials = 0, cubes = 0;
      for (const auto& member : window.members) exponentials += std::exp(2 * x[member.input]);
      for (const auto& member : window.members) cubes += std::pow(std::abs(x[member.input]), 3);
      const double taps = static_cast<double>(window.members.size());
      smooth.push_back(std::log(exponentials / taps) / 2);
      mean.push_back(taps == 0 ? 0 : std::cbrt(cubes / taps));
    });
    SCOPED_TRACE(testing::PrintToString(g));
    if (!has_empty_window(g)) {
      EXPECT_TRUE(all_near(Pooled<TypeParam, double, LogSumExp>{g, {2}}.forward(x), smooth, 1e-13));
    }
    EXPECT_TRUE(all_near(Pooled<TypeParam, double, GeneralisedMean>{g, {3}}.forward(x), mean, 1e-13));
  }
}

TYPED_TEST(PoolWithReducer, MergesInTheOrderOfASum) {
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    const Values x = families::signed_values.values(oracle::input_size(g), 1);
    const auto own = Pooled<TypeParam, float, Mean>{g, {}}.forward(x);
    using Tensor = typename TypeParam::template Tensor<float>;
    const Tensor input = harness::to_tensor<TypeParam, float>(g.lead, g.spatial, x);
    const Tensor average = eigenpool_test::Fronts<TypeParam::D>::template avg_pool<TypeParam::layout>(
        input, harness::window_of<TypeParam>(g), eigenpool::AvgOptions{.count_include_pad = false});
    SCOPED_TRACE(testing::PrintToString(g));
    EXPECT_TRUE(
        harness::all_equal(own, harness::from_tensor<TypeParam, float>(g.lead, oracle::output_spatial(g), average)));
  }
}

TEST(PoolWithReducerOrder, MergesNeighboursAlongAnAxis) {
  Eigen::Tensor<double, 1, Eigen::RowMajor> x(40);
  for (Eigen::Index i = 0; i < x.size(); ++i) x(i) = static_cast<double>(i);
  const auto y = eigenpool::pool(x, eigenpool::Window<1>{.kernel = 13, .stride = 3, .padding = 5}, InOrder{});
  for (Eigen::Index i = 0; i < y.size(); ++i)
    EXPECT_EQ(y(i), static_cast<double>(std::max<Eigen::Index>(0, 3 * i - 5)));
}

TYPED_TEST(PoolWithReducer, BackwardIsTheDerivative) {
  const auto check = [](const auto& pooled, const Geometry& g) {
    Values x = families::signed_values.values(oracle::input_size(g), 9);
    for (double& value : x) value += std::copysign(0.1, value);
    const Values dy = families::signed_values.values(oracle::output_size(g), 3);
    const Values dx = pooled.backward(dy, x);
    const auto loss = [&](const Values& at) {
      const Values y = pooled.forward(at);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
      return sum;
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double step = 1e-5;
      Values above = x, below = x;
      above[i] += step, below[i] -= step;
      EXPECT_NEAR(dx[i], (loss(above) - loss(below)) / (2 * step), 1e-8) << g.name << ' ' << i;
    }
  };
  for (const Geometry& g : cases::gradients()) {
    if (!is_run(g, TypeParam::D)) continue;
    check(Pooled<TypeParam, double, LogSumExp>{g, {1.5}}, g);
    check(Pooled<TypeParam, double, GeneralisedMean>{g, {2.5}}, g);
  }
}

TEST(PoolWithReducerBits, AreTheSameInEveryLayoutOrderAndNumberOfThreads) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, 2)) continue;
    SCOPED_TRACE(testing::PrintToString(g));
    const Values x = families::signed_values.values(oracle::input_size(g), 2);
    const Values dy = families::signed_values.values(oracle::output_size(g), 3);
    const auto expect_same = [&]<class First, class Other>(First first, Other other) {
      EXPECT_TRUE(harness::all_same_bits(other.forward(x, device), first.forward(x)));
      EXPECT_TRUE(harness::all_same_bits(other.backward(dy, x, device), first.backward(dy, x)));
    };
    const Pooled<PoolingCase<2, channels_first>, float, LogSumExp> first{g, {3}};
    expect_same(first, first);
    expect_same(first, Pooled<PoolingCase<2, channels_last>, float, LogSumExp>{g, {3}});
    expect_same(first, Pooled<PoolingCase<2, channels_first, Eigen::ColMajor>, float, LogSumExp>{g, {3}});
    expect_same(first, Pooled<PoolingCase<2, channels_last, Eigen::ColMajor>, float, LogSumExp>{g, {3}});
  }
}

TEST(PoolWithReducerScalars, AreWidenedAndNarrowed) {
  Eigen::Tensor<Eigen::half, 2, Eigen::RowMajor> x(1, 4);
  for (Eigen::Index i = 0; i < 4; ++i) x(i) = static_cast<Eigen::half>(static_cast<float>(i + 1));
  const auto y = eigenpool::pool(x, eigenpool::Window<2>{.kernel = {1, 4}}, GeneralisedMean{1});
  EXPECT_EQ(static_cast<float>(y(0)), 2.5F);
  Eigen::Tensor<std::int32_t, 2, Eigen::RowMajor> whole(1, 4);
  whole.setValues({{3, -1, 9, 5}});
  EXPECT_EQ(eigenpool::pool(whole, eigenpool::Window<2>{.kernel = {1, 4}}, GeneralisedMean{1})(0), 4);
}

TEST(PoolWithReducerScalars, TheSmoothMaximumReachesAverageAndMaximum) {
  Eigen::Tensor<double, 2, Eigen::RowMajor> x(1, 4);
  x.setValues({{700.0, -2.0, 800.0, 5.0}});  // exp(800) is no double
  const eigenpool::Window<2> w{.kernel = {1, 4}};
  EXPECT_NEAR(eigenpool::pool(x, w, LogSumExp{1e-6})(0), 375.75, 0.1);
  EXPECT_NEAR(eigenpool::pool(x, w, LogSumExp{100.0})(0), 800.0, 0.02);
  const Eigen::Tensor<double, 2, Eigen::RowMajor> lazily = x.customOp(eigenpool::Pool(w, LogSumExp{100.0}));
  EXPECT_EQ(lazily(0), eigenpool::pool(x, w, LogSumExp{100.0})(0));
  const Eigen::Tensor<double, 2, Eigen::RowMajor> dx = lazily.customOp(x, eigenpool::PoolBackward(w, LogSumExp{1.0}));
  const auto want = eigenpool::pool_backward(lazily, x, w, LogSumExp{1.0});
  for (Eigen::Index i = 0; i < 4; ++i) EXPECT_EQ(dx(i), want(i));
}

TEST(PoolWithReducerErrors, NameFunctionArgumentAndValue) {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Tensor x(1, 2, 6, 6), y(1, 2, 3, 3), dy(1, 2, 3, 3), dx(1, 2, 6, 6), wrong(1, 2, 3, 4);
  x.setConstant(1), dy.setConstant(1), wrong.setConstant(1), y.setConstant(77), dx.setConstant(77);
  const eigenpool::Window<2> w{.kernel = 2}, bad{.kernel = {2, 0}};
  const LogSumExp reducer;
  const auto expect = [&](const std::function<void()>& call, const std::string& text) {
    EXPECT_EQ(eigenpool_test::error_of(call), text);
    EXPECT_TRUE(eigenpool_test::holds_only(y, 77.0F));
    EXPECT_TRUE(eigenpool_test::holds_only(dx, 77.0F));
  };
  expect([&] { eigenpool::pool(x, bad, reducer); }, "pool: kernel[1] is 0, must be at least 1");
  expect([&] { eigenpool::pool_into(y, x, bad, reducer); }, "pool_into: kernel[1] is 0, must be at least 1");
  expect([&] { eigenpool::pool_into(wrong, x, w, reducer); }, "pool_into: output[3] is 4, expected 3");
  expect([&] { eigenpool::pool_backward(wrong, x, w, reducer); }, "pool_backward: gradient[3] is 4, expected 3");
  expect([&] { eigenpool::pool_backward_into(wrong, dy, x, w, reducer); },
         "pool_backward_into: output[2] is 3, expected 6");
  expect([&] { eigenpool::pool_backward_into(dx, dy, dx, w, reducer); }, "pool_backward_into: output overlaps input");
  const Tensor empty(0, 2, 6, 6), no_gradient(0, 2, 3, 3);
  EXPECT_EQ(eigenpool::pool(empty, w, reducer).dimension(0), 0);
  EXPECT_EQ(eigenpool::pool_backward(no_gradient, empty, w, reducer).dimension(0), 0);
}

}  // namespace
