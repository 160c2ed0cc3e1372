// The backward of norms: the sum pooling of dy / y^(p-1) over the transposed
// windows, times x^(p-1); where one of the two may leave the scalar's range, it
// is gathered tap by tap instead.
#pragma once

#include <atomic>
#include <cstdio>

#include "avg_engine.hpp"
#include "lp_engine.hpp"
#include "max_engine.hpp"
#include "reducer_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The slope of |x|^p / p: |x|^(p-1) with the sign of x, 0 at 0.
template <class L>
L slope(L x, double p) {
  if (x == L(0)) return L(0);
  return std::copysign(power_of(std::abs(x), p - 1), x);
}

/// dy / y^(p-1), 0 where y is 0; is_safe tells whether nothing in it, and no
/// power of a tap that it will meet, leaves the range of lanes.
template <class S, class P>
LaneVector<S> dual_gradient(const S* dy, const S* y, Index count, double p, const P& parallel,
                            std::atomic<bool>& is_safe) {
  using Lane = Compared<S>;
  const Lane most = std::sqrt(std::sqrt(std::numeric_limits<Lane>::max()));
  LaneVector<S> made(static_cast<std::size_t>(count));
  for_each_element<S>(count, parallel, [&](Index i) {
    const Lane norm = static_cast<Lane>(y[i]), power = slope(norm, p);
    const Lane quotient = norm == Lane(0) ? Lane(0) : static_cast<Lane>(dy[i]) / power;
    const bool in_range = norm == Lane(0) || (power >= 1 / most && power <= most && std::abs(quotient) <= most);
    if (!in_range) is_safe.store(false, std::memory_order_relaxed);
    made[static_cast<std::size_t>(i)] = quotient;
  });
  return made;
}

/// dx = the sum of dy * (|x| / y)^(p-1) * sign(x) over the windows that hold x.
template <class S, class P>
void lp_backward(const Problem& forward, const S* dy, const S* x, const S* y, S* dx, double p, const P& parallel) {
  using Lane = Compared<S>;
  const Index count = sources(forward);
  std::atomic<bool> is_safe{true};
  const auto dual = dual_gradient(dy, y, results(forward), p, parallel, is_safe);
  if (!is_safe) {
    return gather_derivatives(
        forward, x, dy, dx,
        [&](Lane at, Index w) {
          const Lane norm = static_cast<Lane>(y[w]);
          return norm == Lane(0) ? Lane(0) : slope(static_cast<Lane>(at / norm), p);
        },
        parallel);
  }
  LaneResult<S> sums(dx, count);
  mean_windows(forward.transposed(), dual.data(), sums.data(), Index{1}, parallel);
  for_each_element<S>(count, parallel, [&](Index i) {
    dx[i] = static_cast<S>(static_cast<Lane>(sums.data()[i] * slope(static_cast<Lane>(x[i]), p)));
  });
}

/// The largest |x| of a window, the first of equal ones, takes all of dy.
template <class S, class P>
void largest_backward(const Problem& forward, const S* dy, const S* x, S* dx, const P& parallel) {
  const Index count = sources(forward), windows = results(forward);
  std::vector<S> magnitudes(static_cast<std::size_t>(count)), largest(static_cast<std::size_t>(windows));
  std::vector<std::int64_t> indices(static_cast<std::size_t>(windows));
  for_each_element<S>(count, parallel, [&](Index i) {
    magnitudes[static_cast<std::size_t>(i)] = static_cast<S>(std::abs(static_cast<Compared<S>>(x[i])));
  });
  max_indexed<Larger>(forward, magnitudes.data(), largest.data(), indices.data(), parallel);
  scatter(forward, dy, indices.data(), dx, parallel);
  for_each_element<S>(count, parallel, [&](Index i) {
    const Compared<S> at = static_cast<Compared<S>>(x[i]);
    if (!(at > 0)) dx[i] = at < 0 ? static_cast<S>(-dx[i]) : at == 0 ? S(0) : dx[i];
  });
}

/// The backward of PyTorch's variant: dy times kernel / divisor * (x / y)^(p-1), 0 where y is 0.
template <class S, class P>
void signed_lp_backward(const Problem& forward, const S* dy, const S* x, const S* y, S* dx, double p, Index kernel,
                        const P& parallel) {
  using Lane = Compared<S>;
  const auto shared = shares(forward, dy, parallel);
  gather_derivatives(
      forward, x, shared.data(), dx,
      [&](Lane at, Index w) {
        const Lane norm = static_cast<Lane>(y[w]);
        return norm == Lane(0) ? Lane(0) : static_cast<Lane>(kernel) * power_of(static_cast<Lane>(at / norm), p - 1);
      },
      parallel);
}

/// A norm over windows, by LpOptions that have been checked.
struct LpReduction {
  double p;
  bool signed_power;

  template <class S, class P>
  void operator()(const Problem& problem, const S* x, S* y, const P& parallel) const {
    if (problem.cells() == 0 || problem.inner == 0) return;
    if (signed_power)
      signed_lp_windows(problem, x, y, p, static_cast<Index>(problem.max_taps()), parallel);
    else
      lp_windows(problem, x, y, p, parallel);
  }
  template <class S, class P>
  void backward(const Problem& problem, const S* dy, const S* x, const S* y, S* dx, const P& parallel) const {
    if (sources(problem) == 0) return;
    if (signed_power)
      signed_lp_backward(problem, dy, x, y, dx, p, static_cast<Index>(problem.max_taps()), parallel);
    else if (std::isinf(p))
      largest_backward(problem, dy, x, dx, parallel);
    else
      lp_backward(problem, dy, x, y, dx, p, parallel);
  }
};

inline LpReduction checked_norm(const Function& function, double p, bool signed_power) {
  const bool is_legal = signed_power ? p > 0 && std::isfinite(p) : p >= 1;
  if (!is_legal) {
    char number[32];
    std::snprintf(number, sizeof(number), "%g", p);
    fail(function.name() + ": p is " + number + ", must be " +
         (signed_power ? "above 0 and finite" : "at least 1, or infinity"));
  }
  return {p, signed_power};
}

/// dx of a norm; `output()` gives the tensor to write, as for max_backward.
template <Layout layout, int D, class G, class X, class Y, class Windows, class Output, PoolingDevice Device>
void norm_backward(const Function& function, const G& dy, const X& x, const Y& y, const Windows& windows,
                   const LpReduction& reduction, const Output& output, const Device& device) {
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const Operand<Y> norms(y, device);
  const auto plan = backward_plan<layout, D>(function, "input", input.shape(), gradient, windows);
  require_shape(function, "norms", norms.shape(), gradient.shape());
  auto& dx = output();
  require_shape(function, "output", shape_of(dx), input.shape());
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  require_apart(function, "output", written, "norms", Bytes(norms.data(), elements(norms.shape())));
  reduction.backward(plan.problem, gradient.data(), input.data(), norms.data(), dx.data(), Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
