// Reduces rows of the source vertically, into buffered rows of accumulators.
#pragma once

#include "row_loops.hpp"
#include "reduce_taps.hpp"
#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Neighbouring columns, of which [real_begin, real_end) lie in the source, and
/// the inner elements of each: `unit` from `offset` on.
struct Columns {
  Index first, count, real_begin, real_end;
  Index offset, unit;
};

/// `count` buffered rows, `pitch` elements apart, and what they are made of; and the same of the planes behind, if a
/// row's columns in the source fill a vector.
template <class Row>
struct RowRun {
  Index count, stride;  // of the source's rows; a single one may have any stride
  Index number;         // what the first row of the source counts for
  Index number_step;    // and by how much more each that follows
  Row to;
  Index pitch;
  Index planes = 1, plane_pitch = 0;
  bool is_mixed = false;  // rows between them are made already: nothing is written beyond the end of a row
};

template <class R, class S>
class Vertical {
 public:
  using Row = typename R::Row;
  using Fold = FoldOf<R>;

  Vertical(const Problem& problem, const S* source, const Numbering& numbering)
      : problem_(problem),
        source_(source),
        end_(source + problem.outer * problem.plane() * problem.inner),
        numbering_(numbering) {}

  /// The columns of rows below each other, over the taps of the slower axes; the
  /// identity where there is padding. `column_numbers` is what each column adds
  /// to a tap's number: for all rows of a run, where they `wrap`.
  template <int B>
  void reduce(const Columns& columns, Index outer, const std::array<Taps, 2>& taps, const RowRun<Row>& rows,
              Row column_numbers, bool wrap) const {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    const WindowTaps window{
        taps[0], taps[1],
        Taps{columns.first, 1, columns.count, columns.real_begin, std::min(columns.real_begin + 1, columns.real_end)}};
    TapLoops loops = tap_loops<R>(problem_, window, numbering_);
    if (R::numbered) loops.first_number = numbering_.base(0, taps[0], taps[0].real_begin) + rows.number;
    const Index unit = columns.unit, before = columns.real_begin * unit, all = columns.count * unit;
    if (loops.empty() || columns.real_begin == columns.real_end)
      return rows.is_mixed ? fill<single>(rows, 0, all) : fill<B>(rows, 0, all);
    const Index real = columns.real_end - columns.real_begin, length = real * unit;
    const Index step = rows.count > 1 ? rows.stride * problem_.axes[2].source() * problem_.inner : 0;
    Runs runs{.count = rows.count,
              .length = length,
              .from = source_ + first_tap(problem_, outer, window) + columns.offset,
              .step = step,
              .number_step = R::numbered ? rows.number_step : 0,
              .to = rows.to.from(before),
              .pitch = rows.pitch,
              .column_numbers = R::numbered ? column_numbers.from(before) : column_numbers,
              .planes = rows.planes,
              .plane_step = problem_.plane() * problem_.inner,
              .plane_pitch = rows.plane_pitch};
    // Whole vectors of padding are written first, and over them the columns, if those fill whole vectors themselves.
    const bool whole_vectors = (unit < problem_.inner ? unit : length) * single >= B && !rows.is_mixed;
    if (whole_vectors) fill_padding<B>(columns, rows);
    if (unit < problem_.inner) {  // a part of each column: they are no run of memory
      for (Index r = 0; r < rows.count; ++r, loops.first_number += rows.number_step)
        reduce_runs<B>({.count = real,
                        .length = unit,
                        .from = runs.from + r * step,
                        .step = problem_.inner,
                        .to = runs.to.from(r * rows.pitch),
                        .pitch = unit,
                        .column_pitch = unit,
                        .column_numbers = runs.column_numbers},
                       loops);
    } else {
      if (length == all && rows.pitch == all && step == all && (wrap || !R::numbered))
        runs.length *= runs.count, runs.count = 1;
      reduce_runs<B>(runs, loops);
    }
    if (!whole_vectors) fill_padding<single>(columns, rows);
  }

 private:
  template <int B>
  static void fill_padding(const Columns& columns, const RowRun<Row>& rows) {
    const Index before = columns.real_begin * columns.unit, end = columns.real_end * columns.unit;
    if (before > 0) fill<B>(rows, 0, before);
    if (end < columns.count * columns.unit) fill<B>(rows, end, columns.count * columns.unit);
  }

  // Elements [begin, end) of rows, and what whole vectors reach beyond, if that is not of the next plane.
  template <int B>
  static void fill(const RowRun<Row>& rows, Index begin, Index end) {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    const Index count = rows.planes > 1 ? rows.count - 1 : rows.count;
    for (Index plane = 0; plane < rows.planes; ++plane) {
      const Row to = rows.to.from(plane * rows.plane_pitch + begin);
      fill_rows<R, B>(to, end - begin, count, rows.pitch);
      if (count < rows.count) fill_row<R, single>(to.from(count * rows.pitch), end - begin);
    }
  }

