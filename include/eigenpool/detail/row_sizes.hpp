// How much of a problem a kernel along rows buffers at a time.
#pragma once

#include "kernel_horizontal.hpp"
#include "kernel_vertical.hpp"
#include "row_ring.hpp"
#include "row_scans.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// What keeps the rows that windows share as they slide down a plane.
template <class R>
using SlidingRows = std::conditional_t<R::ordered_sum, RowRing<R>, RowScans<R>>;

/// Outputs are buffered `chunk` to a row, for `unit` inner elements; `joined`
/// rows stand side by side where all of a row is.
template <class R>
class RowSizes {
 public:
  using Sliding = typename SlidingRows<R>::Plan;
  static constexpr Index lead = 64;  // elements before the first column, which windows that wrap reach

  RowSizes(const Problem& problem, bool needs_table)
      : axis_(problem.axes[2]),
        plan_(axis_, problem.inner, steps_of<R>, problem.axes[1].kernel() < 5),
        tables_((needs_table ? 1 : 0) + (R::numbered ? 1 : 0) + (plan_.wraps ? 1 : 0)),
        plane_(sums_at_once(problem) && is_wide(problem) ? Axis() : slid_down(problem, needs_table), steps_of<R>,
               plan_.column_pitch * problem.inner,
               plan_.is_joint() ? Scratch<R>::capacity * 3 / 8 : 0),  // other rows take more than a plane does
        sliding_(plane_.pays() || sums_at_once(problem) ? Axis() : slid_down(problem, needs_table)),
        unit_(problem.inner),
        chunk_(std::max(axis_.result(), Index{1})) {
    fit();
    join(problem);
    in_place_ = problem.is_row() && !plan_.wraps && unit_ == problem.inner &&
                (joined_ == 1 || plan_.column_pitch == axis_.source());
  }

  const RowPlan& plan() const { return plan_; }
  const PlanePlan& plane() const { return plane_; }
  const Sliding& sliding() const { return sliding_; }
  Index unit() const { return unit_; }
  Index chunk() const { return chunk_; }
  Index joined() const { return joined_; }
  bool is_chunked() const { return chunk_ < axis_.result(); }
  /// Whether rows that windows share are kept.
  bool slides() const { return plane_.pays() || sliding_.pays(); }
  /// Whether columns stand in the source as they would in the buffer, but for padding at the ends of a row.
  bool is_in_place() const { return in_place_; }

  /// Rows that doubling works in, beside columns and results: levels, and all terms but the first.
  Index level_rows() const {
    return plan_.way == RowPlan::Way::interleaved ? plan_.sum_rows() + bit_width(plan_.kernel / plan_.stride + 1)
                                                  : plan_.doubling.levels() + (plan_.doubling.count() > 2 ? 1 : 0);
  }

  /// Elements of a buffered row, of all joined rows, of a table of what differs
  /// from column to column (for rows that wrap, over all of them), and of
  /// everything.
  Index width() const {
    if (plane_.pays()) return plan_.column_pitch * unit_;
    return (is_chunked() ? axis_.reach(chunk_) : plan_.reach) * unit_;
  }
  Index row_elements() const { return row_elements(joined_); }
  Index table_elements() const { return table_elements(joined_); }
  Index needed() const { return needed(joined_); }

 private:
  static constexpr Index most_joined = 256;

  // Whether a window's rows are summed in registers, which takes less time than to keep rows; not than to keep a plane
  // of short ones, many of which are at an end and have windows of their own.
  static bool sums_at_once(const Problem& problem) {
    return R::ordered_sum && problem.axes[0].is_identity() && problem.axes[1].kernel() <= 8;
  }
  bool is_wide(const Problem& problem) const { return plan_.column_pitch * problem.inner >= 64; }

