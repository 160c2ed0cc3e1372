// Max unpooling against plain loops over logical coordinates: values go where their indices say, the last of equal
// indices stays, and a backward is the derivative of that.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "compare.hpp"
#include "error_calls.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::UnpoolOptions;
using eigenpool::Window;
using eigenpool_test::error_of;
using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;
using families::Random;
using harness::from_tensor;
using harness::to_tensor;
using harness::Values;
using oracle::Extents;
using oracle::Index;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// One unpooling in plain numbers: values and flat indices in logical order, N and C first.
struct Problem {
  Extents lead, pooled, filled;
  Values x, indices, dy;

  std::size_t planes() const { return static_cast<std::size_t>(oracle::product(lead)); }
  std::size_t values() const { return static_cast<std::size_t>(oracle::product(pooled)); }
  std::size_t cells() const { return static_cast<std::size_t>(oracle::product(filled)); }

  Values forward() const {
    Values y(planes() * cells(), 0.0);
    for (std::size_t p = 0; p < planes(); ++p)
      for (std::size_t i = 0; i < values(); ++i) y[target(p, i)] = x[p * values() + i];
    return y;
  }
  Values backward(bool to_all) const {
    Values dx(x.size(), 0.0);
    for (std::size_t p = 0; p < planes(); ++p)
      for (std::size_t i = 0; i < values(); ++i) {
        bool replaced = false;
        for (std::size_t later = i + 1; later < values(); ++later) replaced |= target(p, later) == target(p, i);
        if (to_all || !replaced) dx[p * values() + i] = dy[target(p, i)];
      }
    return dx;
  }

 private:
  std::size_t target(std::size_t plane, std::size_t value) const {
    return plane * cells() + static_cast<std::size_t>(indices[plane * values() + value]);
  }
};

/// Random extents and indices with many duplicates, under a window of kernel 3, stride 2 and padding 1, whose default
/// output is 2 n - 1.
Problem random_problem(int axes, std::uint64_t seed) {
  Random random(seed);
  Problem p;
  p.lead = {random.between(1, 3), random.one_in(3) ? random.between(60, 70) : random.between(1, 9)};
  for (int a = 0; a < axes; ++a) {
    p.pooled.push_back(random.between(1, 5));
    p.filled.push_back(std::max<Index>(1, 2 * p.pooled.back() - 1 + random.between(-1, 1)));
  }
  for (std::size_t i = 0; i < p.planes() * p.values(); ++i) {
    p.x.push_back(random.fraction());
    p.indices.push_back(static_cast<double>(random.between(0, static_cast<Index>(p.cells()) - 1)));
  }
  for (std::size_t i = 0; i < p.planes() * p.cells(); ++i) p.dy.push_back(random.fraction());
  return p;
}

template <class Case>
class MaxUnpool : public testing::Test {
 protected:
  const Window<Case::D> window_{.kernel = 3, .stride = 2, .padding = 1};
};

using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last, Eigen::ColMajor>,
                   PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>,
                   PoolingCase<3, channels_first>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(MaxUnpool, Cases, eigenpool_test::PoolingCaseName);

template <class Case, class S, class I>
void expect_plain_loops(const Problem& p, const Window<Case::D>& window) {
  constexpr Layout layout = Case::layout;
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  const auto x = to_tensor<Case, S>(p.lead, p.pooled, p.x);
  const auto indices = to_tensor<Case, I>(p.lead, p.pooled, p.indices);
  const auto rounded = [&](const Values& values) {
    Values result;
    for (const double value : values) result.push_back(static_cast<double>(static_cast<S>(value)));
    return result;
  };
  auto y = to_tensor<Case, S>(p.lead, p.filled, Values(p.dy.size(), 77.0));
  Fronts<Case::D>::template max_unpool_into<layout>(y, x, indices, window);
  EXPECT_TRUE(harness::all_same_bits(from_tensor<Case, S>(p.lead, p.filled, y), rounded(p.forward())));
  y.setConstant(S(77));
  Fronts<Case::D>::template max_unpool_into<layout>(y, x, indices, window, threads);
  EXPECT_TRUE(harness::all_same_bits(from_tensor<Case, S>(p.lead, p.filled, y), rounded(p.forward()))) << "threads";
  if constexpr (!std::integral<S>) {
    const auto dy = to_tensor<Case, S>(p.lead, p.filled, p.dy);
    auto dx = x;
    for (const bool to_all : {false, true}) {
      const UnpoolOptions options{.gradient_to_all = to_all};
      const Values want = rounded(p.backward(to_all));
      EXPECT_TRUE(harness::all_same_bits(
          from_tensor<Case, S>(p.lead, p.pooled,
                               Fronts<Case::D>::template max_unpool_backward<layout>(dy, indices, window, options)),
          want));
      dx.setConstant(S(77));
      Fronts<Case::D>::template max_unpool_backward_into<layout>(dx, dy, indices, window, options, threads);
      EXPECT_TRUE(harness::all_same_bits(from_tensor<Case, S>(p.lead, p.pooled, dx), want)) << "threads";
    }
  }
}

