// The same problem gives the same bits whatever the vector width, kernel, thread count, layout and storage order.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fronts.hpp"
#include "sharing_pool.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Layout;
using eigenpool::Window;
using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Shape = std::array<Eigen::Index, 4>;

/// Magnitudes far apart: a sum in another order gives other bits.
template <class Tensor>
Tensor rough(Tensor x, unsigned seed) {
  std::mt19937 random(seed);
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    const float fraction = static_cast<float>(static_cast<int>(random() % 2000001) - 1000000) * 1e-6f;
    x.data()[i] = std::ldexp(fraction, static_cast<int>(random() % 12));
  }
  return x;
}

template <class Tensor>
std::string bytes(const Tensor& x) {
  return {reinterpret_cast<const char*>(x.data()),
          static_cast<std::size_t>(x.size()) * sizeof(typename Tensor::Scalar)};
}

/// Puts a process-wide test hook back, also when a test fails.
struct RestoreHooks {
  ~RestoreHooks() {
    eigenpool::detail::set_force_scalar_kernel(false);
    eigenpool::simd::set_max_vector_bytes(64);
  }
};

/// Results of every operator, as bytes, computed on `device` where a function takes one.
template <Layout layout, class Device>
std::vector<std::pair<std::string, std::string>> results(const Image& x, const Window<2>& w, const Device& device) {
  using namespace eigenpool;
  std::vector<std::pair<std::string, std::string>> all;
  const auto keep_bytes = [&](const std::string& name, const auto& tensor) { all.emplace_back(name, bytes(tensor)); };
  auto [y, index] = max_pool2d_with_indices<layout>(x, w);
  const Image dy = rough(Image(y.dimensions()), 5);
  Image dx(x.dimensions());
  auto taps = max_pool2d_with_indices<layout, std::uint8_t>(x, w).indices;

  max_pool2d_into<layout>(y, x, w, device), keep_bytes("max", y);
  max_pool2d_with_indices_into<layout>(y, index, x, w, device), keep_bytes("max with indices", y);
  keep_bytes("indices", index);
  max_pool2d_with_indices_into<layout>(y, taps, x, w, device), keep_bytes("taps", taps);
  max_pool2d_backward_into<layout>(dx, dy, index, w, device), keep_bytes("max backward", dx);
  max_pool2d_backward_into<layout>(dx, dy, taps, w, device), keep_bytes("max backward from taps", dx);
  max_pool2d_backward_from_input_into<layout>(dx, dy, x, w, device), keep_bytes("max backward from input", dx);
  avg_pool2d_into<layout>(y, x, w, {}, device), keep_bytes("average", y);
  avg_pool2d_into<layout>(y, x, w, {.count_include_pad = false}, device), keep_bytes("average, exclude", y);
  avg_pool2d_backward_into<layout>(dx, dy, w, {}, device), keep_bytes("average backward", dx);

  Image few = adaptive_avg_pool2d<layout>(x, {5, 3});
  adaptive_avg_pool2d_into<layout>(few, x, {5, 3}, device), keep_bytes("adaptive average", few);
  const Image few_gradients = rough(few, 6);
  adaptive_avg_pool2d_backward_into<layout>(dx, few_gradients, device), keep_bytes("adaptive average backward", dx);
  adaptive_max_pool2d_backward_from_input_into<layout>(dx, few_gradients, x, device);
  keep_bytes("adaptive max backward", dx);
  adaptive_max_pool2d_into<layout>(few, x, {5, 3}, device), keep_bytes("adaptive max", few);

  auto total = global_avg_pool<layout>(x);
  global_avg_pool_into<layout>(total, x, device), keep_bytes("global average", total);
  global_avg_pool_backward_into<layout>(dx, total, device), keep_bytes("global average backward", dx);
  global_max_pool_into<layout>(total, x, device), keep_bytes("global max", total);
  return all;
}

template <class Results>
void expect_equal(const Results& got, const Results& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(got[i].second == expected[i].second) << got[i].first << " differs with " << what;
}

