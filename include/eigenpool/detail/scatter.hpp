// The backward of a maximum: each gradient is added where its window's maximum
// was, given by indices that a caller hands back. Indices are checked, all of
// them, before anything is written.
#pragma once

#include <vector>

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Reads the indices of one problem: where in the source, counted from the
/// start of a plane, a maximum was.
template <class I>
class IndexReader {
 public:
  explicit IndexReader(const Problem& problem) : problem_(problem), plane_stride_(problem.plane_strides()) {
    if constexpr (CompactIndex<I>)
      if (problem.is_affine()) number_taps();
  }

  enum class Fault { none, range, padding };

  static constexpr bool is_absent(I index) {
    if constexpr (FlatIndex<I>)
      return index == -1;
    else
      return index == std::numeric_limits<I>::max();
  }

  Fault fault(I index, const WindowTaps& taps) const {
    if (is_absent(index)) return Fault::none;
    if constexpr (FlatIndex<I>) {
      return index < 0 || index >= problem_.plane() ? Fault::range : Fault::none;
    } else {
      const bool in_window = static_cast<Index>(index) < taps[0].count * taps[1].count * taps[2].count;
      if (!in_window) return Fault::range;
      if (taps[0].is_whole() && taps[1].is_whole() && taps[2].is_whole()) return Fault::none;
      const std::array<Index, 3> tap = tap_numbers(index, taps);
      for (std::size_t a = 0; a < 3; ++a)
        if (tap[a] < taps[a].real_begin || tap[a] >= taps[a].real_end) return Fault::padding;
      return Fault::none;
    }
  }

  /// The plane offset, in memory order, of a faultless index that is not
  /// absent.
  Index offset(I index, const WindowTaps& taps) const {
    if constexpr (FlatIndex<I>) {
      return problem_.reversed ? memory_offset(index) : static_cast<Index>(index);
    } else {
      if (static_cast<std::size_t>(index) < known_taps_) return window_start(taps) + tap_offset_[index];
      const std::array<Index, 3> tap = tap_numbers(index, taps);
      Index offset = 0;
      for (std::size_t a = 0; a < 3; ++a) offset += taps[a].position(tap[a]) * plane_stride_[a];
      return offset;
    }
  }

 private:
  Index window_start(const WindowTaps& taps) const {
    return taps[0].first * plane_stride_[0] + taps[1].first * plane_stride_[1] + taps[2].first * plane_stride_[2];
  }

  // Row-major in logical order: the last logical axis counts fastest.
  std::array<Index, 3> tap_numbers(I index, const WindowTaps& taps) const {
    std::array<Index, 3> tap{};
    Index rest = static_cast<Index>(index);
    for (int t = 2; t >= 0; --t) {
      const auto a = static_cast<std::size_t>(problem_.memory_axis(t));
      tap[a] = rest % taps[a].count;
      rest /= taps[a].count;
    }
    return tap;
  }

  Index memory_offset(I index) const {
    Index rest = static_cast<Index>(index), offset = 0;
    for (int t = 2; t >= 0; --t) {
      const auto a = static_cast<std::size_t>(problem_.memory_axis(t));
      offset += rest % problem_.axes[a].source() * plane_stride_[a];
      rest /= problem_.axes[a].source();
    }
    return offset;
  }

  // The same small window everywhere: what each tap's number means is looked
  // up, not divided out.
  void number_taps() {
    WindowTaps taps{};
    Index count = 1;
    for (std::size_t a = 0; a < 3; ++a) {
      const Axis& axis = problem_.axes[a];
      taps[a] = {0, axis.dilation(), axis.kernel(), 0, axis.kernel()};
      count *= axis.kernel();
    }
    if (count > static_cast<Index>(tap_offset_.size())) return;
    for (std::size_t number = 0; number < static_cast<std::size_t>(count); ++number) {
      const std::array<Index, 3> tap = tap_numbers(static_cast<I>(number), taps);
      tap_offset_[number] = 0;
      for (std::size_t a = 0; a < 3; ++a) tap_offset_[number] += taps[a].position(tap[a]) * plane_stride_[a];
    }
    known_taps_ = static_cast<std::size_t>(count);
  }

  const Problem& problem_;
  std::array<Index, 3> plane_stride_;
  std::array<Index, 255> tap_offset_{};
  std::size_t known_taps_ = 0;
};

/// "(0, 1, 2, 3)": the coordinates of the element that is number `offset` in a
/// tensor's memory.
template <std::size_t R>
std::string coordinates(Index offset, const std::array<Index, R>& shape, bool row_major) {
  std::array<Index, R> at{};
  for (std::size_t i = 0; i < R; ++i) {
    const std::size_t a = row_major ? R - 1 - i : i;
    at[a] = offset % shape[a];
    offset /= shape[a];
  }
  std::string text = "(";
  for (std::size_t a = 0; a < R; ++a) text += (a > 0 ? ", " : "") + std::to_string(at[a]);
  return text + ")";
}

template <class I, std::size_t R>
[[noreturn]] void fail_index(const Function& function, const Problem& problem, const IndexReader<I>& reader,
                             Index offset, I index, const WindowTaps& taps, const std::array<Index, R>& shape,
                             bool row_major) {
  const std::string text =
      function.name() + ": indices" + coordinates(offset, shape, row_major) + " is " + std::to_string(index) + ", ";
  if (reader.fault(index, taps) == IndexReader<I>::Fault::padding) fail(text + "a tap outside the input");
  if constexpr (FlatIndex<I>)
    fail(text + "must be -1 or below the plane's " + std::to_string(problem.plane()) + " cells");
  else
    fail(text + "must be " + std::to_string(std::numeric_limits<I>::max()) + " or below the window's " +
         std::to_string(taps[0].count * taps[1].count * taps[2].count) + " taps");
}

