// No operator touches memory outside its tensors: every tensor ends, and in the other variant begins, exactly at a
// page that may not be touched, so that a wild read or write dies.
#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "geometry.hpp"
#include "guarded_buffer.hpp"
#include "harness.hpp"
#include "oracle.hpp"

namespace {

using eigenpool::Layout;
using oracle::Extents;
using oracle::Geometry;
using oracle::Index;
using oracle::Kind;

// A tensor in guarded memory, filled with small whole numbers.
template <class Case, class T>
class GuardedTensor {
 public:
  using Map = Eigen::TensorMap<typename Case::template Tensor<T>>;

  GuardedTensor(const Extents& lead, const Extents& spatial, Edge edge)
      : buffer_(static_cast<std::size_t>(oracle::product(lead) * oracle::product(spatial)), edge),
        map_(buffer_.data(), harness::shape_of<Case>(lead, spatial)) {
    for (Eigen::Index i = 0; i < map_.size(); ++i) map_.data()[i] = static_cast<T>(i * 7 % 5);
  }
  ~GuardedTensor() { EXPECT_TRUE(buffer_.slack_is_untouched()); }
  GuardedTensor(const GuardedTensor&) = delete;
  GuardedTensor& operator=(const GuardedTensor&) = delete;

  Map& operator*() { return map_; }