struct Problem {
  Shape shape;  // N, C, H, W
  Window<2> window;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all{
      {{1, 3, 67, 61}, {.kernel = 3, .stride = 2, .padding = 1}},
      {{2, 5, 33, 47}, {.kernel = 2}},
      {{1, 2, 40, 45}, {.kernel = {5, 7}, .stride = 1, .padding = {2, 3}}},
      {{3, 4, 41, 43}, {.kernel = 13, .stride = 1, .padding = 6}},
      {{1, 7, 29, 31}, {.kernel = 4, .stride = 3, .dilation = 2, .ceil_mode = true}},
      {{1, 1, 300, 301}, {.kernel = 9, .stride = {2, 4}}},
      {{1, 3, 45, 60}, {.kernel = {9, 3}, .stride = 1, .padding = {4, 2}, .dilation = {3, 2}}},
      {{1, 2100, 6, 7}, {.kernel = 3, .stride = 1, .padding = 1}},  // columns of more channels than are kept at once
      {{1, 2100, 7, 9}, {.kernel = 3, .stride = 2}},
      {{1, 34, 35, 59}, {.kernel = 3, .stride = 3, .padding = 1}},
      {{1, 20, 37, 83}, {.kernel = {2, 3}, .stride = {4, 6}}},       // cells in no window
      {{1, 2, 260, 601}, {.kernel = {250, 1}, .stride = {250, 2}}},  // rows that are read a few at a time
  };
  return all;
}

template <Layout layout>
void expect_one_result_per_problem() {
  const RestoreHooks restore;
  const Eigen::DefaultDevice alone;
  for (const Problem& problem : problems()) {
    SCOPED_TRACE(testing::Message() << "height " << problem.shape[2]);
    const auto [n, c, h, w] = problem.shape;
    const Image x = rough(Image(layout == channels_first ? problem.shape : Shape{n, h, w, c}), 1);
    const auto expected = results<layout>(x, problem.window, alone);
    for (const int width : {16, 32, 64}) {
      eigenpool::simd::set_max_vector_bytes(width);
      EXPECT_LE(eigenpool::simd::vector_bytes(), width);
      expect_equal(results<layout>(x, problem.window, alone), expected, std::to_string(width) + " byte vectors");
      for (const int threads : {1, 2, 3}) {
        harness::SharingPool pool(threads);
        const Eigen::ThreadPoolDevice device(&pool, threads);
        expect_equal(results<layout>(x, problem.window, device), expected, std::to_string(threads) + " threads");
      }
    }
    eigenpool::detail::set_force_scalar_kernel(true);
    expect_equal(results<layout>(x, problem.window, alone), expected, "the scalar kernel");
    eigenpool::detail::set_force_scalar_kernel(false);
  }
}

TEST(SameBits, WidthsThreadsAndKernelsChannelsFirst) { expect_one_result_per_problem<channels_first>(); }
TEST(SameBits, WidthsThreadsAndKernelsChannelsLast) { expect_one_result_per_problem<channels_last>(); }

// Long windows are reduced in strips of the channels, of which some hold a NaN.
TEST(SameBits, StripsOfChannelsWithNan) {
  const RestoreHooks restore;
  const Window<2> window{.kernel = 9, .stride = 1, .padding = 4};
  Image x = rough(Image(1, 24, 20, 400), 3);
  for (const int at : {1000, 9500, 77777, 150000}) x.data()[at] = std::numeric_limits<float>::quiet_NaN();
  const Eigen::DefaultDevice alone;
  eigenpool::detail::set_force_scalar_kernel(true);
  const auto expected = results<channels_last>(x, window, alone);
  eigenpool::detail::set_force_scalar_kernel(false);
  expect_equal(results<channels_last>(x, window, alone), expected, "one thread");
  harness::SharingPool pool(3);
  expect_equal(results<channels_last>(x, window, Eigen::ThreadPoolDevice(&pool, 3)), expected, "three threads");
}

// Rows that are read a few at a time, of channels whose last strip is less than a vector.
TEST(SameBits, TallWindowsOverNarrowStrips) {
  using namespace eigenpool;
  const RestoreHooks restore;
  const Window<2> window{.kernel = {14, 9}, .stride = {14, 1}};
  const Image x = rough(Image(1, 14, 80, 257), 7);
  const auto pooled = [&] {
    std::vector<std::pair<std::string, std::string>> all;
    all.emplace_back("max", bytes(max_pool2d<channels_last>(x, window)));
    const auto with_taps = max_pool2d_with_indices<channels_last, std::uint8_t>(x, window);
    all.emplace_back("max with taps", bytes(with_taps.output));
    all.emplace_back("taps", bytes(with_taps.indices));
    return all;
  };
  detail::set_force_scalar_kernel(true);
  const auto expected = pooled();
  detail::set_force_scalar_kernel(false);
  for (const int width : {16, 32, 64}) {
    simd::set_max_vector_bytes(width);
    expect_equal(pooled(), expected, std::to_string(width) + " byte vectors");
  }
}

