// What becomes of rows of outputs that a buffer holds.
#pragma once

#include "output.hpp"
#include "row_sizes.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class Output>
class RowWriter {
 public:
  /// The table is the output's, filled for the block's columns.
  RowWriter(const Problem& problem, const RowSizes<R>& sizes, const Output& output, const typename R::Row& table)
      : problem_(problem), sizes_(sizes), output_(output), table_(table) {}

  /// The outputs of a block, from `cell` on; f(i) is the accumulator of those from position i of its buffer on. They go
  /// to place number `at`, in groups of rows that are written alike.
  template <int B, class F>
  void write(const RowBlock& block, Cell cell, Index at, const F& f) const {
    const Index row = problem_.axes[2].result() * problem_.inner;
    for (Index r = 0, rows; r < block.rows; r += rows) {
      rows = std::min(output_.rows_alike(cell, sizes_.uses_ring()), block.rows - r);
      const auto info = output_.template row_info<R>(cell, table_, sizes_.uses_ring());
      write_rows<B>(block, r, rows, at + r * row, info, f);
      cell.at[1] += rows - 1;
      cell.next_row(problem_);
    }
  }

 private:
  // `rows` rows from number `first` of the block on.
  template <int B, class F>
  void write_rows(const RowBlock& block, Index first, Index rows, Index at, const typename Output::Info& info,
                  const F& f) const {
    const Index unit = block.columns.unit, row = problem_.axes[2].result() * problem_.inner;
    const Index length = block.outputs * unit, pitch = sizes_.plan().pitch * unit;
    Runs runs{rows, length, first * pitch, pitch, at, row, 0};
    if (unit < problem_.inner) {  // a part of each column
      for (Index r = 0; r < rows; ++r)
        write_runs<B>({block.outputs, unit, (first + r) * pitch, unit, at + r * row, problem_.inner, unit}, info, f);
    } else {
      if (length == row && pitch == row && (sizes_.plan().wraps || !output_.needs_table()))
        runs.length *= rows, runs.count = 1;
      write_runs<B>(runs, info, f);
    }
  }

  // Neighbouring results in the buffer, and where they belong.
  struct Runs {
    Index count, length, from, pitch, at, step;
    Index table_pitch;
  };

  template <int B, class F>
  void write_runs(const Runs& runs, const typename Output::Info& info, const F& f) const {
    simd::apart<B>([=, writer = output_.writer()]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      const auto held = writer.template hold<R, B>(info);
      const auto write = [&](Index r, Index i, Index count) EIGENPOOL_LAMBDA {
        writer.template write<B>(runs.at + r * runs.step + i, f(runs.from + r * runs.pitch + i), count, held,
                                 r * runs.table_pitch + i);
      };
      if (runs.length >= lanes) {
        for (Index r = 0; r < runs.count; ++r)
          for_vectors<lanes>(runs.length, [&](Index i) EIGENPOOL_LAMBDA { write(r, i, lanes); });
      } else {  // what a vector writes beyond a run is written again, but for the last
        const bool is_dense = runs.step == runs.length;
        for (Index r = 0; r < runs.count; ++r)
          write(r, 0, is_dense && (runs.count - r) * runs.step >= lanes ? lanes : runs.length);
      }
    });
  }

  const Problem& problem_;
  const RowSizes<R>& sizes_;
  const Output& output_;
  const typename R::Row& table_;
};

}  // namespace detail
EIGENPOOL_END