 private:
  GuardedBuffer<T> buffer_;
  Map map_;
};

template <class Case, class Scalar, class IndexScalar>
void run_indexed(const auto& operators, const Geometry& g, const Extents& out, Edge edge) {
  const Eigen::DefaultDevice device;
  GuardedTensor<Case, Scalar> x(g.lead, g.spatial, edge), dx(g.lead, g.spatial, edge);
  GuardedTensor<Case, Scalar> y(g.lead, out, edge), dy(g.lead, out, edge);
  GuardedTensor<Case, IndexScalar> indices(g.lead, out, edge);
  operators.max_with_indices(*y, *indices, *x, device);
  if constexpr (std::floating_point<Scalar>) operators.max_backward(*dx, *dy, *indices, device);
}

template <class Case, class Scalar, class Operators>
void run_all(const Geometry& g, Edge edge) {
  const Eigen::DefaultDevice device;
  const Operators operators(g);
  const Extents out = oracle::output_spatial(g);
  run_indexed<Case, Scalar, std::int64_t>(operators, g, out, edge);
  run_indexed<Case, Scalar, std::uint8_t>(operators, g, out, edge);
  GuardedTensor<Case, Scalar> x(g.lead, g.spatial, edge), dx(g.lead, g.spatial, edge);
  GuardedTensor<Case, Scalar> y(g.lead, out, edge), dy(g.lead, out, edge);
  operators.max(*y, *x, device);
  operators.average(*y, *x, device);
  if constexpr (std::floating_point<Scalar>) {
    operators.max_backward_from_input(*dx, *dy, *x, device);
    operators.average_backward(*dx, *dy, device);
  }
}

template <class Case, class Scalar>
void stays_inside(const Geometry& g) {
  SCOPED_TRACE(testing::PrintToString(g));
  for (const Edge edge : {Edge::begin, Edge::end}) {
    if (g.kind == Kind::adaptive) {
      run_all<Case, Scalar, harness::AdaptiveWindows<Case>>(g, edge);
    } else if (g.kind == Kind::global) {
      run_all<Case, Scalar, harness::GlobalWindow<Case>>(g, edge);
    } else {
      run_all<Case, Scalar, harness::FixedWindows<Case>>(g, edge);
    }
  }
}

// Every kernel meets every tail: the extent that is contiguous in memory, the width or the channels, runs from 1 to 40.
std::vector<Geometry> fixed_windows(Index n) {
  struct Shape {
    Index kernel, stride, dilation;
  };
  constexpr Shape shapes[] = {{1, 1, 1}, {1, 2, 1}, {2, 1, 1}, {2, 2, 1}, {2, 3, 1}, {3, 1, 1},
                              {3, 2, 1}, {3, 3, 1}, {4, 4, 1}, {5, 1, 1}, {9, 2, 1}, {3, 2, 2}};
  std::vector<Geometry> result;
  for (const Shape& s : shapes) {
    const Index pad = s.dilation * (s.kernel - 1) / 2;
    Geometry wide{.name = "wide", .lead = {1, 2}, .spatial = {3, n}, .kernel = {s.kernel, s.kernel}};
    wide.stride = {s.stride, s.stride};
    wide.begin = {pad, pad};
    wide.end = {pad + s.kernel / 2, pad + s.kernel / 2};
    wide.dilation = {s.dilation, s.dilation};
    result.push_back(wide);
    wide.name = "many_channels", wide.lead = {1, n}, wide.spatial = {3, 4};
    result.push_back(wide);
  }
  return result;
}

std::vector<Geometry> other_windows(Index n) {
  const Geometry adaptive{.name = "adaptive", .lead = {1, 2}, .spatial = {3, n}, .kind = Kind::adaptive};
  std::vector<Geometry> result(4, adaptive);
  result[0].output_size = {2, 7};
  result[1].output_size = {oracle::keep, (n + 1) / 2};
  result[2].kind = Kind::global;
  result[3].kind = Kind::global, result[3].lead = {1, n}, result[3].spatial = {7, 5};
  return result;
}

template <class Scalar, class Case>
struct Typed {
  using scalar = Scalar;
  using pooling = Case;
};

template <class Type>
class Memory : public testing::Test {};

template <class Scalar>
using EveryOrder = testing::Types<Typed<Scalar, harness::PoolingCase<2, Layout::channels_first, Eigen::RowMajor>>,
                                  Typed<Scalar, harness::PoolingCase<2, Layout::channels_first, Eigen::ColMajor>>,
                                  Typed<Scalar, harness::PoolingCase<2, Layout::channels_last, Eigen::RowMajor>>,
                                  Typed<Scalar, harness::PoolingCase<2, Layout::channels_last, Eigen::ColMajor>>>;

struct OrderName {
  template <class Type>
  static std::string GetName(int i) {
    return eigenpool_test::PoolingCaseName::GetName<typename Type::pooling>(i);
  }
};

TYPED_TEST_SUITE_P(Memory);

TYPED_TEST_P(Memory, OfFixedWindowsStaysInside) {
  for (Index n = 1; n <= 40; ++n) {
    for (const Geometry& g : fixed_windows(n)) {
      stays_inside<typename TypeParam::pooling, typename TypeParam::scalar>(g);
    }
  }
}

TYPED_TEST_P(Memory, OfAdaptiveAndGlobalWindowsStaysInside) {
  for (Index n = 1; n <= 40; ++n) {
    for (const Geometry& g : other_windows(n)) {
      stays_inside<typename TypeParam::pooling, typename TypeParam::scalar>(g);
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(Memory, OfFixedWindowsStaysInside, OfAdaptiveAndGlobalWindowsStaysInside);
INSTANTIATE_TYPED_TEST_SUITE_P(Float, Memory, EveryOrder<float>, OrderName);
INSTANTIATE_TYPED_TEST_SUITE_P(Double, Memory, EveryOrder<double>, OrderName);
INSTANTIATE_TYPED_TEST_SUITE_P(Uint8, Memory, EveryOrder<std::uint8_t>, OrderName);

// The guard itself: were it not there, the tests above would show nothing.
TEST(GuardedBufferDeathTest, TouchingBeyondTheEdgeDies) {
  const GuardedBuffer<float> ends(7, Edge::end), begins(7, Edge::begin);
  EXPECT_DEATH(static_cast<volatile float*>(ends.data())[7] = 1, "");
  EXPECT_DEATH(static_cast<volatile float*>(begins.data())[-1] = 1, "");
}

TEST(GuardedBufferTest, NoticesAStrayWriteOnTheOtherSide) {
  const GuardedBuffer<float> ends(7, Edge::end);
  EXPECT_TRUE(ends.slack_is_untouched());
  ends.data()[-1] = 1;
  EXPECT_FALSE(ends.slack_is_untouched());
}

}  // namespace
