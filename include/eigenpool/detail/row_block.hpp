// What a kernel along rows reduces at a time.
#pragma once

#include "row_sizes.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// `rows` rows of each of `planes` planes: from number `first` of a block on, whose cell this is, and the same of the
/// planes behind.
struct RowGroup {
  Cell cell;
  Index first, rows, planes;
};

/// Outputs [begin, begin + outputs) of `rows` rows from that of `cell` on, and
/// the columns they need.
struct RowBlock {
  Index begin, outputs, rows = 0;
  Columns columns{};
  Cell cell{};

  template <class R>
  RowBlock(const Problem& problem, const RowSizes<R>& sizes, Index o, Index offset)
      : begin(o), outputs(std::min(sizes.chunk(), problem.axes[2].result() - o)) {
    const Axis& axis = problem.axes[2];
    const Span span = axis.span(o, o + outputs);
    columns.first = sizes.plan().wraps ? 0 : span.begin;
    columns.count = sizes.is_chunked() ? span.end - span.begin : sizes.plan().reach;
    columns.real_begin = std::clamp(-columns.first, Index{0}, columns.count);
    columns.real_end = std::clamp(std::min(axis.source(), span.end) - columns.first, columns.real_begin, columns.count);
    columns.offset = offset;
    columns.unit = std::min(sizes.unit(), problem.inner - offset);
  }
  /// Elements of all columns.
  Index length() const { return columns.count * columns.unit; }

  /// Calls f(group) for the rows, in groups of neighbours of which alike(cell) says how many there are from a cell on.
  /// The same rows of whole planes are one group where planes may be taken `together`.
  template <class Alike, class F>
  void for_groups(const Problem& problem, bool together, const Alike& alike, const F& f) const {
    const Index plane = problem.axes[1].result();
    RowGroup group{cell, 0, 0, 1};
    for (Index r = 0, end; r < rows; r = end) {
      const bool whole = together && group.cell.at[1] == 0 && problem.axes[0].result() == 1;
      group.planes = whole ? std::max((rows - r) / plane, Index{1}) : 1;
      end = std::min(r + plane - group.cell.at[1], rows);
      for (group.first = r; group.first < end; group.first += group.rows) {
        group.rows = alike(group.cell);
        if (group.rows >= rows - group.first) {  // of all planes
          group.rows = rows - group.first, group.planes = 1;
          return f(group);
        }
        group.rows = std::min(group.rows, end - group.first);
        f(group);
        group.cell.at[1] += group.rows;
      }
      end += (group.planes - 1) * plane;
      group.cell.next_plane(problem, group.planes);
    }
  }
};

}  // namespace detail
EIGENPOOL_END
