// Named families of input values, each made to catch a way of being wrong. Deterministic: the same seed gives the
// same values on every platform.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <vector>

namespace families {

// xorshift64*: std distributions differ between standard libraries, this does not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_((seed + 1) * 0x9E3779B97F4A7C15u) {}

  std::uint64_t bits() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  // Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>((bits() >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  // A float in (-1, 1), never 0: an odd number of 2^-24.
  double fraction() { return static_cast<double>(2 * between(-(1 << 23), (1 << 23) - 1) + 1) / (1 << 24); }

 private:
  std::uint64_t state_;
};

enum class Sums {
  exact,    // of integers: no rounding in any order
  rounded,  // within the summation's error bound
  none,     // may overflow: only a maximum makes sense
};

struct Family {
  const char* name;
  Sums sums;
  double (*value)(Random&);

  std::vector<double> values(std::int64_t count, std::uint64_t seed) const {
    Random random(seed);
    std::vector<double> result(static_cast<std::size_t>(count));
    for (double& x : result) x = value(random);
    return result;
  }
};

inline std::ostream& operator<<(std::ostream& out, const Family& family) { return out << family.name; }

namespace detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// A maximum that pads with zero passes every test but this one.
inline double negative(Random& random) { return -std::abs(random.fraction()); }
inline double signed_value(Random& random) { return random.fraction(); }
inline double tie(Random& random) { return static_cast<double>(random.between(-2, -1)); }
inline double zero(Random& random) { return random.one_in(2) ? 0.0 : -0.0; }
inline double integer(Random& random) { return static_cast<double>(random.between(-100, 100)); }

// Half of the cells -inf, so that some windows hold nothing else.
inline double infinite(Random& random) {
  if (random.one_in(2)) return -infinity;
  return random.one_in(16) ? infinity : random.fraction();
}

// Several to a window now and then: the last one gives the index.
inline double sprinkled_nan(Random& random) { return random.one_in(8) ? nan : negative(random); }

// Magnitudes that leave room for the sum of a thousand and for an average's quotient.
inline double mixed_magnitude(Random& random) {
  return std::ldexp(random.fraction(), static_cast<int>(random.between(-90, 90)));
}

// A maximum that starts at the lowest finite number, or takes it for padding, finds another index.
inline double extreme(Random& random) {
  constexpr double highest = std::numeric_limits<float>::max();
  if (random.one_in(2)) return -highest;
  return random.one_in(4) ? -infinity : std::ldexp(random.fraction(), 128);
}

}  // namespace detail

inline constexpr Family negative{"negative", Sums::rounded, detail::negative};
inline constexpr Family signed_values{"signed", Sums::rounded, detail::signed_value};
inline constexpr Family ties{"ties", Sums::exact, detail::tie};
inline constexpr Family zeros{"zeros", Sums::exact, detail::zero};
inline constexpr Family integers{"integers", Sums::exact, detail::integer};
inline constexpr Family infinities{"infinities", Sums::rounded, detail::infinite};
inline constexpr Family nans{"nans", Sums::rounded, detail::sprinkled_nan};
inline constexpr Family magnitudes{"magnitudes", Sums::rounded, detail::mixed_magnitude};
inline constexpr Family extremes{"extremes", Sums::none, detail::extreme};

inline std::vector<Family> all() {
  return {negative, signed_values, ties, zeros, integers, infinities, nans, magnitudes, extremes};
}

}  // namespace families