  // Runs of memory that the taps of one window are the same for, but for their place: `count` in each plane.
  struct Runs {
    Index count, length;
    const S* from;
    Index step;  // of the source, from run to run
    Index number_step = 0;
    Row to;
    Index pitch, column_pitch = 0;
    Row column_numbers;
    Index planes = 1, plane_step = 0, plane_pitch = 0;

    Index all() const { return planes * count; }
    Index offset(Index plane, Index r) const { return plane * plane_step + r * step; }
  };

  template <int B>
  void reduce_runs(const Runs& runs, const TapLoops& loops) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const Index whole =
        runs.length >= lanes ? runs.all() : readable(runs, end_ - runs.from - loops.last_offset() - lanes);
    const bool is_far = loops.single_run() > few_rows && loops.last_offset() * Index{sizeof(S)} > near;
    if (!R::ordered_sum && is_far && runs.length >= lanes)
      reduce_few_rows<B>(runs, loops, whole);
    else
      with_tap_way<R>(loops, [&](auto way) { reduce_whole<B, way.value, false>(runs, loops, whole); });
    for (Index r = whole; r < runs.all(); ++r) reduce_elements(runs, r / runs.count, r % runs.count, loops);
  }

  // In any order, the rows of a window that reaches further than the near caches are read a few at a time: all of them,
  // a few columns at a time, would take each other's place. Runs are whole vectors: nothing that follows one is merged
  // with what is not its own.
  static constexpr Index few_rows = 8, near = 512 * 1024;  // bytes
  template <int B>
  void reduce_few_rows(Runs runs, TapLoops loops, Index whole) const {
    TapLoops::Loop& rows = loops.loop[2];
    const S* const first = runs.from;
    const Index count = rows.count, number = loops.first_number;
    for (Index row = 0; row < count; row += few_rows) {
      rows.count = std::min(few_rows, count - row);
      runs.from = first + row * rows.offset;
      loops.first_number = number + row * rows.weight;
      if (row == 0)
        reduce_whole<B, TapWay::few, false>(runs, loops, whole);
      else
        reduce_whole<B, TapWay::few, true>(runs, loops, whole);
    }
  }

  // The first `whole` runs, in whole vectors; `again`: with what was made of them before.
  template <int B, TapWay way, bool again>
  void reduce_whole(const Runs& runs, const TapLoops& loops, Index whole) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    simd::apart<B>([=]() EIGENPOOL_LAMBDA {
      for (Index plane = 0, done = 0; done < whole; ++plane, done += runs.count) {
        TapLoops taps = loops;
        const Row to = runs.to.from(plane * runs.plane_pitch);
        const Index count = std::min(runs.count, whole - done);
        for (Index r = 0; r < count; ++r, taps.first_number += R::numbered ? runs.number_step : 0)
          reduce_taps<Fold, B, way>(runs.from + runs.offset(plane, r), std::max(runs.length, lanes), taps,
                                    [&](Index i, auto& acc) EIGENPOOL_LAMBDA {
                                      if constexpr (R::numbered)
                                        Fold::renumber(acc, runs.column_numbers.numbers + r * runs.column_pitch + i);
                                      auto made = made_of<R, B>(acc);
                                      if constexpr (again)
                                        R::template merge<B>(made, to.template load<B>(r * runs.pitch + i));
                                      to.template store<B>(r * runs.pitch + i, made);
                                    });
      }
    });
  }

  // How many runs begin in `room` elements from the first on; whole vectors may be read from there.
  static Index readable(const Runs& runs, Index room) {
    Index whole = runs.all();
    while (whole > 0 && runs.offset((whole - 1) / runs.count, (whole - 1) % runs.count) > room) --whole;
    return whole;
  }

  // At the end of the source, where no whole vector may be read.
  static void reduce_elements(const Runs& runs, Index plane, Index r, TapLoops loops) {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    loops.first_number += r * runs.number_step;
    for (Index i = 0; i < runs.length; ++i) {
      auto acc = reduce_element<Fold>(runs.from + runs.offset(plane, r) + i, loops);
      if constexpr (R::numbered) acc.number.raw[0] += runs.column_numbers.numbers[r * runs.column_pitch + i];
      runs.to.template store<single>(plane * runs.plane_pitch + r * runs.pitch + i, made_of<R, single>(acc));
    }
  }

  const Problem& problem_;
  const S *source_, *end_;
  Numbering numbering_;
};

}  // namespace detail
EIGENPOOL_END
