// A bad window, output size or divisor: every function that takes it refuses it with the same text, whatever the
// layout and the storage order (which reverses the axes in memory, but not in the text), and writes nothing.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "error_calls.hpp"

namespace {

using eigenpool::channels_first;
using eigenpool::channels_last;
using eigenpool::Sizes;
using eigenpool_test::divisor_;
using eigenpool_test::ErrorCalls;
using eigenpool_test::output_size_;
using eigenpool_test::PoolingCase;
using eigenpool_test::window_;

constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t two_to_62 = std::int64_t{1} << 62;

template <class Case>
class WindowErrors : public testing::Test {
 protected:
  static constexpr int D = Case::D;

  /// `value` on one axis, `others` on the rest.
  static Sizes<D> only_axis(int axis, std::int64_t value, std::int64_t others) {
    Sizes<D> sizes = others;
    sizes[axis] = value;
    return sizes;
  }
  static std::string at(int axis) { return "[" + std::to_string(axis) + "]"; }

  ErrorCalls<Case> calls;
};

using Cases =
    testing::Types<PoolingCase<1, channels_first>, PoolingCase<1, channels_last>, PoolingCase<2, channels_first>,
                   PoolingCase<2, channels_last>, PoolingCase<2, channels_first, Eigen::ColMajor>,
                   PoolingCase<2, channels_last, Eigen::ColMajor>, PoolingCase<3, channels_first>,
                   PoolingCase<3, channels_last>, PoolingCase<3, channels_first, Eigen::ColMajor>>;
TYPED_TEST_SUITE(WindowErrors, Cases, eigenpool_test::PoolingCaseName);

// The other tests of this file mean nothing if the unspoilt calls fail too.
TYPED_TEST(WindowErrors, UnspoiltCallsPass) { this->calls.expect_no_error(); }

TYPED_TEST(WindowErrors, NumbersBelowOne) {
  auto& window = this->calls.window;
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, int64_min}) {
      const std::string text = this->at(axis) + " is " + std::to_string(bad) + ", must be at least 1";
      const auto legal = window;
      window.kernel = this->only_axis(axis, bad, 3);
      this->calls.expect_error(window_, "kernel" + text);
      window = legal;
      window.stride = this->only_axis(axis, bad, 2);
      this->calls.expect_error(window_, "stride" + text);
      window = legal;
      window.dilation = this->only_axis(axis, bad, 1);
      this->calls.expect_error(window_, "dilation" + text);
      window = legal;
    }
  }
}

TYPED_TEST(WindowErrors, NegativePadding) {
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    for (const std::int64_t bad : {std::int64_t{-1}, int64_min}) {
      const std::string text = this->at(axis) + " is " + std::to_string(bad) + ", must be at least 0";
      this->calls.window.padding = {this->only_axis(axis, bad, 0), 1};
      this->calls.expect_error(window_, "padding.begin" + text);
      this->calls.window.padding = {1, this->only_axis(axis, bad, 0)};
      this->calls.expect_error(window_, "padding.end" + text);
    }
  }
}

TYPED_TEST(WindowErrors, PaddingAsLargeAsTheWindow) {
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    for (const std::int64_t bad : {std::int64_t{3}, int64_max}) {
      const std::string text =
          this->at(axis) + " is " + std::to_string(bad) + ", must be less than the window's extent 3";
      this->calls.window.padding = {this->only_axis(axis, bad, 0), 2};
      this->calls.expect_error(window_, "padding.begin" + text);
      this->calls.window.padding = {2, this->only_axis(axis, bad, 0)};
      this->calls.expect_error(window_, "padding.end" + text);
    }
  }
}

TYPED_TEST(WindowErrors, PaddingIsComparedWithTheDilatedExtent) {
  this->calls.window.dilation = 2;
  this->calls.window.padding = {this->only_axis(TypeParam::D - 1, 5, 0), 0};
  this->calls.expect_error(
      window_, "padding.begin" + this->at(TypeParam::D - 1) + " is 5, must be less than the window's extent 5");
}

TYPED_TEST(WindowErrors, WindowLargerThanThePaddedInput) {
  const std::string padded_extents[3] = {"8", "9", "11"};  // 6, 7, 9 and one cell of padding on both sides
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    for (const std::int64_t bad : {std::int64_t{12}, int64_max}) {
      this->calls.window.kernel = this->only_axis(axis, bad, 3);
      const std::string number = std::to_string(bad);
      this->calls.expect_error(window_, "kernel" + this->at(axis) + " is " + number + ", the window's extent " +
                                            number + " exceeds the padded input's " + padded_extents[axis]);
    }
  }
}

TYPED_TEST(WindowErrors, DilatedWindowLargerThanThePaddedInput) {
  this->calls.window.dilation = this->only_axis(0, 4, 1);
  this->calls.expect_error(window_, "kernel[0] is 3, the window's extent 9 exceeds the padded input's 8");
}

TYPED_TEST(WindowErrors, WindowExtentOverflows) {
  const auto legal = this->calls.window;
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    const std::string overflows = ", the window's extent overflows 64 bits";
    this->calls.window.kernel = this->only_axis(axis, two_to_62, 3);
    this->calls.window.dilation = this->only_axis(axis, 4, 1);
    this->calls.expect_error(window_, "kernel" + this->at(axis) + " is 4611686018427387904" + overflows);
    this->calls.window = legal;
    this->calls.window.dilation = this->only_axis(axis, int64_max, 1);
    this->calls.expect_error(window_, "kernel" + this->at(axis) + " is 3" + overflows);
    this->calls.window = legal;
  }
}

// A product of exactly 2^64 is 0 in wrapping arithmetic, and the window would look as if it had one cell.
TYPED_TEST(WindowErrors, WindowExtentThatWrapsToALegalNumber) {
  this->calls.window.kernel = this->only_axis(0, two_to_62 + 1, 3);
  this->calls.window.dilation = this->only_axis(0, 4, 1);
  this->calls.expect_error(window_, "kernel[0] is 4611686018427387905, the window's extent overflows 64 bits");
}

TYPED_TEST(WindowErrors, DivisorZero) {
  this->calls.options.divisor_override = 0;
  this->calls.expect_error(divisor_, "divisor_override is 0, must not be 0");
}

TYPED_TEST(WindowErrors, NegativeOutputSize) {
  for (int axis = 0; axis < TypeParam::D; ++axis) {
    for (const std::int64_t bad : {std::int64_t{-3}, std::int64_t{-1} - two_to_62}) {
      std::array<std::int64_t, 3> sizes{3, 4, 5};
      sizes[static_cast<std::size_t>(axis)] = bad;
      this->calls.output_size = this->calls.first_sizes(sizes);
      this->calls.expect_error(output_size_,
                               "output_size" + this->at(axis) + " is " + std::to_string(bad) + ", must be at least 0");
    }
  }
}

}  // namespace
