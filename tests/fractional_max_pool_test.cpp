// Fractional max pooling against plain loops over logical coordinates, with each plane's own windows.
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
using eigenpool::FractionalWindow;
using eigenpool::Layout;
using eigenpool::Seed;
using eigenpool_test::error_of;
using eigenpool_test::PoolingCase;
using families::Random;
using harness::from_tensor;
using harness::to_tensor;
using harness::Values;
using oracle::Extents;
using oracle::Index;

/// The functions of D axes under one name.
template <int D, Layout layout, class... Args>
auto fractional(const Args&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d<layout>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d<layout>(args...);
}
template <int D, Layout layout, class... Args>
auto with_indices(const Args&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d_with_indices<layout>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d_with_indices<layout>(args...);
}
template <int D, Layout layout, class Y, class... Args>
void fractional_into(Y& y, const Args&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_into<layout>(y, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_into<layout>(y, args...);
}
template <int D, Layout layout, class Y, class T, class... Args>
void with_indices_into(Y& y, T& indices, const Args&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_with_indices_into<layout>(y, indices, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_with_indices_into<layout>(y, indices, args...);
}
template <int D, Layout layout, class... Args>
auto backward(const Args&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d_backward<layout>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d_backward<layout>(args...);
}
template <int D, Layout layout, class Y, class... Args>
void backward_into(Y& dx, const Args&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_backward_into<layout>(dx, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_backward_into<layout>(dx, args...);
}

/// One problem in plain numbers, N and C first; two axes have a leading one of 1. Samples per plane and spatial axis,
/// outermost first.
struct Problem {
  Extents lead, spatial, kernel, out;
  Values x, dy, samples;

  std::size_t axes() const { return spatial.size(); }
  Index planes() const { return oracle::product(lead); }

  /// PyTorch's rule, in arithmetic of S.
  template <class S>
  Index start(Index plane, std::size_t axis, Index i) const {
    const Index slack = spatial[axis] - kernel[axis];
    if (i + 1 == out[axis]) return slack;
    const S u = static_cast<S>(samples[static_cast<std::size_t>(plane) * axes() + axis]);
    const S alpha = static_cast<S>(slack) / static_cast<S>(out[axis] - 1);
    return static_cast<Index>((static_cast<S>(i) + u) * alpha) - static_cast<Index>(u * alpha);
  }

  struct Result {
    Values y, indices;
  };
  template <class S>
  Result forward() const {
    Result result;
    const auto coordinates = [](std::size_t flat, const Extents& extents) {
      Extents at(extents.size());
      for (std::size_t a = extents.size(); a-- > 0; flat /= static_cast<std::size_t>(extents[a]))
        at[a] = static_cast<Index>(flat % static_cast<std::size_t>(extents[a]));
      return at;
    };
    const auto cells = static_cast<std::size_t>(oracle::product(spatial));
    for (Index plane = 0; plane < planes(); ++plane)
      for (std::size_t o = 0; o < static_cast<std::size_t>(oracle::product(out)); ++o) {
        const Extents at = coordinates(o, out);
        double best = -std::numeric_limits<double>::infinity(), where = -1;
        for (std::size_t cell = 0; cell < cells; ++cell) {  // asks of each cell whether it is in the window
          const Extents c = coordinates(cell, spatial);
          bool inside = true;
          for (std::size_t a = 0; a < axes(); ++a) {
            const Index first = start<S>(plane, a, at[a]);
            inside &= c[a] >= first && c[a] < first + kernel[a];
          }
          const double value = x[static_cast<std::size_t>(plane) * cells + cell];
          if (inside && (where < 0 || value > best || std::isnan(value)) && !(std::isnan(best) && !std::isnan(value)))
            best = value, where = static_cast<double>(cell);
        }
        result.y.push_back(best);
        result.indices.push_back(where);
      }
    return result;
  }
};

Problem random_problem(std::size_t axes, std::uint64_t seed) {
  Random random(seed);
  Problem p;
  p.lead = {random.between(1, 3), random.one_in(4) ? random.between(60, 70) : random.between(1, 5)};
  for (std::size_t a = 0; a < axes; ++a) {
    p.spatial.push_back(random.between(1, axes == 2 ? 11 : 7));
    p.kernel.push_back(random.between(1, std::min<Index>(p.spatial[a], 3)));
    p.out.push_back(random.between(1, p.spatial[a] - p.kernel[a] + 1));
  }
  const auto family = families::all()[seed % families::all().size()];
  for (Index i = 0; i < p.planes() * static_cast<Index>(axes); ++i)
    p.samples.push_back(static_cast<double>(random.between(0, 999)) / 1000);
  p.x = family.values(p.planes() * oracle::product(p.spatial), seed);
  for (double& value : p.x) value = static_cast<double>(static_cast<float>(value));
  p.dy = families::integers.values(p.planes() * oracle::product(p.out), seed);
  return p;
}

/// The samples as the library wants them: (N, C, D), columns (w, h) or (d, h, w).
template <class Case, class S>
auto samples_of(const Problem& p) {
  constexpr int D = Case::D;
  Eigen::Tensor<S, 3, Case::order> samples(p.lead[0], p.lead[1], D);
  for (Index n = 0; n < p.lead[0]; ++n)
    for (Index c = 0; c < p.lead[1]; ++c)
      for (int a = 0; a < D; ++a)
        samples(n, c, D == 2 ? 1 - a : a) =
            static_cast<S>(p.samples[static_cast<std::size_t>((n * p.lead[1] + c) * D + a)]);
  return samples;
}

template <class Case>
FractionalWindow<Case::D> window_of(const Problem& p) {
  FractionalWindow<Case::D> window{.kernel = 1};
  for (int a = 0; a < Case::D; ++a) {
    window.kernel[a] = p.kernel[static_cast<std::size_t>(a)];
    window.output_size[a] = p.out[static_cast<std::size_t>(a)];
  }
  return window;
}

template <class Case>
class FractionalMaxPool : public testing::Test {};

using Cases =
    testing::Types<PoolingCase<2, channels_first>, PoolingCase<2, channels_last>,
                   PoolingCase<2, channels_first, Eigen::ColMajor>, PoolingCase<2, channels_last, Eigen::ColMajor>,
                   PoolingCase<3, channels_first>, PoolingCase<3, channels_last>,
                   PoolingCase<3, channels_first, Eigen::ColMajor>, PoolingCase<3, channels_last, Eigen::ColMajor>>;
TYPED_TEST_SUITE(FractionalMaxPool, Cases, eigenpool_test::PoolingCaseName);

template <class Case, class S, class U, class I>
void expect_plain_loops(const Problem& p) {
  constexpr Layout layout = Case::layout;
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  const auto want = p.forward<U>();
  const auto x = to_tensor<Case, S>(p.lead, p.spatial, p.x);
  const auto samples = samples_of<Case, U>(p);
  const auto window = window_of<Case>(p);
  const auto expect_values = [&](const auto& y) {
    Values rounded;
    for (const double value : want.y) rounded.push_back(static_cast<double>(static_cast<S>(value)));
    EXPECT_TRUE(harness::all_equal(from_tensor<Case, S>(p.lead, p.out, y), rounded));
  };
  const auto expect_indices = [&](const auto& indices) {
    EXPECT_TRUE(harness::all_equal(from_tensor<Case, I>(p.lead, p.out, indices), want.indices)) << "indices";
  };
  expect_values(fractional<Case::D, layout>(x, window, samples));
  auto y = to_tensor<Case, S>(p.lead, p.out, Values(want.y.size(), 77.0));
  fractional_into<Case::D, layout>(y, x, window, samples, threads);
  expect_values(y);
  auto indices = to_tensor<Case, I>(p.lead, p.out, Values(want.y.size(), 77.0));
  y.setConstant(S(77));
  with_indices_into<Case::D, layout>(y, indices, x, window, samples, threads);
  expect_values(y);
  expect_indices(indices);
  if constexpr (!std::integral<S>) {
    Values dx(p.x.size(), 0.0);
    const std::size_t cells = dx.size() / static_cast<std::size_t>(p.planes());
    const std::size_t outputs = p.dy.size() / static_cast<std::size_t>(p.planes());
    for (std::size_t i = 0; i < p.dy.size(); ++i)
      dx[i / outputs * cells + static_cast<std::size_t>(want.indices[i])] += p.dy[i];
    const auto dy = to_tensor<Case, S>(p.lead, p.out, p.dy);
    EXPECT_TRUE(harness::all_equal(
        from_tensor<Case, S>(p.lead, p.spatial, backward<Case::D, layout>(dy, indices, x.dimensions())), dx));
    auto into = x;
    backward_into<Case::D, layout>(into, dy, indices, threads);
    EXPECT_TRUE(harness::all_equal(from_tensor<Case, S>(p.lead, p.spatial, into), dx)) << "into";
  }
}

TYPED_TEST(FractionalMaxPool, EqualsPlainLoops) {
  for (std::uint64_t seed = 1; seed <= 27; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Problem p = random_problem(TypeParam::D, seed);
    expect_plain_loops<TypeParam, float, float, std::int64_t>(p);
    expect_plain_loops<TypeParam, double, double, std::int32_t>(p);
  }
}

TEST(FractionalMaxPoolScalars, OtherScalars) {
  using Case = PoolingCase<2, channels_last>;
  for (std::uint64_t seed = 40; seed <= 50; ++seed) {
    Problem p = random_problem(2, seed);
    p.x = families::integers.values(static_cast<Index>(p.x.size()), seed);
    p.dy.assign(p.dy.size(), 1);
    expect_plain_loops<Case, Eigen::half, float, std::int64_t>(p);
    expect_plain_loops<Case, Eigen::bfloat16, double, std::int64_t>(p);
    expect_plain_loops<Case, std::int8_t, double, std::int64_t>(p);
  }
}

// A seed's windows depend on nothing but the seed: every layout and storage order gives the same numbers.
TYPED_TEST(FractionalMaxPool, SeedGivesTheSameEverywhere) {
  const Problem p = random_problem(TypeParam::D, 8);
  const auto window = window_of<TypeParam>(p);
  const auto x = to_tensor<TypeParam, float>(p.lead, p.spatial, p.x);
  using Plain = PoolingCase<TypeParam::D, channels_first>;
  const auto plain = to_tensor<Plain, float>(p.lead, p.spatial, p.x);
  const auto [y, indices] = with_indices<TypeParam::D, TypeParam::layout>(x, window, Seed{42});
  const auto want = with_indices<Plain::D, Plain::layout>(plain, window, Seed{42});
  EXPECT_TRUE(harness::all_equal(from_tensor<TypeParam, float>(p.lead, p.out, y),
                                 from_tensor<Plain, float>(p.lead, p.out, want.output)));
  EXPECT_TRUE(harness::all_equal(from_tensor<TypeParam, std::int64_t>(p.lead, p.out, indices),
                                 from_tensor<Plain, std::int64_t>(p.lead, p.out, want.indices)));
}

using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;

Image ramp(Index n, Index c, Index h, Index w) {
  Image x(n, c, h, w);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  return x;
}

// In the order of the samples tensor, the upper 53 bits of each number.
TEST(FractionalMaxPoolSeed, DrawsWithTheStandardsEngine) {
  std::mt19937_64 random(7);
  Eigen::Tensor<double, 3, Eigen::RowMajor> samples(2, 3, 2);
  for (Eigen::Index i = 0; i < samples.size(); ++i)
    samples.data()[i] = std::ldexp(static_cast<double>(random() >> 11), -53);
  Eigen::Tensor<double, 4, Eigen::RowMajor> x = ramp(2, 3, 20, 30).cast<double>();
  const FractionalWindow<2> window{.kernel = 2, .output_size = {11, 13}};
  const auto drawn = eigenpool::fractional_max_pool2d(x, window, Seed{7});
  const auto given = eigenpool::fractional_max_pool2d(x, window, samples);
  const auto other = eigenpool::fractional_max_pool2d(x, window, Seed{8});
  int different = 0;
  for (Eigen::Index i = 0; i < drawn.size(); ++i) {
    ASSERT_EQ(drawn.data()[i], given.data()[i]) << "element " << i;
    different += drawn.data()[i] != other.data()[i];
  }
  EXPECT_GT(different, 0);
}

// Numbers that PyTorch gave for u = 0.7.
TEST(FractionalMaxPoolWindows, AreThoseOfPyTorch) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> samples(2);
  samples.setConstant(0.7F);
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(5, 5);
  for (Eigen::Index i = 0; i < 25; ++i) x.data()[i] = static_cast<float>(i);
  const auto y = eigenpool::fractional_max_pool2d(x, {.kernel = 2, .output_size = 3}, samples);
  const Values want{6, 7, 9, 11, 12, 14, 21, 22, 24};
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(y.data()[i], want[i]) << "element " << i;
}

TEST(FractionalMaxPoolWindows, RatioRoundsDown) {
  const auto y =
      eigenpool::fractional_max_pool2d(ramp(1, 1, 9, 10), {.kernel = 2, .output_ratio = {0.5, 0.75}}, Seed{1});
  EXPECT_EQ(y.dimension(2), 4);
  EXPECT_EQ(y.dimension(3), 7);
}

TEST(FractionalMaxPoolGradient, EqualsCentralDifferences) {
  Problem p = random_problem(2, 3);
  for (std::size_t i = 0; i < p.x.size(); ++i) p.x[i] = static_cast<double>(i * 7919 % (p.x.size() * 4 + 1));
  using Case = PoolingCase<2, channels_first>;
  const auto window = window_of<Case>(p);
  const auto samples = samples_of<Case, double>(p);
  const auto dy = to_tensor<Case, double>(p.lead, p.out, p.dy);
  auto x = to_tensor<Case, double>(p.lead, p.spatial, p.x);
  const auto result = eigenpool::fractional_max_pool2d_with_indices(x, window, samples);
  const auto dx = eigenpool::fractional_max_pool2d_backward(dy, result.indices, x.dimensions());
  const auto loss = [&] {
    const Eigen::Tensor<double, 0, Eigen::RowMajor> sum =
        (eigenpool::fractional_max_pool2d(x, window, samples) * dy).sum();
    return sum();
  };
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    x.data()[i] += 0.25;
    const double above = loss();
    x.data()[i] -= 0.5;
    const double below = loss();
    x.data()[i] += 0.25;
    EXPECT_NEAR(dx.data()[i], (above - below) / 0.5, 1e-9) << "element " << i;
  }
}

class FractionalMaxPoolErrors : public testing::Test {
 protected:
  void expect_all(const FractionalWindow<2>& window, const std::string& text) {
    const std::string name = "fractional_max_pool2d";
    EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d(x_, window, samples_); }), name + ": " + text);
    EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_into(y_, x_, window, samples_); }),
              name + "_into: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_with_indices(x_, window, samples_); }),
              name + "_with_indices: " + text);
    EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_with_indices_into(y_, indices_, x_, window, samples_); }),
              name + "_with_indices_into: " + text);
    EXPECT_TRUE(eigenpool_test::holds_only(y_, 77.0F));
    EXPECT_TRUE(eigenpool_test::holds_only(indices_, std::int64_t{77}));
  }
  void SetUp() override {
    samples_.setConstant(0.5F);
    y_.setConstant(77);
    indices_.setConstant(77);
  }

  const FractionalWindow<2> window_{.kernel = 2, .output_size = {3, 4}};
  Image x_ = ramp(2, 3, 5, 7), y_{2, 3, 3, 4};
  Eigen::Tensor<std::int64_t, 4, Eigen::RowMajor> indices_{2, 3, 3, 4};
  Eigen::Tensor<float, 3, Eigen::RowMajor> samples_{2, 3, 2};
};

