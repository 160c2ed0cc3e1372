// The way back from a maximum: values put where their indices say. The problem is the pooling's own: its source is the
// plane that is filled, its results are the values.
#pragma once

#include <vector>

#include "max_engine.hpp"
#include "planes.hpp"
#include "results.hpp"
#include "run_kernel.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// y = 0, then y[index] = x in logical row-major order within each plane: the last of equal indices stays.
template <class S, class I>
class Unpool {
 public:
  Unpool(const Problem& problem, const S* x, const I* indices, S* y)
      : problem_(problem), x_(x), indices_(indices), y_(y), reader_(problem), strips_(problem) {}

  Index tasks() const { return strips_.tasks(); }

  void run(Index begin, Index end) const {
    strips_.for_each(begin, end, [&](Index outer, Index offset, Index length) {
      S* y = y_ + outer * problem_.plane() * problem_.inner + offset;
      clear(y, length);
      for_each_result<CompactIndex<I>>(problem_, outer, [&](Index cell, const WindowTaps& taps) {
        for (Index c = 0; c < length; ++c) {
          const I index = indices_[cell + offset + c];
          if (IndexReader<I>::is_absent(index)) continue;
          y[reader_.offset(index, taps) * problem_.inner + c] = x_[cell + offset + c];
        }
      });
    });
  }

 private:
  void clear(S* y, Index length) const {
    if (length == problem_.inner) {
      std::fill_n(y, problem_.plane() * length, S(0));
      return;
    }
    for (Index p = 0; p < problem_.plane(); ++p) std::fill_n(y + p * problem_.inner, length, S(0));
  }

  const Problem& problem_;
  const S* x_;
  const I* indices_;
  S* y_;
  IndexReader<I> reader_;
  Strips strips_;
};

/// dx = dy[index] for the values that stayed, or for all of them; 0 for the others. From the last value to the first,
/// since the first that is met stayed.
template <class S, class I>
class UnpoolBackward {
 public:
  UnpoolBackward(const Problem& problem, const S* dy, const I* indices, S* dx, bool to_all)
      : problem_(problem), dy_(dy), indices_(indices), dx_(dx), to_all_(to_all), reader_(problem), strips_(problem) {}

  Index tasks() const { return strips_.tasks(); }

  void run(Index begin, Index end) const {
    std::vector<unsigned char> taken;  // cells of a strip of planes whose value was met
    strips_.for_each(begin, end, [&](Index outer, Index offset, Index length) {
      if (!to_all_) taken.assign(static_cast<std::size_t>(problem_.plane() * length), 0);
      const S* dy = dy_ + outer * problem_.plane() * problem_.inner + offset;
      for_each_result<CompactIndex<I>, true>(problem_, outer, [&](Index cell, const WindowTaps& taps) {
        for (Index c = 0; c < length; ++c) {
          const I index = indices_[cell + offset + c];
          S& gradient = dx_[cell + offset + c];
          gradient = S(0);
          if (IndexReader<I>::is_absent(index)) continue;
          const Index at = reader_.offset(index, taps);
          if (to_all_ || !std::exchange(taken[static_cast<std::size_t>(at * length + c)], 1))
            gradient = dy[at * problem_.inner + c];
        }
      });
    });
  }

 private:
  const Problem& problem_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  bool to_all_;
  IndexReader<I> reader_;
  Strips strips_;
};

template <class S, class Kernel, class P>
void run_unpool(const Problem& problem, const Kernel& kernel, const P& parallel) {
  if (problem.outer == 0 || problem.inner == 0) return;
  run_scalar(kernel, problem.bytes<S>(), parallel);
}

/// A forward gives "none" only for a window that holds no cell, which dilation can make.
template <class I, std::size_t R>
void require_none_where_empty(const Function& function, const Problem& problem, const I* indices,
                              const std::array<Index, R>& shape, bool row_major) {
  bool any = false;
  for (Index i = 0, count = problem.cells() * problem.inner; i < count; ++i)
    any |= IndexReader<I>::is_absent(indices[i]);
  for (Index outer = 0; any && outer < problem.outer; ++outer)
    for_each_result<true>(problem, outer, [&](Index cell, const WindowTaps& taps) {
      if (taps[0].real() == 0 || taps[1].real() == 0 || taps[2].real() == 0) return;
      for (Index at = cell; at < cell + problem.inner; ++at)
        if (IndexReader<I>::is_absent(indices[at]))
          fail(function.name() + ": indices" + coordinates(at, shape, row_major) + " is " +
               std::to_string(indices[at]) + ", which only a window without a real cell may have");
    });
}

