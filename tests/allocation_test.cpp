// The `_into` forms of fixed windows take no memory from the heap, however large the window.
#define EIGEN_RUNTIME_NO_MALLOC
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <eigenpool/eigenpool.hpp>
#include <limits>
#include <new>

namespace {
std::size_t allocations = 0;
}

// Kept whole, so that compilers see pairs of new and delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::Window;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;

// What f() takes from the heap, by operator new or through Eigen (which then aborts).
template <class F>
std::size_t allocations_of(const F& f) {
  f();  // what happens once in a process is not counted
  const std::size_t before = allocations;
  Eigen::internal::set_is_malloc_allowed(false);
  f();
  Eigen::internal::set_is_malloc_allowed(true);
  return allocations - before;
}

template <Layout layout>
void expect_no_allocations(const Image& x, const Window<2>& w) {
  using namespace eigenpool;
  auto [y, flat] = max_pool2d_with_indices<layout>(x, w);
  Eigen::Tensor<std::uint16_t, 4, Eigen::RowMajor> compact =
      max_pool2d_with_indices<layout, std::uint16_t>(x, w).indices;
  Image values = y, dx(x.dimensions());
  auto& indices = flat;
  EXPECT_EQ(allocations_of([&] { max_pool2d_into<layout>(values, x, w); }), 0U) << "max_pool2d_into";
  EXPECT_EQ(allocations_of([&] { avg_pool2d_into<layout>(values, x, w); }), 0U) << "avg_pool2d_into";
  EXPECT_EQ(allocations_of(
                [&] { avg_pool2d_into<layout>(values, x, w, {.count_include_pad = false, .divisor_override = {}}); }),
            0U)
      << "avg_pool2d_into without padding";
  EXPECT_EQ(allocations_of([&] { max_pool2d_with_indices_into<layout>(values, indices, x, w); }), 0U) << "flat indices";
  EXPECT_EQ(allocations_of([&] { max_pool2d_with_indices_into<layout>(values, compact, x, w); }), 0U) << "compact";
  EXPECT_EQ(allocations_of([&] { max_pool2d_backward_into<layout>(dx, values, indices, w); }), 0U) << "max backward";
  EXPECT_EQ(allocations_of([&] { max_pool2d_backward_into<layout>(dx, values, compact, w); }), 0U)
      << "compact backward";
  EXPECT_EQ(allocations_of([&] { avg_pool2d_backward_into<layout>(dx, values, w); }), 0U) << "average backward";
  EXPECT_EQ(allocations_of([&] { min_pool2d_into<layout>(values, x, w); }), 0U) << "min_pool2d_into";
  for (const double p : {1.0, 2.0, std::numeric_limits<double>::infinity()})
    EXPECT_EQ(allocations_of([&] { lp_pool2d_into<layout>(values, x, w, {.p = p}); }), 0U) << "norm " << p;
}

Image image(Eigen::Index a, Eigen::Index b, Eigen::Index c, Eigen::Index d) {
  Image x(a, b, c, d);
  x.setRandom();
  return x;
}

TEST(Allocations, NoneForSmallWindows) {
  expect_no_allocations<channels_first>(image(2, 3, 9, 11), {.kernel = 3, .stride = 2, .padding = 1});
  expect_no_allocations<channels_last>(image(2, 9, 11, 20), {.kernel = 3, .stride = 1, .padding = 1});
}

TEST(Allocations, NoneForLargeWindows) {
  expect_no_allocations<channels_first>(image(1, 1, 192, 192), {.kernel = 63, .stride = 1, .padding = 31});
  expect_no_allocations<channels_last>(image(1, 128, 128, 32), {.kernel = 31, .stride = 1, .padding = 15});
}

TEST(Allocations, NoneForAveragesOfColumnMajorPictures) {
  using namespace eigenpool;
  Eigen::Tensor<float, 4> x(1, 192, 192, 2), dx(1, 192, 192, 2);
  x.setRandom();
  for (const Eigen::Index kernel : {3, 63}) {
    const Window<2> w{.kernel = kernel, .stride = 1, .padding = kernel / 2};
    auto y = avg_pool2d<channels_last>(x, w);
    EXPECT_EQ(allocations_of([&] { avg_pool2d_into<channels_last>(y, x, w); }), 0U) << "kernel " << kernel;
    EXPECT_EQ(allocations_of([&] { avg_pool2d_backward_into<channels_last>(dx, y, w); }), 0U) << "kernel " << kernel;
  }
}

TEST(Allocations, NoneForLongRows) {
  expect_no_allocations<channels_first>(image(1, 2, 4, 20000), {.kernel = {3, 9}, .stride = {1, 4}});
}

}  // namespace