TEST_F(FractionalMaxPoolErrors, Window) {
  expect_all({.kernel = {2, 0}, .output_size = 2}, "kernel[1] is 0, must be at least 1");
  expect_all({.kernel = {6, 2}, .output_size = 1}, "kernel[0] is 6, must be at most the input's extent 5");
  expect_all({.kernel = 2, .output_size = {3, 7}}, "output_size[1] is 7, must be from 1 to 6, the places of a window");
  expect_all({.kernel = 2, .output_size = {0, 3}}, "output_size[0] is 0, must be from 1 to 4, the places of a window");
  expect_all({.kernel = 2, .output_size = {3, -1}},
             "output_size[1] is -1, must be from 1 to 6, the places of a window");
  expect_all({.kernel = 2}, "output_size or output_ratio must be given");
  expect_all({.kernel = 2, .output_size = 2, .output_ratio = 0.5},
             "output_size and output_ratio are both given, one of them must be");
  expect_all({.kernel = 2, .output_ratio = {0.5, 1.0}}, "output_ratio[1] is 1.000000, must be between 0 and 1");
  expect_all({.kernel = 2, .output_ratio = std::nan("")}, "output_ratio[0] is nan, must be between 0 and 1");
  expect_all({.kernel = 2, .output_ratio = {-0.5, 0.5}}, "output_ratio[0] is -0.500000, must be between 0 and 1");
  expect_all({.kernel = 2, .output_ratio = 0.1},
             "output_ratio's size[0] is 0, must be from 1 to 4, the places of a window");
}