// Vectors are aligned where that can be; what lies before the first aligned one is reduced apart.
TEST(SameBits, WhereverMemoryBegins) {
  using namespace eigenpool;
  using View = Eigen::TensorMap<Image>;
  const RestoreHooks restore;
  const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};
  Image x = rough(Image(1, 11, 11, 160), 4);  // more cells than are cut into strips
  for (const Eigen::Index at : {1, 12345}) x.data()[at] = std::numeric_limits<float>::quiet_NaN();
  const auto pooled = [&](Eigen::Index offset) {
    std::vector<float> source(static_cast<std::size_t>(offset + x.size()), 0.0F);
    std::copy_n(x.data(), x.size(), source.data() + offset);
    const View input(source.data() + offset, x.dimensions());
    std::vector<std::pair<std::string, std::string>> all;
    all.emplace_back("max", bytes(max_pool2d<channels_last>(input, window)));
    all.emplace_back("taps", bytes(max_pool2d_with_indices<channels_last, std::uint8_t>(input, window).indices));
    all.emplace_back("average", bytes(avg_pool2d<channels_last>(input, window)));
    all.emplace_back("adaptive average", bytes(adaptive_avg_pool2d<channels_last>(input, {5, 3})));
    all.emplace_back("global average", bytes(global_avg_pool<channels_last>(input)));
    all.emplace_back("global max", bytes(global_max_pool<channels_last>(input)));
    return all;
  };
  detail::set_force_scalar_kernel(true);
  const auto expected = pooled(0);
  detail::set_force_scalar_kernel(false);
  for (Eigen::Index offset = 0; offset < 9; ++offset)
    expect_equal(pooled(offset), expected, std::to_string(offset) + " floats from an aligned place");
}

template <int order>
using Ordered = Eigen::Tensor<float, 4, order>;

/// Runs `pool` on x in every layout and storage order; each result, brought back to row-major channels first, must
/// have the same bits. `pool` gets the tensor and the layout as a constant.
template <class Pool>
void expect_same_in_every_layout(const Image& x, const Pool& pool) {
  const std::array<int, 4> to_last{0, 2, 3, 1}, to_first{0, 3, 1, 2}, backwards{3, 2, 1, 0};
  using First = std::integral_constant<Layout, channels_first>;
  using Last = std::integral_constant<Layout, channels_last>;
  const std::string expected = bytes(Image(pool(x, First())));
  const Image last = x.shuffle(to_last);
  const Image from_last = Image(pool(last, Last())).shuffle(to_first);
  EXPECT_TRUE(bytes(from_last) == expected) << "channels last differs";

  const Ordered<Eigen::ColMajor> first_reversed = x.swap_layout().shuffle(backwards);
  const Ordered<Eigen::ColMajor> pooled_reversed = pool(first_reversed, First());
  EXPECT_TRUE(bytes(Image(pooled_reversed.swap_layout().shuffle(backwards))) == expected) << "column-major differs";

  const Ordered<Eigen::ColMajor> last_reversed = first_reversed.shuffle(to_last);
  const Ordered<Eigen::ColMajor> both = pool(last_reversed, Last()).shuffle(to_first);
  EXPECT_TRUE(bytes(Image(both.swap_layout().shuffle(backwards))) == expected) << "column-major channels last differs";
}

TEST(SameBits, AveragesInEveryLayoutAndStorageOrder) {
  for (const Problem& problem : problems()) {
    SCOPED_TRACE(testing::Message() << "height " << problem.shape[2]);
    const Image x = rough(Image(problem.shape), 2);
    expect_same_in_every_layout(
        x, [&](const auto& t, auto layout) { return eigenpool::avg_pool2d<layout()>(t, problem.window); });
    expect_same_in_every_layout(x, [&](const auto& t, auto layout) {
      return eigenpool::adaptive_avg_pool2d<layout()>(t, {4, 7});
    });
    expect_same_in_every_layout(
        x, [&](const auto& t, auto layout) { return eigenpool::global_avg_pool<layout()>(t, eigenpool::keep_dims); });
  }
}

TEST(SameBits, BackwardsInEveryLayoutAndStorageOrder) {
  for (const Problem& problem : problems()) {
    SCOPED_TRACE(testing::Message() << "height " << problem.shape[2]);
    const Image x = rough(Image(problem.shape), 3);
    expect_same_in_every_layout(x, [&](const auto& t, auto layout) {
      // The gradient is a copy of the output: the same numbers in every layout.
      return eigenpool::max_pool2d_backward_from_input<layout()>(eigenpool::max_pool2d<layout()>(t, problem.window), t,
                                                                 problem.window);
    });
    expect_same_in_every_layout(x, [&](const auto& t, auto layout) {
      return eigenpool::avg_pool2d_backward<layout()>(eigenpool::max_pool2d<layout()>(t, problem.window),
                                                      t.dimensions(), problem.window);
    });
  }
}

}  // namespace
