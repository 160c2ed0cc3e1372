// Blurs and blurs of dense maxima against plain loops: kernels, strides and paddings, every layout and storage order,
// any number of threads, gradients, errors.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <eigenpool/blur_pool.hpp>
#include <eigenpool/max_pool.hpp>
#include <stdexcept>
#include <string>
#include <unsupported/Eigen/AutoDiff>
#include <vector>

#include "families.hpp"
#include "sharing_pool.hpp"

namespace {

using namespace eigenpool;
using eigenpool::Index;

// A picture of n x c planes, in logical order.
struct Picture {
  Index n, c, h, w;
  std::vector<double> values;

  Picture(Index n_, Index c_, Index h_, Index w_)
      : n(n_), c(c_), h(h_), w(w_), values(static_cast<std::size_t>(n_ * c_ * h_ * w_)) {}
  double& at(Index i, Index j, Index y, Index x) {
    return values[static_cast<std::size_t>(((i * c + j) * h + y) * w + x)];
  }
  double at(Index i, Index j, Index y, Index x) const { return const_cast<Picture&>(*this).at(i, j, y, x); }
};

Picture filled(Index n, Index c, Index h, Index w, const families::Family& family, std::uint64_t seed) {
  Picture p(n, c, h, w);
  p.values = family.values(n * c * h * w, seed);
  return p;
}

template <class Scalar, Layout layout_, int order_>
struct Case {
  using S = Scalar;
  static constexpr Layout layout = layout_;
  static constexpr int order = order_;
  using Tensor = Eigen::Tensor<S, 4, order>;

