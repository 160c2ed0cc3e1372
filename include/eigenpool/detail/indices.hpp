// Indices of maxima that a caller hands back: what they mean, and whether they
// mean anything.
#pragma once

#include <bitset>

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

  /// The taps of a window that lie in the source, by their numbers, and one for "absent".
  using TapSet = std::bitset<256>;
  static std::size_t number_in_set(I index) { return static_cast<std::uint8_t>(index); }
  /// Those of windows over position i of memory axis a, as far as that axis can tell; where it looks up. Numbers that
  /// are no tap's may be in it.
  TapSet taps_in_source(std::size_t a, Index i) const {
    const Taps taps = problem_.axes[a].taps(i);
    TapSet set;
    if (taps.is_whole()) return set.set();
    for (std::size_t number = 0; number < known_taps_; ++number)
      set[number] = tap_numbers_[number][a] >= taps.real_begin && tap_numbers_[number][a] < taps.real_end;
    return set.set(number_in_set(std::numeric_limits<I>::max()));
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
    if (problem_.max_taps() > static_cast<Wide>(tap_offset_.size())) return;
    const auto [a0, a1, a2] = logical_axes(problem_);
    std::array<Index, 3> tap{};
    for (tap[a0] = 0; tap[a0] < problem_.axes[a0].kernel(); ++tap[a0])
      for (tap[a1] = 0; tap[a1] < problem_.axes[a1].kernel(); ++tap[a1])
        for (tap[a2] = 0; tap[a2] < problem_.axes[a2].kernel(); ++tap[a2], ++known_taps_) {
          tap_numbers_[known_taps_] = tap;
          tap_offset_[known_taps_] = 0;
          for (std::size_t a = 0; a < 3; ++a)
            tap_offset_[known_taps_] += tap[a] * problem_.axes[a].dilation() * plane_stride_[a];
        }
  }

  const Problem& problem_;
  std::array<Index, 3> plane_stride_;
  std::array<Index, 255> tap_offset_;  // of the first known_taps_
  std::array<std::array<Index, 3>, 255> tap_numbers_;
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

/// Looks through `count` indices, for simd::dispatch: added to 1, as numbers without a sign, absent ones are 0, and all
/// that mean something are at most `end`.
template <class I>
struct IndexScan {
  const I* indices;
  Index count;
  std::uint64_t end;
  bool* beyond;

  using Number = std::make_unsigned_t<I>;
  // What vectors have a maximum of: long numbers have one of their upper halves, and one of their lower.
  using Word = std::conditional_t<sizeof(I) == 8, std::uint32_t, Number>;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    constexpr std::size_t width = 4;
    constexpr Index lanes = simd::Vec<Number, B>::lanes, together = static_cast<Index>(width) * lanes;
    const auto* const numbers = reinterpret_cast<const Number*>(indices);
    std::array<simd::Vec<Word, B>, width> largest;
    simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { largest[u] = simd::broadcast<Word, B>(0); });
    const auto take = [&](Index i, std::size_t u) EIGENPOOL_LAMBDA {
      const auto next = simd::add(simd::load<Number, B>(numbers + i), simd::broadcast<Number, B>(1));
      largest[u] = simd::larger(simd::bits_as<Word>(next), largest[u]);
    };
    Index i = 0;
    for (; i + together <= count; i += together)
      simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { take(i + static_cast<Index>(u) * lanes, u); });
    for (; i + lanes <= count; i += lanes) take(i, 0);
    const auto all = simd::larger(simd::larger(largest[0], largest[1]), simd::larger(largest[2], largest[3]));
    std::array<Number, static_cast<std::size_t>(lanes)> each;
    simd::store(each.data(), simd::bits_as<Number>(all));
    bool found = false;
    for (const Number number : each) found |= number > end;
    for (; i < count; ++i) found |= static_cast<Number>(numbers[i] + Number(1)) > end;
    *beyond = found;
  }
};