TEST_F(FractionalMaxPoolErrors, Samples) {
  samples_(1, 2, 0) = 1;
  expect_all(window_, "samples(1, 2, 0) is 1.000000, must be at least 0 and below 1");
  samples_(0, 1, 1) = -0.25F;
  expect_all(window_, "samples(0, 1, 1) is -0.250000, must be at least 0 and below 1");
  samples_(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  expect_all(window_, "samples(0, 0, 0) is nan, must be at least 0 and below 1");
  samples_ = Eigen::Tensor<float, 3, Eigen::RowMajor>(2, 3, 3);
  samples_.setZero();
  expect_all(window_, "samples[2] is 3, expected 2");
  samples_ = Eigen::Tensor<float, 3, Eigen::RowMajor>(2, 1, 2);
  samples_.setZero();
  expect_all(window_, "samples[1] is 1, expected 3");
}

TEST_F(FractionalMaxPoolErrors, Tensors) {
  Image narrow(2, 3, 3, 3);
  EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_into(narrow, x_, window_, samples_); }),
            "fractional_max_pool2d_into: output[3] is 3, expected 4");
  EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d(Image(2, 3, 0, 7), window_, samples_); }),
            "fractional_max_pool2d: input[2] is 0, a spatial extent must be at least 1");
  const Image y = eigenpool::fractional_max_pool2d(x_, window_, samples_);
  auto bad = eigenpool::fractional_max_pool2d_with_indices(x_, window_, samples_).indices;
  bad(1, 0, 2, 3) = 35;
  EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_backward(y, bad, x_.dimensions()); }),
            "fractional_max_pool2d_backward: indices(1, 0, 2, 3) is 35, must be -1 or below the plane's 35 cells");
  Eigen::TensorMap<Image> overlapping(x_.data() + 3, 2, 3, 3, 4);
  EXPECT_EQ(error_of([&] { eigenpool::fractional_max_pool2d_into(overlapping, x_, window_, samples_); }),
            "fractional_max_pool2d_into: output overlaps input");
}

TEST_F(FractionalMaxPoolErrors, EmptyBatchGivesAnEmptyResult) {
  const auto y = eigenpool::fractional_max_pool2d(Image(0, 3, 5, 7), window_, Seed{1});
  EXPECT_EQ(y.size(), 0);
  EXPECT_EQ(y.dimension(3), 4);
}

TEST(FractionalMaxPoolOp, EqualsTheFunction) {
  const Image x = ramp(2, 3, 8, 9);
  const FractionalWindow<2> window{.kernel = {2, 3}, .output_size = {5, 4}};
  const Image want = eigenpool::fractional_max_pool2d(x, window, Seed{3});
  harness::SharingPool pool(2);
  const Eigen::ThreadPoolDevice threads(&pool, 2);
  Image got(want.dimensions());
  got.device(threads) = x.customOp(eigenpool::FractionalMaxPool<2>(window, Seed{3}));
  for (Eigen::Index i = 0; i < want.size(); ++i) ASSERT_EQ(got.data()[i], want.data()[i]);
}

}  // namespace
