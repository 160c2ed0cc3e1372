// The spatial pyramid against the oracle's adaptive poolings, flattened and concatenated; the same features everywhere;
// its backward; refused arguments.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
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
using eigenpool::Pyramid;
using eigenpool_test::PoolingCase;
using harness::Values;
using oracle::Extents;
using oracle::Geometry;
using oracle::Index;
using LevelList = std::vector<Index>;

Geometry level_of(const Extents& lead, const Extents& spatial, Index level) {
  Geometry g;
  g.lead = lead, g.spatial = spatial, g.kind = oracle::Kind::adaptive;
  g.output_size = Extents(spatial.size(), level);
  return g;
}

// Where in its row the feature (c, cell) of a level with `cells` cells stands.
template <class Case>
Index feature(Index c, Index cell, Index channels, Index cells) {
  return Case::layout == channels_first ? c * cells + cell : cell * channels + c;
}

// f(level's geometry, its number, position in the level's results, position in the rows of all)
template <class Case, class F>
void for_each_feature(const Extents& lead, const Extents& spatial, const LevelList& levels, const F& f) {
  Index features = 0;
  for (const Index level : levels) features += lead[1] * oracle::product(Extents(spatial.size(), level));
  Index first = 0;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const Index cells = oracle::product(Extents(spatial.size(), levels[l]));
    for (Index n = 0; n < lead[0]; ++n)
      for (Index c = 0; c < lead[1]; ++c)
        for (Index cell = 0; cell < cells; ++cell)
          f(l, static_cast<std::size_t>((n * lead[1] + c) * cells + cell),
            static_cast<std::size_t>(n * features + first + feature<Case>(c, cell, lead[1], cells)));
    first += lead[1] * cells;
  }
}

template <class Case>
Values features_of(const Extents& lead, const Extents& spatial, const LevelList& levels, Pyramid kind,
                   const Values& x) {
  std::vector<Values> made;
  std::size_t count = 0;
  for (const Index level : levels) {
    const Geometry g = level_of(lead, spatial, level);
    made.push_back(kind == Pyramid::max ? oracle::max_pool(g, x).values : oracle::average_pool(g, x).values);
    count += made.back().size();
  }
  Values result(count);
  for_each_feature<Case>(lead, spatial, levels,
                         [&](std::size_t l, std::size_t at, std::size_t to) { result[to] = made[l][at]; });
  return result;
}

template <class Case, class Scalar>
struct Features {
  static constexpr eigenpool::Layout layout = Case::layout;
  using Tensor = typename Case::template Tensor<Scalar>;
  using Rows = Eigen::Tensor<Scalar, 2, Case::order>;
  const Extents& lead;
  const Extents& spatial;
  const LevelList& levels;
  Pyramid kind;

  Index features() const {
    Index count = 0;
    for (const Index level : levels) count += lead[1] * oracle::product(Extents(spatial.size(), level));
    return count;
  }
  template <class Device = Eigen::DefaultDevice>
  Values forward(const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(lead, spatial, x);
    Rows y(lead[0], features());
    y.setConstant(Scalar(113));
    eigenpool::spatial_pyramid_pool_into<layout>(y, input, levels, kind, device);
    Values result;
    for (Index n = 0; n < lead[0]; ++n)
      for (Index f = 0; f < features(); ++f) result.push_back(static_cast<double>(y(n, f)));
    return result;
  }
  template <class Device = Eigen::DefaultDevice>
  Values backward(const Values& dy, const Values& x, const Device& device = {}) const {
    const Tensor input = harness::to_tensor<Case, Scalar>(lead, spatial, x);
    Rows gradient(lead[0], features());
    for (Index n = 0; n < lead[0]; ++n)
      for (Index f = 0; f < features(); ++f)
        gradient(n, f) = static_cast<Scalar>(dy[static_cast<std::size_t>(n * features() + f)]);
    Tensor dx(harness::shape_of<Case>(lead, spatial));
    dx.setConstant(Scalar(113));
    eigenpool::spatial_pyramid_pool_backward_into<layout>(dx, gradient, input, levels, kind, device);
    return harness::from_tensor<Case, Scalar>(lead, spatial, dx);
  }
};

