// The kernel for rows of short columns (channels first: single elements): the rows of a window are reduced
// vertically into a buffer, and the buffer horizontally. A sum over a column-major tensor goes the other way
// round, since its innermost memory axis is logical axis 0, which the canonical tree sums first.
#pragma once

#include "kernel_horizontal.hpp"
#include "output.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class RowKernel {
 public:
  RowKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output), levels_(sums_rows() ? row_levels(problem) : 0) {
    const Axis& axis = problem.axes[2];
    const Index room = RowBuffer<R>::stack_elements(rows());
    unit_ = problem.inner;
    chunk_ = std::max(axis.result(), Index{1});
    while (chunk_ > 1 && axis.reach(chunk_) * unit_ > room) chunk_ = (chunk_ + 1) / 2;
    while (unit_ > 64 && axis.reach(chunk_) * unit_ > room) unit_ = (unit_ + 127) / 128 * 64;
    strips_ = ceil_div(problem.inner, unit_);
  }

  /// Windows that hold nothing, or little but padding, or whose rows no cache would hold, are not for a buffered row.
  static bool suits(const Problem& problem) {
    const Axis& axis = problem.axes[2];
    const Index reach = axis.reach(1);
    return problem.plane() > 0 && reach <= 4 * axis.source() + 64 &&
           reach <= (Index{1} << 16) / std::min(problem.inner, Index{64});
  }

  Index tasks() const { return problem_.outer * problem_.axes[0].result() * problem_.axes[1].result(); }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    const Axis& axis = problem_.axes[2];
    RowBuffer<R> buffer(rows(), std::max(axis.reach(chunk_), chunk_) * unit_);
    HorizontalRows<R> work{buffer.row(), buffer.row(), {buffer.row(), buffer.row(), buffer.row()}};
    std::array<typename R::Row, 130> stack{work.results};
    for (Index l = 0; l < levels_; ++l) stack[static_cast<std::size_t>(l) + 1] = buffer.row();

    if (begin >= end || axis.result() == 0) return;
    Cell cell = Cell::number(problem_, begin * axis.result());
    for (Index i = begin; i < end; ++i) {
      for (Index strip = 0; strip < strips_; ++strip)
        for (Index o = 0; o < axis.result(); o += chunk_) {
          const Block block{cell, o, std::min(o + chunk_, axis.result()), strip * unit_,
                            std::min(unit_, problem_.inner - strip * unit_)};
          reduce<B>(block, work, stack.data());
          write<B>(block, work);
        }
      cell.next_row(problem_);
    }
  }

 private:
  /// Outputs [begin, end) of a row, for `unit` inner elements from `offset` on.
  struct Block {
    Cell cell;
    Index begin, end, offset, unit;
  };

  bool sums_rows() const { return R::ordered_sum && problem_.reversed; }
  Index rows() const { return HorizontalRows<R>::count + levels_; }
  static Index row_levels(const Problem& problem) {
    return bit_width(problem.axes[0].max_count()) + bit_width(problem.axes[1].max_count());
  }

  template <int B>
  EIGENPOOL_INLINE void reduce(const Block& block, const HorizontalRows<R>& work, const typename R::Row* stack) const {
    const Taps outer = problem_.axes[0].taps(block.cell.at[0]), middle = problem_.axes[1].taps(block.cell.at[1]);
    if (outer.real() == 0 || middle.real() == 0)
      return fill<B>(work.results, 0, (block.end - block.begin) * block.unit);
    if constexpr (R::ordered_sum)
      sum_rows<B>(block, work, outer, middle, stack);
    else
      reduce_rows<B>(block, work, outer, middle);
  }

  // All rows of the window at once, then along the row.
  template <int B>
  EIGENPOOL_INLINE void reduce_rows(const Block& block, const HorizontalRows<R>& work, const Taps& outer,
                                    const Taps& middle) const {
    gather<B>(block, work.columns, outer, middle);
    horizontal<B>(block).reduce(work, block.begin, block.end);
  }

  template <int B>
  EIGENPOOL_INLINE Horizontal<R, B> horizontal(const Block& block) const {
    const Axis& axis = problem_.axes[2];
    return {axis, block.unit, R::numbered ? numbering().weight(2, axis.dilation()) : 0};
  }

  // The columns of a block, reduced over the window's rows; the identity where there is padding.
  template <int B>
  EIGENPOOL_INLINE void gather(const Block& block, const typename R::Row& columns, const Taps& outer,
                               const Taps& middle) const {
    const Span span = problem_.axes[2].span(block.begin, block.end);
    const Index length = std::max(span.end - span.begin, Index{0});
    const Index begin = std::clamp(-span.begin, Index{0}, length);
    const Index end = std::clamp(problem_.axes[2].source() - span.begin, begin, length);
    const WindowTaps taps{outer, middle, Taps{span.begin, 1, length, begin, begin < length ? begin + 1 : begin}};
    const TapLoops loops = tap_loops<R>(problem_, taps, numbering());
    if (begin < end) {
      const S* p = source_ + first_tap(problem_, block.cell.outer, taps) + block.offset;
      const bool whole = block.unit == problem_.inner;  // then neighbouring columns are one run of memory
      const Index runs = whole ? 1 : end - begin, run = whole ? (end - begin) * block.unit : block.unit;
      for (Index r = 0; r < runs; ++r) {
        const auto target = columns.from((begin + r) * block.unit);
        reduce_taps<R, B>(p + r * problem_.inner, run, loops,
                          [&](Index i, const auto& acc, Index) EIGENPOOL_LAMBDA { target.template store<B>(i, acc); });
      }
    }
    fill<B>(columns, end * block.unit, (length - end) * block.unit);
    fill_before<B>(columns, begin * block.unit);
  }

  template <int B>
  EIGENPOOL_INLINE static void fill(const typename R::Row& row, Index begin, Index length) {
    for (Index i = 0; i < length; i += simd::Vec<typename R::Lane, B>::lanes)
      row.template store<B>(begin + i, R::template identity<B>());
  }
  template <int B>
  EIGENPOOL_INLINE static void fill_before(const typename R::Row& row, Index end) {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    for (Index i = 0; i < end; ++i) row.template store<single>(i, R::template identity<single>());
  }

  // Row-major: all rows of the window at once. Column-major: the canonical tree over rows that are reduced
  // horizontally first, as a stack of partial sums like Tree's, one within the other for the two outer axes.
  // stack[0] is the result.
  template <int B>
  EIGENPOOL_INLINE void sum_rows(const Block& block, HorizontalRows<R> work, const Taps& outer, const Taps& middle,
                                 const typename R::Row* stack) const {
    const Index length = (block.end - block.begin) * block.unit;
    const std::array<Rows, 2> rows{Rows(outer, problem_.reversed), Rows(middle, problem_.reversed)};
    Index depth = push_lead<B>(stack, 0, rows[0].begin, length);
    for (Index j0 = rows[0].begin; j0 < rows[0].end; ++j0) {
      const Index base = depth;
      depth = push_lead<B>(stack, depth, rows[1].begin, length);
      for (Index j1 = rows[1].begin; j1 < rows[1].end; ++j1) {
        work.results = stack[depth++];
        reduce_rows<B>(block, work, rows[0].taps(j0), rows[1].taps(j1));
        for (Index t = j1; t & 1; t >>= 1) merge_top<B>(stack, --depth, length);
      }
      while (depth > base + 1) merge_top<B>(stack, --depth, length);
      for (Index t = j0; t & 1; t >>= 1) merge_top<B>(stack, --depth, length);
    }
    while (depth > 1) merge_top<B>(stack, --depth, length);
  }

  /// The taps of an outer axis, taken one by one or all as one.
  struct Rows {
    Taps whole;
    bool apart;
    Index begin, end;

    Rows(const Taps& all, bool one_by_one)
        : whole(all), apart(one_by_one), begin(apart ? all.real_begin : 0), end(apart ? all.real_end : 1) {}
    Taps taps(Index j) const { return apart ? Taps{whole.position(j), 1, 1, 0, 1} : whole; }
  };

  template <int B>
  EIGENPOOL_INLINE static Index push_lead(const typename R::Row* stack, Index depth, Index lead, Index length) {
    for (; lead != 0; lead &= lead - 1) fill<B>(stack[depth++], 0, length);
    return depth;
  }
  template <int B>
  EIGENPOOL_INLINE static void merge_top(const typename R::Row* stack, Index top, Index length) {
    for (Index i = 0; i < length; i += simd::Vec<typename R::Lane, B>::lanes) {
      auto acc = stack[top - 1].template load<B>(i);
      R::template merge<B>(acc, stack[top].template load<B>(i));
      stack[top - 1].template store<B>(i, acc);
    }
  }

  template <int B>
  EIGENPOOL_INLINE void write(const Block& block, const HorizontalRows<R>& work) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index row = (block.cell.outer * n0.result() + block.cell.at[0]) * n1.result() + block.cell.at[1];
    const Index at = (row * n2.result() + block.begin) * problem_.inner + block.offset;
    const Index outputs = block.end - block.begin;
    Cell cell = block.cell;
    cell.at[2] = block.begin;
    if (block.unit == problem_.inner && output_.shared())
      return write_run<B>(work.results, at, outputs * block.unit, output_.info(WindowTaps{}, cell));
    if (problem_.inner == 1) return output_.template write_row<B, R>(problem_, at, work, cell, outputs);
    for (Index o = 0; o < outputs; ++o, ++cell.at[2])
      write_run<B>(work.results.from(o * block.unit), at + o * problem_.inner, block.unit,
                   output_.info(R::numbered ? taps_from_start(problem_, cell) : WindowTaps{}, cell));
  }

  template <int B>
  EIGENPOOL_INLINE void write_run(const typename R::Row& results, Index at, Index length,
                                  typename Output::Info info) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    for (Index i = 0; i < length; i += lanes)
      output_.template write<B>(at + i, results.template load<B>(i), std::min(lanes, length - i), info);
  }

  Numbering numbering() const {
    if constexpr (R::numbered)
      return output_.numbering();
    else
      return {};
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Index levels_, unit_, chunk_, strips_;
};

}  // namespace detail
EIGENPOOL_END
