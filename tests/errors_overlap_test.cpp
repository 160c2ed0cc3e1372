// An output may share no byte with an input, a gradient, indices or another output. Nothing is written then.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "error_calls.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool_test::error_of;
using eigenpool_test::Fronts;

/// Which pairs of tensors, the first of them written, a function has.
enum Pairs : unsigned {
  output_input = 1,
  indices_input = 2,
  indices_output = 4,
  output_gradient = 8,
  output_indices = 16,
  dx_input = 32
};

template <int D_>
struct Dimensions {
  static constexpr int D = D_;
};

/// The functions of one D on planes of 4 (x 4 x 4) cells, pooled to 2 (x 2 x 2), in one piece of memory.
template <class Case>
class Overlap : public testing::Test {
 protected:
  static constexpr int D = Case::D, rank = D + 2;
  using F = Fronts<D>;
  template <class Scalar>
  using Map = Eigen::TensorMap<Eigen::Tensor<Scalar, rank, Eigen::RowMajor>>;
  using Shape = std::array<Eigen::Index, static_cast<std::size_t>(rank)>;
  struct Call {
    std::string function;
    unsigned pairs;
    std::function<void()> run;
  };

  /// Where each tensor begins, in bytes: a test moves one onto another.
  std::size_t x_at = 0, y_at = 2048, indices_at = 4096, dx_at = 6144;
  static constexpr std::size_t x_bytes = sizeof(float) * (D == 1 ? 8 : D == 2 ? 32 : 128);
  static constexpr std::size_t y_bytes = sizeof(float) * (D == 1 ? 4 : D == 2 ? 8 : 16);
  static constexpr std::size_t indices_bytes = 2 * y_bytes;

  Overlap() { memory_.fill(std::byte{0}); }

  int failed_with(unsigned pair, const std::string& text) {
    int called = 0;
    for (const Call& call : calls_) {
      if ((call.pairs & pair) == 0) continue;
      EXPECT_EQ(error_of(call.run), call.function + ": " + text);
      const bool untouched = std::all_of(memory_.begin(), memory_.end(), [](std::byte b) { return b == std::byte{0}; });
      EXPECT_TRUE(untouched) << call.function << " wrote";
      ++called;
    }
    return called;
  }
  void expect_no_error(unsigned pair) {
    for (const Call& call : calls_) {
      if ((call.pairs & pair) == 0) continue;
      EXPECT_EQ(error_of(call.run), "no error") << call.function;
    }
  }

 private:
  template <class Scalar>
  Map<Scalar> map(std::size_t at, Eigen::Index extent) {
    Shape shape{};
    shape.fill(extent);
    shape[0] = 1, shape[1] = 2;
    return {reinterpret_cast<Scalar*>(memory_.data() + at), shape};
  }
  Map<float> x() { return map<float>(x_at, 4); }
  Map<float> dx() { return map<float>(dx_at, 4); }
  Map<float> y() { return map<float>(y_at, 2); }
  Map<std::int64_t> indices() { return map<std::int64_t>(indices_at, 2); }
  static std::string named(const std::string& stem, const std::string& suffix) {
    return stem + std::to_string(D) + "d" + suffix;
  }

  alignas(64) std::array<std::byte, 8192> memory_;
  eigenpool::Window<D> window_{.kernel = 2};
  eigenpool::OutputSize<D> two_ = 2;
  std::vector<Call> calls_{
      {named("max_pool", "_into"), output_input,
       [this] { F::template max_pool_into<channels_first>(y(), x(), window_); }},
      {named("avg_pool", "_into"), output_input,
       [this] { F::template avg_pool_into<channels_first>(y(), x(), window_); }},
      {named("adaptive_max_pool", "_into"), output_input,
       [this] { F::template adaptive_max_pool_into<channels_first>(y(), x(), two_); }},
      {named("adaptive_avg_pool", "_into"), output_input,
       [this] { F::template adaptive_avg_pool_into<channels_first>(y(), x(), two_); }},
      {named("max_pool", "_with_indices_into"), output_input | indices_input | indices_output,
       [this] { F::template max_pool_with_indices_into<channels_first>(y(), indices(), x(), window_); }},
      {named("adaptive_max_pool", "_with_indices_into"), output_input | indices_input | indices_output,
       [this] { F::template adaptive_max_pool_with_indices_into<channels_first>(y(), indices(), x(), two_); }},
      {named("max_pool", "_backward_into"), output_gradient | output_indices,
       [this] { F::template max_pool_backward_into<channels_first>(dx(), y(), indices(), window_); }},
      {named("adaptive_max_pool", "_backward_into"), output_gradient | output_indices,
       [this] { F::template adaptive_max_pool_backward_into<channels_first>(dx(), y(), indices()); }},
      {named("max_pool", "_backward_from_input_into"), output_gradient | dx_input,
       [this] { F::template max_pool_backward_from_input_into<channels_first>(dx(), y(), x(), window_); }},
      {named("adaptive_max_pool", "_backward_from_input_into"), output_gradient | dx_input,
       [this] { F::template adaptive_max_pool_backward_from_input_into<channels_first>(dx(), y(), x()); }},
      {named("avg_pool", "_backward_into"), output_gradient,
       [this] { F::template avg_pool_backward_into<channels_first>(dx(), y(), window_); }},
      {named("adaptive_avg_pool", "_backward_into"), output_gradient,
       [this] { F::template adaptive_avg_pool_backward_into<channels_first>(dx(), y()); }},
  };
};

