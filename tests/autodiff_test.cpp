// Eigen::AutoDiffScalar, a custom scalar, through forwards and backwards: the derivatives that it carries are those
// that the backward, run on plain numbers, promises.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <unsupported/Eigen/AutoDiff>
#include <vector>

#include "families.hpp"
#include "gradient_cases.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace {

using eigenpool::Layout;
using harness::PoolingCase;
using harness::Values;
using oracle::Extents;
using oracle::Geometry;

constexpr int directions = 3;
using Dual = Eigen::AutoDiffScalar<Eigen::Matrix<double, directions, 1>>;

// Values with the derivatives along each of the directions.
struct Duals {
  Values values{};
  std::vector<Values> tangents = std::vector<Values>(directions);
};

Duals random_duals(std::int64_t count, std::uint64_t seed) {
  Duals result{families::signed_values.values(count, seed)};
  for (Values& tangent : result.tangents) tangent = families::signed_values.values(count, ++seed);
  return result;
}

template <class Case>
using DualTensor = typename Case::template Tensor<Dual>;

template <class Case>
DualTensor<Case> to_tensor(const Extents& lead, const Extents& spatial, const Duals& duals) {
  DualTensor<Case> tensor(harness::shape_of<Case>(lead, spatial));
  const std::vector<std::size_t> place = harness::places<Case>(lead, spatial);
  for (std::size_t i = 0; i < place.size(); ++i) {
    Dual& dual = tensor.data()[place[i]];
    dual.value() = duals.values[i];
    for (int k = 0; k < directions; ++k) dual.derivatives()[k] = duals.tangents[static_cast<std::size_t>(k)][i];
  }
  return tensor;
}

template <class Case>
Duals from_tensor(const Extents& lead, const Extents& spatial, const DualTensor<Case>& tensor) {
  Duals duals;
  for (const std::size_t place : harness::places<Case>(lead, spatial)) {
    const Dual& dual = tensor.data()[place];
    duals.values.push_back(dual.value());
    for (int k = 0; k < directions; ++k) {
      duals.tangents[static_cast<std::size_t>(k)].push_back(dual.derivatives()[k]);
    }
  }
  return duals;
}

void expect_near(const Values& got, const Values& want, const char* what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-12) << what << ", element " << i;
}

// The forward's tangents are J u, known from the oracle at fixed indices; a backward is linear in dy, so its
// tangents are the backward of dy's.
void expect_max_forward(const Geometry& g, const Duals& x, const Duals& y) {
  expect_near(y.values, oracle::max_pool(g, x.values).values, "max");
  for (std::size_t k = 0; k < directions; ++k) {
    Values want;
    oracle::for_each_window(g, [&](const oracle::Window& window) {
      want.push_back(x.tangents[k][oracle::largest(window, x.values)->input]);
    });
    expect_near(y.tangents[k], want, "tangent of max");
  }
}

void expect_max_backward(const Geometry& g, const Duals& x, const Duals& dy, const Duals& dx) {
  expect_near(dx.values, oracle::max_backward(g, x.values, dy.values), "dx of max");
  for (std::size_t k = 0; k < directions; ++k) {
    expect_near(dx.tangents[k], oracle::max_backward(g, x.values, dy.tangents[k]), "tangent of dx of max");
  }
}

void expect_average(const Geometry& g, const Duals& x, const Duals& y) {
  expect_near(y.values, oracle::average_pool(g, x.values).values, "average");
  for (std::size_t k = 0; k < directions; ++k) {
    expect_near(y.tangents[k], oracle::average_pool(g, x.tangents[k]).values, "tangent of average");
  }
}

void expect_average_backward(const Geometry& g, const Duals& dy, const Duals& dx) {
  expect_near(dx.values, oracle::average_backward(g, dy.values).values, "dx of average");
  for (std::size_t k = 0; k < directions; ++k) {
    expect_near(dx.tangents[k], oracle::average_backward(g, dy.tangents[k]).values, "tangent of dx of average");
  }
}

template <class Case, class Operators>
void expect_derivatives(const Geometry& g) {
  const Operators operators(g);
  const Eigen::DefaultDevice device;
  const Extents out = oracle::output_spatial(g);
  const Duals x = random_duals(oracle::input_size(g), 11), dy = random_duals(oracle::output_size(g), 17);
  const DualTensor<Case> x_tensor = to_tensor<Case>(g.lead, g.spatial, x), dy_tensor = to_tensor<Case>(g.lead, out, dy);
  DualTensor<Case> y(dy_tensor.dimensions()), dx(x_tensor.dimensions());
  typename Case::template Tensor<std::int64_t> indices(dy_tensor.dimensions());

  operators.max(y, x_tensor, device);
  expect_max_forward(g, x, from_tensor<Case>(g.lead, out, y));
  operators.max_with_indices(y, indices, x_tensor, device);
  expect_max_forward(g, x, from_tensor<Case>(g.lead, out, y));
  operators.max_backward(dx, dy_tensor, indices, device);
  expect_max_backward(g, x, dy, from_tensor<Case>(g.lead, g.spatial, dx));
  operators.max_backward_from_input(dx, dy_tensor, x_tensor, device);
  expect_max_backward(g, x, dy, from_tensor<Case>(g.lead, g.spatial, dx));
  operators.average(y, x_tensor, device);
  expect_average(g, x, from_tensor<Case>(g.lead, out, y));
  operators.average_backward(dx, dy_tensor, device);
  expect_average_backward(g, dy, from_tensor<Case>(g.lead, g.spatial, dx));
}

template <int D, Layout layout>
void expect_derivatives(const Geometry& g) {
  using Case = PoolingCase<D, layout>;
  if (g.kind == oracle::Kind::adaptive) return expect_derivatives<Case, harness::AdaptiveWindows<Case>>(g);
  if (g.kind == oracle::Kind::global) return expect_derivatives<Case, harness::GlobalWindow<Case>>(g);
  expect_derivatives<Case, harness::FixedWindows<Case>>(g);
}

class AutoDiff : public testing::TestWithParam<std::tuple<Geometry, Layout>> {};

TEST_P(AutoDiff, DerivativesEqualTheBackwards) {
  const auto& [g, layout] = GetParam();
  const bool first = layout == Layout::channels_first;
  if (g.rank() == 1) {
    first ? expect_derivatives<1, Layout::channels_first>(g) : expect_derivatives<1, Layout::channels_last>(g);
  } else if (g.rank() == 2) {
    first ? expect_derivatives<2, Layout::channels_first>(g) : expect_derivatives<2, Layout::channels_last>(g);
  } else {
    first ? expect_derivatives<3, Layout::channels_first>(g) : expect_derivatives<3, Layout::channels_last>(g);
  }
}

INSTANTIATE_TEST_SUITE_P(Geometries, AutoDiff,
                         testing::Combine(testing::ValuesIn(cases::gradients()),
                                          testing::Values(Layout::channels_first, Layout::channels_last)),
                         [](const auto& test) {
                           const bool first = std::get<1>(test.param) == Layout::channels_first;
                           return std::get<0>(test.param).name + (first ? "_channels_first" : "_channels_last");
                         });

}  // namespace
