// Lp pooling against plain loops in long double: every exponent, also where powers of the taps leave the scalar's
// range; the same bits on every path; gradients; PyTorch's signed variant; refused arguments.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
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
using eigenpool::LpOptions;
using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;
using harness::Values;
using oracle::Geometry;
using oracle::Index;

constexpr double infinity = std::numeric_limits<double>::infinity();

bool is_run(const Geometry& g, int rank) {
  return static_cast<int>(g.rank()) == rank && g.kind != oracle::Kind::adaptive;
}

// The operator of one geometry, in the layout and storage order of Case. Cells start as a number that no norm is.
template <class Case, class Scalar>
struct Norm {
  static constexpr eigenpool::Layout layout = Case::layout;
  using F = Fronts<Case::D>;
  using Tensor = typename Case::template Tensor<Scalar>;
  const Geometry& g;
  LpOptions options;

  template <class Device = Eigen::DefaultDevice>
  Values forward(const Values& x, const Device& device = {}) const {
    const auto out = oracle::output_spatial(g);
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    Tensor y(harness::shape_of<Case>(g.lead, out));
    y.setConstant(Scalar(-113));
    if (g.kind == oracle::Kind::global)
      eigenpool::global_lp_pool_into<layout>(y, input, options, device);
    else
      F::template lp_pool_into<layout>(y, input, harness::window_of<Case>(g), options, device);
    return harness::from_tensor<Case, Scalar>(g.lead, out, y);
  }

  template <class Device = Eigen::DefaultDevice>
  Values backward(const Values& dy, const Values& x, const Device& device = {}) const {
    const auto out = oracle::output_spatial(g);
    const Tensor input = harness::to_tensor<Case, Scalar>(g.lead, g.spatial, x);
    const Tensor gradient = harness::to_tensor<Case, Scalar>(g.lead, out, dy);
    const Tensor y = harness::to_tensor<Case, Scalar>(g.lead, out, forward(x));
    Tensor dx(harness::shape_of<Case>(g.lead, g.spatial));
    dx.setConstant(Scalar(-113));
    if (g.kind == oracle::Kind::global)
      eigenpool::global_lp_pool_backward_into<layout>(dx, gradient, input, y, options, device);
    else
      F::template lp_pool_backward_into<layout>(dx, gradient, input, y, harness::window_of<Case>(g), options, device);
    return harness::from_tensor<Case, Scalar>(g.lead, g.spatial, dx);
  }
};

long double norm_of(const oracle::Window& window, const Values& x, double p) {
  long double sum = 0, largest = 0;
  bool has_nan = false;
  for (const auto& member : window.members) {
    const long double magnitude = std::abs(static_cast<long double>(x[member.input]));
    has_nan = has_nan || std::isnan(magnitude);
    largest = std::max(largest, magnitude);
    sum += p == 1 ? magnitude : p == 2 ? magnitude * magnitude : std::pow(magnitude, static_cast<long double>(p));
  }
  if (has_nan) return std::numeric_limits<long double>::quiet_NaN();
  if (std::isinf(p) || largest == 0) return largest;
  return p == 1 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / static_cast<long double>(p));
}

Values norms_of(const Geometry& g, const Values& x, double p) {
  Values result;
  oracle::for_each_window(
      g, [&](const oracle::Window& window) { result.push_back(static_cast<double>(norm_of(window, x, p))); });
  return result;
}

template <class Scalar>
double tolerance() {
  if (harness::is_small_float<Scalar>) return 2 * harness::half_ulp_of_one<Scalar>();
  return 64 * harness::half_ulp_of_one<Scalar>();
}

// Within a relative error, or both beyond the scalar's range.
template <class Scalar>
testing::AssertionResult all_near(const Values& got, const Values& want) {
  return harness::all_agree(got, want, [](double a, double b, std::size_t) {
    const double most = static_cast<double>(Eigen::NumTraits<Scalar>::highest());
    if (std::isnan(b) || std::abs(b) > most * (1 + tolerance<Scalar>()))
      return harness::equal(a, std::isnan(b) ? b : std::copysign(infinity, b));
    const double least =
        std::is_same_v<Scalar, Eigen::half> ? 1e-7 : static_cast<double>(std::numeric_limits<Scalar>::denorm_min());
    return std::abs(a - b) <= tolerance<Scalar>() * std::abs(b) + 2 * least ||
           (std::isinf(a) && std::abs(b) >= most * (1 - tolerance<Scalar>()));
  });
}

