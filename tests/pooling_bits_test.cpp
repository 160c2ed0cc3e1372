// One problem gives the same bits every way it can be run: by the scalar kernel and by the vector kernels of every
// width, in either layout and storage order, on any number of threads.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "cases.hpp"
#include "compare.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using families::Family;
using harness::Inputs;
using harness::PoolingCase;
using harness::Results;
using oracle::Geometry;
using oracle::Index;

// Undoes the test hooks, whatever a test does.
class KernelChoice {
 public:
  KernelChoice() : native_bytes_(eigenpool::simd::vector_bytes()) {}
  ~KernelChoice() {
    eigenpool::detail::set_force_scalar_kernel(false);
    eigenpool::simd::set_max_vector_bytes(native_bytes_);
  }
  KernelChoice(const KernelChoice&) = delete;
  KernelChoice& operator=(const KernelChoice&) = delete;

  void scalar() { eigenpool::detail::set_force_scalar_kernel(true); }
  void vectors(int bytes) {
    eigenpool::detail::set_force_scalar_kernel(false);
    eigenpool::simd::set_max_vector_bytes(bytes);
  }
  // The widths that this machine has, narrowest first.
  std::vector<int> widths() const {
    std::vector<int> result;
    for (int bytes = 16; bytes <= native_bytes_; bytes *= 2) result.push_back(bytes);
    return result;
  }

 private:
  int native_bytes_;
};

template <eigenpool::Layout layout, int order, class Device = Eigen::DefaultDevice>
Results run(const Geometry& g, const Inputs& inputs, const Device& device = {}) {
  const oracle::Extents out = oracle::output_spatial(g);
  if (g.rank() == 1) return harness::run<PoolingCase<1, layout, order>, float, std::uint8_t>(g, out, inputs, device);
  if (g.rank() == 2) return harness::run<PoolingCase<2, layout, order>, float, std::uint8_t>(g, out, inputs, device);
  return harness::run<PoolingCase<3, layout, order>, float, std::uint8_t>(g, out, inputs, device);
}

template <eigenpool::Layout layout, int order>
void expect_same_bits_from_every_kernel(const Geometry& g, const Inputs& inputs, const Results& want) {
  SCOPED_TRACE(layout == eigenpool::channels_first ? "channels first" : "channels last");
  SCOPED_TRACE(order == Eigen::RowMajor ? "row-major" : "column-major");
  KernelChoice kernels;
  {
    SCOPED_TRACE("scalar kernel");
    kernels.scalar();
    harness::expect_same_bits(run<layout, order>(g, inputs), want);
  }
  for (const int bytes : kernels.widths()) {
    SCOPED_TRACE(testing::Message() << bytes << "-byte vectors");
    kernels.vectors(bytes);
    harness::expect_same_bits(run<layout, order>(g, inputs), want);
  }
}

// Real-valued gradients of maxima: their sums round, so that the order of summation shows.
Inputs inputs_for(const Geometry& g, const Family& family, std::uint64_t seed = 1) {
  Inputs inputs = harness::inputs_for(g, family, seed);
  inputs.max_dy = families::signed_values.values(oracle::output_size(g), seed + 3);
  return inputs;
}

void expect_same_bits_every_way(const Geometry& g, const Inputs& inputs) {
  const Results want = run<eigenpool::channels_first, Eigen::RowMajor>(g, inputs);
  expect_same_bits_from_every_kernel<eigenpool::channels_first, Eigen::RowMajor>(g, inputs, want);
  expect_same_bits_from_every_kernel<eigenpool::channels_first, Eigen::ColMajor>(g, inputs, want);
  expect_same_bits_from_every_kernel<eigenpool::channels_last, Eigen::RowMajor>(g, inputs, want);
  expect_same_bits_from_every_kernel<eigenpool::channels_last, Eigen::ColMajor>(g, inputs, want);
}

class PoolingBits : public testing::TestWithParam<std::tuple<Geometry, Family>> {};

TEST_P(PoolingBits, HasTheSameBitsEveryWay) {
  const auto& [geometry, family] = GetParam();
  expect_same_bits_every_way(geometry, inputs_for(geometry, family));
}

INSTANTIATE_TEST_SUITE_P(Table, PoolingBits,
                         testing::Combine(testing::ValuesIn(cases::table()), testing::ValuesIn(families::all())),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param).name;
                         });

