// What every scalar must do, against the oracle. A test program lists its scalars: compiling all of them at once takes
// gigabytes.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <type_traits>
#include <vector>

#include "oracle.hpp"

namespace eigenpool_test {

using eigenpool::channels_last;
using eigenpool::Window;
template <class Scalar>
using Image = Eigen::Tensor<Scalar, 4, Eigen::RowMajor>;

inline const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};

inline oracle::Geometry geometry_of(Eigen::Index height, Eigen::Index width) {
  oracle::Geometry g;
  g.lead = {2, 3};
  g.spatial = {height, width};
  g.kernel = {3, 3}, g.stride = {2, 2}, g.begin = {1, 1};
  return g;
}

/// Integers that every scalar holds exactly, mostly negative where the scalar is signed.
template <class Scalar>
std::vector<double> small_integers(Eigen::Index count) {
  std::vector<double> x(static_cast<std::size_t>(count));
  const double shift = std::is_unsigned_v<Scalar> ? 0 : 90;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i * 37 % 101) - shift;
  return x;
}
template <class Scalar>
Image<Scalar> image(const std::vector<double>& values, Eigen::Index height, Eigen::Index width) {
  Image<Scalar> x(2, 3, height, width);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(values[static_cast<std::size_t>(i)]);
  return x;
}

/// What the library documents for an exact average: nearest even for integers, a rounding of the quotient else.
template <class Scalar>
Scalar rounded(double average) {
  if constexpr (std::is_integral_v<Scalar>)
    return static_cast<Scalar>(std::nearbyint(average));
  else
    return static_cast<Scalar>(average);
}

template <class Scalar>
class Scalars : public testing::Test {};
TYPED_TEST_SUITE_P(Scalars);

TYPED_TEST_P(Scalars, MaxAndItsIndices) {
  for (const Eigen::Index width : {5, 7, 40, 71}) {
    const std::vector<double> values = small_integers<TypeParam>(2 * 3 * 9 * width);
    const oracle::Max expected = oracle::max_pool(geometry_of(9, width), values);
    const auto x = image<TypeParam>(values, 9, width);
    const auto y = eigenpool::max_pool2d(x, window);
    const auto flat = eigenpool::max_pool2d_with_indices(x, window);
    const auto compact = eigenpool::max_pool2d_with_indices<std::uint8_t>(x, window);
    ASSERT_EQ(static_cast<std::size_t>(y.size()), expected.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      ASSERT_EQ(static_cast<double>(y.data()[i]), expected.values[i]) << "width " << width << " element " << i;
      ASSERT_EQ(static_cast<double>(flat.output.data()[i]), expected.values[i]) << "width " << width;
      ASSERT_EQ(flat.indices.data()[i], expected.flat[i]) << "width " << width << " element " << i;
      ASSERT_EQ(std::int64_t{compact.indices.data()[i]}, expected.compact[i]) << "width " << width;
    }
  }
}

TYPED_TEST_P(Scalars, Average) {
  for (const Eigen::Index width : {5, 7, 40, 71}) {
    const std::vector<double> values = small_integers<TypeParam>(2 * 3 * 9 * width);
    const oracle::Sums expected = oracle::average_pool(geometry_of(9, width), values);
    const auto y = eigenpool::avg_pool2d(image<TypeParam>(values, 9, width), window);
    ASSERT_EQ(static_cast<std::size_t>(y.size()), expected.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i)
      ASSERT_EQ(y.data()[i], rounded<TypeParam>(expected.values[i])) << "width " << width << " element " << i;
  }
}

/// Channels last: 3 and 71 channels, so that both whole vectors and tails of every scalar occur.
TYPED_TEST_P(Scalars, ChannelsLast) {
  for (const Eigen::Index channels : {3, 71}) {
    Image<TypeParam> x(1, 5, 6, channels);
    const std::vector<double> values = small_integers<TypeParam>(x.size());
    for (Eigen::Index i = 0; i < x.size(); ++i)
      x.data()[i] = static_cast<TypeParam>(values[static_cast<std::size_t>(i)]);
    const Image<TypeParam> first = x.shuffle(std::array<int, 4>{0, 3, 1, 2});
    const auto y = eigenpool::max_pool2d<channels_last>(x, window);
    const auto expected = eigenpool::max_pool2d(first, window);
    const auto average = eigenpool::avg_pool2d<channels_last>(x, window);
    const auto expected_average = eigenpool::avg_pool2d(first, window);
    ASSERT_EQ(y.dimension(3), channels);
    for (Eigen::Index c = 0; c < channels; ++c)
      for (Eigen::Index i = 0; i < y.dimension(1); ++i)
        for (Eigen::Index j = 0; j < y.dimension(2); ++j) {
          ASSERT_EQ(y(0, i, j, c), expected(0, c, i, j));
          ASSERT_EQ(average(0, i, j, c), expected_average(0, c, i, j));
        }
  }
}

REGISTER_TYPED_TEST_SUITE_P(Scalars, MaxAndItsIndices, Average, ChannelsLast);

}  // namespace eigenpool_test