template <class Case>
class LpPool : public testing::Test {};
using Cases = testing::Types<PoolingCase<1, channels_first>, PoolingCase<2, channels_first>,
                             PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                             PoolingCase<3, channels_first>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(LpPool, Cases, eigenpool_test::PoolingCaseName);

template <class Case, class Scalar>
void expect_norms(const Geometry& g, const families::Family& family, double p) {
  SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name << ", p " << p);
  Values x = family.values(oracle::input_size(g), 1);
  for (double& value : x) value = static_cast<double>(static_cast<Scalar>(value));
  EXPECT_TRUE((all_near<Scalar>(Norm<Case, Scalar>{g, {.p = p}}.forward(x), norms_of(g, x, p))));
}

TYPED_TEST(LpPool, EqualsTheOracle) {
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    for (const families::Family& family : families::all())
      for (const double p : {1.0, 2.0, infinity}) expect_norms<TypeParam, float>(g, family, p);
    if (oracle::product(g.kernel) > 100) continue;  // powers in long double are slow
    for (const families::Family& family : {families::signed_values, families::nans, families::magnitudes})
      for (const double p : {1.25, 3.0}) expect_norms<TypeParam, float>(g, family, p);
  }
}

TYPED_TEST(LpPool, OtherScalarsEqualTheOracle) {
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, TypeParam::D)) continue;
    for (const double p : {1.0, 2.0, 3.0, infinity}) {
      expect_norms<TypeParam, double>(g, families::magnitudes, p);
      expect_norms<TypeParam, Eigen::half>(g, families::signed_values, p);
      expect_norms<TypeParam, Eigen::bfloat16>(g, families::integers, p);
    }
  }
}

// Norms that are numbers although no power of their taps is: two taps of 3 and 4 times anything.
TEST(LpPoolRange, NeverLeavesItWhereTheNormDoesNot) {
  for (const int exponent : {-1070, -1022, -600, -150, -126, -100, -64, 0, 64, 100, 124, 600, 1020}) {
    Eigen::Tensor<double, 1, Eigen::RowMajor> x(2);
    x.setValues({std::ldexp(-3.0, exponent), std::ldexp(4.0, exponent)});
    EXPECT_EQ(eigenpool::lp_pool1d(x, {.kernel = 2})(0), std::ldexp(5.0, exponent)) << exponent;
    if (std::abs(exponent) >= 150) continue;
    const Eigen::Tensor<float, 1, Eigen::RowMajor> single = x.cast<float>();
    EXPECT_EQ(eigenpool::lp_pool1d(single, {.kernel = 2})(0), std::ldexp(5.0F, exponent)) << exponent;
    const float cubic = eigenpool::lp_pool1d(single, {.kernel = 2}, {.p = 3})(0);
    EXPECT_NEAR(std::ldexp(cubic, -exponent), std::cbrt(91.0F), 1e-6F) << exponent;
  }
}

TEST(LpPoolRange, OfAWindowOfZerosIsZero) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> x(4);
  x.setValues({0.0F, -0.0F, -0.0F, -0.0F});
  for (const double p : {1.0, 2.0, 3.0, infinity}) {
    const auto y = eigenpool::lp_pool1d(x, {.kernel = 2}, {.p = p});
    for (Eigen::Index i = 0; i < 2; ++i) EXPECT_TRUE(y(i) == 0 && !std::signbit(y(i))) << p;
  }
}

// Every path gives the bits of the first: layouts and orders, the scalar kernel, narrow vectors, threads.
template <class Case>
void expect_bits(const Geometry& g, const LpOptions& options, const Values& x, const Values& want) {
  const Norm<Case, float> norm{g, options};
  EXPECT_TRUE(harness::all_same_bits(norm.forward(x), want));
  eigenpool::detail::set_force_scalar_kernel(true);
  EXPECT_TRUE(harness::all_same_bits(norm.forward(x), want)) << "scalar kernel";
  eigenpool::detail::set_force_scalar_kernel(false);
  eigenpool::simd::set_max_vector_bytes(16);
  EXPECT_TRUE(harness::all_same_bits(norm.forward(x), want)) << "narrow vectors";
  eigenpool::simd::set_max_vector_bytes(64);
  harness::SharingPool pool(3);
  EXPECT_TRUE(harness::all_same_bits(norm.forward(x, Eigen::ThreadPoolDevice(&pool, 3)), want)) << "threads";
}

