// Min pooling: every geometry of the table and random ones equal the oracle, in every layout, storage order and scalar;
// a maximum of the negated input is the negated minimum; bad arguments are refused under the functions' own names.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <array>
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
#include "harness.hpp"
#include "oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;
using harness::Inputs;
using harness::Results;
using harness::Values;
using oracle::Geometry;
using oracle::Index;

// The harness runs what it calls `max`: here, minima. Averages are not asked for.
struct NoAverages {
  static void average(auto& y, const auto&, const auto&) { y.setZero(); }
  static void average_backward(auto& dx, const auto&, const auto&) { dx.setZero(); }
};

template <class Case>
struct FixedMinima : NoAverages {
  using F = Fronts<Case::D>;
  static constexpr eigenpool::Layout layout = Case::layout;
  eigenpool::Window<Case::D> w;

  explicit FixedMinima(const Geometry& g) : w(harness::window_of<Case>(g)) {}

  void max(auto& y, const auto& x, const auto& device) const { F::template min_pool_into<layout>(y, x, w, device); }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    F::template min_pool_with_indices_into<layout>(y, indices, x, w, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    F::template min_pool_backward_into<layout>(dx, dy, indices, w, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    F::template min_pool_backward_from_input_into<layout>(dx, dy, x, w, device);
  }
};

template <class Case>
struct AdaptiveMinima : NoAverages {
  using F = Fronts<Case::D>;
  static constexpr eigenpool::Layout layout = Case::layout;
  eigenpool::OutputSize<Case::D> size;

  explicit AdaptiveMinima(const Geometry& g) : size(harness::output_size_of<Case>(g)) {}

  void max(auto& y, const auto& x, const auto& device) const {
    F::template adaptive_min_pool_into<layout>(y, x, size, device);
  }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    F::template adaptive_min_pool_with_indices_into<layout>(y, indices, x, size, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    F::template adaptive_min_pool_backward_into<layout>(dx, dy, indices, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    F::template adaptive_min_pool_backward_from_input_into<layout>(dx, dy, x, device);
  }
};

template <class Case>
struct GlobalMinima : NoAverages {
  static constexpr eigenpool::Layout layout = Case::layout;

  explicit GlobalMinima(const Geometry&) {}