testing::AssertionResult all_near(const Values& got, const Values& want, double tolerance) {
  return harness::all_agree(got, want, [&](double a, double b, std::size_t) {
    return harness::equal(a, b) || std::abs(a - b) <= tolerance * (1 + std::abs(b));
  });
}

template <class Case>
class SpatialPyramid : public testing::Test {
 protected:
  static constexpr auto rank = static_cast<std::size_t>(Case::D);
  // Extents that levels divide, and that they do not; more cells than the picture has.
  std::vector<Extents> pictures() const {
    const Extents even{8, 12, 4}, odd{7, 9, 5}, small{2, 3, 1};
    std::vector<Extents> result;
    for (const Extents& all : {even, odd, small}) result.push_back(Extents(all.begin(), all.begin() + rank));
    return result;
  }
  Extents lead{2, 3};
  std::vector<LevelList> lists{{1, 2, 4}, {4, 2, 1}, {3}, {1, 2, 3, 6}, {2, 2}, {1, 5}};
};
using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>,
                   PoolingCase<3, channels_first>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(SpatialPyramid, Cases, eigenpool_test::PoolingCaseName);

TYPED_TEST(SpatialPyramid, EqualsFlattenedAdaptivePoolings) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Extents& spatial : this->pictures())
    for (const LevelList& levels : this->lists)
      for (const auto& family : {families::signed_values, families::negative, families::nans}) {
        SCOPED_TRACE(testing::PrintToString(spatial) + testing::PrintToString(levels) + family.name);
        const Values x = family.values(oracle::product(this->lead) * oracle::product(spatial), 1);
        const Features<TypeParam, float> maxima{this->lead, spatial, levels, Pyramid::max};
        const Features<TypeParam, double> averages{this->lead, spatial, levels, Pyramid::average};
        const auto want = [&](Pyramid kind) { return features_of<TypeParam>(this->lead, spatial, levels, kind, x); };
        EXPECT_TRUE(harness::all_equal(maxima.forward(x), want(Pyramid::max)));
        EXPECT_TRUE(all_near(averages.forward(x), want(Pyramid::average), 1e-14));
        EXPECT_TRUE(harness::all_same_bits(averages.forward(x, device), averages.forward(x)));
        EXPECT_TRUE(harness::all_equal(maxima.forward(x, device), maxima.forward(x)));
      }
}

TYPED_TEST(SpatialPyramid, OtherScalars) {
  const LevelList levels{1, 2, 4};
  for (const Extents& spatial : this->pictures()) {
    const Values x = families::integers.values(oracle::product(this->lead) * oracle::product(spatial), 1);
    const auto want = [&](Pyramid kind) { return features_of<TypeParam>(this->lead, spatial, levels, kind, x); };
    const auto got = [&]<class Scalar>(Scalar, Pyramid kind) {
      return Features<TypeParam, Scalar>{this->lead, spatial, levels, kind}.forward(x);
    };
    EXPECT_TRUE(harness::all_equal(got(std::int8_t(), Pyramid::max), want(Pyramid::max)));
    EXPECT_TRUE(harness::all_equal(got(Eigen::half(), Pyramid::max), want(Pyramid::max)));
    EXPECT_TRUE(all_near(got(Eigen::half(), Pyramid::average), want(Pyramid::average), 5e-4));
    Values rounded = want(Pyramid::average);
    for (double& value : rounded) value = std::nearbyint(value);
    EXPECT_TRUE(harness::all_equal(got(std::int32_t(), Pyramid::average), rounded));
    EXPECT_TRUE(harness::all_equal(got(std::int8_t(), Pyramid::average), rounded));
  }
}