/// Checks every index of a tensor of `shape`, the result's.
template <class I, std::size_t R>
void require_indices(const Function& function, const Problem& problem, const I* indices,
                     const std::array<Index, R>& shape, bool row_major) {
  if (problem.cells() == 0 || problem.inner == 0) return;
  const IndexReader<I> reader(problem);
  const Index row = FlatIndex<I> ? problem.cells() : problem.axes[2].result();  // cells that are checked together
  Cell cell = Cell::number(problem, 0);
  WindowTaps taps{};
  for (Index i = 0; i < problem.cells(); cell.next_row(problem)) {
    if constexpr (CompactIndex<I>) taps = window_taps(problem, cell);
    for (const Index end = i + row; i < end; ++i) {
      if constexpr (CompactIndex<I>) taps[2] = problem.axes[2].taps(i - (end - row));
      bool faulty = false;
      for (Index at = i * problem.inner; at < (i + 1) * problem.inner; ++at)
        faulty |= reader.fault(indices[at], taps) != IndexReader<I>::Fault::none;
      if (!faulty) continue;
      for (Index at = i * problem.inner;; ++at)
        if (reader.fault(indices[at], taps) != IndexReader<I>::Fault::none)
          fail_index(function, problem, reader, at, indices[at], taps, shape, row_major);
    }
  }
}

/// dx = 0, then dx[index] += dy for every output, in logical row-major order
/// within each plane, whatever the storage order, so that the sums have the
/// same bits. Small floats are summed in float.
template <class S, class I>
class Scatter {
 public:
  Scatter(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem), dy_(dy), indices_(indices), dx_(dx), reader_(problem) {
    constexpr Index strip = 64;
    strips_ = ceil_div(problem.inner, strip);
    strip_ = strip;
  }

  Index tasks() const { return problem_.outer * strips_; }

  void run(Index begin, Index end) const {
    for (Index i = begin; i < end; ++i) {
      const Index offset = i % strips_ * strip_;
      strip_planes(i / strips_, offset, std::min(strip_, problem_.inner - offset));
    }
  }

 private:
  using Lane = Compared<S>;

  void strip_planes(Index outer, Index offset, Index length) const {
    S* dx = dx_ + outer * problem_.plane() * problem_.inner + offset;
    if constexpr (std::is_same_v<S, Lane>) {
      const bool whole = length == problem_.inner;
      const Index runs = whole ? 1 : problem_.plane(), run = whole ? problem_.plane() * length : length;
      for (Index r = 0; r < runs; ++r) std::fill_n(dx + r * problem_.inner, run, S(0));
      add_planes(outer, offset, length, dx, problem_.inner);
    } else {
      std::vector<Lane> sums(static_cast<std::size_t>(problem_.plane() * length), Lane(0));
      add_planes(outer, offset, length, sums.data(), length);
      for (Index p = 0; p < problem_.plane(); ++p)
        for (Index c = 0; c < length; ++c)
          dx[p * problem_.inner + c] = static_cast<S>(sums[static_cast<std::size_t>(p * length + c)]);
    }
  }

  // Adds to sums[position * pitch + c], for c below `length`.
  template <class T>
  void add_planes(Index outer, Index offset, Index length, T* sums, Index pitch) const {
    const auto [a0, a1, a2] = logical_axes(problem_);
    const std::array<Index, 3> strides = problem_.result_strides();
    WindowTaps taps{};
    for (Index i0 = 0; i0 < problem_.axes[a0].result(); ++i0) {
      if constexpr (CompactIndex<I>) taps[a0] = problem_.axes[a0].taps(i0);
      for (Index i1 = 0; i1 < problem_.axes[a1].result(); ++i1) {
        if constexpr (CompactIndex<I>) taps[a1] = problem_.axes[a1].taps(i1);
        Index at = outer * problem_.result_plane() * problem_.inner + i0 * strides[a0] + i1 * strides[a1] + offset;
        for (Index i2 = 0; i2 < problem_.axes[a2].result(); ++i2, at += strides[a2]) {
          if constexpr (CompactIndex<I>) taps[a2] = problem_.axes[a2].taps(i2);
          for (Index c = 0; c < length; ++c) add(indices_[at + c], dy_[at + c], taps, sums + c, pitch);
        }
      }
    }
  }

  template <class T>
  void add(I index, const S& gradient, const WindowTaps& taps, T* sums, Index pitch) const {
    if (IndexReader<I>::is_absent(index)) return;
    T& sum = sums[reader_.offset(index, taps) * pitch];
    sum = static_cast<T>(sum + static_cast<T>(gradient));
  }

  const Problem& problem_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  IndexReader<I> reader_;
  Index strip_, strips_;
};

template <class S, class I, class P>
void scatter(const Problem& problem, const S* dy, const I* indices, S* dx, const P& parallel) {
  if (problem.outer == 0 || problem.inner == 0) return;
  const Scatter<S, I> kernel(problem, dy, indices, dx);
  const double bytes = static_cast<double>(problem.plane()) * static_cast<double>(problem.inner) * sizeof(S);
  parallel(kernel.tasks(), bytes, [&](Index begin, Index end) { kernel.run(begin, end); });
}

}  // namespace detail
EIGENPOOL_END