class PoolingWidthsBits : public testing::TestWithParam<std::tuple<Index, Index>> {};

TEST_P(PoolingWidthsBits, AreTheSameEveryWay) {
  const auto& [kernel, stride] = GetParam();
  for (const Geometry& g : cases::widths(kernel, stride)) {
    SCOPED_TRACE(testing::PrintToString(g));
    const Family& family = g.spatial.back() % 4 == 0 ? families::nans : families::signed_values;
    expect_same_bits_every_way(g, inputs_for(g, family));
  }
}

INSTANTIATE_TEST_SUITE_P(KernelsAndStrides, PoolingWidthsBits,
                         testing::Combine(testing::Range<Index>(1, 8), testing::Range<Index>(1, 5)),
                         [](const auto& test) {
                           return "k" + std::to_string(std::get<0>(test.param)) + "_s" +
                                  std::to_string(std::get<1>(test.param));
                         });

TEST(PoolingFuzzBits, AreTheSameEveryWay) {
  families::Random random(2);
  const std::vector<Family> all = families::all();
  for (int i = 0; i < 1000 && !HasFailure(); ++i) {
    const Geometry g = cases::random_geometry(random);
    const auto& family = all[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(all.size()) - 1))];
    SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name);
    expect_same_bits_every_way(g, inputs_for(g, family, random.bits()));
  }
}

// Large enough that the work is cut: among planes, and where there is but one plane, within it.
std::vector<Geometry> large() {
  return {
      {.name = "many_planes",
       .lead = {4, 16},
       .spatial = {61, 67},
       .kernel = {3, 3},
       .stride = {2, 2},
       .begin = {1, 1}},
      {.name = "one_plane", .lead = {1, 1}, .spatial = {509, 521}, .kernel = {3, 3}, .stride = {1, 1}, .begin = {1, 1}},
      {.name = "one_long_row", .lead = {1, 1}, .spatial = {200003}, .kernel = {5}, .stride = {2}, .begin = {2}},
      {.name = "one_volume", .lead = {1, 2}, .spatial = {37, 61, 67}, .kernel = {2, 3, 3}, .stride = {1, 2, 2}},
      {.name = "one_volume_of_long_windows",
       .lead = {1, 2},
       .spatial = {29, 41, 43},
       .kernel = {9, 7, 11},
       .stride = {2, 1, 3},
       .begin = {4, 3, 5}},
      {.name = "planes_with_rows_left_over",
       .lead = {1, 40},
       .spatial = {67, 71},
       .kernel = {3, 5},
       .stride = {40, 1},
       .begin = {0, 2}},
      {.name = "long_windows",
       .lead = {2, 3},
       .spatial = {83, 91},
       .kernel = {31, 31},
       .stride = {1, 1},
       .begin = {15, 15}},
      {.name = "adaptive",
       .lead = {2, 3},
       .spatial = {211, 223},
       .kind = oracle::Kind::adaptive,
       .output_size = {100, 150}},
      {.name = "global", .lead = {1, 3}, .spatial = {251, 257}, .kind = oracle::Kind::global},
      {.name = "global_of_many_planes", .lead = {8, 64}, .spatial = {23, 29}, .kind = oracle::Kind::global},
  };
}

template <eigenpool::Layout layout, int order>
void expect_same_bits_on_every_thread_count(const Geometry& g) {
  const Inputs inputs = inputs_for(g, families::signed_values);
  KernelChoice kernels;
  kernels.scalar();
  const Results want = run<layout, order>(g, inputs);
  kernels.vectors(kernels.widths().back());
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(testing::Message() << threads << " threads");
    harness::SharingPool pool(threads);
    const Eigen::ThreadPoolDevice device(&pool, threads);
    harness::expect_same_bits(run<layout, order>(g, inputs, device), want);
  }
}

class PoolingThreads : public testing::TestWithParam<Geometry> {};

TEST_P(PoolingThreads, GiveTheSameBits) {
  {
    SCOPED_TRACE("channels first, row-major");
    expect_same_bits_on_every_thread_count<eigenpool::channels_first, Eigen::RowMajor>(GetParam());
  }
  SCOPED_TRACE("channels last, column-major");
  expect_same_bits_on_every_thread_count<eigenpool::channels_last, Eigen::ColMajor>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Large, PoolingThreads, testing::ValuesIn(large()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
