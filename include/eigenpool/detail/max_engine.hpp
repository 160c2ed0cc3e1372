// Maxima with indices, and the backward of a maximum, for fixed, adaptive and
// global windows alike; with the order Smaller, minima.
#pragma once

#include "scatter.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Fails when a compact index of scalar I cannot number all taps of some
/// window.
template <CompactIndex I>
void require_numberable(const Function& function, const Problem& problem, const char* = "input") {
  const Wide taps = Wide{problem.axes[0].max_count()} * problem.axes[1].max_count() * problem.axes[2].max_count();
  if (taps > std::numeric_limits<I>::max())
    fail(function.name() + ": kernel has " + std::to_string(static_cast<std::uint64_t>(taps)) + " taps, more than a " +
         std::to_string(sizeof(I)) + "-byte index can number (" + std::to_string(std::numeric_limits<I>::max()) + ")");
}

/// Fails when a flat index of scalar I cannot reach all of a plane of `argument`.
template <FlatIndex I>
void require_numberable(const Function& function, const Problem& problem, const char* argument = "input") {
  constexpr I last = std::numeric_limits<I>::max();
  if (problem.plane() - 1 > static_cast<Index>(last))
    fail(function.name() + ": " + argument + " has planes of " + std::to_string(problem.plane()) +
         " cells, more than a " + std::to_string(sizeof(I)) + "-byte index can reach (0 to " + std::to_string(last) +
         ")");
}

template <class Order, class S, class I, class P>
void max_indexed(const Problem& problem, const S* x, S* y, I* indices, const P& parallel) {
  const auto kind = FlatIndex<I> ? Numbering::Kind::flat : Numbering::Kind::compact;
  extreme_windows_with_indices<Order>(problem, kind, x, y, indices, parallel);
}

template <Layout layout, int D, int Q, IndexScalar I, class Order = Larger, class X, class Windows>
auto max_pooled_with_indices(const Function& function, const X& x, const Windows& windows) {
  const Eigen::DefaultDevice device;
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, windows);
  require_numberable<I>(function, plan.problem);
  const auto shape = plan.template result<layout, Q>();
  WithIndices<ResultTensor<X, Q>, ResultTensor<X, Q, I>> result{make_tensor<ResultTensor<X, Q>>(shape),
                                                                make_tensor<ResultTensor<X, Q, I>>(shape)};
  max_indexed<Order>(plan.problem, input.data(), result.output.data(), result.indices.data(), Parallel(device));
  return result;
}

template <Layout layout, int D, class Order = Larger, OutputTensor Y, OutputTensor T, class X, class Windows,
          PoolingDevice Device>
void max_pool_with_indices_into(const Function& function, Y& y, T& indices, const X& x, const Windows& windows,
                                const Device& device) {
  using I = ScalarOf<T>;
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, windows);
  require_numberable<I>(function, plan.problem);
  const auto shape = plan.template result<layout, rank_of<Y>>();
  require_shape(function, "output", shape_of(y), shape);
  require_shape(function, "indices", shape_of(indices), shape);
  const Bytes source(input.data(), elements(input.shape())), output(y.data(), y.size());
  const Bytes numbers(indices.data(), indices.size());
  require_apart(function, "output", output, "input", source);
  require_apart(function, "indices", numbers, "input", source);
  require_apart(function, "indices", numbers, "output", output);
  max_indexed<Order>(plan.problem, input.data(), y.data(), indices.data(), Parallel<Device>(device));
}

/// dx from indices. `output()` gives the tensor to write: a new one, made only
/// now that all else is checked, or the caller's, whose shape is `shape`.
template <Layout layout, int D, std::size_t R, class G, class T, class Windows, class Output, PoolingDevice Device>
void max_backward(const Function& function, const char* argument, const Extents<R>& shape, const G& dy,
                  const T& indices, const Windows& windows, const Output& output, const Device& device) {
  using I = ScalarOf<T>;
  const Operand<G> gradient(dy, device);
  const Operand<T> numbers(indices, device);
  const auto plan = backward_plan<layout, D>(function, argument, shape, gradient, windows);
  require_numberable<I>(function, plan.problem);
  require_shape(function, "indices", numbers.shape(), gradient.shape());
  require_indices<I>(function, plan.problem, numbers.data(), numbers.shape(), is_row_major<G>);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  scatter(plan.problem, gradient.data(), numbers.data(), dx.data(), Parallel<Device>(device));
}

/// dx from the forward's input: its maxima are found again, by the same rules.
template <Layout layout, int D, class Order = Larger, class G, class X, class Windows, class Output,
          PoolingDevice Device>
void max_backward_from_input(const Function& function, const G& dy, const X& x, const Windows& windows,
                             const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const auto plan = backward_plan<layout, D>(function, "input", input.shape(), gradient, windows);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  const auto count = static_cast<std::size_t>(elements(gradient.shape()));
  std::vector<S> maxima(count);
  std::vector<std::int64_t> indices(count);
  const Parallel<Device> parallel(device);
  max_indexed<Order>(plan.problem, input.data(), maxima.data(), indices.data(), parallel);
  scatter(plan.problem, gradient.data(), indices.data(), dx.data(), parallel);
}

template <Layout layout, int D, class Order = Larger, class Y, class G, class X, class Windows, PoolingDevice Device>
void max_backward_from_input_into(const Function& function, Y& dx, const G& dy, const X& x, const Windows& windows,
                                  const Device& device) {
  const auto output = [&]() -> auto& {
    require_shape(function, "output", shape_of(dx), shape_of(x));
    return dx;
  };
  max_backward_from_input<layout, D, Order>(function, dy, x, windows, output, device);
}

}  // namespace detail
EIGENPOOL_END
