// Custom scalars: one that knows only + * <, and Eigen's AutoDiffScalar, whose derivatives pass through a pooling.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <eigenpool/eigenpool.hpp>
#include <limits>
#include <unsupported/Eigen/AutoDiff>
#include <vector>

#include "oracle.hpp"

namespace {

using eigenpool::Window;

/// A scalar with nothing but + * < and a construction from double.
class Bare {
 public:
  Bare() = default;
  explicit Bare(double value) : value_(value) {}
  double value() const { return value_; }
  friend Bare operator+(const Bare& a, const Bare& b) { return Bare(a.value_ + b.value_); }
  friend Bare operator*(const Bare& a, const Bare& b) { return Bare(a.value_ * b.value_); }
  friend bool operator<(const Bare& a, const Bare& b) { return a.value_ < b.value_; }

 private:
  double value_ = 0;
};

TEST(CustomScalar, PlusTimesAndLessAreEnough) {
  oracle::Geometry g;
  g.lead = {2, 3}, g.spatial = {5, 7}, g.kernel = {3, 3}, g.stride = {2, 2}, g.begin = {1, 1};
  const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};
  Eigen::Tensor<Bare, 4, Eigen::RowMajor> x(2, 3, 5, 7);
  std::vector<double> values(static_cast<std::size_t>(x.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(i * 37 % 101) - 90;
    x.data()[i] = Bare(values[i]);
  }
  const oracle::Max largest = oracle::max_pool(g, values);
  const oracle::Sums average = oracle::average_pool(g, values);
  const auto y = eigenpool::max_pool2d_with_indices(x, window);
  const auto value_only = eigenpool::max_pool2d(x, window);
  const auto mean = eigenpool::avg_pool2d(x, window);
  for (std::size_t i = 0; i < largest.values.size(); ++i) {
    ASSERT_EQ(y.output.data()[i].value(), largest.values[i]);
    ASSERT_EQ(value_only.data()[i].value(), largest.values[i]);
    ASSERT_EQ(y.indices.data()[i], largest.flat[i]);
    ASSERT_NEAR(mean.data()[i].value(), average.values[i], 1e-12);
  }
}

using Gradient = Eigen::Matrix<double, 6, 1>;
using Dual = Eigen::AutoDiffScalar<Gradient>;

Eigen::Tensor<Dual, 1, Eigen::RowMajor> variables(const std::vector<double>& values) {
  Eigen::Tensor<Dual, 1, Eigen::RowMajor> x(6);
  for (int i = 0; i < 6; ++i) x(i) = Dual(values[static_cast<std::size_t>(i)], 6, i);
  return x;
}

TEST(AutoDiff, MaxCarriesTheDerivativeOfItsArgument) {
  const auto y = eigenpool::max_pool1d(variables({-4, -2, -3, -1, -6, -5}), {.kernel = 3, .stride = 1});
  const std::vector<int> winners{1, 3, 3, 3};
  for (int i = 0; i < 4; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(y(i).value(), (std::vector<double>{-2, -1, -1, -1}[at]));
    EXPECT_EQ(y(i).derivatives(), Gradient(Gradient::Unit(winners[at])));
  }
}

TEST(AutoDiff, AverageCarriesTheMeanOfTheDerivatives) {
  const auto y = eigenpool::avg_pool1d(variables({1, 2, 4, 8, 16, 32}), {.kernel = 2, .stride = 2});
  for (int i = 0; i < 3; ++i) {
    EXPECT_DOUBLE_EQ(y(i).value(), 1.5 * std::pow(4, i));
    EXPECT_EQ(y(i).derivatives(), Gradient(0.5 * Gradient::Unit(2 * i) + 0.5 * Gradient::Unit(2 * i + 1)));
  }
}

TEST(AutoDiff, EmptyWindowHasNoDerivative) {
  const Eigen::Tensor<Dual, 1, Eigen::RowMajor> x =
      variables({1, 2, 4, 8, 16, 32}).slice(std::array<Eigen::Index, 1>{0}, std::array<Eigen::Index, 1>{1});
  const auto y = eigenpool::max_pool1d(x, {.kernel = 2, .padding = 1, .dilation = 2});
  ASSERT_EQ(y.size(), 1);
  EXPECT_EQ(y(0).value(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(y(0).derivatives(), Gradient(Gradient::Zero()));
}

// A scalar that owns memory is copied and destroyed as such.
TEST(AutoDiff, DerivativesOnTheHeap) {
  using Dynamic = Eigen::AutoDiffScalar<Eigen::VectorXd>;
  Eigen::Tensor<Dynamic, 1, Eigen::RowMajor> x(4);
  for (int i = 0; i < 4; ++i) x(i) = Dynamic(i, 4, i);
  const auto y = eigenpool::max_pool1d_with_indices(x, {.kernel = 2});
  const auto mean = eigenpool::avg_pool1d(x, {.kernel = 2});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(y.output(i).value(), 2 * i + 1);
    EXPECT_EQ(y.indices(i), 2 * i + 1);
    EXPECT_EQ(y.output(i).derivatives(), Eigen::VectorXd(Eigen::VectorXd::Unit(4, 2 * i + 1)));
    EXPECT_EQ(mean(i).derivatives()(2 * i), 0.5);
  }
}

}  // namespace
