// A reducer for eigenpool::pool: the smooth maximum log(mean of exp(s x)) / s, which is the average for a small
// sharpness s and the maximum for a large one.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

struct LogSumExp {
  double sharpness = 1;

  /// The largest exponent, and the sum of exp(exponent - largest): nothing overflows.
  struct State {
    double largest, sum;
  };

  State identity() const { return {-std::numeric_limits<double>::infinity(), 0}; }
  State take(double x) const { return {sharpness * x, 1}; }
  State merge(const State& a, const State& b) const {
    if (a.largest == b.largest) return {a.largest, a.sum + b.sum};
    return a.largest > b.largest ? State{a.largest, a.sum + b.sum * std::exp(b.largest - a.largest)}
                                 : State{b.largest, b.sum + a.sum * std::exp(a.largest - b.largest)};
  }
  double finish(const State& state, std::int64_t taps) const {
    return (state.largest + std::log(state.sum / static_cast<double>(taps))) / sharpness;
  }
  double derivative(double x, const State& state, std::int64_t) const {
    return std::exp(sharpness * x - state.largest) / state.sum;
  }
};