  void max(auto& y, const auto& x, const auto& device) const { eigenpool::global_min_pool_into<layout>(y, x, device); }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    eigenpool::global_min_pool_with_indices_into<layout>(y, indices, x, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    eigenpool::global_min_pool_backward_into<layout>(dx, dy, indices, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    eigenpool::global_min_pool_backward_from_input_into<layout>(dx, dy, x, device);
  }
};

template <class Case, class Scalar, class Device = Eigen::DefaultDevice>
Results run(const Geometry& g, const Inputs& inputs, const Device& device = {}) {
  const oracle::Extents out = oracle::output_spatial(g);
  harness::Run<Case, Scalar, Device> run(g, out, inputs, device);
  if (g.kind == oracle::Kind::adaptive)
    return run.template all<AdaptiveMinima<Case>, std::uint16_t>(AdaptiveMinima<Case>(g));
  if (g.kind == oracle::Kind::global) return run.template all<GlobalMinima<Case>, std::uint16_t>(GlobalMinima<Case>(g));
  return run.template all<FixedMinima<Case>, std::uint16_t>(FixedMinima<Case>(g));
}

// The last NaN if there is one, else the first of the smallest.
const oracle::Window::Member* smallest(const oracle::Window& window, const Values& x) {
  const oracle::Window::Member* best = nullptr;
  for (const auto& member : window.members)
    if (std::isnan(x[member.input])) best = &member;
  if (best != nullptr) return best;
  for (const auto& member : window.members)
    if (best == nullptr || x[member.input] < x[best->input]) best = &member;
  return best;
}

template <class Scalar>
double highest() {
  return std::integral<Scalar> ? static_cast<double>(std::numeric_limits<Scalar>::max())
                               : std::numeric_limits<double>::infinity();
}

template <class Scalar>
void expect_oracle(const Geometry& g, const Inputs& inputs, const Results& results) {
  Values minima, flat, compact, dx(inputs.x.size(), 0.0);
  oracle::for_each_window(g, [&](const oracle::Window& window) {
    const auto* best = smallest(window, inputs.x);
    minima.push_back(best != nullptr ? inputs.x[best->input] : highest<Scalar>());
    flat.push_back(best != nullptr ? static_cast<double>(best->flat) : -1);
    compact.push_back(best != nullptr ? static_cast<double>(best->compact) : -1);
    if (best != nullptr) dx[best->input] += inputs.max_dy[window.output];
  });
  for (double& cell : dx) cell = harness::rounded<Scalar>(cell);
  for (const auto& part : harness::max_parts)
    EXPECT_TRUE(harness::all_equal(results.*part.values, minima)) << part.name;
  EXPECT_TRUE(harness::all_equal(results.flat, flat)) << "flat indices";
  EXPECT_TRUE(harness::all_equal(results.compact, compact)) << "compact indices";
  if constexpr (harness::has_gradients<Scalar>) {
    for (const auto& part : harness::max_gradient_parts)
      EXPECT_TRUE(harness::all_equal(results.*part.values, dx)) << part.name;
  }
}

template <class Case, class Scalar = float>
void expect_equals_the_oracle(const Geometry& g, const families::Family& family, std::uint64_t seed = 1) {
  SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name);
  const Inputs inputs = harness::inputs_for(g, family, seed);
  expect_oracle<Scalar>(g, inputs, run<Case, Scalar>(g, inputs));
}

template <class Case>
class MinPool : public testing::Test {};
using Cases = testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last, Eigen::ColMajor>,
                             PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                             PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                             PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(MinPool, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(MinPool, EqualsTheOracleOnTheTable) {
  for (const Geometry& g : cases::table())
    if (static_cast<int>(g.rank()) == TypeParam::D)
      for (const families::Family& family : families::all()) expect_equals_the_oracle<TypeParam>(g, family);
}

TYPED_TEST(MinPool, EqualsTheOracleOnRandomGeometries) {
  families::Random random(7);
  const auto all = families::all();
  for (int left = 150; left > 0 && !this->HasFailure();) {
    const Geometry g = cases::random_geometry(random);
    if (static_cast<int>(g.rank()) != TypeParam::D) continue;
    --left;
    const auto& family = all[static_cast<std::size_t>(random.between(0, static_cast<Index>(all.size()) - 1))];
    expect_equals_the_oracle<TypeParam>(g, family, random.bits());
  }
}

TYPED_TEST(MinPool, ThreadsGiveTheSameBits) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Geometry& g : cases::table()) {
    if (static_cast<int>(g.rank()) != TypeParam::D) continue;
    const Inputs inputs = harness::inputs_for(g, families::nans);
    const Results one = run<TypeParam, float>(g, inputs), many = run<TypeParam, float>(g, inputs, device);
    for (const auto& part : harness::max_gradient_parts)
      EXPECT_TRUE(harness::all_same_bits(many.*part.values, one.*part.values)) << part.name;
    EXPECT_TRUE(harness::all_equal(many.max, one.max));
    EXPECT_TRUE(harness::all_equal(many.flat, one.flat));
  }
}

TEST(MinPoolScalars, EqualTheOracle) {
  using Case = PoolingCase<2, channels_first>;
  using LastCase = PoolingCase<2, channels_last>;
  for (const Geometry& g : cases::table()) {
    if (g.rank() != 2) continue;
    expect_equals_the_oracle<Case, double>(g, families::extremes);
    expect_equals_the_oracle<Case, Eigen::half>(g, families::ties);
    expect_equals_the_oracle<LastCase, Eigen::half>(g, families::integers);
    expect_equals_the_oracle<Case, std::int8_t>(g, families::integers);
    expect_equals_the_oracle<LastCase, std::int8_t>(g, families::integers);
  }
}

TEST(MinPoolScalars, UnsignedBytesReachTheirHighest) {
  Eigen::Tensor<std::uint8_t, 2, Eigen::RowMajor> x(5, 70);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<std::uint8_t>(i * 37 + 128);
  const eigenpool::Window<2> w{.kernel = 3, .stride = 2, .padding = 1};
  Eigen::Tensor<std::uint8_t, 2, Eigen::RowMajor> mirrored = x;
  for (Eigen::Index i = 0; i < x.size(); ++i) mirrored.data()[i] = static_cast<std::uint8_t>(255 - x.data()[i]);
  const auto minima = eigenpool::min_pool2d(x, w);
  const auto maxima = eigenpool::max_pool2d(mirrored, w);
  for (Eigen::Index i = 0; i < minima.size(); ++i) EXPECT_EQ(minima.data()[i], 255 - maxima.data()[i]);
}

// An identity: what min pooling is.
TYPED_TEST(MinPool, IsMinusTheMaximumOfMinusX) {
  using F = Fronts<TypeParam::D>;
  using Tensor = typename TypeParam::template Tensor<float>;
  typename TypeParam::Extents extents{};
  extents.fill(9);
  Tensor x(TypeParam::shape(2, 5, extents));
  families::Random random(3);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(families::nans.value(random));
  const Tensor negated = -x;
  const eigenpool::Window<TypeParam::D> w{.kernel = 3, .stride = 2, .padding = 1};
  const auto low = F::template min_pool_with_indices<TypeParam::layout, std::int64_t>(x, w);
  const auto high = F::template max_pool_with_indices<TypeParam::layout, std::int64_t>(negated, w);
  const Tensor values = F::template min_pool<TypeParam::layout>(x, w);
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    EXPECT_TRUE(harness::equal(static_cast<double>(low.output.data()[i]), -static_cast<double>(high.output.data()[i])));
    EXPECT_TRUE(harness::equal(static_cast<double>(values.data()[i]), static_cast<double>(low.output.data()[i])));
    EXPECT_EQ(low.indices.data()[i], high.indices.data()[i]);
  }
}

