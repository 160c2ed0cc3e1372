// Fractional max pooling: windows of one size whose places are drawn, plane by plane. The other kernels know one table
// for all planes; here each plane has its own.
#pragma once

#include "fractional_samples.hpp"
#include "planes.hpp"
#include "rows.hpp"
#include "run_kernel.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Window i of `outputs` begins at int((i + u) alpha) - int(u alpha), where alpha = (input - kernel) / (outputs - 1),
/// and the last one at input - kernel: PyTorch's, in the samples' arithmetic.
template <class U>
Index fractional_start(const Axis& axis, U sample, Index i) {
  const Index last = axis.source() - axis.kernel();
  if (i == axis.result() - 1) return last;
  const U alpha = static_cast<U>(last) / static_cast<U>(axis.result() - 1);
  const Index start = static_cast<Index>((static_cast<U>(i) + sample) * alpha) - static_cast<Index>(sample * alpha);
  return std::min(start, last);
}

/// What a call writes: `indices` may be nullptr.
template <class S, class I>
struct Maxima {
  S* values;
  I* indices;
};

/// The maxima of each column of a window's rows, for simd::dispatch: rows of `count` cells, [rows[0]][rows[1]] of them.
template <class S>
struct ColumnMaxima {
  using Lane = Compared<S>;
  const S* from;
  Lane* to;
  Index count;
  std::array<Index, 2> rows, stride;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    std::fill_n(to, count, lowest<Lane>());
    for (Index j0 = 0; j0 < rows[0]; ++j0)
      for (Index j1 = 0; j1 < rows[1]; ++j1)
        for_row<B>(MaxRow<Lane>(), from + j0 * stride[0] + j1 * stride[1], to, count);
  }
};

/// Maxima, and flat indices where they are asked for, of windows that the samples place.
template <class S, class U, class I>
class FractionalMax {
 public:
  FractionalMax(const Problem& problem, int spatial_rank, const Samples<U>& samples, const S* x,
                const Maxima<S, I>& maxima)
      : problem_(problem), samples_(samples), x_(x), maxima_(maxima), strips_(problem) {
    const Index rank = spatial_rank, leading = problem.reversed ? 0 : 3 - rank;
    for (Index t = 0; t < 3; ++t) {  // PyTorch's columns are (w, h) for two axes, (d, h, w) for three
      const Index spatial = t - leading;
      const bool used = spatial >= 0 && spatial < rank;
      column_[static_cast<std::size_t>(t)] = !used ? -1 : rank == 2 ? 1 - spatial : spatial;
    }
    number_taps();
  }

  Index tasks() const { return strips_.tasks(); }

  void run(Index begin, Index end) const {
    Tables tables;
    strips_.for_each(begin, end, [&](Index outer, Index offset, Index length) {
      fill(tables, outer * problem_.inner + offset, length);
      if constexpr (!is_custom<S>)
        if (by_rows()) return pool_rows(tables, outer);
      pool(tables, outer, offset, length);
    });
  }

 private:
  /// Where a cell is in its plane: elements from the first, and its number in logical row-major order.
  struct Place {
    Index offset, number;
    Place operator+(const Place& other) const { return {offset + other.offset, number + other.number}; }
  };
  /// For each logical axis: the places of windows, those of a strip's planes beside each other.
  using Tables = std::array<std::vector<Place>, 3>;

  Place stride(std::size_t t) const {
    const auto a = logical_axes(problem_);
    Index number = 1;
    for (std::size_t faster = t + 1; faster < 3; ++faster) number *= problem_.axes[a[faster]].source();
    return {problem_.source_strides()[a[t]], number};
  }

  void number_taps() {
    const auto [a0, a1, a2] = logical_axes(problem_);
    const Place s0 = stride(0), s1 = stride(1), s2 = stride(2);
    for (Index j0 = 0; j0 < problem_.axes[a0].kernel(); ++j0)
      for (Index j1 = 0; j1 < problem_.axes[a1].kernel(); ++j1)
        for (Index j2 = 0; j2 < problem_.axes[a2].kernel(); ++j2)
          taps_.push_back(
              {j0 * s0.offset + j1 * s1.offset + j2 * s2.offset, j0 * s0.number + j1 * s1.number + j2 * s2.number});
  }

  void fill(Tables& tables, Index plane, Index length) const {
    const auto axes = logical_axes(problem_);
    for (std::size_t t = 0; t < 3; ++t) {
      const Axis& axis = problem_.axes[axes[t]];
      const Place step = stride(t);
      tables[t].resize(static_cast<std::size_t>(axis.result() * length));
      for (Index c = 0; c < length; ++c) {
        const U sample = column_[t] < 0 ? U(0) : samples_(plane + c, column_[t]);
        for (Index i = 0; i < axis.result(); ++i) {
          const Index start = fractional_start(axis, sample, i);
          tables[t][static_cast<std::size_t>(i * length + c)] = {start * step.offset, start * step.number};
        }
      }
    }
  }

