// The kernel for rows of short columns (channels first: single elements), and
// for long windows: the rows of a window are reduced vertically into a buffer,
// and the buffer horizontally.
#pragma once

#include "kernel_horizontal.hpp"
#include "kernel_scalar.hpp"
#include "nan_guard.hpp"
#include "row_ring.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class RowKernel {
 public:
  using Row = typename R::Row;

  RowKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem),
        source_(source),
        end_(source + problem.outer * problem.plane() * problem.inner),
        output_(output),
        plan_(problem.axes[2], problem.inner, !R::ordered_sum, problem.axes[1].kernel() < 5),
        ring_(problem.axes[1], !R::ordered_sum, plan_.column_pitch * problem.inner,
              plan_.is_joint() ? Scratch<R>::near_capacity : 0),
        whole_(problem.axes[1].whole()),
        unit_(problem.inner),
        chunk_(std::max(problem.axes[2].result(), Index{1})) {
    fit();
    strips_ = ceil_div(problem.inner, unit_);
    if (!is_chunked() && strips_ == 1 && plan_.is_joint()) {
      const Index buffers = 2 + level_rows() + (plan_.wraps ? tables() : 0);
      const Index row = buffers * std::max(plan_.column_pitch, plan_.pitch) * unit_;
      joined_ = std::clamp((Scratch<R>::near_capacity - needed(0)) / row, Index{1}, most_joined);
      if (ring_.is_whole()) joined_ = problem.axes[1].result();
    }
  }

  /// Windows that hold nothing, or little but padding, or whose rows no cache
  /// would hold, are not for a buffered row; nor are compact numbers that a
  /// dilation keeps from being a difference of positions, or sums that the
  /// canonical order begins along the row.
  static bool suits(const Problem& problem, const Numbering& numbering) {
    const Axis& axis = problem.axes[2];
    const Index reach = axis.reach(1);
    if (R::numbered && numbering.kind == Numbering::Kind::compact)
      for (const Axis& a : problem.axes)
        if (a.dilation() > 1) return false;
    if (R::ordered_sum && problem.reversed && !problem.is_row()) return false;
    return problem.plane() > 0 && axis.result() > 0 && reach <= 4 * axis.source() + 64 &&
           reach <= (Index{1} << 16) / std::min(problem.inner, Index{64});
  }

  Index tasks() const { return problem_.outer * problem_.axes[0].result() * problem_.axes[1].result(); }

  template <int B>
  void run(Index begin, Index end) const {
    if (begin >= end) return;
    Scratch<R> scratch(needed(joined_));
    Work work(scratch, *this);
    for (Index strip = 0; strip < strips_; ++strip) {
      for (Index o = 0; o < problem_.axes[2].result(); o += chunk_) {
        Block block(*this, o, strip * unit_);
        fill_tables(block, work);
        fill_row<R, B>(work.rows.columns.from(-lead), lead);
        work.ring.restart();
        block.cell = Cell::number(problem_, begin * problem_.axes[2].result());
        for (Index i = begin; i < end; i += block.rows) {
          block.rows = std::min(rows_at(block.cell), end - i);
          reduce_block<B>(block, i, work);
        }
      }
    }
  }

 private:
  static constexpr int single = static_cast<int>(sizeof(typename R::Lane));  // bytes of one lane
  static constexpr Index most_joined = 64;
  static constexpr Index lead = 64;  // elements before the first column, which windows that wrap reach

  /// Outputs [begin, begin + outputs) of `rows` rows from that of `cell` on, for
  /// `unit` inner elements from `offset` on; and the columns they need, of which
  /// [real_begin, real_end) lie in the source.
  struct Block {
    Index begin, outputs, offset, unit, rows = 0;
    Index first_column, columns, real_begin, real_end;
    Cell cell{};

    Block(const RowKernel& kernel, Index o, Index inner_offset)
        : begin(o),
          outputs(std::min(kernel.chunk_, kernel.problem_.axes[2].result() - o)),
          offset(inner_offset),
          unit(std::min(kernel.unit_, kernel.problem_.inner - inner_offset)) {
      const Axis& axis = kernel.problem_.axes[2];
      const Span span = axis.span(o, o + outputs);
      first_column = kernel.plan_.wraps ? 0 : span.begin;
      columns = kernel.is_chunked() ? span.end - span.begin : kernel.plan_.reach;
      real_begin = std::clamp(-first_column, Index{0}, columns);
      real_end = std::clamp(std::min(axis.source(), span.end) - first_column, real_begin, columns);
    }
  };

  struct Work {
    HorizontalRows<R> rows;
    std::array<Row, 65> levels;
    Row table, column_numbers;
    RowRing<R> ring;
    NanGuard<R, S> guard;

    Work(Scratch<R>& scratch, const RowKernel& kernel) : ring(kernel.ring_) {
      const Index elements = kernel.row_elements(kernel.joined_);
      rows = {scratch.row(elements + lead).from(lead), scratch.row(elements), levels.data()};
      for (Index l = 0; l < kernel.level_rows(); ++l) levels[static_cast<std::size_t>(l)] = scratch.row(elements);
      if (kernel.output_.needs_table()) table = scratch.row(kernel.table_elements(kernel.joined_));
      if (R::numbered) column_numbers = scratch.row(kernel.table_elements(kernel.joined_));
      if (kernel.uses_ring()) ring.allocate(scratch, kernel.width());
    }
  };

  // A block of whole planes ends with its plane.
  Index rows_at(const Cell& cell) const { return ring_.is_whole() ? problem_.axes[1].result() - cell.at[1] : joined_; }

  bool is_chunked() const { return chunk_ < problem_.axes[2].result(); }
  bool uses_ring() const { return ring_.pays(); }

  // Elements of a buffered row, of all joined rows, and of everything.
  Index width() const {
    if (ring_.is_whole()) return plan_.column_pitch * unit_;
    return (is_chunked() ? problem_.axes[2].reach(chunk_) : plan_.reach) * unit_;
  }
  Index row_elements(Index joined) const {
    return (is_chunked() ? std::max(problem_.axes[2].reach(chunk_), chunk_)
                         : std::max({plan_.reach, joined * plan_.column_pitch, joined * plan_.pitch})) *
           unit_;
  }
  Index level_rows() const {
    return plan_.way == RowPlan::Way::interleaved ? 1 + bit_width(plan_.kernel / plan_.stride + 1)
                                                  : plan_.doubling.levels();
  }
  // What differs from column to column: for rows that wrap, over all of them.
  Index tables() const { return (output_.needs_table() ? 1 : 0) + (R::numbered ? 1 : 0); }
  Index table_elements(Index joined) const { return plan_.wraps ? row_elements(joined) : width(); }
  Index needed(Index joined) const {
    return lead + (2 + level_rows()) * Scratch<R>::padded(row_elements(joined)) +
           tables() * Scratch<R>::padded(table_elements(joined)) +
           (uses_ring() ? ring_.template needed<R>(width()) : 0);
  }

  /// Less at a time, until it fits.
  void fit() {
    while (unit_ > 8 && needed(1) > Scratch<R>::capacity) unit_ = (unit_ + 15) / 16 * 8;
    while (chunk_ > 1 && needed(1) > Scratch<R>::capacity) chunk_ = (chunk_ + 1) / 2;
  }

  void fill_tables(const Block& block, const Work& work) const {
    const Index row = block.columns * block.unit;
    const Index all = plan_.wraps ? row_elements(joined_) + lead : 0;  // whole vectors are read
    if (output_.needs_table()) {
      output_.template fill_table<R>(work.table, block.begin, block.outputs, block.unit);
      for (Index i = row; i < all; ++i) work.table.template store<single>(i, work.table.template load<single>(i - row));
    }
    if constexpr (R::numbered) {
      using Number = typename R::Number;
      const Index stride = output_.numbering().stride[2];
      Number* const numbers = work.column_numbers.numbers;
      for (Index column = 0; column < block.columns; ++column)
        std::fill_n(numbers + column * block.unit, block.unit,
                    static_cast<Number>((block.first_column + column) * stride));
      const Index step = row_number_step();
      for (Index i = row; i < all; ++i) numbers[i] = static_cast<Number>(numbers[i - row] + step);
    }
  }

  // What a tap's number grows by from a row of outputs to the next.
  Index row_number_step() const {
    const bool absolute = R::numbered && problem_.axes[1].result() > 1 && numbering().kind == Numbering::Kind::flat;
    return absolute ? problem_.axes[1].stride() * numbering().stride[1] : 0;
  }

  template <int B>
  void reduce_block(Block& block, Index number, Work& work) const {
    const Cell first = block.cell;
    if (!is_clean<B>(block, number, work.guard)) return reduce_exactly(block, number);
    if (uses_ring())
      slide<B>(block, work);
    else
      gather<B>(block, work);
    const Index outputs = (block.rows - 1) * plan_.pitch + block.outputs;
    const Index at = (number * problem_.axes[2].result() + block.begin) * problem_.inner + block.offset;
    const Horizontal<R, B> horizontal(problem_.axes[2], plan_, block.unit);
    horizontal.reduce(work.rows, block.begin, outputs, [&](const auto& f) { emit<B>(block, first, at, work, f); });
  }

  // All memory from the first row of the source that a block reads to the last.
  template <int B>
  bool is_clean(const Block& block, Index number, NanGuard<R, S>& guard) const {
    if constexpr (!NanGuard<R, S>::needed) return true;
    const auto& [n0, n1, n2] = problem_.axes;
    const Cell& first = block.cell;
    const Cell last = Cell::number(problem_, (number + block.rows - 1) * n2.result());
    const bool one_plane = first.outer == last.outer && first.at[0] == last.at[0];
    const Span planes{n0.real_span(first.at[0], first.at[0] + 1).begin, n0.real_span(last.at[0], last.at[0] + 1).end};
    const Span rows = one_plane ? n1.real_span(first.at[1], last.at[1] + 1) : Span{0, n1.source()};
    const Index begin = (first.outer * n0.source() + planes.begin) * n1.source() + rows.begin;
    const Index end = (last.outer * n0.source() + planes.end - 1) * n1.source() + rows.end;
    if (begin >= end) return true;
    const Index row = n2.source() * problem_.inner;
    return guard.template is_clean<B>(source_ + begin * row, source_ + end * row);
  }

  // Whole rows, with the first part of them.
  void reduce_exactly(Block& block, Index number) const {
    const Index row = problem_.axes[2].result();
    if (block.begin == 0 && block.offset == 0)
      ScalarKernel<typename R::Exact, S, Output>(problem_, source_, output_)
          .run(number * row, (number + block.rows) * row);
    block.cell = Cell::number(problem_, (number + block.rows) * row);
  }

  // Rows below each other, as long as their windows have the same taps.
  template <int B>
  void gather(Block& block, const Work& work) const {
    const Axis& axis = problem_.axes[1];
    for (Index r = 0; r < block.rows;) {
      const Index o = block.cell.at[1];
      const Index alike = o >= whole_.begin && o < whole_.end ? std::min(whole_.end - o, block.rows - r) : 1;
      const OuterTaps taps{problem_.axes[0].taps(block.cell.at[0]), axis.taps(o)};
      const Row to = work.rows.columns.from(r * plan_.column_pitch * block.unit);
      const RowRun rows{alike, axis.stride(), numbering().base(1, taps[1], taps[1].real_begin), row_number_step()};
      gather_rows<B>(block, taps, rows, to, plan_.column_pitch * block.unit, work.column_numbers);
      r += alike;
      block.cell.at[1] += alike - 1;
      block.cell.next_row(problem_);
    }
  }

  // Doubling over rows: each is read once, and a window is put together from
  // the ring of partial ones.
  template <int B>
  void slide(Block& block, Work& work) const {
    const Axis& axis = problem_.axes[1];
    if (ring_.is_whole()) {
      const Index first = axis.taps(block.cell.at[1]).first;
      work.ring.template whole_plane<B>(first, axis.reach(block.rows), filler<B>(block, work), work.rows.columns);
      block.cell.at[1] += block.rows - 1;
      return block.cell.next_row(problem_);
    }
    for (Index r = 0; r < block.rows; ++r, block.cell.next_row(problem_)) {
      const Index plane = block.cell.outer * problem_.axes[0].result() + block.cell.at[0];
      const Taps taps = axis.taps(block.cell.at[1]);
      work.ring.template slide_to<B>(plane, taps.first, block.columns * block.unit, filler<B>(block, work));
      work.ring.template window<B>(work.rows.columns.from(r * plan_.column_pitch * block.unit),
                                   block.columns * block.unit);
    }
  }

  // Makes rows for the ring, of the source or of the padding.
  template <int B>
  auto filler(const Block& block, const Work& work) const {
    return [this, &block, numbers = work.column_numbers](Index row, Index count, const Row& to, Index pitch) {
      const Index begin = row + std::clamp(-row, Index{0}, count);
      const Index end = std::clamp(problem_.axes[1].source(), begin, row + count);
      fill_row<R, B>(to, (begin - row) * pitch);
      const Taps outer = problem_.axes[0].taps(block.cell.at[0]);
      if (begin < end)
        gather_rows<B>(block, {outer, Taps{begin, 1, 1, 0, 1}},
                       {end - begin, 1, begin * numbering().stride[1], numbering().stride[1]},
                       to.from((begin - row) * pitch), pitch, numbers);
      fill_row<R, B>(to.from((end - row) * pitch), (row + count - end) * pitch);
    };
  }

  using OuterTaps = std::array<Taps, 2>;

  /// `count` buffered rows, `pitch` elements apart: the columns of a block,
  /// reduced over rows of the source; the identity where there is padding.
  struct RowRun {
    Index count, stride;  // of the source's rows; a single one may have any stride
    Index number;         // what the first row of the source counts for
    Index number_step;    // and by how much more each that follows
  };
  template <int B>
  void gather_rows(const Block& block, const OuterTaps& taps, RowRun rows, Row to, Index pitch,
                   Row column_numbers) const {
    const Taps columns{block.first_column, 1, block.columns, block.real_begin,
                       std::min(block.real_begin + 1, block.real_end)};
    const WindowTaps window{taps[0], taps[1], columns};
    TapLoops loops = tap_loops<R>(problem_, window, numbering());
    if (R::numbered) loops.first_number = numbering().base(0, taps[0], taps[0].real_begin) + rows.number;
    const Index before = block.real_begin * block.unit, all = block.columns * block.unit;
    if (loops.empty() || block.real_begin == block.real_end) {
      for (Index r = 0; r < rows.count; ++r) fill_row<R, B>(to.from(r * pitch), all);
      return;
    }
    const S* p = source_ + first_tap(problem_, block.cell.outer, window) + block.offset;
    Index count = rows.count;
    const Index step = count > 1 ? rows.stride * problem_.axes[2].source() * problem_.inner : 0;
    // Neighbouring columns are one run of memory, unless a part of each is left out.
    const Index length = (block.real_end - block.real_begin) * block.unit;
    Index run = block.unit == problem_.inner ? length : block.unit;
    const bool one_run = length == all && pitch == all && step == all && run == length;
    if (one_run && (plan_.wraps || !R::numbered)) run *= count, count = 1;
    const Index runs = block.unit == problem_.inner ? 1 : block.real_end - block.real_begin;
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const S* const last = run >= lanes ? end_ : end_ - loops.last_offset() - lanes;  // whole vectors may start here
    with_tap_way<R, false>(loops, [&](auto way) EIGENPOOL_LAMBDA {
      constexpr TapWay chosen = way.value;
      simd::apart<B>([=, inner = problem_.inner]() EIGENPOOL_LAMBDA {
        TapLoops taps_now = loops;
        for (Index r = 0; r < count; ++r, taps_now.first_number += rows.number_step) {
          const Row row = to.from(r * pitch);
          fill<B>(row, 0, before);
          for (Index c = 0, i = before; c < runs; ++c, i += run) {
            const S* q = p + r * step + c * inner;
            if (q <= last)
              reduce_taps<R, B, chosen>(q, std::max(run, lanes), taps_now, [&](Index k, auto& acc) EIGENPOOL_LAMBDA {
                if constexpr (R::numbered) R::renumber(acc, column_numbers.numbers + i + k);
                row.template store<B>(i + k, acc);
              });
            else
              gather_elements(q, run, taps_now, row.from(i), column_numbers, i);
          }
          fill<B>(row, before + length, all - before - length);
        }
      });
    });
  }

  // At the end of the source, where no whole vector may be read.
  static void gather_elements(const S* p, Index length, const TapLoops& loops, const Row& to, const Row& column_numbers,
                              Index before) {
    for (Index i = 0; i < length; ++i) {
      auto acc = reduce_element<R>(p + i, loops);
      if constexpr (R::numbered) acc.number.raw[0] += column_numbers.numbers[before + i];
      to.template store<single>(i, acc);
    }
  }

  /// Whole vectors: from left to right, what one writes beyond its part is
  /// written again.
  template <int B>
  EIGENPOOL_INLINE static void fill(const Row& row, Index begin, Index length) {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    if (length <= 0) return;
    row.template store<B>(begin, R::template identity<B>());  // mostly it is one vector
    for (Index i = lanes; i < length; i += lanes) row.template store<B>(begin + i, R::template identity<B>());
  }

  // Groups of rows whose outputs are written alike.
  template <int B, class F>
  void emit(const Block& block, Cell cell, Index at, const Work& work, const F& f) const {
    const Index row = problem_.axes[2].result() * problem_.inner;
    for (Index r = 0; r < block.rows;) {
      const auto info = output_.template row_info<R>(cell, work.table, uses_ring());
      const Index begin = r;
      if (!output_.needs_table()) r = block.rows;
      while (r < block.rows && output_.template row_info<R>(cell, work.table, uses_ring()) == info)
        ++r, cell.next_row(problem_);
      emit_rows<B>(block, begin, r - begin, at + begin * row, info, f);
      if (plan_.wraps) emit_ends<B>(block, r - begin, at + begin * row, info, work.rows.columns.from(begin * row));
    }
  }

  // `rows` rows from number `first` of the block on.
  template <int B, class F>
  void emit_rows(const Block& block, Index first, Index rows, Index at, const typename Output::Info& info,
                 const F& f) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const Index length = block.outputs * block.unit, row = problem_.axes[2].result() * problem_.inner;
    const Index pitch = plan_.pitch * block.unit;
    Index run = block.unit == problem_.inner ? length : block.unit;
    const Index runs = length / run;
    const bool one_run = run == row && pitch == row && (plan_.wraps || !output_.needs_table());
    if (one_run) run *= rows, rows = 1;
    simd::apart<B>([=, inner = problem_.inner, writer = output_.writer()]() EIGENPOOL_LAMBDA {
      for (Index r = 0; r < rows; ++r) {
        const Index from = (first + r) * pitch, to = at + r * row;
        for (Index c = 0, i = 0; c < runs; ++c, i += run) {
          const auto write = [&](Index k, Index count) EIGENPOOL_LAMBDA {
            writer.template write<B>(to + c * inner + k, f(from + i + k), count, info, i + k);
          };
          // Rows are written in order: what a vector writes beyond one is written again, but for the last.
          if (run >= lanes)
            for_vectors<lanes>(run, [&](Index k) EIGENPOOL_LAMBDA { write(k, lanes); });
          else
            write(0, run == row && (rows - r) * row >= lanes ? lanes : run);
        }
      }
    });
  }

  // The outputs whose windows reach into the padding, for which windows that wrap took other rows.
  template <int B>
  void emit_ends(const Block& block, Index rows, Index at, const typename Output::Info& info, Row columns) const {
    const Index row = problem_.axes[2].result();
    simd::apart<B>([=, &axis = problem_.axes[2], unit = block.unit, writer = output_.writer(),
                    horizontal = Horizontal<R, B>(problem_.axes[2], plan_, block.unit)]() EIGENPOOL_LAMBDA {
      axis.for_ends([&](Index o) EIGENPOOL_LAMBDA {
        horizontal.reduce_column(columns, o, rows, [&](Index r, Index c, const auto& acc) EIGENPOOL_LAMBDA {
          writer.template write<single>(at + (r * row + o) * unit + c, acc, 1, info, o * unit + c);
        });
      });
    });
  }

  Numbering numbering() const {
    if constexpr (R::numbered)
      return output_.numbering();
    else
      return {};
  }

  const Problem& problem_;
  const S* source_;
  const S* end_;
  const Output& output_;
  RowPlan plan_;
  RingPlan ring_;
  Span whole_;
  Index unit_, chunk_, strips_ = 1;
  Index joined_ = 1;
};

}  // namespace detail
EIGENPOOL_END
