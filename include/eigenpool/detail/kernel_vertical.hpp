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

/// `count` buffered rows, `pitch` elements apart, and what they are made of.
template <class Row>
struct RowRun {
  Index count, stride;  // of the source's rows; a single one may have any stride
  Index number;         // what the first row of the source counts for
  Index number_step;    // and by how much more each that follows
  Row to;
  Index pitch;
};

template <class R, class S>
class Vertical {
 public:
  using Row = typename R::Row;

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
    const WindowTaps window{
        taps[0], taps[1],
        Taps{columns.first, 1, columns.count, columns.real_begin, std::min(columns.real_begin + 1, columns.real_end)}};
    TapLoops loops = tap_loops<R>(problem_, window, numbering_);
    if (R::numbered) loops.first_number = numbering_.base(0, taps[0], taps[0].real_begin) + rows.number;
    const Index unit = columns.unit, before = columns.real_begin * unit, all = columns.count * unit;
    if (loops.empty() || columns.real_begin == columns.real_end)
      return fill_rows<R, B>(rows.to, all, rows.count, rows.pitch);
    const Index real = columns.real_end - columns.real_begin, length = real * unit;
    const Index step = rows.count > 1 ? rows.stride * problem_.axes[2].source() * problem_.inner : 0;
    Runs runs{rows.count, length, source_ + first_tap(problem_, outer, window) + columns.offset,
              step,       0,      rows.to.from(before),
              rows.pitch, 0,      R::numbered ? column_numbers.from(before) : column_numbers};
    if (R::numbered) runs.number_step = rows.number_step;
    // Whole vectors of padding are written first, and over them the columns, if those fill whole vectors themselves.
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    const bool whole_vectors = (unit < problem_.inner ? unit : length) * single >= B;
    if (whole_vectors) fill_padding<B>(columns, rows);
    if (unit < problem_.inner) {  // a part of each column: they are no run of memory
      for (Index r = 0; r < rows.count; ++r, loops.first_number += rows.number_step)
        reduce_runs<B>({real, unit, runs.from + r * step, problem_.inner, 0, runs.to.from(r * rows.pitch), unit, unit,
                        runs.column_numbers},
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
    if (before > 0) fill_rows<R, B>(rows.to, before, rows.count, rows.pitch);
    if (end < columns.count * columns.unit)
      fill_rows<R, B>(rows.to.from(end), columns.count * columns.unit - end, rows.count, rows.pitch);
  }

  // Runs of memory that the taps of one window are the same for, but for their place.
  struct Runs {
    Index count, length;
    const S* from;
    Index step;  // of the source, from run to run
    Index number_step;
    Row to;
    Index pitch, column_pitch;
    Row column_numbers;
  };

  template <int B>
  void reduce_runs(const Runs& runs, const TapLoops& loops) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const Index whole =
        runs.length >= lanes ? runs.count : readable(runs, end_ - runs.from - loops.last_offset() - lanes);
    with_tap_way<R, false>(loops, [&](auto way) {
      constexpr TapWay chosen = way.value;
      simd::apart<B>([=]() EIGENPOOL_LAMBDA {
        TapLoops taps = loops;
        for (Index r = 0; r < whole; ++r, taps.first_number += R::numbered ? runs.number_step : 0)
          reduce_taps<R, B, chosen>(runs.from + r * runs.step, std::max(runs.length, lanes), taps,
                                    [&](Index i, auto& acc) EIGENPOOL_LAMBDA {
                                      if constexpr (R::numbered)
                                        R::renumber(acc, runs.column_numbers.numbers + r * runs.column_pitch + i);
                                      runs.to.template store<B>(r * runs.pitch + i, acc);
                                    });
      });
    });
    for (Index r = whole; r < runs.count; ++r) reduce_elements(runs, r, loops);
  }

  // How many runs begin in `room` elements from the first on; whole vectors may be read from there.
  static Index readable(const Runs& runs, Index room) {
    if (room < 0) return 0;
    return runs.step == 0 ? runs.count : std::min(runs.count, room / runs.step + 1);
  }

  // At the end of the source, where no whole vector may be read.
  static void reduce_elements(const Runs& runs, Index r, TapLoops loops) {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    loops.first_number += r * runs.number_step;
    for (Index i = 0; i < runs.length; ++i) {
      auto acc = reduce_element<R>(runs.from + r * runs.step + i, loops);
      if constexpr (R::numbered) acc.number.raw[0] += runs.column_numbers.numbers[r * runs.column_pitch + i];
      runs.to.template store<single>(r * runs.pitch + i, acc);
    }
  }

  const Problem& problem_;
  const S *source_, *end_;
  Numbering numbering_;
};

}  // namespace detail
EIGENPOOL_END
