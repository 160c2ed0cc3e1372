// Every kind of tensor that can be an input or an output: the results equal those of a plain Eigen::Tensor.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "fronts.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::Window;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Reversed = Eigen::Tensor<float, 4, Eigen::ColMajor>;
using Indices = Eigen::Tensor<std::int64_t, 4, Eigen::RowMajor>;

const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};

template <class Tensor>
Tensor filled(Tensor x, int seed = 1) {
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * 37 + seed * 11) % 101 - 70);
  return x;
}

template <class A, class B>
void expect_same(const A& a, const B& b) {
  static_assert(A::NumIndices == B::NumIndices);
  for (unsigned axis = 0; axis < unsigned{A::NumIndices}; ++axis) ASSERT_EQ(a.dimension(axis), b.dimension(axis));
  for (Eigen::Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

/// Every function that takes an input, on `x`, against the same on the plain tensor `plain`.
template <class X, class Plain>
void expect_as_plain(const X& x, const Plain& plain) {
  expect_same(eigenpool::max_pool2d(x, window), eigenpool::max_pool2d(plain, window));
  const auto got = eigenpool::max_pool2d_with_indices(x, window);
  const auto expected = eigenpool::max_pool2d_with_indices(plain, window);
  expect_same(got.output, expected.output);
  expect_same(got.indices, expected.indices);
  expect_same(eigenpool::avg_pool2d(x, window), eigenpool::avg_pool2d(plain, window));
  expect_same(eigenpool::adaptive_avg_pool2d(x, {2, 3}), eigenpool::adaptive_avg_pool2d(plain, {2, 3}));
  expect_same(eigenpool::adaptive_max_pool2d(x, {2, 3}), eigenpool::adaptive_max_pool2d(plain, {2, 3}));
  expect_same(eigenpool::global_avg_pool(x), eigenpool::global_avg_pool(plain));
  expect_same(eigenpool::global_max_pool(x), eigenpool::global_max_pool(plain));
  expect_same(eigenpool::max_pool2d_backward_from_input(expected.output, x, window),
              eigenpool::max_pool2d_backward_from_input(expected.output, plain, window));
}

TEST(InputKinds, Maps) {
  Image x = filled(Image(2, 3, 5, 7));
  expect_as_plain(Eigen::TensorMap<Image>(x.data(), 2, 3, 5, 7), x);
  expect_as_plain(Eigen::TensorMap<const Image>(x.data(), 2, 3, 5, 7), x);
  const Eigen::TensorMap<Image> constant(x.data(), 2, 3, 5, 7);
  expect_as_plain(constant, x);
}

TEST(InputKinds, UnalignedMap) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> memory(2 * 3 * 5 * 7 + 1);
  const Image x = filled(Image(2, 3, 5, 7));
  std::copy(x.data(), x.data() + x.size(), memory.data() + 1);
  expect_as_plain(Eigen::TensorMap<const Image>(memory.data() + 1, 2, 3, 5, 7), x);
}

TEST(InputKinds, FixedSize) {
  Eigen::TensorFixedSize<float, Eigen::Sizes<2, 3, 5, 7>, Eigen::RowMajor> x;
  const Image plain = filled(Image(2, 3, 5, 7));
  std::copy(plain.data(), plain.data() + plain.size(), x.data());
  expect_as_plain(x, plain);
}

TEST(InputKinds, Ref) {
  Image x = filled(Image(2, 3, 5, 7));
  expect_as_plain(Eigen::TensorRef<Image>(x), x);
  const std::array<Eigen::Index, 4> offsets{1, 0, 1, 2}, extents{1, 3, 4, 5};
  const Image slice = x.slice(offsets, extents);
  expect_as_plain(Eigen::TensorRef<Image>(x.slice(offsets, extents)), slice);
  const Eigen::TensorRef<const Image> constant(x);
  expect_as_plain(constant, x);
}

TEST(InputKinds, Expressions) {
  const Image x = filled(Image(2, 3, 7, 5));
  const Image doubled = x * 2.f;
  expect_as_plain(x * 2.f, doubled);

  const std::array<int, 4> order{0, 1, 3, 2};
  const Image shuffled = x.shuffle(order);
  expect_as_plain(x.shuffle(order), shuffled);

  const std::array<Eigen::Index, 4> offsets{1, 0, 2, 1}, extents{1, 2, 5, 4};
  const Image slice = x.slice(offsets, extents);
  expect_as_plain(x.slice(offsets, extents), slice);
}

TEST(InputKinds, ColumnMajorExpression) {
  const Reversed x = filled(Reversed(2, 3, 5, 7));
  const Reversed sum = x + x.constant(3);
  expect_as_plain(x + x.constant(3), sum);
}

TEST(InputKinds, GradientsAndIndicesMayBeExpressionsToo) {
  const Image x = filled(Image(2, 3, 5, 7));
  const auto [y, indices] = eigenpool::max_pool2d_with_indices(x, window);
  const Image dy = filled(y, 2), doubled = dy * 2.f;
  expect_same(eigenpool::max_pool2d_backward(dy * 2.f, indices + indices.constant(0), x.dimensions(), window),
              eigenpool::max_pool2d_backward(doubled, indices, x.dimensions(), window));
  expect_same(eigenpool::avg_pool2d_backward(dy * 2.f, x.dimensions(), window),
              eigenpool::avg_pool2d_backward(doubled, x.dimensions(), window));
}

TEST(InputKinds, IntIndexType) {
  using Short = Eigen::Tensor<float, 4, Eigen::RowMajor, int>;
  const Image plain = filled(Image(2, 3, 5, 7));
  const Short x = filled(Short(2, 3, 5, 7));
  const auto y = eigenpool::max_pool2d(x, window);
  static_assert(std::is_same_v<decltype(y), const Short>);
  expect_as_plain(x, plain);
  expect_same(eigenpool::avg_pool2d_backward(y, x.dimensions(), window),
              eigenpool::avg_pool2d_backward(eigenpool::max_pool2d(plain, window), plain.dimensions(), window));
}

TEST(ResultKinds, StorageOrderAndRankFollowTheInput) {
  const Reversed x = filled(Reversed(2, 3, 5, 7));
  static_assert(std::is_same_v<decltype(eigenpool::max_pool2d(x, window)), Reversed>);
  static_assert(std::is_same_v<decltype(eigenpool::max_pool2d_with_indices(x, window).indices),
                               Eigen::Tensor<std::int64_t, 4, Eigen::ColMajor>>);
  static_assert(std::is_same_v<decltype(eigenpool::max_pool2d_with_indices<std::uint8_t>(x, window).indices),
                               Eigen::Tensor<std::uint8_t, 4, Eigen::ColMajor>>);
  static_assert(std::is_same_v<decltype(eigenpool::global_avg_pool(x)), Eigen::Tensor<float, 2, Eigen::ColMajor>>);
  static_assert(std::is_same_v<decltype(eigenpool::global_avg_pool(x, eigenpool::keep_dims)), Reversed>);
  const Image same = x.swap_layout().shuffle(std::array<int, 4>{3, 2, 1, 0});
  const Image expected = eigenpool::max_pool2d(same, window);
  const Image got = eigenpool::max_pool2d(x, window).swap_layout().shuffle(std::array<int, 4>{3, 2, 1, 0});
  expect_same(got, expected);
}

TEST(ResultKinds, ShapesInEveryForm) {
  const Image x = filled(Image(2, 3, 5, 7)), y = eigenpool::avg_pool2d(x, window);
  const Image expected = eigenpool::avg_pool2d_backward(y, x.dimensions(), window);
  expect_same(eigenpool::avg_pool2d_backward(y, std::array<std::int64_t, 4>{2, 3, 5, 7}, window), expected);
  expect_same(eigenpool::avg_pool2d_backward(y, Eigen::array<int, 4>{2, 3, 5, 7}, window), expected);
  expect_same(eigenpool::avg_pool2d_backward(y, Eigen::DSizes<int, 4>(2, 3, 5, 7), window), expected);
  expect_same(eigenpool::avg_pool2d_backward(y, Eigen::Sizes<2, 3, 5, 7>(), window), expected);
}

TEST(OutputKinds, MapsAndFixedSizes) {
  const Image x = filled(Image(2, 3, 5, 7));
  const auto expected = eigenpool::max_pool2d_with_indices(x, window);
  const Image dy = filled(expected.output, 2);
  const Image gradient = eigenpool::max_pool2d_backward(dy, expected.indices, x.dimensions(), window);

  Image y(2, 3, 3, 4), dx(2, 3, 5, 7);
  Indices indices(2, 3, 3, 4);
  Eigen::TensorMap<Image> y_map(y.data(), y.dimensions()), dx_map(dx.data(), dx.dimensions());
  Eigen::TensorMap<Indices> indices_map(indices.data(), indices.dimensions());
  eigenpool::max_pool2d_with_indices_into(y_map, indices_map, x, window);
  expect_same(y, expected.output);
  expect_same(indices, expected.indices);
  eigenpool::max_pool2d_backward_into(dx_map, dy, indices_map, window);
  expect_same(dx, gradient);

  Eigen::TensorFixedSize<float, Eigen::Sizes<2, 3, 3, 4>, Eigen::RowMajor> y_fixed;
  Eigen::TensorFixedSize<std::int64_t, Eigen::Sizes<2, 3, 3, 4>, Eigen::RowMajor> indices_fixed;
  Eigen::TensorFixedSize<float, Eigen::Sizes<2, 3, 5, 7>, Eigen::RowMajor> dx_fixed;
  eigenpool::max_pool2d_with_indices_into(y_fixed, indices_fixed, x, window);
  expect_same(y_fixed, expected.output);
  expect_same(indices_fixed, expected.indices);
  eigenpool::max_pool2d_backward_into(dx_fixed, dy, indices_fixed, window);
  expect_same(dx_fixed, gradient);
  eigenpool::avg_pool2d_into(y_fixed, x * 2.f, window);
  const Image doubled = x * 2.f;
  expect_same(y_fixed, eigenpool::avg_pool2d(doubled, window));
}

// Memory around the output belongs to someone else.
TEST(OutputKinds, OnlyTheMapsOwnElementsAreWritten) {
  const Image x = filled(Image(1, 2, 5, 7));
  Eigen::Tensor<float, 1, Eigen::RowMajor> memory(2 * 3 * 4 + 2);
  memory.setConstant(77);
  Eigen::TensorMap<Image> y(memory.data() + 1, 1, 2, 3, 4);
  eigenpool::avg_pool2d_into(y, x, window);
  EXPECT_EQ(memory(0), 77);
  EXPECT_EQ(memory(memory.size() - 1), 77);
  expect_same(y, eigenpool::avg_pool2d(x, window));
}

TEST(Devices, ThreadPoolTakesExpressionsAndMaps) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice device(&pool, 3);
  const Image x = filled(Image(2, 3, 50, 70)), doubled = x * 2.f;
  Image y(2, 3, 25, 35);
  eigenpool::max_pool2d_into(y, x * 2.f, window, device);
  expect_same(y, eigenpool::max_pool2d(doubled, window));
  Eigen::TensorMap<Image> map(y.data(), y.dimensions());
  eigenpool::avg_pool2d_into(map, x, window, {}, device);
  expect_same(y, eigenpool::avg_pool2d(x, window));
  eigenpool::avg_pool2d_into(map, x, window, {}, Eigen::DefaultDevice());
  expect_same(y, eigenpool::avg_pool2d(x, window));
}

}  // namespace
