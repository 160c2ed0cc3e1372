// Indices of maxima that a caller hands back: what they mean, and whether they
// mean anything.
#pragma once

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

  /// Whether an index is a plane offset, or that of its tap from the start of its window, in a table.
  bool looks_up() const { return FlatIndex<I> ? !problem_.reversed : known_taps_ > 0; }
  /// Then a faultless index that is not absent is at plane offset start + look_up()(index), in memory order.
  auto look_up() const {
    return [table = tap_offset_.data()](I index) EIGENPOOL_LAMBDA {
      if constexpr (FlatIndex<I>)
        return static_cast<Index>(index);
      else
        return table[index];
    };
  }
  /// What position i on memory axis a adds to the start, and the position after it once more.
  Index start(std::size_t a, Index i) const {
    return FlatIndex<I> ? 0 : (i * problem_.axes[a].stride() - problem_.axes[a].padding()) * plane_stride_[a];
  }
  Index start_step(std::size_t a) const {
    return FlatIndex<I> || problem_.axes[a].result() < 2 ? 0 : problem_.axes[a].stride() * plane_stride_[a];
  }

  /// Whether `count` indices from `p` on, of the window over `cell`, are absent or name taps in the source, found
  /// without division where it looks up.
  bool surely_faultless(const I* p, Index count, const Cell& cell) const {
    if (FlatIndex<I> || !looks_up()) return false;
    std::array<Index, 3> first{}, source{};
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] = cell.at[a] * problem_.axes[a].stride() - problem_.axes[a].padding();
      source[a] = problem_.axes[a].source();
    }
    bool all = true;
    for (Index i = 0; i < count; ++i) {
      if (is_absent(p[i])) continue;
      const auto number = static_cast<std::size_t>(p[i]);
      if (number >= known_taps_) return false;
      for (std::size_t a = 0; a < 3; ++a) {
        const Index position = first[a] + tap_position_[number][a];
        all &= position >= 0 && position < source[a];
      }
    }
    return all;
  }

  /// The same offset of any index.
  Index offset(I index, const WindowTaps& taps) const {
    if constexpr (FlatIndex<I>) {
      return problem_.reversed ? memory_offset(index) : static_cast<Index>(index);
    } else {
      const bool known = static_cast<std::size_t>(index) < known_taps_;
      const std::array<Index, 3> tap = known ? std::array<Index, 3>{} : tap_numbers(index, taps);
      Index offset = known ? tap_offset_[index] : 0;
      for (std::size_t a = 0; a < 3; ++a) offset += taps[a].position(tap[a]) * plane_stride_[a];
      return offset;
    }
  }

 private:
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
      for (std::size_t a = 0; a < 3; ++a) {
        tap_position_[number][a] = taps[a].position(tap[a]);
        tap_offset_[number] += tap_position_[number][a] * plane_stride_[a];
      }
    }
    known_taps_ = static_cast<std::size_t>(count);
  }

  const Problem& problem_;
  std::array<Index, 3> plane_stride_;
  std::array<Index, 255> tap_offset_;  // of the first known_taps_
  std::array<std::array<Index, 3>, 255> tap_position_;
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

/// Looks through `count` indices, for simd::dispatch.
template <class I>
struct IndexScan {
  const I* indices;
  Index count, end;
  bool* beyond;  // whether any is neither absent nor in [0, end)

  template <int B>
  EIGENPOOL_INLINE void run() const {
    constexpr Index lanes = simd::Vec<I, B>::lanes;
    constexpr I none = static_cast<I>(-1);
    const auto last = simd::broadcast<I, B>(static_cast<I>(end - 1)), missing = simd::broadcast<I, B>(none);
    auto high = simd::greater(missing, missing), low = high;
    Index i = 0;
    for (; i + lanes <= count; i += lanes) {
      const auto index = simd::load<I, B>(indices + i);
      const auto above = simd::greater(index, last);
      if constexpr (FlatIndex<I>) {
        high = simd::either(high, above);
        low = simd::either(low, simd::greater(missing, index));
      } else {
        high = simd::either(high, simd::both(above, simd::greater(missing, index)));
      }
    }
    bool found = simd::any(simd::either(high, low));
    for (; i < count; ++i) found |= indices[i] != none && (indices[i] < 0 || indices[i] > static_cast<I>(end - 1));
    *beyond = found;
  }
};

/// Whether any of `count` indices is neither absent nor below `end`.
template <class I>
bool any_beyond(const I* indices, Index count, Index end) {
  bool beyond = false;
  simd::dispatch(IndexScan<I>{indices, count, end, &beyond});
  return beyond;
}

/// Checks every index of a tensor of `shape`, the result's.
template <class I, std::size_t R>
void require_indices(const Function& function, const Problem& problem, const I* indices,
                     const std::array<Index, R>& shape, bool row_major) {
  if (problem.cells() == 0 || problem.inner == 0) return;
  const IndexReader<I> reader(problem);
  const auto find_fault = [&](Index begin, Index end, const WindowTaps& taps) {
    for (Index at = begin; at < end; ++at)
      if (reader.fault(indices[at], taps) != IndexReader<I>::Fault::none)
        fail_index(function, problem, reader, at, indices[at], taps, shape, row_major);
  };
  if constexpr (FlatIndex<I>) {
    const Index count = problem.cells() * problem.inner;
    if (any_beyond(indices, count, problem.plane())) find_fault(0, count, {});
  } else {
    const Index taps = static_cast<Index>(problem.max_taps()), all = problem.cells() * problem.inner;
    const bool check_all = !problem.is_affine() || any_beyond(indices, all, taps);  // else only windows at an edge
    const Span inner0 = problem.axes[0].whole(), inner1 = problem.axes[1].whole();
    const Index row = problem.axes[2].result();
    const auto check = [&](Index number, const Cell& cell) {
      const Index begin = number * problem.inner;
      if (!reader.surely_faultless(indices + begin, problem.inner, cell))
        find_fault(begin, begin + problem.inner, window_taps(problem, cell));
    };
    Cell cell = Cell::number(problem, 0);
    for (Index i = 0; i < problem.cells(); i += row, cell.next_row(problem)) {
      Cell at = cell;
      const auto check_at = [&](Index o) { at.at[2] = o, check(i + o, at); };
      if (check_all || !inner0.holds(cell.at[0]) || !inner1.holds(cell.at[1]))
        for (Index o = 0; o < row; ++o) check_at(o);
      else
        problem.axes[2].for_ends(check_at);
    }
  }
}

}  // namespace detail
EIGENPOOL_END