TYPED_TEST(MaxUnpool, EqualsPlainLoops) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Problem p = random_problem(TypeParam::D, seed);
    expect_plain_loops<TypeParam, float, std::int64_t>(p, this->window_);
    expect_plain_loops<TypeParam, double, std::int32_t>(p, this->window_);
    if constexpr (TypeParam::D == 2) {
      expect_plain_loops<TypeParam, Eigen::bfloat16, std::int64_t>(p, this->window_);
      expect_plain_loops<TypeParam, std::int16_t, std::int64_t>(p, this->window_);
    }
  }
}

// Windows that do not overlap and inputs without ties: each maximum is back at its place, everything else is 0. The
// extents leave a rest that no window reads.
TYPED_TEST(MaxUnpool, OfAMaxPoolRestoresTheMaximaInPlace) {
  const Extents lead{2, 5};
  const Extents spatial(TypeParam::D, 7);
  Values x(static_cast<std::size_t>(oracle::product(lead) * oracle::product(spatial)));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>((i * 7919 + 5) % x.size()) + 1;
  const auto input = to_tensor<TypeParam, float>(lead, spatial, x);
  const auto check = [&](auto index, const Window<TypeParam::D>& window) {
    using I = decltype(index);
    const auto [maxima, indices] =
        Fronts<TypeParam::D>::template max_pool_with_indices<TypeParam::layout, I>(input, window);
    auto y = input;
    y.setConstant(77);
    Fronts<TypeParam::D>::template max_unpool_into<TypeParam::layout>(y, maxima, indices, window);
    const auto again = Fronts<TypeParam::D>::template max_pool<TypeParam::layout>(y, window);
    Index restored = 0;
    for (Eigen::Index i = 0; i < y.size(); ++i) {
      EXPECT_TRUE(y.data()[i] == 0 || y.data()[i] == input.data()[i]) << "element " << i;
      restored += y.data()[i] != 0;
    }
    EXPECT_EQ(restored, maxima.size());
    for (Eigen::Index i = 0; i < maxima.size(); ++i) EXPECT_EQ(again.data()[i], maxima.data()[i]) << "element " << i;
  };
  check(std::int64_t{}, {.kernel = 2});
  check(std::uint8_t{}, {.kernel = 2});
  check(std::uint16_t{}, {.kernel = 3, .stride = 3, .padding = 1});
  check(std::int32_t{}, {.kernel = 2, .padding = eigenpool::same_upper});
  check(std::uint8_t{}, {.kernel = 2, .ceil_mode = true});
}

