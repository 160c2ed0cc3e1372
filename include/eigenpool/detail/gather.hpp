// The backward of a maximum as a gather: each input asks the windows that cover
// it whether their maximum was there, in the order in which a scatter would add.
#pragma once

#include "indices.hpp"
#include "scatter.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The windows along one axis that cover an input, by their output position,
/// and which of their taps it is.
struct Covering {
  Index first, step, count;  // outputs
  Index tap, tap_step;       // falls as the output rises

  Covering(const Axis& forward, const Axis& transposed, Index at) {
    const Taps taps = transposed.taps(at);
    first = taps.position(taps.real_begin), step = taps.step, count = taps.real();
    const Index distance = at + forward.padding() - first * forward.stride();
    tap = distance / forward.dilation();
    tap_step = step * forward.stride() / forward.dilation();
  }
  Index output(Index m) const { return first + m * step; }
  Index tap_of(Index m) const { return tap - m * tap_step; }
};

/// S: what dy and dx hold. I: an index scalar.
template <class S, class I>
class Gather {
 public:
  using Lane = Added<S>;
  using Code = simd::Signed<Lane>;  // an index beside a lane
  static constexpr Index most_windows = 32;

  Gather(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem), transposed_(problem.transposed()), dy_(dy), indices_(indices), dx_(dx) {}

  /// Few windows cover an input, and inner elements fill vectors.
  static bool suits(const Problem& problem) {
    Wide windows = 1;
    for (const Axis& axis : problem.axes) {
      if (!axis.is_affine()) return false;
      windows *= ceil_div(axis.kernel(), axis.stride());
    }
    return windows <= most_windows && problem.inner >= 64 / static_cast<Index>(sizeof(Lane)) &&
           problem.plane() <= std::numeric_limits<std::int32_t>::max();
  }

  Index tasks() const { return problem_.outer * problem_.plane(); }

  /// Inputs [begin, end); gives how many outputs they were asked by.
  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, Index& found) const {
    Cell cell = Cell::number(transposed_, begin);
    for (Index i = begin; i < end; ++i, cell.next(transposed_)) gather_cell<B>(i, cell, found);
  }

 private:
  struct Windows {
    std::array<Index, most_windows> offset, code;
    Index count = 0;
  };

  Windows windows_over(const Cell& cell) const {
    const std::array<Index, 3> strides = problem_.result_strides();
    const auto [a0, a1, a2] = logical_axes(problem_);
    const auto covering = [&](std::size_t a) {
      return Covering(problem_.axes[a], transposed_.axes[a], cell.at[a]);
    };
    const Covering c0 = covering(a0), c1 = covering(a1), c2 = covering(a2);
    const Axis &n1 = problem_.axes[a1], &n2 = problem_.axes[a2];
    Windows all;
    for (Index m0 = 0; m0 < c0.count; ++m0)
      for (Index m1 = 0; m1 < c1.count; ++m1)
        for (Index m2 = 0; m2 < c2.count; ++m2) {
          const auto w = static_cast<std::size_t>(all.count++);
          all.offset[w] =
              c0.output(m0) * strides[a0] + c1.output(m1) * strides[a1] + c2.output(m2) * strides[a2];
          if constexpr (FlatIndex<I>)
            all.code[w] = (cell.at[a0] * n1.source() + cell.at[a1]) * n2.source() + cell.at[a2];
          else
            all.code[w] = (c0.tap_of(m0) * n1.kernel() + c1.tap_of(m1)) * n2.kernel() + c2.tap_of(m2);
        }
    return all;
  }

  template <int B>
  EIGENPOOL_INLINE void gather_cell(Index number, const Cell& cell, Index& found) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const Windows windows = windows_over(cell);
    const Index plane = cell.outer * problem_.result_plane() * problem_.inner;
    const S* dy = dy_ + plane;
    const I* indices = indices_ + plane;
    S* dx = dx_ + number * problem_.inner;
    const Index inner = problem_.inner;
    auto matches = simd::broadcast<Code, B>(0);
    for (Index i = 0; i < inner; i += lanes) {
      const Index at = std::min(i, inner - lanes);
      auto sum = simd::broadcast<Lane, B>(Lane(0));
      auto matched = simd::broadcast<Code, B>(0);
      for (Index w = 0; w < windows.count; ++w) {
        const auto k = static_cast<std::size_t>(w);
        const auto index = simd::load_as<Code, B>(indices + windows.offset[k] + at);
        const auto here = simd::equal(index, simd::broadcast<Code, B>(static_cast<Code>(windows.code[k])));
        const auto gradient = simd::load_as<Lane, B>(dy + windows.offset[k] + at);
        sum = simd::add(sum, simd::select(here, gradient, simd::broadcast<Lane, B>(Lane(0))));
        if constexpr (FlatIndex<I>)
          matched = simd::add(matched, simd::select(here, simd::broadcast<Code, B>(1), simd::broadcast<Code, B>(0)));
      }
      simd::store_as(dx + at, sum, lanes);
      if (at == i)
        matches = simd::add(matches, matched);
      else if constexpr (FlatIndex<I>)
        found += lane_sum<B>(matched, lanes - (i - at));
    }
    if constexpr (FlatIndex<I>) found += lane_sum<B>(matches, 0);
  }

  // Of the lanes from `first` on; 0 is all.
  template <int B>
  EIGENPOOL_INLINE static Index lane_sum(const simd::Vec<Code, B>& v, Index kept) {
    std::array<Code, static_cast<std::size_t>(simd::Vec<Code, B>::lanes)> lanes;
    simd::store(lanes.data(), v);
    Index sum = 0;
    for (std::size_t i = kept == 0 ? 0 : lanes.size() - static_cast<std::size_t>(kept); i < lanes.size(); ++i)
      sum += static_cast<Index>(lanes[i]);
    return sum;
  }

  const Problem& problem_;
  Problem transposed_;
  const S* dy_;
  const I* indices_;
  S* dx_;
};

template <class Kernel>
struct GatherTask {
  const Kernel* kernel;
  Index begin, end;
  Index* found;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    kernel->template run<B>(begin, end, *found);
  }
};

/// Gives how many outputs with a flat index were found by the input it names.
template <class S, class I, class P>
Index gather(const Problem& problem, const S* dy, const I* indices, S* dx, const P& parallel) {
  const Gather<S, I> kernel(problem, dy, indices, dx);
  std::atomic<Index> found{0};
  if (problem.outer == 0 || problem.inner == 0) return 0;
  const double bytes = 2.0 * static_cast<double>(problem.inner) * sizeof(S);
  parallel(kernel.tasks(), bytes, [&](Index begin, Index end) {
    Index here = 0;
    simd::dispatch(GatherTask<Gather<S, I>>{&kernel, begin, end, &here});
    found += here;
  });
  return found;
}

}  // namespace detail
EIGENPOOL_END
