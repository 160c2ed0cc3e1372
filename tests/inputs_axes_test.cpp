// Any number of leading axes, in both layouts and storage orders, for 1d, 2d and 3d: the same planes, pooled alike.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "fronts.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::keep_dims;
using eigenpool::Layout;
using eigenpool::Window;
using eigenpool_test::Fronts;

template <int rank, int order = Eigen::RowMajor>
using Tensor = Eigen::Tensor<float, rank, order>;
template <int rank>
using Shape = std::array<Eigen::Index, static_cast<std::size_t>(rank)>;

template <int rank, int order>
void fill(Tensor<rank, order>& x) {
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * 53) % 97 - 90);
}

/// (leading..., spatial...) of rank R as the one leading axis and D spatial axes that it is in memory.
template <int D, int R>
Shape<D + 1> merged(const Shape<R>& shape) {
  Shape<D + 1> result{};
  result[0] = 1;
  for (int a = 0; a < R - D; ++a) result[0] *= shape[static_cast<std::size_t>(a)];
  for (int a = 0; a < D; ++a) result[static_cast<std::size_t>(a + 1)] = shape[static_cast<std::size_t>(R - D + a)];
  return result;
}

template <class A, class B>
void expect_same_elements(const A& a, const B& b) {
  ASSERT_EQ(a.size(), b.size());
  ASSERT_GT(a.size(), 0);
  for (Eigen::Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

/// Calls `check(tensor, D, layout)`-style functions of both operators on x and on the same memory as `plain`.
template <int D, Layout layout, class X, class Plain>
void expect_pooled_alike(const X& x, const Plain& plain) {
  using F = Fronts<D>;
  const Window<D> w{.kernel = 3, .stride = 2, .padding = 1};
  const auto y = F::template max_pool_with_indices<layout, std::int64_t>(x, w);
  const auto expected = F::template max_pool_with_indices<layout, std::int64_t>(plain, w);
  expect_same_elements(y.output, expected.output);
  expect_same_elements(y.indices, expected.indices);
  expect_same_elements(F::template max_pool<layout>(x, w), expected.output);
  expect_same_elements(F::template avg_pool<layout>(x, w), F::template avg_pool<layout>(plain, w));
  const eigenpool::OutputSize<D> four = 4;
  expect_same_elements(F::template adaptive_avg_pool<layout>(x, four),
                       F::template adaptive_avg_pool<layout>(plain, four));
  expect_same_elements(F::template adaptive_max_pool<layout>(x, four),
                       F::template adaptive_max_pool<layout>(plain, four));
  expect_same_elements(F::template max_pool_backward<layout>(y.output, y.indices, x.dimensions(), w),
                       F::template max_pool_backward<layout>(expected.output, expected.indices, plain.dimensions(), w));
  expect_same_elements(F::template avg_pool_backward<layout>(y.output, x.dimensions(), w),
                       F::template avg_pool_backward<layout>(expected.output, plain.dimensions(), w));
}

/// Channels first, row-major: leading axes are one long axis in memory.
template <int D, int R>
void expect_leading_axes_merge(const Shape<R>& shape) {
  Tensor<R> x(shape);
  fill(x);
  Tensor<D + 1> plain(merged<D, R>(shape));
  std::copy(x.data(), x.data() + x.size(), plain.data());
  const auto y = Fronts<D>::template max_pool<channels_first>(x, Window<D>{.kernel = 2});
  for (std::size_t a = 0; a < std::size_t{R}; ++a)
    EXPECT_EQ(y.dimension(a), shape[a] / (a < std::size_t{R - D} ? 1 : 2)) << "axis " << a;
  expect_pooled_alike<D, channels_first>(x, plain);
}

TEST(LeadingAxes, OneSpatialAxis) {
  expect_leading_axes_merge<1, 1>({9});
  expect_leading_axes_merge<1, 2>({3, 9});
  expect_leading_axes_merge<1, 3>({2, 3, 9});
  expect_leading_axes_merge<1, 4>({2, 3, 2, 9});
}

TEST(LeadingAxes, TwoSpatialAxes) {
  expect_leading_axes_merge<2, 2>({5, 9});
  expect_leading_axes_merge<2, 3>({3, 5, 9});
  expect_leading_axes_merge<2, 4>({2, 3, 5, 9});
  expect_leading_axes_merge<2, 5>({2, 3, 2, 5, 9});
}

TEST(LeadingAxes, ThreeSpatialAxes) {
  expect_leading_axes_merge<3, 3>({4, 5, 9});
  expect_leading_axes_merge<3, 4>({3, 4, 5, 9});
  expect_leading_axes_merge<3, 5>({2, 3, 4, 5, 9});
  expect_leading_axes_merge<3, 6>({2, 2, 2, 4, 5, 9});
}

/// Channels last against channels first: element by element, with the channel axis moved.
template <int D, int R, int order>
void expect_channels_last_agrees(const Shape<R>& last_shape) {
  Tensor<R, order> last(last_shape);
  fill(last);
  std::array<int, static_cast<std::size_t>(R)> to_first{}, to_last{};
  for (int a = 0; a < R; ++a) {
    const int channel = R - 1 - D;
    to_first[static_cast<std::size_t>(a)] = a < channel ? a : a == channel ? R - 1 : a - 1;
    to_last[static_cast<std::size_t>(to_first[static_cast<std::size_t>(a)])] = a;
  }
  const Tensor<R, order> first = last.shuffle(to_first);
  using F = Fronts<D>;
  const Window<D> w{.kernel = 3, .stride = 2, .padding = 1};
  const auto y = F::template max_pool_with_indices<channels_last, std::int64_t>(last, w);
  const auto expected = F::template max_pool_with_indices<channels_first, std::int64_t>(first, w);
  const Tensor<R, order> moved = expected.output.shuffle(to_last);
  const Eigen::Tensor<std::int64_t, R, order> moved_indices = expected.indices.shuffle(to_last);
  expect_same_elements(y.output, moved);
  expect_same_elements(y.indices, moved_indices);
  const Tensor<R, order> average = F::template avg_pool<channels_first>(first, w).shuffle(to_last);
  expect_same_elements(F::template avg_pool<channels_last>(last, w), average);
  const Tensor<R, order> gradient =
      F::template avg_pool_backward<channels_first>(expected.output, first.dimensions(), w).shuffle(to_last);
  expect_same_elements(F::template avg_pool_backward<channels_last>(y.output, last.dimensions(), w), gradient);
}

TEST(ChannelsLast, OneSpatialAxis) {
  expect_channels_last_agrees<1, 2, Eigen::RowMajor>({9, 5});
  expect_channels_last_agrees<1, 3, Eigen::RowMajor>({2, 9, 5});
  expect_channels_last_agrees<1, 3, Eigen::ColMajor>({2, 9, 5});
}

TEST(ChannelsLast, TwoSpatialAxes) {
  expect_channels_last_agrees<2, 3, Eigen::RowMajor>({5, 9, 3});
  expect_channels_last_agrees<2, 4, Eigen::RowMajor>({2, 5, 9, 3});
  expect_channels_last_agrees<2, 5, Eigen::RowMajor>({2, 2, 5, 9, 3});
  expect_channels_last_agrees<2, 3, Eigen::ColMajor>({5, 9, 3});
  expect_channels_last_agrees<2, 4, Eigen::ColMajor>({2, 5, 9, 3});
}

TEST(ChannelsLast, ThreeSpatialAxes) {
  expect_channels_last_agrees<3, 4, Eigen::RowMajor>({4, 5, 9, 3});
  expect_channels_last_agrees<3, 5, Eigen::RowMajor>({2, 4, 5, 9, 3});
  expect_channels_last_agrees<3, 5, Eigen::ColMajor>({2, 4, 5, 9, 3});
}

/// (N, C) and keep-dims results of a global pooling equal an adaptive one to a single cell.
template <Layout layout, int D, int order>
void expect_global_agrees() {
  using Case = eigenpool_test::PoolingCase<D, layout, order>;
  constexpr int rank = D + 2;
  typename Case::Extents extents{};
  for (std::size_t a = 0; a < extents.size(); ++a) extents[a] = static_cast<std::int64_t>(4 + a);
  Tensor<rank, order> x(Case::shape(2, 3, extents));
  fill(x);
  const auto average = Fronts<D>::template adaptive_avg_pool<layout>(x, eigenpool::OutputSize<D>(1));
  const auto largest =
      Fronts<D>::template adaptive_max_pool_with_indices<layout, std::int64_t>(x, eigenpool::OutputSize<D>(1));
  const auto flat = eigenpool::global_max_pool_with_indices<layout>(x);
  const auto kept = eigenpool::global_max_pool_with_indices<layout>(x, keep_dims);
  const auto flat_average = eigenpool::global_avg_pool<layout>(x);
  static_assert(decltype(flat_average)::NumIndices == 2);
  EXPECT_EQ(flat_average.dimension(0), 2);
  EXPECT_EQ(flat_average.dimension(1), 3);
  const auto kept_average = eigenpool::global_avg_pool<layout>(x, keep_dims);
  for (std::size_t a = 0; a < std::size_t{rank}; ++a) EXPECT_EQ(kept_average.dimension(a), average.dimension(a));
  expect_same_elements(flat_average, average);
  expect_same_elements(kept_average, average);
  expect_same_elements(flat.output, largest.output);
  expect_same_elements(flat.indices, largest.indices);
  expect_same_elements(kept.output, largest.output);
  expect_same_elements(kept.indices, largest.indices);
  expect_same_elements(eigenpool::global_max_pool<layout>(x), largest.output);
  expect_same_elements(eigenpool::global_max_pool<layout>(x, keep_dims), largest.output);

  const auto dx = Fronts<D>::template adaptive_avg_pool_backward<layout>(average, x.dimensions());
  expect_same_elements(eigenpool::global_avg_pool_backward<layout>(flat_average, x.dimensions()), dx);
  expect_same_elements(eigenpool::global_avg_pool_backward<layout>(kept_average, x.dimensions()), dx);
  const auto max_dx =
      Fronts<D>::template adaptive_max_pool_backward<layout>(largest.output, largest.indices, x.dimensions());
  expect_same_elements(eigenpool::global_max_pool_backward<layout>(flat.output, flat.indices, x.dimensions()), max_dx);
  expect_same_elements(eigenpool::global_max_pool_backward<layout>(kept.output, kept.indices, x.dimensions()), max_dx);
  expect_same_elements(eigenpool::global_max_pool_backward_from_input<layout>(flat.output, x), max_dx);
  expect_same_elements(eigenpool::global_max_pool_backward_from_input<layout>(kept.output, x), max_dx);

  Tensor<2, order> y(2, 3);
  Tensor<rank, order> y_kept(average.dimensions());
  eigenpool::global_avg_pool_into<layout>(y, x);
  expect_same_elements(y, average);
  eigenpool::global_avg_pool_into<layout>(y_kept, x);
  expect_same_elements(y_kept, average);
}

TEST(Global, RowMajor) {
  expect_global_agrees<channels_first, 1, Eigen::RowMajor>();
  expect_global_agrees<channels_first, 2, Eigen::RowMajor>();
  expect_global_agrees<channels_first, 3, Eigen::RowMajor>();
  expect_global_agrees<channels_last, 1, Eigen::RowMajor>();
  expect_global_agrees<channels_last, 2, Eigen::RowMajor>();
  expect_global_agrees<channels_last, 3, Eigen::RowMajor>();
}

TEST(Global, ColumnMajor) {
  expect_global_agrees<channels_first, 2, Eigen::ColMajor>();
  expect_global_agrees<channels_last, 2, Eigen::ColMajor>();
}

}  // namespace
