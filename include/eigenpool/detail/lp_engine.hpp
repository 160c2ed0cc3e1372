// Norms over windows: the root of a sum of powers. The sum is made by the
// kernels, as any sum; where it overflowed, or is so small that powers may have
// been lost below it, that one window is reduced again with its taps divided by
// the largest.
#pragma once

#include <cmath>

#include "../simd/dispatch.hpp"
#include "../simd/root.hpp"
#include "elements.hpp"
#include "viewed.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// x^n, for a small n.
template <class L>
L whole_power(L x, int n) {
  L power = n % 2 == 0 ? L(1) : x;
  for (n /= 2; n > 0; n /= 2) {
    x *= x;
    if (n % 2 != 0) power *= x;
  }
  return power;
}

/// x^p; 0^0 is 1.
template <class L>
L power_of(L x, double p) {
  constexpr double most = 16;  // multiplications are faster up to here, and as exact
  if (p >= 0 && p <= most && p == std::floor(p)) return whole_power(x, static_cast<int>(p));
  return std::pow(x, static_cast<L>(p));
}

/// x^p and its inverse.
struct Power {
  double p;

  template <class L>
  L operator()(L x) const {
    return power_of(x, p);
  }
  template <class L>
  L root(L x) const {
    return p == 2 ? std::sqrt(x) : p == 1 ? x : std::pow(x, static_cast<L>(1 / p));
  }
};

/// The norm of result i with its taps divided by the largest of them. A function
/// of its own, so that it is compiled once, for one instruction set.
template <class S>
EIGENPOOL_APART Compared<S> scaled_norm(const Problem& problem, const S* x, const Power& power, Index i) {
  using Lane = Compared<S>;
  const Cell cell = Cell::number(problem, i / problem.inner);
  const WindowTaps taps = window_taps(problem, cell);
  const TapLoops loops = tap_loops<Sum<Lane>>(problem, taps, Numbering());
  if (loops.empty()) return Lane(0);
  const S* p = x + first_tap(problem, cell.outer, taps) + i % problem.inner;
  const auto magnitudes = viewed<Magnitude>(p);
  const TapLoops same = tap_loops<Extremum<Lane, Larger, true>>(problem, taps, Numbering());
  const Lane largest = reduce_element<Extremum<Lane, Larger, true>>(magnitudes, same).raw[0];
  if (largest == Lane(0) || !std::isfinite(largest)) return largest;
  LaneStack<Sum<Lane>> stack;
  along_tree(loops, stack,
             [&](Index offset, int d) { stack.entry(d) = {{power(static_cast<Lane>(magnitudes[offset]) / largest)}}; });
  return largest * power.root(stack.entry(0).raw[0]);
}

/// y = the norms [begin, end), from the windows' sums of powers; for
/// simd::dispatch.
template <class S>
struct TakeRoots {
  using Lane = Compared<S>;
  using Limits = std::numeric_limits<Lane>;
  static constexpr Lane least = Limits::min() / Limits::epsilon();  // a lost power is less than this rounds by

  const Problem& problem;
  const S* x;
  const Lane* sums;
  S* y;
  Power power;
  Index begin, end;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    Index i = begin;
    if (power.p == 2) {
      for (; i + lanes <= end; i += lanes) {
        const auto sum = simd::load<Lane, B>(sums + i);
        if (are_safe(sum))
          simd::store_as(y + i, simd::square_root(sum), lanes);
        else
          for (Index c = i; c < i + lanes; ++c) take(c);
      }
    }
    for (; i < end; ++i) take(i);
  }

 private:
  template <int B>
  EIGENPOOL_INLINE static bool are_safe(const simd::Vec<Lane, B>& sum) {
    const auto low = simd::greater(simd::broadcast<Lane, B>(least), sum);
    const auto high = simd::greater(sum, simd::broadcast<Lane, B>(Limits::max()));
    return !simd::any(simd::either(simd::either(low, high), simd::is_nan(sum)));
  }
  void take(Index i) const {
    const bool is_safe = sums[i] >= least && sums[i] <= Limits::max();
    y[i] = static_cast<S>(is_safe ? power.root(sums[i]) : scaled_norm(problem, x, power, i));
  }
};

template <class S, class P>
void take_roots(const Problem& problem, const S* x, const Compared<S>* sums, S* y, const Power& power,
                const P& parallel) {
  const Index count = results(problem);
  for_each_block<S>(count, parallel, [&](Index begin, Index end) {
    simd::dispatch(TakeRoots<S>{problem, x, sums, y, power, begin, end});
  });
}

/// y = (sum of |x|^p)^(1/p) over the real cells of each window, or the largest |x|.
template <class S, class P>
void lp_windows(const Problem& plain, const S* x, S* y, double p, const P& parallel) {
  using Lane = Compared<S>;
  const Problem problem = plain.simplified();
  if (std::isinf(p)) {
    reduce_windows<Extremum<Lane, Larger>>(problem, viewed<Magnitude>(x), Values<S>(y), parallel);
    return for_each_element<S>(results(problem), parallel, [&](Index i) {
      if (y[i] < S(0)) y[i] = S(0);  // a window without a real cell
    });
  }
  if (p == 1) return reduce_windows<Sum<Lane>>(problem, viewed<Magnitude>(x), Values<S>(y), parallel);
  const Power power{p};
  LaneResult<S> sums(y, results(problem));
  const Values<Lane> output(sums.data());
  if (p == 2) {
    reduce_windows<Sum<Lane>>(problem, viewed<Square>(x), output, parallel);
  } else {
    const auto powers = mapped(x, sources(problem), parallel, [&](Lane at) { return power(std::abs(at)); });
    reduce_windows<Sum<Lane>>(problem, powers.data(), output, parallel);
  }
  take_roots(problem, x, sums.data(), y, power, parallel);
}

/// PyTorch's: the mean of x^p with its sign, times the kernel's taps, to the 1/p.
template <class S, class P>
void signed_lp_windows(const Problem& problem, const S* x, S* y, double p, Index kernel, const P& parallel) {
  using Lane = Compared<S>;
  const Power power{p};
  const auto powers = mapped(x, sources(problem), parallel, power);
  LaneResult<S> means(y, results(problem));
  mean_windows(problem, powers.data(), means.data(), std::nullopt, parallel);
  for_each_element<S>(results(problem), parallel, [&](Index i) {
    y[i] = static_cast<S>(power.root(static_cast<Lane>(means.data()[i] * static_cast<Lane>(kernel))));
  });
}

}  // namespace detail
EIGENPOOL_END