// The bits of a layout are those of the other, at the features' own places.
TEST(SpatialPyramidBits, AreTheSameInBothLayoutsAndOrders) {
  using First = PoolingCase<2, channels_first>;
  using Last = PoolingCase<2, channels_last>;
  const Extents lead{2, 9}, spatial{8, 12};
  const LevelList levels{1, 2, 3, 4};
  const Values x = families::signed_values.values(oracle::product(lead) * oracle::product(spatial), 1);
  for (const Pyramid kind : {Pyramid::max, Pyramid::average}) {
    const Values first = Features<First, float>{lead, spatial, levels, kind}.forward(x);
    const Values columns =
        Features<PoolingCase<2, channels_first, Eigen::ColMajor>, float>{lead, spatial, levels, kind}.forward(x);
    EXPECT_TRUE(harness::all_same_bits(columns, first));
    const Values last = Features<Last, float>{lead, spatial, levels, kind}.forward(x);
    Values moved(last.size());
    std::vector<std::size_t> to, from;
    for_each_feature<First>(lead, spatial, levels, [&](std::size_t, std::size_t, std::size_t at) { to.push_back(at); });
    for_each_feature<Last>(lead, spatial, levels,
                           [&](std::size_t, std::size_t, std::size_t at) { from.push_back(at); });
    for (std::size_t i = 0; i < to.size(); ++i) moved[to[i]] = last[from[i]];
    EXPECT_TRUE(harness::all_same_bits(moved, first));
  }
}

TYPED_TEST(SpatialPyramid, BackwardEqualsTheOracle) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  for (const Extents& spatial : this->pictures())
    for (const LevelList& levels : this->lists)
      for (const Pyramid kind : {Pyramid::max, Pyramid::average}) {
        const Values x = families::ties.values(oracle::product(this->lead) * oracle::product(spatial), 1);
        const Features<TypeParam, double> pyramid{this->lead, spatial, levels, kind};
        const Values dy = families::signed_values.values(this->lead[0] * pyramid.features(), 2);
        std::vector<Values> parts;
        for (const Index level : levels)
          parts.emplace_back(static_cast<std::size_t>(oracle::output_size(level_of(this->lead, spatial, level))));
        for_each_feature<TypeParam>(this->lead, spatial, levels,
                                    [&](std::size_t l, std::size_t at, std::size_t from) { parts[l][at] = dy[from]; });
        Values want(x.size(), 0.0);
        for (std::size_t l = 0; l < levels.size(); ++l) {
          const Geometry g = level_of(this->lead, spatial, levels[l]);
          const Values dx = kind == Pyramid::max ? oracle::max_backward(g, x, parts[l])
                                                 : oracle::average_backward(g, parts[l]).values;
          for (std::size_t i = 0; i < want.size(); ++i) want[i] += dx[i];
        }
        SCOPED_TRACE(testing::PrintToString(spatial) + testing::PrintToString(levels));
        const Values dx = pyramid.backward(dy, x);
        EXPECT_TRUE(all_near(dx, want, 1e-13));
        EXPECT_TRUE(harness::all_same_bits(pyramid.backward(dy, x, device), dx));
      }
}

TYPED_TEST(SpatialPyramid, BackwardIsTheDerivative) {
  const Extents spatial = this->pictures()[1];
  const LevelList levels{1, 2, 3};
  const Values x = families::signed_values.values(oracle::product(this->lead) * oracle::product(spatial), 1);
  for (const Pyramid kind : {Pyramid::max, Pyramid::average}) {
    const Features<TypeParam, double> pyramid{this->lead, spatial, levels, kind};
    const Values dy = families::signed_values.values(this->lead[0] * pyramid.features(), 2);
    const Values dx = pyramid.backward(dy, x);
    for (std::size_t i = 0; i < x.size(); i += 5) {
      constexpr double step = 1e-8;  // no closer than that do random values lie
      Values above = x, below = x;
      above[i] += step, below[i] -= step;
      const Values high = pyramid.forward(above), low = pyramid.forward(below);
      double difference = 0;
      for (std::size_t k = 0; k < dy.size(); ++k) difference += dy[k] * (high[k] - low[k]) / (2 * step);
      EXPECT_NEAR(dx[i], difference, 1e-6) << i;
    }
  }
}

