// The backward of a maximum: each gradient is added where its window's maximum
// was. (Along rows of single elements a gather, in which each input asks the
// windows over it, was measured to take 0.9 to 1.9 times as long: rows have to be
// copied with room between them, and residues of a stride interleaved.)
#pragma once

#include "indices.hpp"
#include "kernel_gather.hpp"
#include "planes.hpp"
#include "run_kernel.hpp"
#include "scratch.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// dx = 0, then dx[index] += dy for every output, in logical row-major order
/// within each plane, whatever the storage order, so that the sums have the
/// same bits. Small floats are summed in float.
template <class S, class I>
class Scatter {
 public:
  Scatter(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem),
        dy_(dy),
        indices_(indices),
        dx_(dx),
        reader_(problem),
        strips_(problem, widest(problem), in_place ? 8 : 1) {}

  Index tasks() const { return strips_.tasks(); }

  void run(Index begin, Index end) const {
    if constexpr (in_place)
      if (takes_planes(end - begin)) return add_whole_planes(begin, end);
    strips_.for_each(begin, end, [&](Index outer, Index offset, Index length) { add_strip(outer, offset, length); });
  }

 private:
  using Lane = Compared<S>;
  using Sums = Scratch<Sum<Lane>>;
  static constexpr bool in_place = std::is_same_v<S, Lane>;

  // Planes of single elements, in memory's order. Windows start at the same places in each: those are looked up, too.
  using Starts = std::array<Index, 4096>;
  bool takes_planes(Index planes) const {
    if (problem_.inner != 1 || problem_.reversed || !reader_.looks_up()) return false;
    return FlatIndex<I> || (planes >= 4 && problem_.result_plane() <= Index{std::tuple_size_v<Starts>});
  }
  void add_whole_planes(Index begin, Index end) const {
    if constexpr (FlatIndex<I>) {
      add_near_planes(begin, end, nullptr);
    } else {
      const auto& [n0, n1, n2] = problem_.axes;
      Starts starts;
      Index* start = starts.data();
      for (Index i0 = 0; i0 < n0.result(); ++i0)
        for (Index i1 = 0; i1 < n1.result(); ++i1)
          for (Index i2 = 0; i2 < n2.result(); ++i2)
            *start++ = reader_.start(0, i0) + reader_.start(1, i1) + reader_.start(2, i2);
      add_near_planes(begin, end, starts.data());
    }
  }
  // As many planes as the nearest cache holds beside others are cleared together.
  void add_near_planes(Index begin, Index end, const Index* starts) const {
    constexpr Index near = 16 * 1024 / Index{sizeof(S)};
    const Index plane = problem_.plane(), most = std::max(near / plane, Index{2});
    while (begin < end) {
      const Index last = std::min(begin + most, end);
      std::fill_n(dx_ + begin * plane, (last - begin) * plane, S(0));
      for (; begin + 2 <= last; begin += 2) add_together<2>(begin, starts);
      for (; begin < last; ++begin) add_together<1>(begin, starts);
    }
  }
  // Two planes in turn: a sum that the next window adds to is not waited for.
  template <std::size_t planes>
  void add_together(Index first, const Index* starts) const {
    const Index plane = problem_.plane(), result = problem_.result_plane();
    add_in_turn<planes>(indices_ + first * result, dy_ + first * result, result, starts, reader_.look_up(),
                        dx_ + first * plane, plane);
  }
  // Apart, so that all it needs stays in registers.
  template <std::size_t planes, class LookUp>
  static EIGENPOOL_APART void add_in_turn(const I* indices, const S* dy, Index count, const Index* starts,
                                          LookUp look_up, S* dx, Index plane) {
    for (Index o = 0; o < count; ++o)
      simd::unrolled<planes>([&](std::size_t p) EIGENPOOL_LAMBDA {
        const Index of_plane = static_cast<Index>(p);
        add(indices[of_plane * count + o], dy[of_plane * count + o], look_up, dx + of_plane * plane,
            FlatIndex<I> ? 0 : starts[o], 1);
      });
  }

  // Inner elements of a task; sums beside dx should fit the stack.
  static Index widest(const Problem& problem) {
    constexpr Index most = 64, room = Sums::capacity - Sums::padded(0);
    return in_place ? most : std::clamp(room / problem.plane(), Index{1}, most);
  }

  void add_strip(Index outer, Index offset, Index length) const {
    S* dx = dx_ + outer * problem_.plane() * problem_.inner + offset;
    if constexpr (in_place) {
      const bool whole = length == problem_.inner;
      const Index runs = whole ? 1 : problem_.plane(), run = whole ? problem_.plane() * length : length;
      for (Index r = 0; r < runs; ++r) std::fill_n(dx + r * problem_.inner, run, S(0));
      add_planes(outer, offset, length, dx, problem_.inner);
    } else {
      const Index all = problem_.plane() * length;
      Sums scratch(Sums::padded(all));
      Lane* const sums = scratch.row(all).values;
      std::fill_n(sums, all, Lane(0));
      add_planes(outer, offset, length, sums, length);
      for (Index p = 0; p < problem_.plane(); ++p)
        for (Index c = 0; c < length; ++c) dx[p * problem_.inner + c] = static_cast<S>(sums[p * length + c]);
    }
  }

