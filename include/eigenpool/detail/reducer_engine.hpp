// Windows reduced by a policy that a user wrote, tap by tap along the canonical
// tree; and the backward of anything whose derivative is known tap by tap.
#pragma once

#include <vector>

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The states of a tree (tree.hpp).
template <class Reducer>
struct StateStack {
  using State = typename Reducer::State;

  explicit StateStack(const Reducer& used) : reducer(used), entries(max_tree_entries, used.identity()) {}

  void clear(int d) { entry(d) = reducer.identity(); }
  void merge(int d) { entry(d) = reducer.merge(entry(d), entry(d + 1)); }
  State& entry(int d) { return entries[static_cast<std::size_t>(d)]; }

  const Reducer& reducer;
  std::vector<State> entries;
};

/// Calls visit(i, begin of the taps in the source, loops over them) for the
/// results i in [begin, end), given in cells; `inner` of them share their loops.
template <class Visit>
void for_each_cell(const Problem& problem, Index begin, Index end, const Visit& visit) {
  const Span whole = problem.axes[2].period() == 1 ? problem.axes[2].whole() : Span{0, 0};
  Cell cell = Cell::number(problem, begin);
  for (Index i = begin; i < end; cell.next(problem)) {
    const WindowTaps taps = window_taps(problem, cell);
    const TapLoops loops = tap_loops<Sum<double>>(problem, taps, Numbering());
    const Index first = loops.empty() ? 0 : first_tap(problem, cell.outer, taps);
    const bool is_whole = cell.at[2] >= whole.begin && cell.at[2] < whole.end;
    const Index alike = is_whole ? std::min(whole.end - cell.at[2], end - i) : 1;  // neighbours with the same loops
    const Index step = alike > 1 ? problem.axes[2].stride() * problem.inner : 0;
    for (Index o = 0; o < alike; ++o)
      for (Index c = 0; c < problem.inner; ++c) visit((i + o) * problem.inner + c, first + o * step + c, loops);
    i += alike;
    cell.at[2] += alike - 1;
  }
}

/// How many taps the loops run over.
constexpr Index count_of(const TapLoops& loops) {
  return loops.loop[0].count * loops.loop[1].count * loops.loop[2].count;
}

/// Cells as tasks of the device; each reads about `taps` elements of S.
template <class S, class P, class Run>
void run_cells(const Problem& problem, const P& parallel, const Run& run) {
  const double bytes = static_cast<double>(problem.max_taps()) * static_cast<double>(problem.inner) * sizeof(S);
  if (problem.cells() > 0 && problem.inner > 0) parallel(problem.cells(), bytes, run);
}

/// sink(i, state, taps) for the window of each result i: the states of its taps
/// merged, and how many there are.
template <class S, class Reducer, class P, class Sink>
void reduce_states(const Problem& problem, const S* x, const Reducer& reducer, const P& parallel, const Sink& sink) {
  run_cells<S>(problem, parallel, [&](Index begin, Index end) {
    StateStack<Reducer> stack(reducer);
    for_each_cell(problem, begin, end, [&](Index i, Index first, const TapLoops& loops) {
      const Index taps = count_of(loops);
      if (taps == 0)
        stack.clear(0);
      else
        along_tree(loops, stack, [&](Index offset, int d) {
          stack.entry(d) = reducer.take(static_cast<Compared<S>>(x[first + offset]));
        });
      sink(i, stack.entry(0), taps);
    });
  });
}

/// dx[c] = the sum of dy[w] * derivative(x[c], w) over the windows w that hold
/// c, along the canonical tree.
template <class S, class G, class P, class Derivative>
void gather_derivatives(const Problem& forward, const S* x, const G* dy, S* dx, const Derivative& derivative,
                        const P& parallel) {
  using Lane = Compared<S>;
  const Problem backward = forward.transposed();
  run_cells<S>(backward, parallel, [&](Index begin, Index end) {
    LaneStack<Sum<Lane>> stack;
    for_each_cell(backward, begin, end, [&](Index i, Index first, const TapLoops& loops) {
      const Lane at = static_cast<Lane>(x[i]);
      stack.clear(0);
      if (count_of(loops) > 0) {
        along_tree(loops, stack, [&](Index offset, int d) {
          const Index w = first + offset;
          stack.entry(d) = {{static_cast<Lane>(static_cast<Lane>(dy[w]) * static_cast<Lane>(derivative(at, w)))}};
        });
      }
      dx[i] = static_cast<S>(stack.entry(0).raw[0]);
    });
  });
}

/// The windows of a user's reducer.
template <class Reducer>
struct ReducerReduction {
  const Reducer& reducer;

  template <class S, class P>
  void operator()(const Problem& problem, const S* x, S* y, const P& parallel) const {
    reduce_states(problem.simplified(), x, reducer, parallel,
                  [&](Index i, const auto& state, Index taps) { y[i] = static_cast<S>(reducer.finish(state, taps)); });
  }
};

/// dx of a user's reducer: the windows' states are made again.
template <Layout layout, int D, class G, class X, class Windows, class Reducer, class Output, PoolingDevice Device>
void reducer_backward(const Function& function, const G& dy, const X& x, const Windows& windows, const Reducer& reducer,
                      const Output& output, const Device& device) {
  struct Window {
    typename Reducer::State state;
    Index taps;
  };
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const auto plan = backward_plan<layout, D>(function, "input", input.shape(), gradient, windows);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_shape(function, "output", shape_of(dx), input.shape());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  const Parallel<Device> parallel(device);
  std::vector<Window> made(static_cast<std::size_t>(elements(gradient.shape())), Window{reducer.identity(), 0});
  reduce_states(plan.problem, input.data(), reducer, parallel, [&](Index i, const auto& state, Index taps) {
    made[static_cast<std::size_t>(i)] = {state, taps};
  });
  gather_derivatives(
      plan.problem, input.data(), gradient.data(), dx.data(),
      [&](const auto& at, Index w) {
        const Window& window = made[static_cast<std::size_t>(w)];
        return reducer.derivative(at, window.state, window.taps);
      },
      parallel);
}

}  // namespace detail
EIGENPOOL_END
