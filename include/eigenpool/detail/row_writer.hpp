// What becomes of rows of outputs that a buffer holds.
#pragma once

#include "output.hpp"
#include "row_block.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class Output>
class RowWriter {
 public:
  /// The table is the output's, filled for the block's columns.
  RowWriter(const Problem& problem, const RowSizes<R>& sizes, const Output& output, const typename R::Row& table)
      : problem_(problem), sizes_(sizes), output_(output), table_(table) {}

  /// The outputs of a block; f(i) is the accumulator of those from position i of its buffer on. They go to place
  /// number `at`, in groups of rows that are written alike.
  template <int B, class F>
  void write(const RowBlock& block, Index at, const F& f) const {
    const bool absolute = sizes_.slides();
    const auto alike = [&](const Cell& cell) { return output_.rows_alike(cell, absolute); };
    block.for_groups(problem_, true, alike, [&](const RowGroup& group) {
      write_rows<B>(block, group, at, output_.template row_info<R>(group.cell, table_, absolute), f);
    });
  }

 private:
  template <int B, class F>
  void write_rows(const RowBlock& block, const RowGroup& group, Index at, const typename Output::RowInfo& info,
                  const F& f) const {
    const Index unit = block.columns.unit, row = problem_.axes[2].result() * problem_.inner;
    const Index length = block.outputs * unit, pitch = sizes_.plan().pitch * unit, plane = problem_.axes[1].result();
    Runs runs{.count = group.rows,
              .length = length,
              .from = group.first * pitch,
              .pitch = pitch,
              .at = at + group.first * row,
              .step = row,
              .planes = group.planes,
              .plane_pitch = plane * pitch,
              .plane_step = plane * row};
    if (unit < problem_.inner) {  // a part of each column
      typename Output::RowInfo of_row = info;
      for (Index r = 0; r < group.rows; ++r, of_row = Output::next(of_row))
        write_runs<B>({.count = block.outputs,
                       .length = unit,
                       .from = runs.from + r * pitch,
                       .pitch = unit,
                       .at = runs.at + r * row,
                       .step = problem_.inner,
                       .table_pitch = unit},
                      of_row, f);
    } else {
      if (length == row && pitch == row && (sizes_.plan().wraps || !output_.needs_table()))
        runs.length *= runs.count, runs.count = 1;
      write_runs<B>(runs, info, f);
    }
  }

  // Neighbouring results in the buffer, and where they belong.
  struct Runs {
    Index count, length, from, pitch, at, step;
    Index table_pitch = 0;  // of the columns of a row; rows share the table
    Index planes = 1, plane_pitch = 0, plane_step = 0;

    bool are_rows() const { return table_pitch == 0; }
  };

  template <int B, class F>
  void write_runs(const Runs& runs, const typename Output::RowInfo& info, const F& f) const {
    simd::apart<B>([=, writer = output_.writer()]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      for (Index plane = 0, from = runs.from, at = runs.at; plane < runs.planes; ++plane) {
        auto held = writer.template hold<R, B>(info);
        const auto write = [&](Index r, Index i, Index count) EIGENPOOL_LAMBDA {
          writer.template write<B>(at + r * runs.step + i, taken_apart<R, B>(f(from + r * runs.pitch + i)), count, held,
                                   r * runs.table_pitch + i);
        };
        const auto go_on = [&]() EIGENPOOL_LAMBDA {
          if (runs.are_rows()) held = Output::next(held);
        };
        if (runs.length >= lanes) {
          for (Index r = 0; r < runs.count; ++r, go_on())
            for_vectors<lanes>(runs.length, [&](Index i) EIGENPOOL_LAMBDA { write(r, i, lanes); });
        } else {  // what a vector writes beyond a run is written again, but for the last
          const bool is_dense = runs.step == runs.length;
          for (Index r = 0; r < runs.count; ++r, go_on())
            write(r, 0, is_dense && (runs.count - r) * runs.step >= lanes ? lanes : runs.length);
        }
        from += runs.plane_pitch, at += runs.plane_step;
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