  // Values alone, of planes that lie in memory by themselves.
  bool by_rows() const { return maxima_.indices == nullptr && problem_.inner == 1 && !problem_.reversed; }
  void pool_rows(const Tables& tables, Index outer) const {
    using Lane = Compared<S>;
    constexpr int single = static_cast<int>(sizeof(Lane));
    const auto& [n0, n1, n2] = problem_.axes;
    const std::array<Index, 3> strides = problem_.source_strides();
    std::vector<Lane> row(static_cast<std::size_t>(n2.source()));
    const S* x = x_ + outer * problem_.plane();
    S* y = maxima_.values + outer * problem_.result_plane();
    for (const Place& p0 : tables[0])
      for (const Place& p1 : tables[1]) {
        const ColumnMaxima<S> columns{
            x + p0.offset + p1.offset, row.data(), n2.source(), {n0.kernel(), n1.kernel()}, {strides[0], strides[1]}};
        simd::dispatch(columns);
        for (const Place& p2 : tables[2]) {
          auto best = simd::load<Lane, single>(row.data() + p2.offset);
          for (Index j = 1; j < n2.kernel(); ++j)
            best = simd::maximum(best, simd::load<Lane, single>(row.data() + p2.offset + j));
          simd::store_as(y++, best, 1);
        }
      }
  }

  void pool(const Tables& tables, Index outer, Index offset, Index length) const {
    const auto [a0, a1, a2] = logical_axes(problem_);
    const std::array<Index, 3> strides = problem_.result_strides();
    const S* x = x_ + outer * problem_.plane() * problem_.inner + offset;
    const Index first = outer * problem_.result_plane() * problem_.inner + offset;
    for (Index i0 = 0; i0 < problem_.axes[a0].result(); ++i0)
      for (Index i1 = 0; i1 < problem_.axes[a1].result(); ++i1)
        for (Index i2 = 0; i2 < problem_.axes[a2].result(); ++i2) {
          const Index at = first + i0 * strides[a0] + i1 * strides[a1] + i2 * strides[a2];
          const Place* p0 = tables[0].data() + i0 * length;
          const Place* p1 = tables[1].data() + i1 * length;
          const Place* p2 = tables[2].data() + i2 * length;
          for (Index c = 0; c < length; ++c) reduce(x + c, p0[c] + p1[c] + p2[c], at + c);
        }
  }

  // The first of equal values, the last of NaNs; selected, since a jump would be guessed wrong too often.
  void reduce(const S* x, const Place& window, Index at) const {
    const S* p = x + window.offset;
    const Place *taps = taps_.data(), *end = taps + taps_.size();
    S best = *p;
    Index number = 0;
    for (const Place* tap = taps + 1; tap != end; ++tap) {
      const S value = p[tap->offset];
      const bool larger = value > best, is_nan = value != value, taken = larger || is_nan;
      best = taken ? value : best;
      number = taken ? tap->number : number;
    }
    maxima_.values[at] = best;
    if (maxima_.indices != nullptr) maxima_.indices[at] = static_cast<I>(window.number + number);
  }

  const Problem& problem_;
  Samples<U> samples_;
  const S* x_;
  Maxima<S, I> maxima_;
  Strips strips_;
  std::array<Index, 3> column_{};
  std::vector<Place> taps_;
};

/// Pools into what `output(shape)` gives: Maxima of that shape.
template <Layout layout, int D, class I, class X, class Source, class Output, PoolingDevice Device>
void fractional_max_pool(const Function& function, const X& x, const FractionalWindow<D>& window, const Source& source,
                         const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, FractionalWindows<D>{window});
  require_numberable<I>(function, plan.problem);
  const auto shape = samples_shape<layout, D>(input.shape());
  const SampleSet<Source, S, std::tuple_size_v<decltype(shape)>> samples(function, source, shape, is_row_major<X>,
                                                                         device);
  const Maxima<S, I> maxima = output(plan.result_shape);
  const Index count = elements(plan.result_shape);
  const Bytes values(maxima.values, count), indices(maxima.indices, maxima.indices != nullptr ? count : 0);
  const Bytes source_bytes(input.data(), elements(input.shape()));
  require_apart(function, "output", values, "input", source_bytes);
  require_apart(function, "output", values, "samples", samples.bytes());
  require_apart(function, "indices", indices, "input", source_bytes);
  require_apart(function, "indices", indices, "samples", samples.bytes());
  require_apart(function, "indices", indices, "output", values);
  if (plan.problem.outer == 0 || plan.problem.inner == 0) return;
  const Samples<typename SampleSet<Source, S, std::tuple_size_v<decltype(shape)>>::Scalar> all{
      samples.data(), elements(shape) / D, D, is_row_major<X>};
  const FractionalMax kernel(plan.problem, D, all, input.data(), maxima);
  run_scalar(kernel, plan.problem.template bytes<S>(), Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