// Overlapping windows share maxima, which are then equal values: whatever order they are written in.
TYPED_TEST(MaxUnpool, CompactIndicesMeanTheSameAsFlatOnes) {
  const Extents lead{2, 3};
  const Extents spatial(TypeParam::D, 8);
  const auto count = oracle::product(lead) * oracle::product(spatial);
  const auto input = to_tensor<TypeParam, double>(lead, spatial, families::signed_values.values(count, 3));
  for (const eigenpool::Padding<TypeParam::D>& padding :
       {eigenpool::Padding<TypeParam::D>(1), eigenpool::Padding<TypeParam::D>(eigenpool::same_lower)}) {
    const Window<TypeParam::D> window{.kernel = 3, .stride = 2, .padding = padding};
    const auto flat =
        Fronts<TypeParam::D>::template max_pool_with_indices<TypeParam::layout, std::int64_t>(input, window);
    const auto compact =
        Fronts<TypeParam::D>::template max_pool_with_indices<TypeParam::layout, std::uint8_t>(input, window);
    auto from_flat = input, from_compact = input;
    Fronts<TypeParam::D>::template max_unpool_into<TypeParam::layout>(from_flat, flat.output, flat.indices, window);
    Fronts<TypeParam::D>::template max_unpool_into<TypeParam::layout>(from_compact, compact.output, compact.indices,
                                                                      window);
    for (Eigen::Index i = 0; i < input.size(); ++i) ASSERT_EQ(from_flat.data()[i], from_compact.data()[i]);
    const auto dx = Fronts<TypeParam::D>::template max_unpool_backward<TypeParam::layout>(input, flat.indices, window);
    const auto same =
        Fronts<TypeParam::D>::template max_unpool_backward<TypeParam::layout>(input, compact.indices, window);
    for (Eigen::Index i = 0; i < dx.size(); ++i) ASSERT_EQ(dx.data()[i], same.data()[i]);
  }
}

TYPED_TEST(MaxUnpool, BackwardEqualsCentralDifferences) {
  Problem p = random_problem(TypeParam::D, 4);
  const auto indices = to_tensor<TypeParam, std::int64_t>(p.lead, p.pooled, p.indices);
  const auto loss = [&](const Values& x) {
    auto y = to_tensor<TypeParam, double>(p.lead, p.filled, p.dy);
    Fronts<TypeParam::D>::template max_unpool_into<TypeParam::layout>(
        y, to_tensor<TypeParam, double>(p.lead, p.pooled, x), indices, this->window_);
    const Values filled = from_tensor<TypeParam, double>(p.lead, p.filled, y);
    double sum = 0;
    for (std::size_t i = 0; i < filled.size(); ++i) sum += filled[i] * p.dy[i];
    return sum;
  };
  const Values dx =
      from_tensor<TypeParam, double>(p.lead, p.pooled,
                                     Fronts<TypeParam::D>::template max_unpool_backward<TypeParam::layout>(
                                         to_tensor<TypeParam, double>(p.lead, p.filled, p.dy), indices, this->window_));
  for (std::size_t i = 0; i < p.x.size(); i += 3) {
    Values above = p.x, below = p.x;
    above[i] += 0.5, below[i] -= 0.5;
    EXPECT_NEAR(dx[i], loss(above) - loss(below), 1e-12) << "value " << i;
  }
}

TYPED_TEST(MaxUnpool, DefaultExtents) {
  Values x(3 * 4, 1.0);
  const Extents lead{3, 4};
  const Extents one(TypeParam::D, 1);
  const auto values = to_tensor<TypeParam, float>(lead, one, x);
  const auto indices = to_tensor<TypeParam, std::int64_t>(lead, one, Values(12, 0.0));
  const auto extent = [&](const Window<TypeParam::D>& window) {
    return Fronts<TypeParam::D>::template max_unpool<TypeParam::layout>(values, indices, window)
        .dimension(TypeParam::first_spatial);
  };
  EXPECT_EQ(extent({.kernel = 3}), 3);
  EXPECT_EQ(extent({.kernel = 3, .stride = 5}), 3);
  EXPECT_EQ(extent({.kernel = 5, .padding = 1}), 3);
  EXPECT_EQ(extent({.kernel = 3, .dilation = 4}), 9);
  EXPECT_EQ(extent({.kernel = 3, .stride = 4, .padding = eigenpool::same_upper}), 4);
}

