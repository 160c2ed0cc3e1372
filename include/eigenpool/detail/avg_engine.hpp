// Averages: what their options mean, and their backward, which is the sum over
// the transposed windows.
#pragma once

#include "ops.hpp"
#include "shares.hpp"

EIGENPOOL_BEGIN
namespace detail {

inline Axis::Counted counted(const AvgOptions& options) {
  return options.count_include_pad ? Axis::Counted::taps : Axis::Counted::real_taps;
}

inline MeanReduction checked_mean(const Function& function, const AvgOptions& options) {
  if (options.divisor_override.value_or(1) == 0) fail(function.name() + ": divisor_override is 0, must not be 0");
  return {options.divisor_override};
}

/// dx[c] = the sum of dy / divisor over the windows that hold c. Where all
/// divisors are one, it divides the sum.
template <class S>
void mean_backward(const Problem& forward, std::optional<Index> divisor, const S* dy, S* dx,
                   const AnyParallel& parallel) {
  const Problem backward = forward.transposed();
  if (!divisor && forward.divisor_is_uniform()) {
    divisor = 1;
    for (const Axis& axis : forward.axes) *divisor *= axis.result() > 0 ? axis.divisor(0) : 1;
  }
  if constexpr (std::is_arithmetic_v<Added<S>>) {
    if (divisor && is_partition(forward) && forward.cells() > 0 && forward.inner > 0)
      return run_kernel(SpreadShares<S>(forward, dy, dx, *divisor), forward.bytes<S>(), parallel);
  }
  if (divisor)
    mean_windows(backward, dy, dx, divisor, parallel);
  else
    mean_windows(backward, shares(forward, dy, parallel).data(), dx, Index{1}, parallel);
}

EIGENPOOL_COMPILED(void mean_backward(const Problem&, std::optional<Index>, const float*, float*, const AnyParallel&))
EIGENPOOL_COMPILED(void mean_backward(const Problem&, std::optional<Index>, const double*, double*, const AnyParallel&))

/// dx of an average; `output()` gives the tensor to write, as for max_backward.
template <Layout layout, int D, std::size_t R, class G, class Windows, class Output, PoolingDevice Device>
void avg_backward(const Function& function, const char* argument, const Extents<R>& shape, const G& dy,
                  const Windows& windows, const MeanReduction& reduction, const Output& output, const Device& device) {
  const Operand<G> gradient(dy, device);
  const auto plan = backward_plan<layout, D>(function, argument, shape, gradient, windows);
  auto& dx = output();
  require_apart(function, "output", Bytes(dx.data(), dx.size()), "gradient",
                Bytes(gradient.data(), elements(gradient.shape())));
  mean_backward(plan.problem, reduction.divisor, gradient.data(), dx.data(), Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
