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
    TapLoops loops = tap_loops<R>(problem_, window, numbering_).compacted();
    if (R::numbered) loops.first_number = numbering_.base(0, taps[0], taps[0].real_begin) + rows.number;
    const Index unit = columns.unit, before = columns.real_begin * unit, all = columns.count * unit;
    if (loops.empty() || columns.real_begin == columns.real_end) {
      for (Index r = 0; r < rows.count; ++r) fill_row<R, B>(rows.to.from(r * rows.pitch), all);
      return;
    }
    const S* p = source_ + first_tap(problem_, outer, window) + columns.offset;
    Index count = rows.count;
    const Index step = count > 1 ? rows.stride * problem_.axes[2].source() * problem_.inner : 0;
    // Neighbouring columns are one run of memory, unless a part of each is left out.
    const Index length = (columns.real_end - columns.real_begin) * unit;
    const bool is_run = unit == problem_.inner;
    const Index runs = is_run ? 1 : columns.real_end - columns.real_begin;
    Index run = is_run ? length : unit;
    if (length == all && rows.pitch == all && step == all && is_run && (wrap || !R::numbered)) run *= count, count = 1;
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const S* const last = run >= lanes ? end_ : end_ - loops.last_offset() - lanes;  // whole vectors may start here
    with_tap_way<R, false>(loops, [&](auto way) {
      constexpr TapWay chosen = way.value;
      simd::apart<B>([=, inner = problem_.inner]() EIGENPOOL_LAMBDA {
        TapLoops taps_now = loops;
        for (Index r = 0; r < count; ++r, taps_now.first_number += rows.number_step) {
          const Row row = rows.to.from(r * rows.pitch);
          fill_vectors<R, B>(row, before);  // what this writes beyond its part is written again
          for (Index c = 0, i = before; c < runs; ++c, i += run) {
            const S* q = p + r * step + c * inner;
            if (q <= last)
              reduce_taps<R, B, chosen>(q, std::max(run, lanes), taps_now, [&](Index k, auto& acc) EIGENPOOL_LAMBDA {
                if constexpr (R::numbered) R::renumber(acc, column_numbers.numbers + i + k);
                row.template store<B>(i + k, acc);
              });
            else
              reduce_elements(q, run, taps_now, row.from(i), column_numbers, i);
          }
          fill_vectors<R, B>(row.from(before + length), all - before - length);
        }
      });
    });
  }

 private:
  // At the end of the source, where no whole vector may be read.
  static void reduce_elements(const S* p, Index length, const TapLoops& loops, const Row& to, const Row& column_numbers,
                              Index before) {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    for (Index i = 0; i < length; ++i) {
      auto acc = reduce_element<R>(p + i, loops);
      if constexpr (R::numbered) acc.number.raw[0] += column_numbers.numbers[before + i];
      to.template store<single>(i, acc);
    }
  }

  const Problem& problem_;
  const S *source_, *end_;
  Numbering numbering_;
};

}  // namespace detail
EIGENPOOL_END
