// The kernel for an inner extent of at least a vector (channels last, or
// column-major batches): vectors run along it, with the accumulators of a whole
// window in registers.
#pragma once

#include "../simd/dispatch.hpp"
#include "cell_grid.hpp"
#include "column_sweep.hpp"
#include "kernel_scalar.hpp"
#include "nan_guard.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class InnerKernel {
 public:
  /// Few cells (a global pooling) are cut into strips, so that threads find
  /// work: very few into as narrow ones as the pairs of lines in which processors fetch memory.
  InnerKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output), whole_(problem.axes[2].whole()) {
    constexpr Index few_cells = 4, enough_cells = 32, line_pair = 128 / sizeof(typename R::Lane);
    const auto& [n0, n1, n2] = problem.axes;
    const Index cells = problem.cells();
    strip_ = cells < few_cells ? line_pair : cells < enough_cells ? 4 * line_pair : std::max(problem.inner, Index{1});
    strips_ = ceil_div(problem.inner, strip_);
    // A period is a stride, which may be any number: no longer than an axis, it can be multiplied.
    const auto period = [](const Axis& axis) { return std::min(axis.period(), std::max(axis.result(), Index{1})); };
    if (strips_ == 1) period_ = {period(n1), period(n2)};
    sweeps_ = strips_ == 1 && ColumnSweep<R, S>::suits(problem);
    guarded_ = NanGuard<R, S>::needed && R::numbered && strips_ == 1 && problem.overlaps() && n0.is_identity();
    const bool takes_pairs = n2.is_affine() && n2.kernel() == 2;
    fetches_ = strips_ == 1 && takes_pairs && comes_from_memory<S>(problem);
  }

  Index tasks() const { return problem_.cells() * strips_; }
  /// Whether the columns of windows, two of which take turns, are asked for before they are read. Longer windows gain
  /// nothing.
  bool fetches() const { return fetches_; }
  /// How many rows of cells are reduced together, from that of `cell` on: so few that what their windows read stays in
  /// the cache from one group of cells that are alike to the next.
  Index rows_together(const Cell& cell) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Span whole = n1.whole();
    if (strips_ > 1 || !whole.holds(cell.at[1])) return 1;
    return std::min(whole.end - cell.at[1], cached<32 << 10>(Wide{n2.source()} * n1.shift()) * period_[0]);
  }
  /// How many cells of a row, if of few vectors: so few that the cache still holds the windows' second vectors when all
  /// first ones are reduced.
  Index columns_together() const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Wide tall = Wide{std::min(n0.max_count(), n0.source())} * std::min(n1.max_count(), n1.source());
    return cached<24 << 10>(tall * n2.shift()) * period_[1];
  }

  template <int B>
  void run(Index begin, Index end) const {
    NanGuard<R, S> guard;
    if (strips_ > 1) return reduce_strips<B>(guard, begin, end);
    const Index row = problem_.axes[2].result();
    const Index columns = is_narrow<typename R::Lane, B, S>(problem_) ? columns_together() : row;
    Cell cell = Cell::number(problem_, begin);
    for (Index i = begin; i < end;) {
      const Index first = cell.at[2], last = std::min(first + (end - i), row);
      const Index rows = first > 0 || last < row ? 1 : std::min(rows_together(cell), (end - i) / row);
      for (Index alike = 0; cell.at[2] < last; cell.at[2] += alike) {
        alike = std::min({alike_from(cell), columns, last - cell.at[2]});
        reduce_turns<B>(guard, i + cell.at[2] - first, cell, rows, alike);
      }
      i += (rows - 1) * row + last - first;
      cell.at[1] += rows - 1, --cell.at[2];
      cell.next(problem_);
    }
  }

 private:
  // Cells whose windows are alike: `columns` of each of `rows` rows, those a period apart. The first is task number
  // `task`.
  struct Field {
    Index task;
    Cell cell;
    WindowTaps taps;
    Index rows, columns;
  };

  // How many things of `cells` cells of the source each are in so many bytes; one is.
  template <Index bytes>
  Index cached(Wide cells) const {
    const Wide each = cells * problem_.inner * static_cast<Index>(sizeof(S));
    return static_cast<Index>(bytes / std::clamp<Wide>(each, 1, bytes));
  }

  // Neighbouring cells whose windows are all in the source: those a period apart are alike.
  Index alike_from(const Cell& cell) const { return whole_.holds(cell.at[2]) ? whole_.end - cell.at[2] : 1; }

  // The strips of one cell after the other.
  template <int B>
  void reduce_strips(NanGuard<R, S>& guard, Index begin, Index end) const {
    for (Index i = begin, strips = 0; i < end; i += strips) {
      strips = std::min(strips_ - i % strips_, end - i);
      const Cell cell = Cell::number(problem_, i / strips_);
      reduce_alike<B>(guard, {i, cell, window_taps(problem_, cell), 1, strips});
    }
  }

  // `columns` of each of `rows` rows: those of a period take turns.
  template <int B>
  void reduce_turns(NanGuard<R, S>& guard, Index task, const Cell& first, Index rows, Index columns) const {
    const Index row = problem_.axes[2].result();
    for (Index i = 0; i < std::min(period_[0], rows); ++i)
      for (Index j = 0; j < std::min(period_[1], columns); ++j) {
        Cell cell = first;
        cell.at[1] += i, cell.at[2] += j;
        reduce_alike<B>(guard, {task + i * row + j, cell, window_taps(problem_, cell), ceil_div(rows - i, period_[0]),
                                ceil_div(columns - j, period_[1])});
      }
  }

  template <int B>
  void reduce_alike(NanGuard<R, S>& guard, const Field& field) const {
    if constexpr (R::numbered) {
      if (guarded_ && is_clean<B>(guard, field) && reduce_cells<R, B>(field)) return;
    } else {
      if (sweeps_ && field.columns > 1 && sweep_cells<B>(field)) return;
      if (reduce_cells<WatchedIfNeeded<R>, B>(field)) return;
    }
    reduce_cells<typename R::Exact, B>(field);
  }

  CellSteps steps(const Field& field) const {
    const auto& [n0, n1, n2] = problem_.axes;
    return {field.rows > 1 ? n1.shift() * problem_.source_strides()[1] : 0,
            strips_ == 1 && field.columns > 1 ? n2.shift() * problem_.inner : 0,
            period_[0] * problem_.result_strides()[1], period_[1] * problem_.inner};
  }

  // Cells whose windows share columns; not if one holds NaN, or nothing.
  template <int B>
  bool sweep_cells(const Field& field) const {
    WindowTaps column = field.taps;
    column[2].count = column[2].real_end = 1;
    const TapLoops loops = tap_loops<R>(problem_, column, Numbering());
    if (loops.empty() || problem_.inner < simd::Vec<typename R::Lane, B>::lanes) return false;
    bool clean = true;
    with_column_way(loops, [&](auto way) EIGENPOOL_LAMBDA {
      constexpr TapWay chosen = way.value;
      clean = simd::apart<B>(
          [=, p = source_ + first_tap(problem_, field.cell.outer, field.taps), inner = problem_.inner,
           steps = steps(field), at = field.task * problem_.inner, rows = field.rows, columns = field.columns,
           narrow = is_narrow<typename R::Lane, B, S>(problem_), sweep = ColumnSweep<R, S>(problem_, loops),
           writer = output_.writer(), info = output_.info(field.taps)]() EIGENPOOL_LAMBDA {
            const auto held = writer.template hold<R, B>(info);
            for (Index r = 0; r < rows; ++r) {
              const auto sink = [&](Index o, Index i, const auto& acc) EIGENPOOL_LAMBDA {
                writer.template write<B>(at + r * steps.rows_apart + o * inner + i, acc,
                                         simd::Vec<typename R::Lane, B>::lanes, held, 0);
              };
              if (!sweep.template run<B, chosen>(p + r * steps.row, columns, narrow, sink)) return false;
            }
            return true;
          });
    });
    return clean;
  }

  // The rows of the source that a field reads.
  template <int B>
  bool is_clean(NanGuard<R, S>& guard, const Field& field) const {
    const auto& [outer, at] = field.cell;
    const Span rows = problem_.axes[1].real_span(at[1], at[1] + field.rows);
    const Index row = problem_.axes[2].source() * problem_.inner;
    const S* plane = source_ + (outer * problem_.axes[0].source() + at[0]) * problem_.axes[1].source() * row;
    return rows.begin == rows.end || guard.template is_clean<B>(plane + rows.begin * row, plane + rows.end * row);
  }

  // The cells of a field, or neighbouring strips of one; whether the reducer saw no NaN that it minds.
  template <class Reducer, int B>
  bool reduce_cells(const Field& field) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const Index begin = field.task % strips_ * strip_, columns = strips_ == 1 ? field.columns : 1;
    const Index length = std::min(field.columns / columns * strip_, problem_.inner - begin);
    const TapLoops loops = tap_loops<Reducer>(problem_, field.taps, numbering_of(output_, field.taps));
    const S* p = loops.empty() ? source_ : source_ + first_tap(problem_, field.cell.outer, field.taps) + begin;
    const bool aligns = length >= 16 * lanes && problem_.inner % lanes == 0;  // those of all taps are, if one is
    CellGrid<S> grid{p,
                     field.task / strips_ * problem_.inner + begin,
                     length,
                     aligns ? simd::to_aligned<lanes>(p) : 0,
                     field.rows,
                     columns,
                     steps(field),
                     field.rows * columns > 1 && is_narrow<typename R::Lane, B, S>(problem_)};
    if (loops.empty() || length < lanes) {
      write_few<B>(field, grid, loops);
      return true;
    }
    if (!R::numbered && columns == 1) {  // which is a row as well
      std::swap(grid.rows, grid.columns);
      grid.steps = {grid.steps.column, grid.steps.row, grid.steps.columns_apart, grid.steps.rows_apart};
    }
    // What takes over where there is NaN does without the loop for few vectors: each is compiled anew.
    constexpr bool has_narrow = std::is_same_v<Reducer, WatchedIfNeeded<R>> || std::is_same_v<Reducer, R>;
    bool clean = true;
    with_tap_way<Reducer>(loops, [&](auto way) EIGENPOOL_LAMBDA {
      constexpr TapWay chosen = way.value;
      clean = simd::apart<B>(
          [=, fetches = fetches_, writer = output_.writer(), info = output_.info(field.taps)]() EIGENPOOL_LAMBDA {
            return reduce_grid<Reducer, Output, B, chosen, has_narrow>(grid, loops, fetches, writer, info);
          });
    });
    return clean;
  }

  // Windows that hold nothing, or less than a vector.
  template <int B>
  void write_few(const Field& field, const CellGrid<S>& grid, const TapLoops& loops) const {
    const auto& [row, column, rows_apart, columns_apart] = grid.steps;
    Cell cell = field.cell;
    for (Index r = 0; r < grid.rows; ++r, cell.at[1] += period_[0]) {
      cell.at[2] = field.cell.at[2];
      for (Index o = 0; o < grid.columns; ++o, cell.at[2] += period_[1]) {
        const Index to = grid.to + r * rows_apart + o * columns_apart;
        const auto info = output_.info(window_taps(problem_, cell));
        if (loops.empty() && grid.length >= simd::Vec<typename R::Lane, B>::lanes)
          write_empty<B>(to, grid.length, info);
        else
          write_elements(grid.from + r * row + o * column, grid.length, loops, to, info);
      }
    }
  }

  template <int B>
  void write_empty(Index at, Index length, const typename Output::Info& info) const {
    using Exact = typename R::Exact;
    simd::apart<B>([=, writer = output_.writer()]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      const auto held = writer.template hold<Exact, B>(info);
      for_vectors<lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
        writer.template write<B>(at + i, Exact::template identity<B>(), lanes, held, 0);
      });
    });
  }

  void write_elements(const S* p, Index length, const TapLoops& loops, Index at,
                      const typename Output::Info& info) const {
    using Exact = typename R::Exact;
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    for (Index i = 0; i < length; ++i) {
      const auto acc = loops.empty() ? Exact::template identity<single>() : reduce_element<Exact>(p + i, loops);
      output_.writer().template write<single>(at + i, acc, 1, Output::Writer::template hold<Exact, single>(info), 0);
    }
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Span whole_;
  Index strip_, strips_;
  std::array<Index, 2> period_{1, 1};  // of rows, and of columns
  bool sweeps_, guarded_, fetches_;
};

}  // namespace detail
EIGENPOOL_END
