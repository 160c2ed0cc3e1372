// The gather of a maximum's gradients gives the bits of the scatter, which gives the same in any groups of planes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include <eigenpool/eigenpool.hpp>

namespace {

using namespace eigenpool;
using Index = Eigen::Index;
using detail::Problem;

using Shape = std::array<Index, 5>;  // N, D, H, W, C

Problem problem_of(const Shape& shape, const Window<3>& window, bool row_major) {
  constexpr detail::Function function{"gather", 3};
  return detail::make_plan<channels_last, 3>(function, "input", shape, detail::FixedWindows<3>{window}, row_major)
      .problem;
}

/// Magnitudes far apart, some of them special: a sum in another order gives other bits.
template <class S>
std::vector<S> gradients(Index count, std::mt19937& random) {
  std::vector<S> dy(static_cast<std::size_t>(count));
  for (S& gradient : dy) {
    const float fraction = static_cast<float>(static_cast<int>(random() % 2001) - 1000) * 1e-3F;
    gradient = static_cast<S>(std::ldexp(fraction, static_cast<int>(random() % 12)));
    if (random() % 50 == 0) gradient = static_cast<S>(-0.0F);
    if (random() % 500 == 0) gradient = std::numeric_limits<S>::infinity();
    if (random() % 500 == 0) gradient = std::numeric_limits<S>::quiet_NaN();
  }
  return dy;
}

/// A tap of each window that is in the source; in some, none.
template <class I>
std::vector<I> indices(const Problem& problem, std::mt19937& random) {
  std::vector<I> all(static_cast<std::size_t>(problem.cells() * problem.inner), std::numeric_limits<I>::max());
  const std::array<Index, 3> numbers = detail::Numbering::compact(problem).stride;
  for (Index outer = 0; outer < problem.outer; ++outer)
    detail::for_each_result<true>(problem, outer, [&](Index at, const detail::WindowTaps& taps) {
      if (taps[0].real() * taps[1].real() * taps[2].real() == 0) return;
      for (Index c = 0; c < problem.inner; ++c) {
        if (random() % 20 == 0) continue;
        Index number = 0;
        for (std::size_t a = 0; a < 3; ++a) {
          const Index tap = taps[a].real_begin + static_cast<Index>(random()) % taps[a].real();
          number += tap * numbers[a];
        }
        all[static_cast<std::size_t>(at + c)] = static_cast<I>(number);
      }
    });
  return all;
}

template <class S>
bool same_bits(const std::vector<S>& a, const std::vector<S>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    if (!both_nan && std::memcmp(&a[i], &b[i], sizeof(S)) != 0) return false;
  }
  return true;
}

template <class S, class I>
void expect_same(const Problem& problem) {
  std::mt19937 random(7);
  const std::vector<S> dy = gradients<S>(problem.cells() * problem.inner, random);
  const std::vector<I> taps = indices<I>(problem, random);
  std::vector<S> scattered(static_cast<std::size_t>(problem.outer * problem.plane() * problem.inner), S(77));
  const detail::Scatter<S, I> scatter(problem, dy.data(), taps.data(), scattered.data());
  scatter.run(0, scatter.tasks());
  for (const int width : {16, 32, 64}) {
    simd::set_max_vector_bytes(width);
    std::vector<S> gathered(scattered.size(), S(-77));
    const detail::Serial serial;
    detail::run_kernel(detail::GatherKernel<S, I>(problem, dy.data(), taps.data(), gathered.data()), 1.0, serial);
    EXPECT_TRUE(same_bits(gathered, scattered)) << width << "-byte vectors, " << problem.inner << " channels";
  }
  simd::set_max_vector_bytes(64);
}

template <class T>
class Gather : public testing::Test {};
template <class Scalar, class Number>
struct Case {
  using S = Scalar;
  using I = Number;
};
using Cases = testing::Types<Case<float, std::uint8_t>, Case<float, std::uint16_t>, Case<float, std::uint32_t>,
                             Case<double, std::uint8_t>, Case<double, std::uint16_t>, Case<double, std::uint32_t>,
                             Case<Eigen::half, std::uint8_t>, Case<Eigen::bfloat16, std::uint8_t>>;
TYPED_TEST_SUITE(Gather, Cases);

std::vector<Window<3>> windows() {
  return {
      {.kernel = {1, 3, 3}, .stride = 1, .padding = {0, 1, 1}},
      {.kernel = {1, 3, 3}, .stride = {1, 2, 2}, .padding = {0, 1, 1}, .ceil_mode = true},
      {.kernel = {1, 2, 2}},
      {.kernel = {2, 2, 2}, .stride = {1, 2, 3}},
      {.kernel = {1, 3, 4}, .stride = {2, 2, 3}, .padding = {0, 1, 2}, .dilation = {1, 2, 2}},
      {.kernel = {2, 2, 3}, .stride = {3, 5, 2}, .padding = {1, 0, 1}},  // inputs below no window
  };
}

TYPED_TEST(Gather, HasTheBitsOfTheScatter) {
  using S = typename TypeParam::S;
  using I = typename TypeParam::I;
  for (const Window<3>& window : windows())
    for (const Index channels : {64, 83, 160})
      for (const bool row_major : {true, false}) {
        const Shape shape = row_major ? Shape{2, 4, 9, 11, channels} : Shape{channels, 11, 9, 4, 2};
        SCOPED_TRACE(testing::Message() << "kernel " << window.kernel[0] << " x " << window.kernel[1] << " x "
                                        << window.kernel[2] << (row_major ? "" : ", column-major"));
        expect_same<S, I>(problem_of(shape, window, row_major));
      }
}

// Planes of single elements are added to two in turn, where there are some.
TYPED_TEST(Gather, PlanesTogetherHaveTheBitsOfPlanesAlone) {
  using S = typename TypeParam::S;
  using I = typename TypeParam::I;
  for (const Window<3>& window : windows()) {
    SCOPED_TRACE(testing::Message() << "kernel " << window.kernel[0] << " x " << window.kernel[1]);
    const Problem problem = problem_of({7, 4, 9, 11, 1}, window, true);
    std::mt19937 random(8);
    const std::vector<S> dy = gradients<S>(problem.cells(), random);
    const std::vector<I> taps = indices<I>(problem, random);
    std::vector<S> together(static_cast<std::size_t>(problem.outer * problem.plane()), S(77)), alone = together;
    detail::Scatter<S, I>(problem, dy.data(), taps.data(), together.data()).run(0, problem.outer);
    for (Index plane = 0; plane < problem.outer; ++plane)
      detail::Scatter<S, I>(problem, dy.data(), taps.data(), alone.data()).run(plane, plane + 1);
    EXPECT_TRUE(same_bits(together, alone));
  }
}

}  // namespace