TEST(MinPoolCustomOp, GivesTheSame) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 3, 8, 9);
  x.setRandom();
  const eigenpool::Window<2> w{.kernel = {2, 3}, .stride = 2};
  const auto expect_same = [](const auto& got, const auto& want) {
    ASSERT_EQ(got.size(), want.size());
    for (Eigen::Index i = 0; i < got.size(); ++i) EXPECT_EQ(got.data()[i], want.data()[i]);
  };
  using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  const Tensor fixed = x.customOp(eigenpool::MinPool<2>(w));
  const Tensor adaptive = x.customOp(eigenpool::AdaptiveMinPool<2>({3, 4}));
  const Tensor global = x.customOp(eigenpool::GlobalMinPool<>());
  expect_same(fixed, eigenpool::min_pool2d(x, w));
  expect_same(adaptive, eigenpool::adaptive_min_pool2d(x, {3, 4}));
  expect_same(global, eigenpool::global_min_pool(x, eigenpool::keep_dims));
  const Tensor dy = fixed;
  const Tensor dx = dy.customOp(x, eigenpool::MinPoolBackward<2>(w));
  expect_same(dx, eigenpool::min_pool2d_backward_from_input(dy, x, w));
}

TYPED_TEST(MinPool, RefusesUnderItsOwnName) {
  using F = Fronts<TypeParam::D>;
  constexpr eigenpool::Layout layout = TypeParam::layout;
  using Tensor = typename TypeParam::template Tensor<float>;
  using Indices = typename TypeParam::template Tensor<std::int64_t>;
  typename TypeParam::Extents extents{}, outputs{};
  extents.fill(6), outputs.fill(3);
  const auto shape = TypeParam::shape(2, 3, extents), small = TypeParam::shape(2, 3, outputs);
  Tensor x(shape), dx(shape), y(small), dy(small);
  Indices indices(small);
  x.setConstant(1), dy.setConstant(1), dx.setConstant(77), y.setConstant(77), indices.setZero();
  const std::string d = std::to_string(TypeParam::D) + "d";
  const eigenpool::Window<TypeParam::D> bad{.kernel = 0};
  const std::vector<std::pair<std::string, std::function<void()>>> calls{
      {"", [&] { F::template min_pool<layout>(x, bad); }},
      {"_into", [&] { F::template min_pool_into<layout>(y, x, bad); }},
      {"_with_indices", [&] { F::template min_pool_with_indices<layout, std::int64_t>(x, bad); }},
      {"_with_indices_into", [&] { F::template min_pool_with_indices_into<layout>(y, indices, x, bad); }},
      {"_backward", [&] { F::template min_pool_backward<layout>(dy, indices, shape, bad); }},
      {"_backward_into", [&] { F::template min_pool_backward_into<layout>(dx, dy, indices, bad); }},
      {"_backward_from_input", [&] { F::template min_pool_backward_from_input<layout>(dy, x, bad); }},
      {"_backward_from_input_into", [&] { F::template min_pool_backward_from_input_into<layout>(dx, dy, x, bad); }}};
  for (const auto& [suffix, call] : calls)
    EXPECT_EQ(eigenpool_test::error_of(call), "min_pool" + d + suffix + ": kernel[0] is 0, must be at least 1");
  eigenpool::OutputSize<TypeParam::D> negative = eigenpool::keep;
  negative.values[0] = -2;
  EXPECT_EQ(eigenpool_test::error_of([&] { F::template adaptive_min_pool<layout>(x, negative); }),
            "adaptive_min_pool" + d + ": output_size[0] is -2, must be at least 0");
  indices.data()[0] = 1'000'000;
  EXPECT_NE(eigenpool_test::error_of([&] {
              eigenpool::global_min_pool_backward_into<layout>(dx, dy, indices);
            }).find("global_min_pool_backward_into: gradient["),
            std::string::npos);
  EXPECT_TRUE(eigenpool_test::holds_only(y, 77.0F));
  EXPECT_TRUE(eigenpool_test::holds_only(dx, 77.0F));
}

TEST(MinPoolBackward, RefusesIndicesThatNoForwardGave) {
  Eigen::Tensor<float, 2, Eigen::RowMajor> dy(2, 2), dx(4, 4);
  Eigen::Tensor<std::int64_t, 2, Eigen::RowMajor> indices(2, 2);
  dy.setConstant(1), dx.setConstant(77), indices.setZero();
  indices(1, 0) = 16;
  EXPECT_EQ(eigenpool_test::error_of([&] { eigenpool::min_pool2d_backward_into(dx, dy, indices, {.kernel = 2}); }),
            "min_pool2d_backward_into: indices(1, 0) is 16, must be -1 or below the plane's 16 cells");
  EXPECT_TRUE(eigenpool_test::holds_only(dx, 77.0F));
}

}  // namespace