TYPED_TEST(MaxUnpool, Errors) {
  constexpr int D = TypeParam::D;
  const Extents lead{2, 3};
  const Extents pooled(D, 3);
  const auto values = static_cast<std::size_t>(oracle::product(lead) * oracle::product(pooled));
  const auto x = to_tensor<TypeParam, float>(lead, pooled, Values(values, 1.0));
  auto indices = to_tensor<TypeParam, std::int64_t>(lead, pooled, Values(values, 0.0));
  auto y = to_tensor<TypeParam, float>(lead, Extents(D, 5), Values(static_cast<std::size_t>(6 * std::pow(5, D)), 77.0));
  auto dx = x;
  dx.setConstant(77);
  const std::string name = "max_unpool" + std::to_string(D) + "d";
  const std::string first = std::to_string(TypeParam::first_spatial);
  const auto expect_all = [&](const Window<D>& window, const std::string& text) {
    constexpr Layout layout = TypeParam::layout;
    EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool<layout>(x, indices, window); }), name + ": " + text);
    EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool_into<layout>(y, x, indices, window); }),
              name + "_into: " + text);
    EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool_backward<layout>(y, indices, window); }),
              name + "_backward: " + text);
    EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool_backward_into<layout>(dx, y, indices, window); }),
              name + "_backward_into: " + text);
    EXPECT_TRUE(eigenpool_test::holds_only(y, 77.0F));
    EXPECT_TRUE(eigenpool_test::holds_only(dx, 77.0F));
  };
  const Window<D> window = this->window_;
  const auto spoilt = [&](auto change) {
    Window<D> bad = window;
    change(bad);
    return bad;
  };
  expect_all(spoilt([](auto& w) { w.kernel[D - 1] = 0; }),
             "kernel[" + std::to_string(D - 1) + "] is 0, must be at least 1");
  expect_all(spoilt([](auto& w) { w.stride[0] = -1; }), "stride[0] is -1, must be at least 1");
  expect_all(spoilt([](auto& w) { w.padding.end[0] = 3; }),
             "padding.end[0] is 3, must be less than the window's extent 3");
  expect_all(spoilt([](auto& w) { w.stride[0] = std::numeric_limits<Index>::max(); }),
             "stride[0] is 9223372036854775807, the output's extent overflows 64 bits");
  const auto plane = std::to_string(static_cast<Index>(std::pow(5, D)));
  typename TypeParam::Shape place{};
  for (std::size_t a = 0; a < place.size(); ++a)
    place[a] = static_cast<Eigen::Index>((a + 1) % 3) % indices.dimension(a);
  std::string at;
  for (const auto coordinate : place) at += (at.empty() ? "" : ", ") + std::to_string(coordinate);
  for (const std::string& bad : {plane, std::string("-2"), std::string("9223372036854775807")}) {
    indices(place) = std::stoll(bad);
    expect_all(window, "indices(" + at + ") is " + bad + ", must be -1 or below the plane's " + plane + " cells");
  }
  indices(place) = -1;
  expect_all(window, "indices(" + at + ") is -1, which only a window without a real cell may have");

  indices.setZero();
  EXPECT_EQ(
      error_of([&] { Fronts<D>::template max_unpool<TypeParam::layout>(x, indices, window, eigenpool::Sizes<D>(7)); }),
      name + ": output_size[0] is 7, must be from 4 to 6");
  EXPECT_EQ(
      error_of([&] { Fronts<D>::template max_unpool<TypeParam::layout>(x, indices, window, eigenpool::Sizes<D>(-3)); }),
      name + ": output_size[0] is -3, must be from 4 to 6");
  EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool_into<TypeParam::layout>(dx, x, indices, window); }),
            name + "_into: output[" + first + "] is 3, must be from 4 to 6");
  EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool_backward<TypeParam::layout>(x, indices, window); }),
            name + "_backward: gradient[" + first + "] is 3, must be from 4 to 6");
  const auto fewer = to_tensor<TypeParam, std::int64_t>({1, 3}, pooled, Values(values / 2, 0.0));
  EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool<TypeParam::layout>(x, fewer, window); }),
            name + ": indices[0] is 1, expected 2");
  const auto empty = to_tensor<TypeParam, float>(lead, Extents(D, 0), {});
  const auto none = to_tensor<TypeParam, std::int64_t>(lead, Extents(D, 0), {});
  EXPECT_EQ(error_of([&] { Fronts<D>::template max_unpool<TypeParam::layout>(empty, none, window); }),
            name + ": input[" + first + "] is 0, a spatial extent must be at least 1");
}