  // The axis that windows may slide down, where a row's position alone says what its taps are numbered: with a
  // dilation, compact numbers grow with every few rows. Where sums over rows come before those over
  // planes, a row of sums over planes is of no use.
  static Axis slid_down(const Problem& problem, bool is_compact) {
    if (R::ordered_sum && problem.reversed && !problem.axes[0].is_identity()) return Axis();
    return !R::numbered || !is_compact || problem.axes[1].dilation() == 1 ? problem.axes[1] : Axis();
  }
  Index work_rows() const { return 1 + (plan_.needs_results() ? 1 : 0) + level_rows(); }
  Index row_elements(Index joined) const {
    return (is_chunked() ? std::max(axis_.reach(chunk_), chunk_)
                         : std::max({plan_.reach, joined * plan_.column_pitch, joined * plan_.pitch})) *
           unit_;
  }
  Index table_elements(Index joined) const { return plan_.wraps ? row_elements(joined) : width(); }
  Index needed(Index joined) const {
    return lead + work_rows() * Scratch<R>::padded(row_elements(joined)) +
           tables_ * Scratch<R>::padded(table_elements(joined)) + shared();
  }
  // Elements of the rows that windows share.
  Index shared() const {
    if (plane_.pays()) return plane_.template needed<R>(width());
    return sliding_.pays() ? sliding_.template needed<R>(width()) : 0;
  }

  // Several rows, where all of a row is buffered: equal parts of a plane, or whole planes, which begin and end alike.
  void join(const Problem& problem) {
    if (is_chunked() || unit_ < problem.inner || !plan_.is_joint()) return;
    const Index buffers = work_rows() + (plan_.wraps ? tables_ : 0);
    const Index buffered = buffers * std::max(plan_.column_pitch, plan_.pitch) * unit_;
    // What a guard looks at should still be there when it is reduced.
    const Index read = R::ordered_sum ? 0 : std::min(problem.axes[1].stride(), most_joined) * axis_.source() * unit_;
    const Index plane = std::max(problem.axes[1].result(), Index{1});
    const Index rows = problem.outer * problem.axes[0].result() * plane;
    const auto rows_in = [&](Index capacity, Index row, Index most) {
      return std::clamp((capacity - needed(0)) / row, Index{1}, std::min(most, rows));
    };
    joined_ = rows_in(Scratch<R>::near_capacity, buffered + read, most_joined);
    // Rows that are kept may take all of the nearest cache, and a few are joined all the same: as many as fit the stack
    // with them or, where those alone do not, the nearest cache without them.
    const bool fits_stack = needed(1) <= Scratch<R>::capacity;
    const Index room = fits_stack ? Scratch<R>::capacity : needed(0) + Scratch<R>::near_capacity;
    if (slides()) joined_ = std::max(joined_, rows_in(room, buffered, 8));
    if (plane_.pays()) joined_ = plane;
    joined_ = joined_ > plane ? joined_ / plane * plane : ceil_div(plane, ceil_div(plane, joined_));
  }

  /// Less at a time, until it fits the stack: strips of no less than a cache line,
  /// which threads that write parts of it would take from each other. Rows that
  /// are kept, and those that this would cut to less than a window, take a far cache
  /// instead: each part of a row reads again what its windows share with the next.
  void fit() {
    constexpr Index line = 64 / sizeof(typename R::Lane);
    while (unit_ > line && needed(1) > Scratch<R>::capacity) unit_ = ceil_div(unit_, 2 * line) * line;
    if (!slides()) cut_rows(Scratch<R>::capacity);
    if (needed(1) <= Scratch<R>::capacity) return;
    chunk_ = axis_.result();
    cut_rows(Scratch<R>::far_capacity);
  }
  void cut_rows(Index capacity) {
    const Index least = std::min(chunk_, axis_.reach(1));
    while (chunk_ > least && needed(1) > capacity) chunk_ = std::max((chunk_ + 1) / 2, least);
  }

  const Axis& axis_;
  RowPlan plan_;
  Index tables_;
  PlanePlan plane_;
  Sliding sliding_;
  Index unit_, chunk_, joined_ = 1;
  bool in_place_ = false;
};

}  // namespace detail
EIGENPOOL_END
