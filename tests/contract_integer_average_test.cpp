// Averages of integers: rounded to nearest, halves to even; sums that do not wrap in the scalar.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <limits>
#include <vector>

namespace {

template <class Scalar>
using Row = Eigen::Tensor<Scalar, 1, Eigen::RowMajor>;

template <class Scalar>
Row<Scalar> row(const std::vector<Scalar>& values) {
  Row<Scalar> x(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}
template <class Tensor>
std::vector<typename Tensor::Scalar> values(const Tensor& x) {
  return {x.data(), x.data() + x.size()};
}

template <class Scalar>
class IntegerAverage : public testing::Test {};
using Integers = testing::Types<std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(IntegerAverage, Integers);

TYPED_TEST(IntegerAverage, HalvesGoToTheEvenNeighbour) {
  using S = TypeParam;
  const auto x = row<S>({1, 2, 0, 1, -1, 0, -1, -2, 2, 3, -3, -2, -3, -4});
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, {.kernel = 2})), (std::vector<S>{2, 0, 0, -2, 2, -2, -4}));
}

TYPED_TEST(IntegerAverage, OtherFractionsGoToTheNearest) {
  using S = TypeParam;
  const auto x = row<S>({1, 1, 2, 2, 2, 1, -1, -1, -2, -2, -2, -1});
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, {.kernel = 3})), (std::vector<S>{1, 2, -1, -2}));
}

TYPED_TEST(IntegerAverage, NegativeDivisor) {
  using S = TypeParam;
  const auto x = row<S>({1, 2, 2, 3, -1, -2, 1, 1});
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, {.kernel = 2}, {.divisor_override = -2})), (std::vector<S>{-2, -2, 2, -1}));
}

TYPED_TEST(IntegerAverage, ExtremesDoNotWrap) {
  using S = TypeParam;
  constexpr S low = std::numeric_limits<S>::lowest(), high = std::numeric_limits<S>::max();
  EXPECT_EQ(values(eigenpool::avg_pool1d(row<S>({low, high}), {.kernel = 1})), (std::vector<S>{low, high}));
  if constexpr (sizeof(S) < 8) {  // sums of 64-bit integers wrap
    const auto x = row<S>({high, high, high, low, low, low});
    EXPECT_EQ(values(eigenpool::avg_pool1d(x, {.kernel = 3})), (std::vector<S>{high, low}));
  }
}

// x86 traps on the quotient INT64_MIN / -1.
TEST(IntegerAverage, LowestOverMinusOneDoesNotTrap) {
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::lowest();
  const auto y = eigenpool::avg_pool1d(row<std::int64_t>({low, 5}), {.kernel = 1}, {.divisor_override = -1});
  EXPECT_EQ(y(0), low);
  EXPECT_EQ(y(1), -5);
}

TEST(IntegerAverage, Unsigned) {
  const auto x = row<std::uint8_t>({255, 255, 255, 254, 0, 1});
  EXPECT_EQ(values(eigenpool::avg_pool1d(x, {.kernel = 2})), (std::vector<std::uint8_t>{255, 254, 0}));
}

}  // namespace
