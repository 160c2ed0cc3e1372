// The array-based vectors that serve compilers without vector extensions give the oracle's results too.
#define EIGENPOOL_PORTABLE_SIMD
#include <gtest/gtest.h>

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

std::vector<Geometry> two_dimensional() {
  std::vector<Geometry> result;
  for (const Geometry& g : cases::table()) {
    if (g.rank() == 2) result.push_back(g);
  }
  return result;
}

template <eigenpool::Layout layout>
Results run(const Geometry& g, const Inputs& inputs) {
  return harness::run<PoolingCase<2, layout>, float, std::uint16_t>(g, oracle::output_spatial(g), inputs);
}

class PortableSimd : public testing::TestWithParam<std::tuple<Geometry, Family>> {};

TEST_P(PortableSimd, EqualsTheOracle) {
  const auto& [g, family] = GetParam();
  const Inputs inputs = harness::inputs_for(g, family);
  {
    SCOPED_TRACE("channels first");
    harness::expect_oracle<float>(g, inputs, family.sums, run<eigenpool::channels_first>(g, inputs));
  }
  SCOPED_TRACE("channels last");
  harness::expect_oracle<float>(g, inputs, family.sums, run<eigenpool::channels_last>(g, inputs));
}

INSTANTIATE_TEST_SUITE_P(Table, PortableSimd,
                         testing::Combine(testing::ValuesIn(two_dimensional()),
                                          testing::Values(families::negative, families::integers, families::nans)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param).name;
                         });

}  // namespace