  static auto& at(auto& t, Index n, Index c, Index y, Index x) {
    if constexpr (layout == channels_first)
      return t(n, c, y, x);
    else
      return t(n, y, x, c);
  }
  static Tensor tensor(const Picture& p) {
    Tensor t = layout == channels_first ? Tensor(p.n, p.c, p.h, p.w) : Tensor(p.n, p.h, p.w, p.c);
    visit(p, [&](Index n, Index c, Index y, Index x) { at(t, n, c, y, x) = static_cast<S>(p.at(n, c, y, x)); });
    return t;
  }
  static Picture picture(const Tensor& t) {
    const Index c = t.dimension(layout == channels_first ? 1 : 3), first = layout == channels_first ? 2 : 1;
    Picture p(t.dimension(0), c, t.dimension(static_cast<std::size_t>(first)),
              t.dimension(static_cast<std::size_t>(first + 1)));
    visit(p, [&](Index n, Index j, Index y, Index x) { p.at(n, j, y, x) = static_cast<double>(at(t, n, j, y, x)); });
    return p;
  }
  template <class Visit>
  static void visit(const Picture& p, const Visit& f) {
    for (Index n = 0; n < p.n; ++n)
      for (Index c = 0; c < p.c; ++c)
        for (Index y = 0; y < p.h; ++y)
          for (Index x = 0; x < p.w; ++x) f(n, c, y, x);
  }
};

// The weight of tap j of k, by Pascal's rule.
double weight(Index k, Index j) {
  if (k == 1) return j == 0 ? 1 : 0;
  return (weight(k - 1, j) + weight(k - 1, j - 1)) / 2;
}

// What each cell of an axis of n cells is worth to output o.
std::vector<double> weights(Index n, Index k, Index stride, BlurPadding padding, Index o) {
  std::vector<double> result(static_cast<std::size_t>(n), 0);
  for (Index j = 0; j < k; ++j) {
    Index p = o * stride + j - (k - 1) / 2;
    if (padding == BlurPadding::zero && (p < 0 || p >= n)) continue;
    if (padding == BlurPadding::replicate) p = std::clamp<Index>(p, 0, n - 1);
    if (p < 0) p = -p;
    if (p >= n) p = n - 1 - (p - (n - 1));
    result[static_cast<std::size_t>(p)] += weight(k, j);
  }
  return result;
}

Index outputs(Index n, Index stride) { return (n + stride - 1) / stride; }

// y = A x B^T, plane by plane, or its adjoint; cells of weight 0 are not looked at.
Picture oracle_blur(const Picture& from, Index h, Index w, const Blur<2>& blur, bool adjoint) {
  const Index oh = outputs(h, blur.stride[0]), ow = outputs(w, blur.stride[1]);
  Picture to(from.n, from.c, adjoint ? h : oh, adjoint ? w : ow);
  for (Index oy = 0; oy < oh; ++oy) {
    const auto wy = weights(h, blur.kernel[0], blur.stride[0], blur.padding, oy);
    for (Index ox = 0; ox < ow; ++ox) {
      const auto wx = weights(w, blur.kernel[1], blur.stride[1], blur.padding, ox);
      for (Index y = 0; y < h; ++y)
        for (Index x = 0; x < w; ++x) {
          const double weight = wy[static_cast<std::size_t>(y)] * wx[static_cast<std::size_t>(x)];
          if (weight == 0) continue;
          for (Index n = 0; n < from.n; ++n)
            for (Index c = 0; c < from.c; ++c) {
              if (adjoint)
                to.at(n, c, y, x) += weight * from.at(n, c, oy, ox);
              else
                to.at(n, c, oy, ox) += weight * from.at(n, c, y, x);
            }
        }
    }
  }
  return to;
}

template <class S>
void expect_near(const Picture& got, const Picture& want) {
  ASSERT_EQ(got.h, want.h);
  ASSERT_EQ(got.w, want.w);
  const bool small = std::is_same_v<S, Eigen::bfloat16> || std::is_same_v<S, Eigen::half>;
  const double tolerance = small ? 1.0 / 128 : static_cast<double>(Eigen::NumTraits<S>::epsilon()) * 32;
  for (std::size_t i = 0; i < want.values.size(); ++i) {
    const double a = got.values[i], b = want.values[i];
    if constexpr (std::integral<S>)
      ASSERT_EQ(a, std::nearbyint(b)) << "element " << i;
    else if (std::isfinite(b))
      ASSERT_NEAR(a, b, tolerance * 4) << "element " << i;
    else
      ASSERT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << "element " << i << " is " << a << " not " << b;
  }
}

Blur<2> random_blur(families::Random& random, Index h, Index w) {
  Blur<2> blur;
  blur.padding = static_cast<BlurPadding>(random.between(0, 2));
  for (int a = 0; a < 2; ++a) {
    const Index n = a == 0 ? h : w;
    blur.kernel[a] = random.between(1, 7);
    if (blur.padding == BlurPadding::reflect) blur.kernel[a] = std::min(blur.kernel[a], 2 * n - 1);
    blur.stride[a] = random.between(1, 4);
  }
  return blur;
}

template <class C>
class Blurs : public testing::Test {};
using Cases = testing::Types<Case<float, channels_first, Eigen::RowMajor>, Case<float, channels_last, Eigen::RowMajor>,
                             Case<float, channels_first, Eigen::ColMajor>, Case<float, channels_last, Eigen::ColMajor>,
                             Case<std::int8_t, channels_first, Eigen::RowMajor>,
                             Case<std::int32_t, channels_last, Eigen::RowMajor>,
                             Case<Eigen::bfloat16, channels_first, Eigen::RowMajor>>;
TYPED_TEST_SUITE(Blurs, Cases);

TYPED_TEST(Blurs, EqualPlainLoops) {
  using C = TypeParam;
  using Scalar = typename C::S;
  families::Random random(7);
  for (int round = 0; round < 60; ++round) {
    const Index h = random.between(1, 12), w = random.between(1, round % 4 == 0 ? 70 : 12);
    const Index n = random.between(1, 3), c = random.between(1, round % 4 == 1 ? 20 : 3);
    const Blur<2> blur = random_blur(random, h, w);
    const families::Family& family = std::integral<Scalar> ? families::integers : families::signed_values;
    SCOPED_TRACE("kernel " + std::to_string(blur.kernel[0]) + " x " + std::to_string(blur.kernel[1]) + ", stride " +
                 std::to_string(blur.stride[0]) + " x " + std::to_string(blur.stride[1]) + ", padding " +
                 std::to_string(static_cast<int>(blur.padding)) + ", " + std::to_string(h) + " x " + std::to_string(w));
    const Picture x = C::picture(C::tensor(filled(n, c, h, w, family, random.bits())));
    const auto y = blur_pool2d<C::layout>(C::tensor(x), blur);
    expect_near<Scalar>(C::picture(y), oracle_blur(x, h, w, blur, false));
    if constexpr (!std::integral<Scalar>) {
      const Picture dy = C::picture(
          C::tensor(filled(n, c, outputs(h, blur.stride[0]), outputs(w, blur.stride[1]), family, random.bits())));
      const auto dx = blur_pool2d_backward<C::layout>(C::tensor(dy), C::tensor(x).dimensions(), blur);
      expect_near<Scalar>(C::picture(dx), oracle_blur(dy, h, w, blur, true));
    }
    if (testing::Test::HasFatalFailure()) return;
  }
}

template <class A, class B>
void expect_equal(const A& a, const B& b) {
  ASSERT_EQ(a.size(), b.size());
  for (Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

void expect_equal(const Picture& a, const Picture& b) {
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) ASSERT_EQ(a.values[i], b.values[i]) << "element " << i;
}

// The same bits in every layout, storage order and vector width, and on threads.
template <class S>
struct EveryWay {
  Picture y, dx, max, max_dx;

  template <class C>
  static EveryWay run(const Picture& x, const Picture& dy, const Blur<2>& blur,
                      const Eigen::ThreadPoolDevice& threads) {
    const auto tensor = C::tensor(x), gradient = C::tensor(dy);
    const DenseWindow<2> dense{.kernel = 3, .padding = 1};
    const auto y = blur_pool2d<C::layout>(tensor, blur);
    const auto dx = blur_pool2d_backward<C::layout>(gradient, tensor.dimensions(), blur);
    const auto max = max_blur_pool2d<C::layout>(tensor, dense, blur);
    const auto max_dx = max_blur_pool2d_backward<C::layout>(gradient, tensor, dense, blur);
    typename C::Tensor again(y.dimensions()), back(tensor.dimensions());
    blur_pool2d_into<C::layout>(again, tensor, blur, threads), expect_equal(again, y);
    blur_pool2d_backward_into<C::layout>(back, gradient, blur, threads), expect_equal(back, dx);
    max_blur_pool2d_into<C::layout>(again, tensor, dense, blur, threads), expect_equal(again, max);
    max_blur_pool2d_backward_into<C::layout>(back, gradient, tensor, dense, blur, threads), expect_equal(back, max_dx);
    again.device(threads) = tensor.customOp(BlurPool<2, C::layout>(blur)), expect_equal(again, y);
    again.device(threads) = tensor.customOp(MaxBlurPool<2, C::layout>(dense, blur)), expect_equal(again, max);
    return {C::picture(y), C::picture(dx), C::picture(max), C::picture(max_dx)};
  }
  void expect_same(const EveryWay& other) const {
    expect_equal(y, other.y), expect_equal(dx, other.dx);
    expect_equal(max, other.max), expect_equal(max_dx, other.max_dx);
  }
};

TEST(BlurBits, SameEveryWay) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  for (const Index channels : {3, 19}) {
    const Picture x = filled(2, channels, 23, 31, families::signed_values, 3);
    for (const BlurPadding padding : {BlurPadding::reflect, BlurPadding::replicate, BlurPadding::zero}) {
      const Blur<2> blur{.kernel = {4, 5}, .stride = {1, 2}, .padding = padding};
      const Picture dy = filled(2, channels, 23, 16, families::signed_values, 4);
      using Ways = EveryWay<float>;
      const Ways ways = Ways::run<Case<float, channels_first, Eigen::RowMajor>>(x, dy, blur, threads);
      ways.expect_same(Ways::run<Case<float, channels_last, Eigen::RowMajor>>(x, dy, blur, threads));
      ways.expect_same(Ways::run<Case<float, channels_first, Eigen::ColMajor>>(x, dy, blur, threads));
      ways.expect_same(Ways::run<Case<float, channels_last, Eigen::ColMajor>>(x, dy, blur, threads));
      simd::set_max_vector_bytes(16);
      ways.expect_same(Ways::run<Case<float, channels_first, Eigen::RowMajor>>(x, dy, blur, threads));
      simd::set_max_vector_bytes(64);
    }
  }
}

TEST(BlurBits, MaxThenBlurEqualsBothCalls) {
  using C = Case<float, channels_first, Eigen::RowMajor>;
  const Blur<2> blur{.kernel = 4, .stride = 2};
  for (const Index channels : {2, 20}) {
    const auto x = C::tensor(filled(1, channels, 11, 9, families::nans, 5));
    const auto dense = max_pool2d(x, {.kernel = 2, .stride = 1});
    const auto y = max_blur_pool2d(x, {.kernel = 2}, blur), want = blur_pool2d(dense, blur);
    ASSERT_EQ(y.dimensions(), want.dimensions());
    for (Index i = 0; i < y.size(); ++i)
      ASSERT_TRUE(y.data()[i] == want.data()[i] || (std::isnan(y.data()[i]) && std::isnan(want.data()[i])));
    const auto dx = max_blur_pool2d_backward(want, x, {.kernel = 2}, blur);
    const auto both = max_pool2d_backward_from_input(blur_pool2d_backward(want, dense.dimensions(), blur), x,
                                                     {.kernel = 2, .stride = 1});
    for (Index i = 0; i < dx.size(); ++i)
      ASSERT_TRUE(dx.data()[i] == both.data()[i] || (std::isnan(dx.data()[i]) && std::isnan(both.data()[i])));
  }
}

TEST(BlurGradients, OfMaxBlurEqualCentralDifferences) {
  using C = Case<double, channels_first, Eigen::RowMajor>;
  const Blur<2> blur{.kernel = {3, 4}, .stride = 2};
  const DenseWindow<2> dense{.kernel = {2, 3}, .padding = {0, 1}};
  auto x = C::tensor(Picture(1, 2, 6, 7));
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<double>((i * 37) % 89);
  auto dy = max_blur_pool2d(x, dense, blur);
  for (Index i = 0; i < dy.size(); ++i) dy.data()[i] = static_cast<double>((i * 7) % 11) - 4.5;
  const auto dx = max_blur_pool2d_backward(dy, x, dense, blur);
  const auto dot = [&](const auto& at) {
    const auto y = max_blur_pool2d(at, dense, blur);
    double sum = 0;
    for (Index i = 0; i < y.size(); ++i) sum += y.data()[i] * dy.data()[i];
    return sum;
  };
  for (Index i = 0; i < x.size(); ++i) {
    auto above = x, below = x;
    above.data()[i] += 1e-3;
    below.data()[i] -= 1e-3;
    ASSERT_NEAR((dot(above) - dot(below)) / 2e-3, dx.data()[i], 1e-8) << "element " << i;
  }
}

TEST(BlurOneAxis, EqualsARowOfAPicture) {
  const auto x = Case<float, channels_first, Eigen::RowMajor>::tensor(filled(1, 3, 1, 29, families::signed_values, 1));
  const Eigen::TensorMap<const Eigen::Tensor<float, 2, Eigen::RowMajor>> row(x.data(), 3, 29);
  const auto y = blur_pool1d(row, {.kernel = 5, .stride = 3});
  expect_equal(y, blur_pool2d(x, {.kernel = {1, 5}, .stride = {1, 3}}));
  const auto dx = blur_pool1d_backward(y, row.dimensions(), {.kernel = 5, .stride = 3});
  const Eigen::TensorMap<const Eigen::Tensor<float, 4, Eigen::RowMajor>> dy(y.data(), 1, 3, 1, 10);
  expect_equal(dx, blur_pool2d_backward(dy, x.dimensions(), {.kernel = {1, 5}, .stride = {1, 3}}));
  Eigen::Tensor<float, 2, Eigen::RowMajor> again(3, 10), back(3, 29);
  blur_pool1d_into(again, row, {.kernel = 5, .stride = 3}), expect_equal(again, y);
  blur_pool1d_backward_into(back, y, {.kernel = 5, .stride = 3}), expect_equal(back, dx);
}

TEST(BlurCorners, NanAndInfinityStayInTheirWindows) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> x(40);
  x.setConstant(1);
  x(9) = std::numeric_limits<float>::quiet_NaN();
  x(30) = std::numeric_limits<float>::infinity();
  const auto y = blur_pool1d(x, {.kernel = 3, .stride = 1});
  for (Index i = 0; i < 40; ++i) {
    if (std::abs(i - 9) <= 1)
      EXPECT_TRUE(std::isnan(y(i))) << i;
    else
      EXPECT_EQ(y(i), std::abs(i - 30) <= 1 ? std::numeric_limits<float>::infinity() : 1) << i;
  }
}