/// Whether any of `count` indices is neither absent nor below `end`; with an `end` beyond 32 bits, whether that may be.
template <class I>
bool any_beyond(const I* indices, Index count, Index end) {
  bool beyond = false;
  simd::dispatch(IndexScan<I>{indices, count, static_cast<std::uint64_t>(end), &beyond});
  return beyond;
}

/// Whether compact indices, each of them absent or a tap's number, all name taps in the source: only those of windows
/// at an edge may not. Planes are alike, so each cell's taps are found once for all of them.
template <class I>
bool all_in_source(const Problem& problem, const IndexReader<I>& reader, const I* indices) {
  using TapSet = typename IndexReader<I>::TapSet;
  const Axis &n0 = problem.axes[0], &n1 = problem.axes[1], &n2 = problem.axes[2];
  const Index slice = problem.result_plane() * problem.inner, row = n2.result() * problem.inner;
  std::uint64_t all = 1;  // in the last bit
  const auto check_each = [&, outer = problem.outer, inner = problem.inner](Index cell, Index cells, Index rows,
                                                                            const auto& holds) {
    std::uint64_t held = 1;
    for (Index o = 0; o < outer; ++o)
      for (Index r = 0; r < rows; ++r) {
        const I* const first = indices + o * slice + r * row + cell * inner;
        for (Index i = 0; i < cells * inner; ++i) held &= holds(first[i]);
      }
    all &= held;
  };
  // `cells` of each of `rows` rows from number `cell` of each plane on
  const auto check = [&, is_word = problem.max_taps() < 64](const TapSet& set, Index cell, Index cells, Index rows) {
    if (!is_word)
      return check_each(cell, cells, rows, [&](I i) -> std::uint64_t { return set[IndexReader<I>::number_in_set(i)]; });
    const std::uint64_t word = (set & TapSet(~0ULL >> 1)).to_ullong() | 1ULL << 63;  // the last is "absent" here, too
    check_each(cell, cells, rows, [word](I i) { return word >> (i % 64); });
  };
  // Rows that are alike together: f(first cell, rows, taps)
  const Span whole_rows = n1.whole();
  const auto for_rows = [&](const auto& f) {
    for (Index i0 = 0; i0 < n0.result(); ++i0) {
      const TapSet slower = reader.taps_in_source(0, i0);
      const Index plane = i0 * n1.result();
      n1.for_ends([&](Index i1) { f((plane + i1) * n2.result(), 1, slower & reader.taps_in_source(1, i1)); });
      f((plane + whole_rows.begin) * n2.result(), whole_rows.end - whole_rows.begin, slower);
    }
  };
  n2.for_ends([&](Index o) {
    const TapSet column = reader.taps_in_source(2, o);
    for_rows([&](Index first, Index rows, const TapSet& taps) { check(taps & column, first + o, 1, rows); });
  });
  const Span whole = n2.whole();
  for_rows([&](Index first, Index rows, const TapSet& taps) {
    if (!taps.all()) check(taps, first + whole.begin, whole.end - whole.begin, rows);
  });
  return all % 2 != 0;
}

/// Checks every index of a tensor of `shape`, the result's.
template <class I, std::size_t R>
void require_indices(const Function& function, const Problem& problem, const I* indices,
                     const std::array<Index, R>& shape, bool row_major) {
  const Index count = problem.cells() * problem.inner;
  if (count == 0) return;
  const IndexReader<I> reader(problem);
  if constexpr (FlatIndex<I>) {
    if (!any_beyond(indices, count, problem.plane())) return;
  } else if (reader.looks_up()) {
    const bool in_windows = !any_beyond(indices, count, static_cast<Index>(problem.max_taps()));
    if (in_windows && all_in_source(problem, reader, indices)) return;
  }
  Cell cell = Cell::number(problem, 0);
  for (Index at = 0; at < count; cell.next(problem)) {
    const WindowTaps taps = window_taps(problem, cell);
    for (const Index end = at + problem.inner; at < end; ++at)
      if (reader.fault(indices[at], taps) != IndexReader<I>::Fault::none)
        fail_index(function, problem, reader, at, indices[at], taps, shape, row_major);
  }
}

}  // namespace detail
EIGENPOOL_END