/// The spatial extents of a shape.
template <Layout layout, int D, std::size_t R>
Extents<D> spatial_extents(const Extents<R>& shape) {
  Extents<D> extents{};
  const auto first = static_cast<std::size_t>(first_spatial<layout>(static_cast<int>(R), D));
  std::copy_n(shape.begin() + first, D, extents.begin());
  return extents;
}

/// `shape` with other spatial extents.
template <Layout layout, int D, std::size_t R>
Extents<R> with_spatial_extents(Extents<R> shape, const Extents<D>& extents) {
  const auto first = static_cast<std::size_t>(first_spatial<layout>(static_cast<int>(R), D));
  std::copy_n(extents.begin(), D, shape.begin() + first);
  return shape;
}

template <Layout layout, int D, std::size_t R>
UnpooledWindows<D> unpooled_windows(const Function& function, const char* argument, const Extents<R>& pooled,
                                    const Window<D>& window) {
  const Extents<D> extents = spatial_extents<layout, D>(pooled);
  for (int a = 0; a < D; ++a)
    if (extents[static_cast<std::size_t>(a)] == 0)
      fail_axis(function, argument, first_spatial<layout>(static_cast<int>(R), D) + a, Index{0},
                "a spatial extent must be at least 1");
  return {window, extents};
}

/// The plan of the pooling that an unpooling goes back on, from the shape of its values and that of what is filled;
/// checks the indices.
template <Layout layout, int D, std::size_t R, class T>
Plan<R> unpool_plan(const Function& function, const Extents<R>& filled, const Extents<R>& pooled,
                    const UnpooledWindows<D>& windows, const Operand<T>& indices) {
  using I = ScalarOf<T>;
  const auto plan = make_plan<layout, D>(function, "output", filled, windows, is_row_major<T>);
  require_numberable<I>(function, plan.problem, "output");
  require_shape(function, "indices", indices.shape(), pooled);
  require_indices<I>(function, plan.problem, indices.data(), pooled, is_row_major<T>);
  require_none_where_empty<I>(function, plan.problem, indices.data(), pooled, is_row_major<T>);
  return plan;
}

/// y from values and indices; `output(shape)` gives the tensor to write: a new one of that shape, or the caller's.
template <Layout layout, int D, class X, class T, class Output, PoolingDevice Device>
void unpool(const Function& function, const char* argument, int first_axis, const X& x, const T& indices,
            const Window<D>& window, const std::optional<Extents<D>>& size, const Output& output,
            const Device& device) {
  using S = ScalarOf<X>;
  const Operand<X> values(x, device);
  const Operand<T> numbers(indices, device);
  const auto windows = unpooled_windows<layout, D>(function, "input", values.shape(), window);
  const Extents<D> extents = size ? *size : windows.default_extents(function);
  windows.require_possible(function, argument, first_axis, extents);
  const auto filled = with_spatial_extents<layout, D>(values.shape(), extents);
  require_countable<DefaultIndexOf<X>>(function, "output", filled, sizeof(S));
  const auto plan = unpool_plan<layout, D>(function, filled, values.shape(), windows, numbers);
  auto& y = output(filled);
  const Bytes written(y.data(), y.size());
  require_apart(function, "output", written, "input", Bytes(values.data(), elements(values.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  run_unpool<S>(plan.problem, Unpool(plan.problem, values.data(), numbers.data(), y.data()), Parallel<Device>(device));
}

/// dx from the gradient of what was filled.
template <Layout layout, int D, class G, class T, class Output, PoolingDevice Device>
void unpool_backward(const Function& function, const G& dy, const T& indices, const Window<D>& window, bool to_all,
                     const Output& output, const Device& device) {
  using S = ScalarOf<G>;
  const Operand<G> gradient(dy, device);
  const Operand<T> numbers(indices, device);
  const auto windows = unpooled_windows<layout, D>(function, "indices", numbers.shape(), window);
  windows.require_possible(function, "gradient", first_spatial<layout>(rank_of<G>, D),
                           spatial_extents<layout, D>(gradient.shape()));
  const auto pooled = with_spatial_extents<layout, D>(gradient.shape(), windows.pooled);
  require_countable<DefaultIndexOf<G>>(function, "output", pooled, sizeof(S));
  const auto plan = unpool_plan<layout, D>(function, gradient.shape(), pooled, windows, numbers);
  auto& dx = output(pooled);
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  run_unpool<S>(plan.problem, UnpoolBackward(plan.problem, gradient.data(), numbers.data(), dx.data(), to_all),
                Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
