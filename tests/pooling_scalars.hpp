// The test that pooling_integer_test.cpp and pooling_small_float_test.cpp instantiate: the operators on scalars other
// than float, whose kernels convert to and from wider lanes, equal the oracle.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <vector>

#include "cases.hpp"
#include "compare.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace harness {

// Integers of the whole range (as far as their sums are exact in double), often the lowest, which is the identity of
// a maximum; small floats with few enough digits to be exact.
template <class Scalar>
Values scalar_values(std::int64_t count, std::uint64_t seed) {
  families::Random random(seed);
  Values result(static_cast<std::size_t>(count));
  for (double& x : result) {
    if constexpr (std::integral<Scalar>) {
      using Limits = std::numeric_limits<Scalar>;
      constexpr std::int64_t most = std::int64_t{1} << 40;
      const std::int64_t low = Limits::digits > 40 ? -most : std::int64_t{Limits::lowest()};
      const std::int64_t high = Limits::digits > 40 ? most : std::int64_t{Limits::max()};
      x = static_cast<double>(random.one_in(3) ? low : random.between(0, 1) * random.between(low / 2, high / 2));
    } else {
      x = static_cast<double>(random.between(-127, 127)) / 4;
    }
  }
  return result;
}

template <class Scalar>
class PoolingOf : public testing::Test {
 protected:
  static Inputs inputs_for(const Geometry& g, std::uint64_t seed) {
    const Index outputs = oracle::output_size(g);
    const Values few = families::ties.values(outputs, seed + 1);  // small sums: exact in a small float
    return {scalar_values<Scalar>(oracle::input_size(g), seed), few, few};
  }
  // With an override the average may be no number of an integer type: too large, or negative and unsigned.
  static bool is_defined(const Geometry& g) { return g.rank() == 2 && !(std::integral<Scalar> && g.divisor); }

  template <eigenpool::Layout layout>
  static void expect_equals_the_oracle(const Geometry& g) {
    SCOPED_TRACE(testing::PrintToString(g));
    const Inputs inputs = inputs_for(g, static_cast<std::uint64_t>(g.spatial.back()));
    const Results results = run<PoolingCase<2, layout>, Scalar, std::uint16_t>(g, oracle::output_spatial(g), inputs);
    expect_oracle<Scalar>(g, inputs, families::Sums::exact, results);
  }
  template <eigenpool::Layout layout>
  static void expect_all_equal_the_oracle() {
    for (const Geometry& g : cases::table()) {
      if (is_defined(g)) expect_equals_the_oracle<layout>(g);
    }
    for (Index kernel = 1; kernel <= 7; ++kernel) {
      for (Index stride = 1; stride <= 3; ++stride) {
        for (const Geometry& g : cases::widths(kernel, stride)) {
          if (is_defined(g)) expect_equals_the_oracle<layout>(g);
        }
      }
    }
  }
};

TYPED_TEST_SUITE_P(PoolingOf);

TYPED_TEST_P(PoolingOf, ChannelsFirstEqualsTheOracle) {
  this->template expect_all_equal_the_oracle<eigenpool::channels_first>();
}

TYPED_TEST_P(PoolingOf, ChannelsLastEqualsTheOracle) {
  this->template expect_all_equal_the_oracle<eigenpool::channels_last>();
}

REGISTER_TYPED_TEST_SUITE_P(PoolingOf, ChannelsFirstEqualsTheOracle, ChannelsLastEqualsTheOracle);

}  // namespace harness