TYPED_TEST(MaxUnpool, EmptyBatchGivesAnEmptyResult) {
  const Extents lead{0, 3};
  const Extents pooled(TypeParam::D, 3);
  const auto x = to_tensor<TypeParam, float>(lead, pooled, {});
  const auto indices = to_tensor<TypeParam, std::int64_t>(lead, pooled, {});
  const auto y = Fronts<TypeParam::D>::template max_unpool<TypeParam::layout>(x, indices, this->window_);
  EXPECT_EQ(y.size(), 0);
  EXPECT_EQ(y.dimension(TypeParam::first_spatial), 5);
}

using Row = Eigen::Tensor<float, 1, Eigen::RowMajor>;
using RowIndices = Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor>;

// A wide dilation makes a window that straddles the input: its -1 is legal, and puts nothing anywhere.
TEST(MaxUnpoolOfDilatedWindows, NoneBelongsToWindowsWithoutACell) {
  Row x(1);
  x.setConstant(5);
  const Window<1> window{.kernel = 2, .padding = 1, .dilation = 2};
  const auto [maxima, indices] = eigenpool::max_pool1d_with_indices(x, window);
  ASSERT_EQ(indices(0), -1);
  Row y(1);
  eigenpool::max_unpool1d_into(y, maxima, indices, window);
  EXPECT_EQ(y(0), 0);
  Row dy(1);
  dy.setConstant(3);
  EXPECT_EQ(eigenpool::max_unpool1d_backward(dy, indices, window)(0), 0);
}

TEST(MaxUnpoolValues, AreMovedAsTheyAre) {
  Row x(4);
  x.setValues({static_cast<float>(nan_value), static_cast<float>(-infinity), -0.0F, 2});
  RowIndices indices(4);
  indices.setValues({7, 0, 2, 7});
  const Row y = eigenpool::max_unpool1d(x, indices, {.kernel = 2});
  EXPECT_EQ(y(0), -infinity);
  EXPECT_TRUE(std::signbit(y(2)));
  EXPECT_EQ(y(7), 2);
  indices.setValues({7, 0, 2, 6});
  EXPECT_TRUE(std::isnan(eigenpool::max_unpool1d(x, indices, {.kernel = 2})(7)));
}

TEST(MaxUnpoolIndices, TooNarrowForThePlane) {
  Eigen::Tensor<std::uint8_t, 1, Eigen::RowMajor> compact(1);
  compact.setZero();
  Row x(1);
  EXPECT_EQ(error_of([&] { eigenpool::max_unpool1d(x, compact, {.kernel = 300}); }),
            "max_unpool1d: kernel has 300 taps, more than a 1-byte index can number (255)");
  compact(0) = 3;
  EXPECT_EQ(error_of([&] { eigenpool::max_unpool1d(x, compact, {.kernel = 3}); }),
            "max_unpool1d: indices(0) is 3, must be 255 or below the window's 3 taps");
}

TEST(MaxUnpoolMemory, MayNotOverlap) {
  Row buffer(8);
  RowIndices indices(4);
  indices.setZero();
  Eigen::TensorMap<Row> x(buffer.data(), 4), y(buffer.data(), 8);
  EXPECT_EQ(error_of([&] { eigenpool::max_unpool1d_into(y, x, indices, {.kernel = 2}); }),
            "max_unpool1d_into: output overlaps input");
  EXPECT_EQ(error_of([&] { eigenpool::max_unpool1d_backward_into(x, y, indices, {.kernel = 2}); }),
            "max_unpool1d_backward_into: output overlaps gradient");
}

TEST(MaxUnpoolOp, EqualsTheFunction) {
  using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  Image x(2, 3, 6, 8);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 37 % 101);
  const Window<2> window{.kernel = 2};
  const auto [maxima, indices] = eigenpool::max_pool2d_with_indices(x, window);
  const Image want = eigenpool::max_unpool2d(maxima, indices, window);
  using Op = eigenpool::MaxUnpool<2, std::remove_cvref_t<decltype(indices)>>;
  harness::SharingPool pool(2);
  const Eigen::ThreadPoolDevice threads(&pool, 2);
  Image got(want.dimensions());
  got.device(threads) = maxima.customOp(Op(indices, window));
  for (Eigen::Index i = 0; i < want.size(); ++i) ASSERT_EQ(got.data()[i], want.data()[i]);
}

}  // namespace
