// How results are compared: with the oracle (exactly where exactness is promised, else within a stated bound) and
// with each other (bit by bit).
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <type_traits>
#include <vector>

#include "families.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace harness {

inline bool equal(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
inline bool same_bits(double a, double b) {
  return equal(a, b) && (std::isnan(a) || std::signbit(a) == std::signbit(b));
}

// Every pair of values must satisfy `agree(got, want, i)`; the first that does not is named.
template <class Agree>
testing::AssertionResult all_agree(const Values& got, const Values& want, Agree agree) {
  if (got.size() != want.size()) {
    return testing::AssertionFailure() << got.size() << " values, expected " << want.size();
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!agree(got[i], want[i], i)) {
      std::ostringstream text;
      text.precision(17);
      text << "element " << i << " is " << got[i] << ", expected " << want[i];
      return testing::AssertionFailure() << text.str();
    }
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult all_equal(const Values& got, const Values& want) {
  return all_agree(got, want, [](double a, double b, std::size_t) { return equal(a, b); });
}

inline testing::AssertionResult all_same_bits(const Values& got, const Values& want) {
  return all_agree(got, want, [](double a, double b, std::size_t) { return same_bits(a, b); });
}

template <class Scalar>
inline constexpr bool is_small_float = std::is_same_v<Scalar, Eigen::half> || std::is_same_v<Scalar, Eigen::bfloat16>;

template <class Scalar>
double half_ulp_of_one() {
  if (std::is_same_v<Scalar, Eigen::half>) return std::ldexp(1.0, -11);  // Eigen 3.4 states an epsilon of 2^-13
  return static_cast<double>(Eigen::NumTraits<Scalar>::epsilon()) / 2;
}

// The stated bound of a sum of n terms: half an ulp of the sum of the magnitudes for each level of a binary tree over
// the terms, doubled since a window's axes are summed one after the other, and four more for the small kernels'
// chains, the scale and the division. Small floats are summed in float, and the result is rounded once more.
template <class Scalar>
double bound(const oracle::Sums& sums, std::size_t i) {
  const double levels = 2 * std::ceil(std::log2(static_cast<double>(sums.terms[i]) + 1)) + 4;
  if (!is_small_float<Scalar>) return levels * half_ulp_of_one<Scalar>() * sums.magnitudes[i];
  return levels * half_ulp_of_one<float>() * sums.magnitudes[i] +
         half_ulp_of_one<Scalar>() * (std::abs(sums.values[i]) + sums.magnitudes[i]);
}

template <class Scalar>
testing::AssertionResult all_within_bound(const Values& got, const oracle::Sums& want) {
  return all_agree(got, want.values, [&](double a, double b, std::size_t i) {
    return std::isfinite(b) ? std::abs(a - b) <= bound<Scalar>(want, i) : equal(a, b);
  });
}

// Of sums without rounding only the division is left: it is rounded once, of integers to the nearest, halves to even,
// and of small floats in float and then to the scalar.
template <class Scalar>
double rounded(double quotient) {
  if constexpr (std::integral<Scalar>) return std::nearbyint(quotient);
  if constexpr (is_small_float<Scalar>) return static_cast<double>(static_cast<Scalar>(static_cast<float>(quotient)));
  return static_cast<double>(static_cast<Scalar>(quotient));
}

template <class Scalar>
testing::AssertionResult all_rounded_once(const Values& got, const oracle::Sums& want) {
  return all_agree(got, want.values, [](double a, double b, std::size_t) { return a == rounded<Scalar>(b); });
}

// The inputs of one problem from one family. Gradients of maxima are integers, so that their sums are exact.
inline Inputs inputs_for(const Geometry& g, const families::Family& family, std::uint64_t seed = 1) {
  const Index outputs = oracle::output_size(g);
  const families::Family& gradients = family.sums == families::Sums::none ? families::signed_values : family;
  return {family.values(oracle::input_size(g), seed), families::integers.values(outputs, seed + 1),
          gradients.values(outputs, seed + 2)};
}

inline Values as_values(const std::vector<Index>& indices) { return Values(indices.begin(), indices.end()); }

template <class Scalar>
void expect_oracle_averages(const Geometry& g, const Inputs& inputs, families::Sums sums, const Results& results) {
  const oracle::Sums average = oracle::average_pool(g, inputs.x);
  if (sums == families::Sums::exact) {
    EXPECT_TRUE(all_rounded_once<Scalar>(results.average, average)) << "average, exact";
  } else if (sums == families::Sums::rounded) {
    EXPECT_TRUE(all_within_bound<Scalar>(results.average, average)) << "average";
  }
}

template <class Scalar>
void expect_oracle_gradients(const Geometry& g, const Inputs& inputs, const Results& results) {
  Values dx = oracle::max_backward(g, inputs.x, inputs.max_dy);  // exact sums, rounded once
  for (double& cell : dx) cell = rounded<Scalar>(cell);
  for (const Part& part : max_gradient_parts) EXPECT_TRUE(all_equal(results.*part.values, dx)) << part.name;
  EXPECT_TRUE(all_within_bound<Scalar>(results.average_dx, oracle::average_backward(g, inputs.average_dy)))
      << "dx of average";
}

template <class Scalar>
double lowest() {
  return std::integral<Scalar> ? static_cast<double>(std::numeric_limits<Scalar>::lowest())
                               : -std::numeric_limits<double>::infinity();
}

template <class Scalar>
void expect_oracle(const Geometry& g, const Inputs& inputs, families::Sums sums, const Results& results) {
  const oracle::Max max = oracle::max_pool(g, inputs.x, lowest<Scalar>());
  for (const Part& part : max_parts) EXPECT_TRUE(all_equal(results.*part.values, max.values)) << part.name;
  EXPECT_TRUE(all_equal(results.flat, as_values(max.flat))) << "flat indices";
  EXPECT_TRUE(all_equal(results.compact, as_values(max.compact))) << "compact indices";
  expect_oracle_averages<Scalar>(g, inputs, sums, results);
  if constexpr (has_gradients<Scalar>) expect_oracle_gradients<Scalar>(g, inputs, results);
}

// A value-only maximum may return either zero; everything else is the same to the bit.
inline void expect_same_bits(const Results& got, const Results& want) {
  for (const Part& part : max_parts) EXPECT_TRUE(all_equal(got.*part.values, want.*part.values)) << part.name;
  for (const Part& part : index_parts) EXPECT_TRUE(all_equal(got.*part.values, want.*part.values)) << part.name;
  for (const Part& part : max_gradient_parts) {
    EXPECT_TRUE(all_same_bits(got.*part.values, want.*part.values)) << part.name;
  }
  for (const Part& part : average_parts) EXPECT_TRUE(all_same_bits(got.*part.values, want.*part.values)) << part.name;
}

}  // namespace harness
