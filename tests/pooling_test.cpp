// Every operator on every geometry of the table, over every family of values, equals the oracle. One layout and
// storage order here; pooling_bits_test.cpp shows that the others give the same bits.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <tuple>

#include "cases.hpp"
#include "compare.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace {

using families::Family;
using harness::Inputs;
using harness::PoolingCase;
using harness::Results;
using oracle::Geometry;
using oracle::Index;

Results run(const Geometry& g, const Inputs& inputs) {
  const oracle::Extents out = oracle::output_spatial(g);
  if (g.rank() == 1) return harness::run<PoolingCase<1, eigenpool::channels_first>, float>(g, out, inputs);
  if (g.rank() == 2) return harness::run<PoolingCase<2, eigenpool::channels_first>, float>(g, out, inputs);
  return harness::run<PoolingCase<3, eigenpool::channels_first>, float>(g, out, inputs);
}

void expect_equals_the_oracle(const Geometry& g, const Family& family, std::uint64_t seed = 1) {
  const Inputs inputs = harness::inputs_for(g, family, seed);
  harness::expect_oracle<float>(g, inputs, family.sums, run(g, inputs));
}

class Pooling : public testing::TestWithParam<std::tuple<Geometry, Family>> {};

TEST_P(Pooling, EqualsTheOracle) {
  const auto& [geometry, family] = GetParam();
  expect_equals_the_oracle(geometry, family);
}

INSTANTIATE_TEST_SUITE_P(Table, Pooling,
                         testing::Combine(testing::ValuesIn(cases::table()), testing::ValuesIn(families::all())),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param).name;
                         });

class PoolingWidths : public testing::TestWithParam<std::tuple<Index, Index>> {};

TEST_P(PoolingWidths, EqualTheOracle) {
  const auto& [kernel, stride] = GetParam();
  for (const Geometry& g : cases::widths(kernel, stride)) {
    SCOPED_TRACE(testing::PrintToString(g));
    for (const Family& family : {families::negative, families::integers, families::nans}) {
      SCOPED_TRACE(family.name);
      expect_equals_the_oracle(g, family, static_cast<std::uint64_t>(g.spatial.back()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(KernelsAndStrides, PoolingWidths,
                         testing::Combine(testing::Range<Index>(1, 8), testing::Range<Index>(1, 5)),
                         [](const auto& test) {
                           return "k" + std::to_string(std::get<0>(test.param)) + "_s" +
                                  std::to_string(std::get<1>(test.param));
                         });

// A plane for each cell, with a NaN (and in the second half of the planes a second NaN) at just that cell: whatever
// the window, vector lane or tail, the NaN is at every one of its positions once.
Inputs one_nan_per_plane(const Geometry& g) {
  Inputs inputs = harness::inputs_for(g, families::negative);
  const std::int64_t cells = oracle::product(g.spatial);
  for (std::int64_t plane = 0; plane < g.lead[1]; ++plane) {
    const std::int64_t at = plane % cells, other = (plane * 7 + 3) % cells;
    const auto first = static_cast<std::size_t>(plane * cells);
    inputs.x[first + static_cast<std::size_t>(at)] = families::detail::nan;
    if (plane >= cells) inputs.x[first + static_cast<std::size_t>(other)] = families::detail::nan;
  }
  return inputs;
}

class NanAtEachPosition : public testing::TestWithParam<Geometry> {};

TEST_P(NanAtEachPosition, EqualsTheOracle) {
  Geometry g = GetParam();
  g.lead = {1, 2 * oracle::product(g.spatial)};
  const Inputs inputs = one_nan_per_plane(g);
  harness::expect_oracle<float>(g, inputs, families::Sums::rounded, run(g, inputs));
}

INSTANTIATE_TEST_SUITE_P(
    Windows, NanAtEachPosition,
    testing::Values(Geometry{.name = "k2_1d", .spatial = {38}, .kernel = {2}},
                    Geometry{.name = "k9_s1_1d", .spatial = {40}, .kernel = {9}, .stride = {1}, .begin = {4}},
                    Geometry{.name = "k3_s1", .spatial = {3, 21}, .kernel = {3, 3}, .stride = {1, 1}, .begin = {1, 1}},
                    Geometry{.name = "k3_s2", .spatial = {3, 21}, .kernel = {3, 3}, .stride = {2, 2}, .begin = {1, 1}},
                    Geometry{.name = "k2x5_s3", .spatial = {4, 20}, .kernel = {2, 5}, .stride = {3, 3}},
                    Geometry{
                        .name = "adaptive", .spatial = {5, 17}, .kind = oracle::Kind::adaptive, .output_size = {2, 7}},
                    Geometry{.name = "global", .spatial = {5, 19}, .kind = oracle::Kind::global}),
    [](const auto& test) { return test.param.name; });

// EIGENPOOL_FUZZ_CASES and EIGENPOOL_FUZZ_SEED lengthen and move the search.
std::int64_t from_environment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : otherwise;
}

TEST(PoolingFuzz, RandomGeometriesEqualTheOracle) {
  families::Random random(static_cast<std::uint64_t>(from_environment("EIGENPOOL_FUZZ_SEED", 1)));
  const std::vector<Family> all = families::all();
  for (std::int64_t i = from_environment("EIGENPOOL_FUZZ_CASES", 4000); i > 0 && !HasFailure(); --i) {
    const Geometry g = cases::random_geometry(random);
    const auto& family = all[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(all.size()) - 1))];
    SCOPED_TRACE(testing::Message() << testing::PrintToString(g) << " of " << family.name);
    expect_equals_the_oracle(g, family, random.bits());
  }
}

}  // namespace