TEST(LpPoolBits, AreTheSameOnEveryPath) {
  using First = PoolingCase<2, channels_first>;
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, 2)) continue;
    for (const LpOptions& options :
         {LpOptions{.p = 1}, LpOptions{.p = 2}, LpOptions{.p = 3}, LpOptions{.p = 2, .signed_power = true}}) {
      SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << ", p " << options.p);
      const Values x = families::signed_values.values(oracle::input_size(g), 5);
      const Values want = Norm<First, float>{g, options}.forward(x);
      expect_bits<First>(g, options, x, want);
      expect_bits<PoolingCase<2, channels_last>>(g, options, x, want);
      expect_bits<PoolingCase<2, channels_first, Eigen::ColMajor>>(g, options, x, want);
      expect_bits<PoolingCase<2, channels_last, Eigen::ColMajor>>(g, options, x, want);
    }
  }
}

TEST(LpPoolBits, OfGradientsAreTheSameOnEveryPath) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Geometry& g : cases::table()) {
    if (!is_run(g, 2)) continue;
    for (const families::Family& family : {families::signed_values, families::magnitudes}) {
      for (const double p : {1.0, 2.0, 3.0, infinity}) {
        const Values x = family.values(oracle::input_size(g), 5);
        const Values dy = families::integers.values(oracle::output_size(g), 6);
        const LpOptions options{.p = p};
        const Values want = Norm<PoolingCase<2, channels_first>, float>{g, options}.backward(dy, x);
        SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name << ", p " << p);
        EXPECT_TRUE(harness::all_same_bits(
            (Norm<PoolingCase<2, channels_last>, float>{g, options}.backward(dy, x, device)), want));
        EXPECT_TRUE(harness::all_same_bits(
            (Norm<PoolingCase<2, channels_first, Eigen::ColMajor>, float>{g, options}.backward(dy, x, device)), want));
      }
    }
  }
}

double dot(const Values& a, const Values& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

template <class Case>
void expect_central_differences(const Geometry& g, const LpOptions& options, const families::Family& family) {
  SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << ", p " << options.p);
  const Norm<Case, double> norm{g, options};
  Values x = family.values(oracle::input_size(g), 9);
  for (double& value : x) value += std::copysign(0.2, value);  // differences must not reach over 0
  const Values dy = families::signed_values.values(oracle::output_size(g), 3);
  const Values dx = norm.backward(dy, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    constexpr double step = 1e-6;
    Values above = x, below = x;
    above[i] += step, below[i] -= step;
    const double difference = (dot(norm.forward(above), dy) - dot(norm.forward(below), dy)) / (2 * step);
    EXPECT_NEAR(dx[i], difference, 1e-7 * std::max(1.0, std::abs(difference))) << i;
  }
}

TYPED_TEST(LpPool, BackwardIsTheDerivative) {
  for (const Geometry& g : cases::gradients()) {
    if (!is_run(g, TypeParam::D)) continue;
    for (const double p : {1.0, 1.5, 2.0, 3.0, 7.0, infinity})
      expect_central_differences<TypeParam>(g, {.p = p}, families::signed_values);
    for (const double p : {0.5, 1.0, 3.0}) {
      const families::Family positive{"positive", families::Sums::rounded,
                                      [](families::Random& random) { return std::abs(random.fraction()); }};
      expect_central_differences<TypeParam>(g, {.p = p, .signed_power = true}, positive);
    }
  }
}

