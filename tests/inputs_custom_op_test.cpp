// The op objects of Eigen's customOp idiom, on both devices, against the functions of the same name.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cstddef>

#include "fronts.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::keep;
using eigenpool::keep_dims;
using eigenpool::Layout;
using eigenpool::Sizes;
using eigenpool::Window;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Reversed = Eigen::Tensor<float, 4, Eigen::ColMajor>;

const Window<2> window{.kernel = {3, 2}, .stride = 2, .padding = 1};
constexpr eigenpool::AvgOptions exclude{.count_include_pad = false};

template <class Tensor>
Tensor filled(Tensor x, int seed = 1) {
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * 37 + seed * 11) % 101 - 70);
  return x;
}

/// Assigns the expression on both devices and without one.
template <class Tensor, class Expression>
void expect_evaluates_to(const Expression& expression, const Tensor& expected) {
  harness::SharingPool pool(2);
  const Eigen::ThreadPoolDevice threads(&pool, 2);
  const Eigen::DefaultDevice alone;
  Tensor on_threads(expected.dimensions()), on_one(expected.dimensions());
  on_threads.device(threads) = expression;
  on_one.device(alone) = expression;
  const Tensor assigned = expression;
  for (std::size_t axis = 0; axis < std::size_t{Tensor::NumIndices}; ++axis)
    ASSERT_EQ(assigned.dimension(axis), expected.dimension(axis));
  for (Eigen::Index i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(assigned.data()[i], expected.data()[i]) << "element " << i;
    ASSERT_EQ(on_threads.data()[i], expected.data()[i]) << "element " << i;
    ASSERT_EQ(on_one.data()[i], expected.data()[i]) << "element " << i;
  }
}

template <Layout layout, class Tensor>
void expect_every_op_equals_its_function(const Tensor& x) {
  using namespace eigenpool;
  expect_evaluates_to(x.customOp(MaxPool<2, layout>(window)), max_pool2d<layout>(x, window));
  expect_evaluates_to(x.customOp(AvgPool<2, layout>(window)), avg_pool2d<layout>(x, window));
  expect_evaluates_to(x.customOp(AvgPool<2, layout>(window, exclude)), avg_pool2d<layout>(x, window, exclude));
  expect_evaluates_to(x.customOp(AdaptiveMaxPool<2, layout>({3, keep})), adaptive_max_pool2d<layout>(x, {3, keep}));
  expect_evaluates_to(x.customOp(AdaptiveAvgPool<2, layout>({3, keep})), adaptive_avg_pool2d<layout>(x, {3, keep}));
  expect_evaluates_to(x.customOp(GlobalMaxPool<layout>()), global_max_pool<layout>(x, keep_dims));
  expect_evaluates_to(x.customOp(GlobalAvgPool<layout>()), global_avg_pool<layout>(x, keep_dims));

  const Tensor dy = filled(max_pool2d<layout>(x, window), 2);
  constexpr int first = layout == channels_first ? 2 : 1;
  const Sizes<2> spatial{x.dimension(first), x.dimension(first + 1)};
  expect_evaluates_to(dy.customOp(AvgPoolBackward<2, layout>(spatial, window, exclude)),
                      avg_pool2d_backward<layout>(dy, x.dimensions(), window, exclude));
  expect_evaluates_to(dy.customOp(x, MaxPoolBackward<2, layout>(window)),
                      max_pool2d_backward_from_input<layout>(dy, x, window));
}

TEST(CustomOp, EveryOpInEveryLayoutAndStorageOrder) {
  expect_every_op_equals_its_function<channels_first>(filled(Image(2, 3, 9, 12)));
  expect_every_op_equals_its_function<channels_last>(filled(Image(2, 9, 12, 3)));
  expect_every_op_equals_its_function<channels_first>(filled(Reversed(2, 3, 9, 12)));
  expect_every_op_equals_its_function<channels_last>(filled(Reversed(2, 9, 12, 3)));
}

TEST(CustomOp, ChannelsFirstIsTheDefaultLayout) {
  const Image x = filled(Image(2, 3, 9, 12));
  expect_evaluates_to(x.customOp(eigenpool::MaxPool<2>(window)), eigenpool::max_pool2d(x, window));
  expect_evaluates_to(x.customOp(eigenpool::GlobalAvgPool<>()), eigenpool::global_avg_pool(x, keep_dims));
}

TEST(CustomOp, OneAndThreeSpatialAxes) {
  const auto row = filled(Eigen::Tensor<float, 2, Eigen::RowMajor>(3, 17));
  expect_evaluates_to(row.customOp(eigenpool::MaxPool<1>({.kernel = 3})), eigenpool::max_pool1d(row, {.kernel = 3}));
  const auto volume = filled(Eigen::Tensor<float, 4, Eigen::RowMajor>(3, 5, 6, 7));
  expect_evaluates_to(volume.customOp(eigenpool::AvgPool<3>({.kernel = 2})),
                      eigenpool::avg_pool3d(volume, {.kernel = 2}));
}

// Eigen evaluates an operand that is an expression for the op. (Eigen 3.4 takes a customOp itself into no larger
// expression.)
TEST(CustomOp, OfAnExpression) {
  const Image x = filled(Image(2, 3, 9, 12)), negated = -x;
  expect_evaluates_to((-x).customOp(eigenpool::MaxPool<2>(window)), eigenpool::max_pool2d(negated, window));
}

}  // namespace