TEST(BlurCorners, EmptyTensors) {
  const Eigen::Tensor<float, 3> none(0, 5, 5);
  EXPECT_EQ(blur_pool2d(none).dimension(1), 3);
  EXPECT_EQ(max_blur_pool2d(none, {.kernel = 2}).dimension(2), 2);
  EXPECT_EQ(blur_pool2d_backward(blur_pool2d(none), none.dimensions()).dimension(1), 5);
  const Eigen::Tensor<float, 3, Eigen::RowMajor> no_channels(5, 5, 0);
  EXPECT_EQ(blur_pool2d<channels_last>(no_channels).dimension(0), 3);
  EXPECT_EQ(max_blur_pool2d_backward<channels_last>(max_blur_pool2d<channels_last>(no_channels, {}), no_channels, {})
                .dimension(1),
            5);
}

TEST(BlurCorners, DerivativesThroughACustomScalar) {
  using Number = Eigen::AutoDiffScalar<Eigen::Vector2d>;
  Eigen::Tensor<Number, 2, Eigen::RowMajor> x(5, 6);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = Number(static_cast<double>(i), 2, static_cast<int>(i % 2));
  const auto y = blur_pool2d(x, {.kernel = 3, .stride = {1, 2}});
  EXPECT_DOUBLE_EQ(y(2, 1).value(), 14);
  EXPECT_DOUBLE_EQ(y(2, 1).derivatives()(0), 0.5);
  EXPECT_DOUBLE_EQ(y(2, 1).derivatives()(1), 0.5);
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

class BlurErrors : public testing::Test {
 protected:
  BlurErrors() { x.setConstant(1), y.setConstant(77), dx.setConstant(77); }
  void TearDown() override {
    for (Index i = 0; i < y.size(); ++i) EXPECT_EQ(y.data()[i], 77);
    for (Index i = 0; i < dx.size(); ++i) EXPECT_EQ(dx.data()[i], 77);
  }
  void expect_errors(const Blur<2>& blur, const std::string& argument, const std::string& text) {
    EXPECT_EQ(error_of([&] { blur_pool2d(x, blur); }), "blur_pool2d: " + argument + text);
    EXPECT_EQ(error_of([&] { blur_pool2d_into(y, x, blur); }), "blur_pool2d_into: " + argument + text);
    EXPECT_EQ(error_of([&] { blur_pool2d_backward(y, x.dimensions(), blur); }),
              "blur_pool2d_backward: " + argument + text);
    EXPECT_EQ(error_of([&] { blur_pool2d_backward_into(dx, y, blur); }),
              "blur_pool2d_backward_into: " + argument + text);
    EXPECT_EQ(error_of([&] { max_blur_pool2d(x, {.kernel = 1}, blur); }), "max_blur_pool2d: blur." + argument + text);
    EXPECT_EQ(error_of([&] { max_blur_pool2d_into(y, x, {.kernel = 1}, blur); }),
              "max_blur_pool2d_into: blur." + argument + text);
    EXPECT_EQ(error_of([&] { max_blur_pool2d_backward(y, x, {.kernel = 1}, blur); }),
              "max_blur_pool2d_backward: blur." + argument + text);
    EXPECT_EQ(error_of([&] { max_blur_pool2d_backward_into(dx, y, x, {.kernel = 1}, blur); }),
              "max_blur_pool2d_backward_into: blur." + argument + text);
  }
  Eigen::Tensor<float, 2> x{3, 8}, y{2, 4}, dx{3, 8};
};

TEST_F(BlurErrors, Arguments) {
  expect_errors({.kernel = {3, 0}}, "kernel[1]", " is 0, must be at least 1");
  expect_errors({.kernel = {-2, 3}}, "kernel[0]", " is -2, must be at least 1");
  expect_errors({.kernel = {3, 8}}, "kernel[1]", " is 8, must be at most 7");
  expect_errors({.stride = {0, 2}}, "stride[0]", " is 0, must be at least 1");
  expect_errors({.kernel = {6, 3}}, "kernel[0]", " is 6, its reflected padding of 3 takes an extent of more than 3");
  EXPECT_EQ(error_of([&] { blur_pool2d(x, {.kernel = {6, 3}, .padding = BlurPadding::zero}); }), "no error");
  EXPECT_EQ(error_of([&] {
              max_blur_pool2d(x, {.kernel = {4, 1}});
            }),
            "max_blur_pool2d: kernel[0] is 4, the window's extent 4 exceeds the padded input's 3");
  EXPECT_EQ(error_of([&] {
              max_blur_pool2d(x, {.kernel = 2, .padding = {0, 2}});
            }),
            "max_blur_pool2d: padding.begin[1] is 2, must be less than the window's extent 2");
}

TEST_F(BlurErrors, Shapes) {
  Eigen::Tensor<float, 2> wrong(2, 5);
  EXPECT_EQ(error_of([&] { blur_pool2d_into(wrong, x); }), "blur_pool2d_into: output[1] is 5, expected 4");
  EXPECT_EQ(error_of([&] { max_blur_pool2d_into(wrong, x, {.kernel = 1}); }),
            "max_blur_pool2d_into: output[1] is 5, expected 4");
  EXPECT_EQ(error_of([&] { blur_pool2d_backward(wrong, x.dimensions()); }),
            "blur_pool2d_backward: gradient[1] is 5, expected 4");
  EXPECT_EQ(error_of([&] { max_blur_pool2d_backward(wrong, x, {.kernel = 1}); }),
            "max_blur_pool2d_backward: gradient[1] is 5, expected 4");
  EXPECT_EQ(error_of([&] { max_blur_pool2d_backward_into(wrong, y, x, {.kernel = 1}); }),
            "max_blur_pool2d_backward_into: output[0] is 2, expected 3");
  EXPECT_EQ(error_of([&] {
              blur_pool2d_backward(y, std::array<Index, 2>{-3, 8});
            }),
            "blur_pool2d_backward: input_shape[0] is -3, must be at least 0");
  const Eigen::Tensor<float, 2> flat(3, 0);
  EXPECT_EQ(error_of([&] { blur_pool2d(flat); }), "blur_pool2d: input[1] is 0, a spatial extent must be at least 1");
  Eigen::TensorMap<Eigen::Tensor<float, 2>> inside(x.data() + 1, 2, 4);
  EXPECT_EQ(error_of([&] { blur_pool2d_into(inside, x); }), "blur_pool2d_into: output overlaps input");
  EXPECT_EQ(error_of([&] { max_blur_pool2d_into(inside, x, {.kernel = 1}); }),
            "max_blur_pool2d_into: output overlaps input");
}

}  // namespace