// Where dy / y^(p-1) or x^(p-1) is no float although their product is.
TEST(LpPoolBackward, KeepsItsRange) {
  const Geometry g{.name = "overlapping", .lead = {1, 3}, .spatial = {5, 9}, .kernel = {3, 2}, .stride = {2, 1}};
  for (const double p : {1.5, 2.0, 3.0, 9.0}) {
    for (const int exponent : {-120, -40, 0, 40, 120}) {
      Values x = families::signed_values.values(oracle::input_size(g), 4);
      for (double& value : x) value = static_cast<double>(static_cast<float>(std::ldexp(value, exponent)));
      const Values dy = families::integers.values(oracle::output_size(g), 6);
      Values want(x.size(), 0.0), magnitude(x.size(), 0.0);
      oracle::for_each_window(g, [&](const oracle::Window& window) {
        const double y = static_cast<double>(norm_of(window, x, p));
        for (const auto& member : window.members) {
          const double share = std::copysign(std::pow(std::abs(x[member.input]) / y, p - 1), x[member.input]);
          want[member.input] += dy[window.output] * share;
          magnitude[member.input] += std::abs(dy[window.output] * share);
        }
      });
      SCOPED_TRACE(testing::Message() << "p " << p << ", 2^" << exponent);
      EXPECT_TRUE(harness::all_agree(
          (Norm<PoolingCase<2, channels_first>, float>{g, {.p = p}}.backward(dy, x)), want,
          [&](double a, double b, std::size_t i) { return std::abs(a - b) <= 1e-5 * magnitude[i] + 1e-30; }));
    }
  }
}

TEST(LpPoolBackward, IsZeroWhereTheNormIs) {
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(4, 4), dy(2, 2);
  x.setZero();
  x(3, 3) = 2;
  dy.setConstant(5);
  for (const LpOptions& options : {LpOptions{.p = 1}, LpOptions{.p = 2}, LpOptions{.p = 3}, LpOptions{.p = infinity},
                                   LpOptions{.p = 3, .signed_power = true}}) {
    const Eigen::Tensor<float, 2, Eigen::RowMajor> y = eigenpool::lp_pool2d(x, {.kernel = 2}, options);
    const auto dx = eigenpool::lp_pool2d_backward(dy, x, y, {.kernel = 2}, options);
    for (Eigen::Index i = 0; i < 15; ++i) EXPECT_EQ(dx.data()[i], 0.0F) << options.p;
    EXPECT_NEAR(dx(3, 3), 5.0F, 1e-5F) << options.p;
  }
}

// PyTorch's: x^p keeps its sign, and a window that ceil_mode cuts off counts as a full one.
TYPED_TEST(LpPool, SignedPowersEqualTheOracle) {
  for (Geometry g : cases::table()) {
    if (!is_run(g, TypeParam::D) || oracle::product(g.kernel) > 100) continue;
    g.count_include_pad = true, g.divisor.reset();
    const double taps =
        static_cast<double>(g.kind == oracle::Kind::global ? oracle::product(g.spatial) : oracle::product(g.kernel));
    for (const double p : {0.5, 1.0, 2.0, 3.0}) {
      const Values x = families::signed_values.values(oracle::input_size(g), 2);
      Values want, slack;
      oracle::for_each_window(g, [&](const oracle::Window& window) {
        double sum = 0, magnitude = 0;
        for (const auto& member : window.members) sum += std::pow(x[member.input], p);
        for (const auto& member : window.members) magnitude += std::pow(std::abs(x[member.input]), p);
        const double scale = window.members.empty() ? 1 : taps / window.divisor;
        want.push_back(std::pow(sum * scale, 1 / p));
        slack.push_back(1e-12 * std::pow(magnitude * scale, 1 / p));
      });
      SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << ", p " << p);
      const LpOptions options{.p = p, .signed_power = true};
      EXPECT_TRUE(harness::all_agree(
          (Norm<TypeParam, double>{g, options}.forward(x)), want,
          [&](double a, double b, std::size_t i) { return harness::equal(a, b) || std::abs(a - b) <= slack[i]; }));
    }
  }
}

