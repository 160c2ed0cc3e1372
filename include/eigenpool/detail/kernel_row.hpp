// The kernel for rows of short columns (channels first: single elements): the
// rows of a window are reduced vertically into a buffer, and the buffer
// horizontally. A sum over a column-major tensor goes the other way round,
// since its innermost memory axis is logical axis 0, which the canonical tree
// sums first.
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
    while (unit_ > 64 && axis.reach(chunk_) * unit_ > room) unit_ = (unit_ + 31) / 32 * 16;
    while (chunk_ > 1 && axis.reach(chunk_) * unit_ > room) chunk_ = (chunk_ + 1) / 2;
    strips_ = ceil_div(problem.inner, unit_);
    if (chunk_ == axis.result() && strips_ == 1 && !sums_rows() && Horizontal<R, 16>::is_joint(axis)) join_rows(room);
  }

  /// Windows that hold nothing, or little but padding, or whose rows no cache
  /// would hold, are not for a buffered row.
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
    RowBuffer<R> buffer(rows(),
                        std::max({axis.reach(chunk_), chunk_, joined_ * column_pitch_, joined_ * pitch_}) * unit_);
    HorizontalRows<R> work{buffer.row(), buffer.row(), {buffer.row(), buffer.row(), buffer.row()}};
    std::array<typename R::Row, 130> stack{work.results};
    for (Index l = 0; l < levels_; ++l) stack[static_cast<std::size_t>(l) + 1] = buffer.row();

    if (begin >= end || axis.result() == 0) return;
    Cell cell = Cell::number(problem_, begin * axis.result());
    for (Index i = begin; i < end; i += joined_) {
      const Index rows = std::min(joined_, end - i);
      for (Index strip = 0; strip < strips_; ++strip)
        for (Index o = 0; o < axis.result(); o += chunk_) {
          const Block block{cell,
                            rows,
                            o,
                            std::min(o + chunk_, axis.result()),
                            strip * unit_,
                            std::min(unit_, problem_.inner - strip * unit_)};
          if constexpr (R::ordered_sum)
            sum_rows<B>(block, work, stack.data());
          else
            reduce_rows<B>(block, work, nullptr);
          write<B>(block, work);
        }
      for (Index row = 0; row < rows; ++row) cell.next_row(problem_);
    }
  }

 private:
  /// Outputs [begin, end) of `rows` rows from that of `cell` on, for `unit`
  /// inner elements from `offset` on.
  struct Block {
    Cell cell;
    Index rows, begin, end, offset, unit;
    Index outputs() const { return end - begin; }
  };
  using OuterTaps = std::array<Taps, 2>;

  /// Short rows are buffered next to each other and reduced horizontally as
  /// one; what is computed across their ends is left out.
  void join_rows(Index room) {
    const Axis& axis = problem_.axes[2];
    const Index stride = axis.stride(), reach = axis.reach(axis.result()), outputs = axis.result();
    if (axis.is_covering()) {
      column_pitch_ = std::max(reach, ceil_div(outputs, stride));
      pitch_ = column_pitch_ * stride;
    } else {
      pitch_ = std::max(ceil_div(reach, stride), outputs);
      column_pitch_ = pitch_ * stride;
    }
    joined_ = std::max(room / (std::max(pitch_, column_pitch_) * unit_), Index{1});
  }

  bool sums_rows() const { return R::ordered_sum && problem_.reversed; }
  Index rows() const { return HorizontalRows<R>::count + levels_; }
  static Index row_levels(const Problem& problem) {
    return bit_width(problem.axes[0].max_count()) + bit_width(problem.axes[1].max_count());
  }

  // The rows of the window at once, those of the given taps or all, then along
  // the row.
  template <int B>
  EIGENPOOL_INLINE void reduce_rows(const Block& block, const HorizontalRows<R>& work, const OuterTaps* given) const {
    Cell cell = block.cell;
    for (Index row = 0; row < block.rows; ++row, cell.next_row(problem_)) {
      const OuterTaps taps = given != nullptr ? *given : outer_taps(cell);
      gather<B>(block, work.columns.from(row * column_pitch_ * block.unit), cell.outer, taps);
    }
    const Index outputs = (block.rows - 1) * pitch_ + block.outputs();
    horizontal<B>(block).reduce(work, block.begin, block.begin + outputs);
  }

  OuterTaps outer_taps(const Cell& cell) const {
    return {problem_.axes[0].taps(cell.at[0]), problem_.axes[1].taps(cell.at[1])};
  }

  template <int B>
  EIGENPOOL_INLINE Horizontal<R, B> horizontal(const Block& block) const {
    const Axis& axis = problem_.axes[2];
    return {axis, block.unit, R::numbered ? numbering().weight(2, axis.dilation()) : 0};
  }

  // The columns of a block, reduced over the window's rows; the identity where
  // there is padding.
  template <int B>
  EIGENPOOL_INLINE void gather(const Block& block, const typename R::Row& columns, Index outer,
                               const OuterTaps& rows) const {
    const Span span = problem_.axes[2].span(block.begin, block.end);
    const Index length = std::max(span.end - span.begin, Index{0});
    const Index begin = std::clamp(-span.begin, Index{0}, length);
    const Index end = std::clamp(problem_.axes[2].source() - span.begin, begin, length);
    const WindowTaps taps{rows[0], rows[1], Taps{span.begin, 1, length, begin, begin < length ? begin + 1 : begin}};
    const TapLoops loops = tap_loops<R>(problem_, taps, numbering());
    if (loops.empty()) return fill<B>(columns, 0, length * block.unit);
    if (begin < end) {
      const S* p = source_ + first_tap(problem_, outer, taps) + block.offset;
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

  // Row-major: all rows of the window at once. Column-major: the canonical tree
  // over rows that are reduced horizontally first, as a stack of partial sums
  // like Tree's, one within the other for the two outer axes. stack[0] is the
  // result.
  template <int B>
  EIGENPOOL_INLINE void sum_rows(const Block& block, HorizontalRows<R> work, const typename R::Row* stack) const {
    const bool apart = sums_rows();
    const OuterTaps all = outer_taps(block.cell);
    const Index length = block.outputs() * block.unit;
    if (apart && (all[0].real() == 0 || all[1].real() == 0)) return fill<B>(work.results, 0, length);
    const std::array<Rows, 2> rows{Rows(all[0], apart), Rows(all[1], apart)};
    Index depth = push_lead<B>(stack, 0, rows[0].begin, length);
    for (Index j0 = rows[0].begin; j0 < rows[0].end; ++j0) {
      const Index base = depth;
      depth = push_lead<B>(stack, depth, rows[1].begin, length);
      for (Index j1 = rows[1].begin; j1 < rows[1].end; ++j1) {
        work.results = stack[depth++];
        const OuterTaps one{rows[0].tap(j0), rows[1].tap(j1)};
        reduce_rows<B>(block, work, apart ? &one : nullptr);
        for (Index t = j1; t & 1; t >>= 1) merge_top<B>(stack, --depth, length);
      }
      while (depth > base + 1) merge_top<B>(stack, --depth, length);
      for (Index t = j0; t & 1; t >>= 1) merge_top<B>(stack, --depth, length);
    }
    while (depth > 1) merge_top<B>(stack, --depth, length);
  }

  /// The taps of an outer axis: one by one, or a single turn for all of them.
  struct Rows {
    Taps whole;
    Index begin, end;

    Rows(const Taps& all, bool apart) : whole(all), begin(apart ? all.real_begin : 0), end(apart ? all.real_end : 1) {}
    Taps tap(Index j) const { return {whole.position(j), 1, 1, 0, 1}; }
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
  EIGENPOOL_INLINE void write(const Block& block, HorizontalRows<R> work) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index row = (block.cell.outer * n0.result() + block.cell.at[0]) * n1.result() + block.cell.at[1];
    Index at = (row * n2.result() + block.begin) * problem_.inner + block.offset;
    Cell cell = block.cell;
    cell.at[2] = block.begin;
    if (output_.shared() && block.rows > 1 && pitch_ == n2.result())
      return write_run<B>(work.results, at, block.rows * block.outputs() * block.unit,
                          output_.info(WindowTaps{}, cell));
    for (Index r = 0; r < block.rows; ++r, at += n2.result() * problem_.inner) {
      write_outputs<B>(block, work, at, cell);
      work.results = work.results.from(pitch_ * block.unit);
      if (block.rows > 1) {
        cell.next_row(problem_);
        cell.at[2] = block.begin;
      }
    }
  }

  template <int B>
  EIGENPOOL_INLINE void write_outputs(const Block& block, const HorizontalRows<R>& work, Index at, Cell cell) const {
    const Index outputs = block.outputs();
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
  Index joined_ = 1, column_pitch_ = 0,
        pitch_ = 0;  // rows in one; columns and outputs from one to the next
};

}  // namespace detail
EIGENPOOL_END