using Cases = testing::Types<Dimensions<1>, Dimensions<2>, Dimensions<3>>;
TYPED_TEST_SUITE(Overlap, Cases);

TYPED_TEST(Overlap, OutputAndInput) {
  const std::string text = "output overlaps input";
  for (const std::size_t at : {std::size_t{0}, TestFixture::x_bytes - 4, TestFixture::x_bytes / 2}) {
    this->y_at = at;
    EXPECT_EQ(this->failed_with(output_input, text), 6);
  }
  this->x_at = 1024, this->y_at = 1024 - TestFixture::y_bytes + 4;  // the output's last element is the input's first
  EXPECT_EQ(this->failed_with(output_input, text), 6);
}

TYPED_TEST(Overlap, NeighboursInMemoryAreApart) {
  this->y_at = TestFixture::x_bytes;
  this->expect_no_error(output_input);
  this->x_at = 1024, this->y_at = 1024 - TestFixture::y_bytes;
  this->expect_no_error(output_input);
}

TYPED_TEST(Overlap, IndicesAndInput) {
  for (const std::size_t at : {std::size_t{0}, TestFixture::x_bytes - 8}) {
    this->indices_at = at;
    EXPECT_EQ(this->failed_with(indices_input, "indices overlaps input"), 2);
  }
}

TYPED_TEST(Overlap, IndicesAndOutput) {
  for (const std::size_t at : {this->indices_at, this->indices_at + TestFixture::indices_bytes - 4}) {
    this->y_at = at;
    EXPECT_EQ(this->failed_with(indices_output, "indices overlaps output"), 2);
  }
}

TYPED_TEST(Overlap, GradientOfTheInputAndGradient) {
  for (const std::size_t at : {this->dx_at, this->dx_at + TestFixture::x_bytes - 4}) {
    this->y_at = at;
    EXPECT_EQ(this->failed_with(output_gradient, "output overlaps gradient"), 6);
  }
}

TYPED_TEST(Overlap, GradientOfTheInputAndIndices) {
  for (const std::size_t at : {this->dx_at, this->dx_at + TestFixture::x_bytes - 8}) {
    this->indices_at = at;
    EXPECT_EQ(this->failed_with(output_indices, "output overlaps indices"), 2);
  }
}

TYPED_TEST(Overlap, GradientOfTheInputAndInput) {
  for (const std::size_t at : {this->dx_at, this->dx_at + TestFixture::x_bytes - 4}) {
    this->x_at = at;
    EXPECT_EQ(this->failed_with(dx_input, "output overlaps input"), 2);
  }
}

TEST(GlobalOverlap, EveryPair) {
  using Image = Eigen::Tensor<float, 4, Eigen::RowMajor>;
  using Flat = Eigen::Tensor<float, 2, Eigen::RowMajor>;
  using Indices = Eigen::Tensor<std::int64_t, 2, Eigen::RowMajor>;
  Image x(1, 2, 4, 4);
  x.setConstant(7);
  Flat dy(1, 2);
  dy.setConstant(1);
  Indices indices(1, 2);
  indices.setZero();
  Eigen::TensorMap<Flat> inside(x.data() + 30, 1, 2);
  Eigen::TensorMap<Image> around(x.data(), 1, 2, 4, 4);
  Eigen::TensorMap<Indices> indices_inside(reinterpret_cast<std::int64_t*>(x.data()), 1, 2);
  const std::vector<std::pair<std::string, std::function<void()>>> calls{
      {"global_max_pool_into: output overlaps input", [&] { eigenpool::global_max_pool_into(inside, x); }},
      {"global_avg_pool_into: output overlaps input", [&] { eigenpool::global_avg_pool_into(inside, x); }},
      {"global_max_pool_with_indices_into: output overlaps input",
       [&] { eigenpool::global_max_pool_with_indices_into(inside, indices, x); }},
      {"global_max_pool_with_indices_into: indices overlaps input",
       [&] { eigenpool::global_max_pool_with_indices_into(dy, indices_inside, x); }},
      {"global_avg_pool_backward_into: output overlaps gradient",
       [&] { eigenpool::global_avg_pool_backward_into(around, inside); }},
      {"global_max_pool_backward_into: output overlaps gradient",
       [&] { eigenpool::global_max_pool_backward_into(around, inside, indices); }},
      {"global_max_pool_backward_from_input_into: output overlaps input",
       [&] { eigenpool::global_max_pool_backward_from_input_into(around, dy, x); }},
  };
  for (const auto& [text, call] : calls) EXPECT_EQ(error_of(call), text);
  EXPECT_TRUE(eigenpool_test::holds_only(x, 7.f));
  EXPECT_TRUE(eigenpool_test::holds_only(dy, 1.f));
}

}  // namespace