TEST(LpPoolIdentities, HoldWithTheOtherOperators) {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Tensor x(2, 3, 9, 11);
  x.setRandom();
  const Tensor negative = -x;
  const eigenpool::Window<2> w{.kernel = 3, .stride = 2, .padding = 1};
  const Tensor largest = eigenpool::lp_pool2d(negative, w, {.p = infinity}), maxima = eigenpool::max_pool2d(x, w);
  const Tensor sums = eigenpool::lp_pool2d(negative, w, {.p = 1}), averages = eigenpool::avg_pool2d(x, w);
  for (Eigen::Index i = 0; i < maxima.size(); ++i) {
    EXPECT_EQ(largest.data()[i], maxima.data()[i]);
    EXPECT_NEAR(sums.data()[i], 9 * averages.data()[i], 1e-5F);
  }
  const auto global = eigenpool::global_lp_pool(x, {.p = 3});
  const Tensor kept = eigenpool::global_lp_pool(x, eigenpool::keep_dims, {.p = 3});
  const Tensor windowed = eigenpool::lp_pool2d(x, {.kernel = {9, 11}}, {.p = 3});
  const Tensor lazily = x.customOp(eigenpool::GlobalLpPool<>({.p = 3}));
  for (Eigen::Index i = 0; i < global.size(); ++i) {
    EXPECT_EQ(global.data()[i], windowed.data()[i]);
    EXPECT_EQ(kept.data()[i], windowed.data()[i]);
    EXPECT_EQ(lazily.data()[i], windowed.data()[i]);
  }
  const Tensor custom = x.customOp(eigenpool::LpPool<2>(w, {.p = 1})), called = eigenpool::lp_pool2d(x, w, {.p = 1});
  for (Eigen::Index i = 0; i < called.size(); ++i) EXPECT_EQ(custom.data()[i], called.data()[i]);
}

TEST(LpPoolErrors, NameFunctionArgumentAndValue) {
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Tensor x(1, 2, 6, 6), y(1, 2, 3, 3), dy(1, 2, 3, 3), dx(1, 2, 6, 6), wrong(1, 2, 3, 4);
  x.setConstant(1), dy.setConstant(1), wrong.setConstant(1), y.setConstant(77), dx.setConstant(77);
  const eigenpool::Window<2> w{.kernel = 2};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto expect = [&](const std::function<void()>& call, const std::string& text) {
    EXPECT_EQ(eigenpool_test::error_of(call), text);
    EXPECT_TRUE(eigenpool_test::holds_only(y, 77.0F));
    EXPECT_TRUE(eigenpool_test::holds_only(dx, 77.0F));
  };
  expect([&] { eigenpool::lp_pool2d(x, w, {.p = 0.5}); }, "lp_pool2d: p is 0.5, must be at least 1, or infinity");
  expect([&] { eigenpool::lp_pool2d_into(y, x, w, {.p = -infinity}); },
         "lp_pool2d_into: p is -inf, must be at least 1, or infinity");
  expect([&] { eigenpool::lp_pool2d_into(y, x, w, {.p = nan}); },
         "lp_pool2d_into: p is nan, must be at least 1, or infinity");
  expect([&] { eigenpool::lp_pool2d_into(y, x, w, {.p = 0, .signed_power = true}); },
         "lp_pool2d_into: p is 0, must be above 0 and finite");
  expect([&] { eigenpool::global_lp_pool(x, {.p = infinity, .signed_power = true}); },
         "global_lp_pool: p is inf, must be above 0 and finite");
  expect([&] { eigenpool::lp_pool2d_backward(dy, x, dy, w, {.p = 0}); },
         "lp_pool2d_backward: p is 0, must be at least 1, or infinity");
  expect([&] { eigenpool::lp_pool2d_backward_into(dx, dy, x, wrong, w); },
         "lp_pool2d_backward_into: norms[3] is 4, expected 3");
  expect([&] { eigenpool::lp_pool2d_backward_into(dx, wrong, x, dy, w); },
         "lp_pool2d_backward_into: gradient[3] is 4, expected 3");
  expect([&] { eigenpool::lp_pool2d_backward_into(wrong, dy, x, dy, w); },
         "lp_pool2d_backward_into: output[2] is 3, expected 6");
  expect([&] { eigenpool::lp_pool2d_backward_into(dx, dy, dx, dy, w); },
         "lp_pool2d_backward_into: output overlaps input");
  expect([&] { eigenpool::lp_pool2d(x, {.kernel = {2, 0}}); }, "lp_pool2d: kernel[1] is 0, must be at least 1");
  const Tensor empty(0, 2, 6, 6);
  EXPECT_EQ(eigenpool::lp_pool2d(empty, w).dimension(0), 0);
}

}  // namespace