  // Adds to sums[position * pitch + c], for c below `length`.
  template <class T>
  void add_planes(Index outer, Index offset, Index length, T* sums, Index pitch) const {
    if (reader_.looks_up()) return look_up_rows(outer, offset, length, sums, pitch);
    for_each_result<CompactIndex<I>>(problem_, outer, [&](Index cell, const WindowTaps& taps) {
      const Index at = cell + offset;
      for (Index c = 0; c < length; ++c) {
        if (IndexReader<I>::is_absent(indices_[at + c])) continue;
        T& sum = sums[reader_.offset(indices_[at + c], taps) * pitch + c];
        sum = static_cast<T>(sum + static_cast<T>(dy_[at + c]));
      }
    });
  }

  template <class T>
  void look_up_rows(Index outer, Index offset, Index length, T* sums, Index pitch) const {
    const auto [a0, a1, a2] = logical_axes(problem_);
    const std::array<Index, 3> strides = problem_.result_strides();
    const Index first = outer * problem_.result_plane() * problem_.inner + offset;
    if constexpr (FlatIndex<I>)  // memory's order is the logical one
      return add_row({first, problem_.result_plane(), problem_.inner, 0, 0}, length, sums, pitch);
    for (Index i0 = 0; i0 < problem_.axes[a0].result(); ++i0)
      for (Index i1 = 0; i1 < problem_.axes[a1].result(); ++i1)
        add_row({first + i0 * strides[a0] + i1 * strides[a1], problem_.axes[a2].result(), strides[a2],
                 reader_.start(a0, i0) + reader_.start(a1, i1) + reader_.start(a2, 0), reader_.start_step(a2)},
                length, sums, pitch);
  }

  /// `count` outputs, `stride` elements apart, and where their windows start.
  struct Outputs {
    Index first, count, stride, start, start_step;
  };
  template <class T>
  void add_row(const Outputs& outputs, Index length, T* sums, Index pitch) const {
    const I* indices = indices_ + outputs.first;
    const S* dy = dy_ + outputs.first;
    if (pitch == 1 && outputs.stride == 1)
      return add_elements(indices, dy, outputs, std::integral_constant<Index, 1>(), reader_.look_up(), sums);
    if (pitch == 1) return add_elements(indices, dy, outputs, outputs.stride, reader_.look_up(), sums);
    Index start = outputs.start;
    for (Index o = 0; o < outputs.count; ++o, start += outputs.start_step) {
      for (Index c = 0; c < length; ++c) add(indices[c], dy[c], reader_.look_up(), sums, start * pitch + c, pitch);
      indices += outputs.stride, dy += outputs.stride;
    }
  }
  // One element each: apart, so that all it needs stays in registers.
  template <class Stride, class LookUp, class T>
  static EIGENPOOL_APART void add_elements(const I* indices, const S* dy, Outputs outputs, Stride stride,
                                           LookUp look_up, T* sums) {
    const Index step = FlatIndex<I> ? 0 : outputs.start_step;
    for (Index o = 0, start = FlatIndex<I> ? 0 : outputs.start; o < outputs.count; ++o, start += step)
      add(indices[o * stride], dy[o * stride], look_up, sums, start, 1);
  }
  template <class LookUp, class T>
  EIGENPOOL_INLINE static void add(I index, S gradient, const LookUp& look_up, T* sums, Index start, Index pitch) {
    if (IndexReader<I>::is_absent(index)) return;
    T& sum = sums[start + look_up(index) * pitch];
    sum = static_cast<T>(sum + static_cast<T>(gradient));
  }

  const Problem& problem_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  IndexReader<I> reader_;
  Strips strips_;
};

template <class S, class I>
void scatter(const Problem& problem, const S* dy, const I* indices, S* dx, const AnyParallel& parallel) {
  if (problem.outer == 0 || problem.inner == 0) return;
  if constexpr (GatherKernel<S, I>::is_known) {
    if (GatherKernel<S, I>::suits(problem) && !is_scalar_kernel_forced())
      return run_kernel(GatherKernel<S, I>(problem, dy, indices, dx), problem.bytes<S>(), parallel);
  }
  run_scalar(Scatter<S, I>(problem, dy, indices, dx), problem.bytes<S>(), parallel);
}

EIGENPOOL_COMPILED(void scatter(const Problem&, const float*, const std::int64_t*, float*, const AnyParallel&))
EIGENPOOL_COMPILED(void scatter(const Problem&, const double*, const std::int64_t*, double*, const AnyParallel&))
EIGENPOOL_COMPILED(void scatter(const Problem&, const float*, const std::uint8_t*, float*, const AnyParallel&))
EIGENPOOL_COMPILED(void scatter(const Problem&, const double*, const std::uint8_t*, double*, const AnyParallel&))

}  // namespace detail
EIGENPOOL_END