// An identity: a level of 1 is the whole plane.
TEST(SpatialPyramidIdentities, LevelOneIsGlobal) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 5, 9, 7);
  x.setRandom();
  const auto maxima = eigenpool::spatial_pyramid_pool(x, {1}, Pyramid::max);
  const auto averages = eigenpool::spatial_pyramid_pool(x, {1}, Pyramid::average);
  const auto global_max = eigenpool::global_max_pool(x), global_avg = eigenpool::global_avg_pool(x);
  ASSERT_EQ(maxima.size(), global_max.size());
  for (Eigen::Index i = 0; i < maxima.size(); ++i) {
    EXPECT_EQ(maxima.data()[i], global_max.data()[i]);
    EXPECT_EQ(averages.data()[i], global_avg.data()[i]);
  }
  const Eigen::Tensor<float, 4, Eigen::RowMajor> empty(0, 5, 9, 7), none(2, 0, 9, 7);
  EXPECT_EQ(eigenpool::spatial_pyramid_pool(empty, {1, 2}, Pyramid::max).dimension(1), 25);
  EXPECT_EQ(eigenpool::spatial_pyramid_pool(none, {1, 2}, Pyramid::average).dimension(1), 0);
}

TEST(SpatialPyramidErrors, NameFunctionArgumentAndValue) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(2, 3, 4, 4), dx(2, 3, 4, 4), small(2, 3, 4, 3), flat(2, 3, 0, 4);
  Eigen::Tensor<float, 2, Eigen::RowMajor> y(2, 15), wrong(2, 14), dy(2, 15);
  x.setConstant(1), dy.setConstant(1);
  dx.setConstant(77), small.setConstant(77), y.setConstant(77), wrong.setConstant(77);
  const auto expect = [&](const std::function<void()>& call, const std::string& text) {
    EXPECT_EQ(eigenpool_test::error_of(call), text);
    for (const auto* rows : {&y, &wrong}) EXPECT_TRUE(eigenpool_test::holds_only(*rows, 77.0F));
    for (const auto* picture : {&dx, &small}) EXPECT_TRUE(eigenpool_test::holds_only(*picture, 77.0F));
  };
  using namespace eigenpool;
  expect([&] { spatial_pyramid_pool(x, {}, Pyramid::max); },
         "spatial_pyramid_pool: levels is empty, must name at least one level");
  expect(
      [&] {
        spatial_pyramid_pool(x, {1, 0}, Pyramid::max);
      },
      "spatial_pyramid_pool: levels[1] is 0, must be at least 1");
  expect(
      [&] {
        spatial_pyramid_pool_into(y, x, {-3, 2}, Pyramid::average);
      },
      "spatial_pyramid_pool_into: levels[0] is -3, must be at least 1");
  expect(
      [&] {
        spatial_pyramid_pool(x, {1, Index{1} << 40}, Pyramid::max);
      },
      "spatial_pyramid_pool: levels[1] is 1099511627776, the number of features overflows 64 bits");
  expect(
      [&] {
        spatial_pyramid_pool_into(wrong, x, {1, 2}, Pyramid::max);
      },
      "spatial_pyramid_pool_into: output[1] is 14, expected 15");
  expect([&] { spatial_pyramid_pool(flat, {1}, Pyramid::max); },
         "spatial_pyramid_pool: input[2] is 0, a spatial extent must be at least 1");
  expect(
      [&] {
        spatial_pyramid_pool_backward(wrong, x, {1, 2}, Pyramid::max);
      },
      "spatial_pyramid_pool_backward: gradient[1] is 14, expected 15");
  expect(
      [&] {
        spatial_pyramid_pool_backward_into(small, dy, x, {1, 2}, Pyramid::average);
      },
      "spatial_pyramid_pool_backward_into: output[3] is 3, expected 4");
  expect(
      [&] {
        spatial_pyramid_pool_backward_into(dx, dy, dx, {1, 2}, Pyramid::average);
      },
      "spatial_pyramid_pool_backward_into: output overlaps input");
}

}  // namespace
