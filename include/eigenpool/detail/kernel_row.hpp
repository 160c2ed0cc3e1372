// The kernel for rows of short columns (channels first: single elements), and
// for long windows: the rows of a window are reduced vertically into a buffer,
// and the buffer horizontally.
#pragma once

#include "kernel_horizontal.hpp"
#include "kernel_scalar.hpp"
#include "kernel_vertical.hpp"
#include "nan_guard.hpp"
#include "row_writer.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class RowKernel {
 public:
  using Row = typename R::Row;

  RowKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem),
        source_(source),
        output_(output),
        numbering_(numbering_of(output)),
        vertical_(problem, source, numbering_),
        sizes_(problem, output.needs_table()),
        whole_(problem.axes[1].whole()) {}

  /// Windows that hold nothing, or little but padding, or whose rows no cache
  /// would hold, are not for a buffered row; nor are compact numbers where windows
  /// differ, or sums that the canonical order begins along the row, unless windows are a column wide.
  static bool suits(const Problem& problem, const Numbering& numbering) {
    const Axis& axis = problem.axes[2];
    const Index reach = axis.reach(1);
    if (R::numbered && numbering.kind == Numbering::Kind::compact)
      for (const Axis& a : problem.axes)
        if (!a.is_affine()) return false;
    if (R::ordered_sum && problem.reversed && !problem.is_row() && !axis.is_identity()) return false;
    return problem.plane() > 0 && axis.result() > 0 && reach <= 4 * axis.source() + 64 &&
           reach <= (Index{1} << 16) / std::min(problem.inner, Index{64});
  }

  /// Rows; where windows share rows that are kept, in one strip of the inner extent after the other, if there are many.
  Index tasks() const { return rows() * (takes_strips() ? strips() : 1); }

  /// What is kept is made anew wherever a range of rows begins, and the planes that their windows reach are looked
  /// through for NaN.
  Index grain() const {
    const bool looks_ahead = NanGuard<R, S>::needed && problem_.axes[0].max_count() > 1;
    return sizes_.slides() || looks_ahead ? std::max(problem_.axes[1].result(), sizes_.joined()) : sizes_.joined();
  }

  template <int B>
  void run(Index begin, Index end) const {
    if (begin >= end) return;
    Scratch<R> scratch(sizes_.needed());
    Work work(scratch, sizes_, output_.needs_table());
    const auto reduce = [&](Index strip, Index first, Index last) {
      reduce_strip<B>(strip * sizes_.unit(), std::max(first, Index{0}), std::min(last, rows()), work);
    };
    if (takes_strips())
      for (Index strip = begin / rows(); strip * rows() < end; ++strip)
        reduce(strip, begin - strip * rows(), end - strip * rows());
    else
      for (Index strip = 0; strip < strips(); ++strip) reduce(strip, begin, end);
  }

 private:
  static constexpr int single = static_cast<int>(sizeof(typename R::Lane));  // bytes of one lane
  static constexpr Index lead = RowSizes<R>::lead;
  using Flag = simd::Signed<typename R::Lane>;  // of a mask

  struct Work {
    HorizontalRows<R> rows;
    std::array<Row, 65> levels;
    Row table{}, column_numbers{};
    PlaneRows<R> plane;
    SlidingRows<R> sliding;
    NanGuard<R, S> guard;

    Work(Scratch<R>& scratch, const RowSizes<R>& sizes, bool needs_table)
        : plane(sizes.plane()), sliding(sizes.sliding()) {
      const Index elements = sizes.row_elements();
      rows = {scratch.row(elements + lead).from(lead), {}, {}, levels.data(), nullptr, nullptr};
      if (sizes.plan().needs_results()) rows.results = scratch.row(elements);
      for (Index l = 0; l < sizes.level_rows(); ++l) levels[static_cast<std::size_t>(l)] = scratch.row(elements);
      if (sizes.plan().wraps) rows.first = reinterpret_cast<Flag*>(scratch.row(elements).values);
      if (needs_table) table = scratch.row(sizes.table_elements());
      if (R::numbered) column_numbers = scratch.row(sizes.table_elements());
      if (sizes.plane().pays()) plane.allocate(scratch, sizes.width());
      if (sizes.sliding().pays()) sliding.allocate(scratch, sizes.width());
    }
  };

  const RowPlan& plan() const { return sizes_.plan(); }
  Index rows() const { return problem_.outer * problem_.axes[0].result() * problem_.axes[1].result(); }
  Index strips() const { return ceil_div(problem_.inner, sizes_.unit()); }
  // Threads that write neighbouring lines of memory at the same time wait for each other: of few strips, each takes
  // rows.
  bool takes_strips() const { return sizes_.slides() && strips() >= 8; }

  // Rows [begin, end), of the strip from `offset` on.
  template <int B>
  void reduce_strip(Index offset, Index begin, Index end, Work& work) const {
    work.guard = {problem_.inner, offset, std::min(sizes_.unit(), problem_.inner - offset)};
    for (Index o = 0; o < problem_.axes[2].result(); o += sizes_.chunk()) {
      RowBlock block(problem_, sizes_, o, offset);
      fill_tables(block, work);
      fill_row<R, B>(work.rows.columns.from(-lead), lead);
      work.sliding.restart();
      block.cell = Cell::number(problem_, begin * problem_.axes[2].result());
      for (Index i = begin; i < end; i += block.rows) {
        block.rows = std::min(rows_at(block.cell), end - i);
        reduce_block<B>(block, i, work);
      }
    }
  }

  // A block ends with its plane, or with its last one.
  Index rows_at(const Cell& cell) const {
    const Index plane = problem_.axes[1].result();
    return std::min(sizes_.joined(), std::max(sizes_.joined(), plane) - cell.at[1]);
  }

  void fill_tables(const RowBlock& block, Work& work) const {
    const Index row = block.length();
    const Index all = plan().wraps ? sizes_.row_elements() + lead : 0;  // whole vectors are read
    if (plan().wraps) fill_flags(block, work.rows, all);
    if (output_.needs_table()) {
      output_.template fill_table<R>(work.table, block.begin, block.outputs, block.columns.unit);
      for (Index i = row; i < all; ++i) work.table.template store<single>(i, work.table.template load<single>(i - row));
    }
    if constexpr (R::numbered) {
      using Number = typename R::Number;
      Number* const numbers = work.column_numbers.numbers;
      for (Index column = 0; column < block.columns.count; ++column)
        std::fill_n(
            numbers + column * block.columns.unit, block.columns.unit,
            static_cast<Number>(numbering_.of_position(2, block.columns.first + column, problem_.axes[2].dilation())));
      const Index step = row_number_step();
      for (Index i = row; i < all; ++i) numbers[i] = static_cast<Number>(numbers[i - row] + step);
    }
  }

  // Of the outputs at the ends of a row: the last ones are those after which a row begins.
  void fill_flags(const RowBlock& block, HorizontalRows<R>& rows, Index all) const {
    const Index unit = block.columns.unit;
    std::fill_n(rows.first, all + unit, Flag(0));
    const Index row = block.length(), end = sizes_.row_elements() + unit;
    for (Index column = 0; column < unit; ++column)  // by columns: g++ would call memset for each row
      for (Index i = column; i < end; i += row) rows.first[i] = Flag(-1);
    rows.last = rows.first + unit;
  }

  // What a tap's number grows by from a row of outputs to the next.
  Index row_number_step() const {
    const bool absolute = R::numbered && problem_.axes[1].result() > 1 && numbering_.kind == Numbering::Kind::flat;
    return absolute ? problem_.axes[1].stride() * numbering_.stride[1] : 0;
  }

  template <int B>
  void reduce_block(RowBlock& block, Index number, Work& work) const {
    const Index row = problem_.axes[2].result();
    Cell last = Cell::number(problem_, (number + block.rows - 1) * row);
    if (is_clean<B>(block.cell, last, work.guard)) {
      work.rows.input = work.rows.columns;
      if (sizes_.slides())
        slide<B>(block, work);
      else if (!take_in_place(block, number, work))
        gather<B>(block, work);
      const Index outputs = (block.rows - 1) * plan().pitch + block.outputs;
      const Index at = (number * row + block.begin) * problem_.inner + block.columns.offset;
      const Horizontal<R, B> horizontal(problem_.axes[2], plan(), block.columns.unit);
      horizontal.reduce(work.rows, block.begin, outputs, [&](const auto& f) {
        RowWriter<R, Output>(problem_, sizes_, output_, work.table).template write<B>(block, at, f);
      });
    } else if (block.begin == 0) {  // whole rows, with the first part of them
      const Span strip{block.columns.offset, block.columns.offset + block.columns.unit};
      ScalarKernel<typename R::Exact, S, Output>(problem_, source_, output_)
          .run(number * row, (number + block.rows) * row, strip);
    }
    last.next_row(problem_);
    block.cell = last;
  }

  // All memory from the first row of the source that rows of outputs read to the last.
  template <int B>
  bool is_clean(const Cell& first, const Cell& last, NanGuard<R, S>& guard) const {
    if constexpr (!NanGuard<R, S>::needed) return true;
    const auto& [n0, n1, n2] = problem_.axes;
    const bool one_plane = first.outer == last.outer && first.at[0] == last.at[0];
    const Span planes{n0.real_span(first.at[0], first.at[0] + 1).begin, n0.real_span(last.at[0], last.at[0] + 1).end};
    const Span rows = one_plane ? n1.real_span(first.at[1], last.at[1] + 1) : Span{0, n1.source()};
    const Index begin = (first.outer * n0.source() + planes.begin) * n1.source() + rows.begin;
    const Index end = (last.outer * n0.source() + planes.end - 1) * n1.source() + rows.end;
    if (begin >= end) return true;
    const Index row = n2.source() * problem_.inner;
    return guard.template is_clean<B>(source_ + begin * row, source_ + end * row);
  }

  // Whether the columns of a block are taken from the source as they are: whole vectors are read there.
  bool take_in_place(const RowBlock& block, Index number, Work& work) const {
    if constexpr (std::is_same_v<S, typename R::Lane> && !R::numbered) {
      const Columns& columns = block.columns;
      if (!sizes_.is_in_place() || columns.real_begin > 0 || columns.real_end < columns.count) return false;
      const Index row = problem_.axes[2].source() * problem_.inner;
      const Index first = number * row + columns.first * problem_.inner;
      const Index end = first + (block.rows - 1) * row + block.length();
      if (end + Scratch<R>::slack > problem_.outer * problem_.plane() * problem_.inner) return false;
      work.rows.input = {const_cast<S*>(source_) + first};  // which is only read
      return true;
    }
    return false;
  }

  // Rows below each other, as long as their windows have the same taps: those of a period take turns.
  template <int B>
  void gather(const RowBlock& block, const Work& work) const {
    const Axis& axis = problem_.axes[1];
    const Columns& columns = block.columns;
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const bool together = (columns.real_end - columns.real_begin) * columns.unit >= lanes;
    const bool take_turns =
        together || axis.period() == 1 || (plan().column_pitch - columns.real_begin) * columns.unit >= lanes;
    const auto alike = [&](const Cell& cell) {
      return take_turns && whole_.holds(cell.at[1]) ? whole_.end - cell.at[1] : 1;
    };
    block.for_groups(problem_, together, alike, [&](const RowGroup& group) {
      const Index pitch = plan().column_pitch * columns.unit, turns = std::min(axis.period(), group.rows);
      for (Index turn = 0; turn < turns; ++turn) {
        const std::array<Taps, 2> taps{problem_.axes[0].taps(group.cell.at[0]), axis.taps(group.cell.at[1] + turn)};
        const RowRun<Row> rows{.count = ceil_div(group.rows - turn, turns),
                               .stride = axis.shift(),
                               .number = numbering_.base(1, taps[1], taps[1].real_begin),
                               .number_step = row_number_step(),
                               .to = work.rows.columns.from((group.first + turn) * pitch),
                               .pitch = turns * pitch,
                               .planes = group.planes,
                               .plane_pitch = axis.result() * pitch,
                               .is_mixed = turns > 1};
        vertical_.template reduce<B>(columns, group.cell.outer, taps, rows, work.column_numbers, plan().wraps);
      }
    });
  }

  // Each row of the source is read once, by what keeps those that windows share.
  template <int B>
  void slide(const RowBlock& block, Work& work) const {
    const Axis& axis = problem_.axes[1];
    const Index pitch = plan().column_pitch * block.columns.unit;
    const auto rest = [&](const Cell& cell) { return axis.result() - cell.at[1]; };
    block.for_groups(problem_, false, rest, [&](const RowGroup& group) {
      const Cell& cell = group.cell;
      const SlidingWindows<Row> windows{.plane = cell.outer * problem_.axes[0].result() + cell.at[0],
                                        .first = axis.taps(cell.at[1]).first,
                                        .stride = axis.stride(),
                                        .count = group.rows,
                                        .length = block.length(),
                                        .to = work.rows.columns.from(group.first * pitch),
                                        .pitch = pitch};
      if (sizes_.plane().pays())
        work.plane.template reduce<B>(windows, filler<B>(block, cell, work));
      else
        work.sliding.template reduce<B>(windows, filler<B>(block, cell, work));
    });
  }

  // Makes rows to keep, of the source or of the padding, in the plane of a cell.
  template <int B>
  auto filler(const RowBlock& block, const Cell& cell, const Work& work) const {
    return [this, &block, &cell, numbers = work.column_numbers](Index row, Index count, const Row& to, Index pitch) {
      const Index begin = row + std::clamp(-row, Index{0}, count);
      const Index end = std::clamp(problem_.axes[1].source(), begin, row + count);
      fill_row<R, B>(to, (begin - row) * pitch);
      const Taps outer = problem_.axes[0].taps(cell.at[0]);
      if (begin < end)
        vertical_.template reduce<B>(
            block.columns, cell.outer, {outer, Taps{begin, 1, 1, 0, 1}},
            {end - begin, 1, begin * numbering_.stride[1], numbering_.stride[1], to.from((begin - row) * pitch), pitch},
            numbers, plan().wraps);
      fill_row<R, B>(to.from((end - row) * pitch), (row + count - end) * pitch);
    };
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Numbering numbering_;
  Vertical<R, S> vertical_;
  RowSizes<R> sizes_;
  Span whole_;
};

}  // namespace detail
EIGENPOOL_END
