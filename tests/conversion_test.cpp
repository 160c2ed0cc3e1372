// Loads and stores that convert give the same bits on every vector width: by instructions, and by the bits.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <eigenpool/detail/scalar.hpp>
#include <eigenpool/simd/dispatch.hpp>

namespace {

using namespace eigenpool;

constexpr std::int64_t count = 1 << 16;

/// From one scalar to another through lanes of T.
template <class T, class From, class To>
struct Convert {
  const From* from;
  To* to;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    constexpr std::int64_t lanes = simd::Vec<T, B>::lanes;
    for (std::int64_t i = 0; i < count; i += lanes) simd::store_as(to + i, simd::load_as<T, B>(from + i), lanes);
  }
};
template <class T, class From, class To>
void convert(const std::vector<From>& from, std::vector<To>& to) {
  simd::dispatch(Convert<T, From, To>{from.data(), to.data()});
}

/// f(width) on every vector width that this machine has.
template <class F>
void on_every_width(const F& f) {
  for (const int width : {16, 32, 64}) {
    simd::set_max_vector_bytes(width);
    f(width);
  }
  simd::set_max_vector_bytes(64);
}

template <class T, class S>
void expect_widened() {
  std::mt19937_64 random(3);
  std::vector<S> from(count);
  for (S& x : from) x = static_cast<S>(random());
  on_every_width([&](int width) {
    std::vector<T> to(count);
    convert<T>(from, to);
    for (std::size_t i = 0; i < from.size(); ++i)
      ASSERT_EQ(to[i], static_cast<T>(from[i])) << sizeof(S) << " to " << sizeof(T) << " bytes, width " << width;
  });
}

TEST(Conversion, IntegersAreWidened) {
  expect_widened<std::int16_t, std::int8_t>();
  expect_widened<std::int16_t, std::uint8_t>();
  expect_widened<std::int32_t, std::int8_t>();
  expect_widened<std::int32_t, std::uint8_t>();
  expect_widened<std::int32_t, std::int16_t>();
  expect_widened<std::uint32_t, std::uint16_t>();
  expect_widened<std::uint64_t, std::int8_t>();
  expect_widened<std::uint64_t, std::uint8_t>();
  expect_widened<std::uint64_t, std::int16_t>();
  expect_widened<std::uint64_t, std::uint16_t>();
  expect_widened<std::uint64_t, std::int32_t>();
  expect_widened<std::uint64_t, std::uint32_t>();
}

template <class S>
void expect_every_value_widened() {
  std::vector<S> from(count);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    std::memcpy(static_cast<void*>(&from[i]), &bits, sizeof(bits));
  }
  on_every_width([&](int width) {
    std::vector<float> to(count);
    convert<float>(from, to);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto expected = static_cast<float>(from[i]);
      const bool same = std::memcmp(&to[i], &expected, sizeof(float)) == 0;
      ASSERT_TRUE(same || (to[i] != to[i] && expected != expected)) << "bits " << i << ", width " << width;
    }
  });
}

TEST(Conversion, EveryHalfIsWidened) { expect_every_value_widened<Eigen::half>(); }
TEST(Conversion, EveryBfloat16IsWidened) { expect_every_value_widened<Eigen::bfloat16>(); }

/// Floats of all magnitudes, then those that halves and their denormals lie among; NaN and infinities.
std::vector<float> floats(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> all(count);
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto bits = static_cast<std::uint32_t>(random());
    if (i % 2 != 0) bits = (bits & 0x8fffffff) | 0x30000000;
    if (i % 4 == 3) bits &= 0xffffe000;  // halves of their last bit
    if (i % 64 == 0) bits |= 0x7f800000;
    if (i % 128 == 0) bits &= 0xff800000;
    std::memcpy(&all[i], &bits, sizeof(bits));
  }
  return all;
}

template <class S>
void expect_narrowed() {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const std::vector<float> from = floats(seed);
    on_every_width([&](int width) {
      std::vector<S> to(count);
      convert<float>(from, to);
      for (std::size_t i = 0; i < from.size(); ++i) {
        const auto expected = static_cast<S>(from[i]);
        const bool both_nan = to[i] != to[i] && from[i] != from[i];
        ASSERT_TRUE(both_nan || std::memcmp(&to[i], &expected, sizeof(S)) == 0) << from[i] << ", width " << width;
      }
    });
  }
}

TEST(Conversion, FloatsAreRoundedToHalf) { expect_narrowed<Eigen::half>(); }
TEST(Conversion, FloatsAreRoundedToBfloat16) { expect_narrowed<Eigen::bfloat16>(); }

// The same bits, whichever way: a NaN has none but its sign.
TEST(Conversion, NanIsTheSameHalfOnEveryWidth) {
  std::vector<float> from(count);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::uint32_t bits =
        0x7f800001U + static_cast<std::uint32_t>(i % 1000) * 4001 + (i % 2 != 0 ? 0x80000000U : 0);
    std::memcpy(&from[i], &bits, sizeof(bits));
  }
  on_every_width([&](int width) {
    std::vector<Eigen::half> to(count);
    convert<float>(from, to);
    for (std::size_t i = 0; i < to.size(); ++i) ASSERT_EQ(to[i].x, i % 2 != 0 ? 0xfe00 : 0x7e00) << "width " << width;
  });
}

}  // namespace
