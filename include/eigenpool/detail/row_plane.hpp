// Doubling over the rows of a small plane, for windows that slide down it: windows of 1, 2, 4, ... rows (or of 1, 4,
// 16, ...) are kept from every row on, which makes the loops long.
#pragma once

#include "axis.hpp"
#include "doubling.hpp"
#include "row_loops.hpp"
#include "scratch.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Whether windows share rows that are worth keeping, and not too many.
inline bool slides(const Axis& axis) {
  constexpr Index longest = 1024;
  return axis.is_long() && axis.kernel() <= longest && (axis.kernel() - 1) * axis.dilation() < longest &&
         axis.result() > 1;
}

/// Whether rows of a plane that is not small are worth keeping: each takes about as long as five taps.
inline bool slides_often(const Axis& axis) { return slides(axis) && axis.kernel() > 5 * axis.stride(); }

/// `count` windows that slide down plane number `plane`, by their first rows: what rows of `length` elements are
/// reduced to goes to rows from `to` on, `pitch` apart.
template <class Row>
struct SlidingWindows {
  Index plane, first, stride, count, length;
  Row to;
  Index pitch;

  Index last() const { return first + (count - 1) * stride; }
  bool hold(Index row) const { return row >= first && row <= last() && (row - first) % stride == 0; }
  Index place(Index row) const { return (row - first) / stride * pitch; }
};

/// How many rows are kept, and whether to do it.
class PlanePlan {
 public:
  /// `row` is the elements of a row; the levels of a plane have to fit `capacity`.
  PlanePlan(const Axis& axis, Doubling::Steps steps, Index row, Index capacity) {
    if (!slides(axis) || axis.stride() > 1) return;
    kernel_ = axis.kernel(), dilation_ = axis.dilation(), rows_ = axis.reach(axis.result());
    doubling_ = Doubling(kernel_, steps);
    pays_ = levels() * rows_ <= capacity / row;
  }

  bool pays() const { return pays_; }
  Index kernel() const { return kernel_; }
  Index dilation() const { return dilation_; }
  const Doubling& doubling() const { return doubling_; }
  int levels() const { return doubling_.levels() + 1; }
  Index rows() const { return rows_; }
  /// Elements of scratch, for rows of `width`.
  template <class R>
  Index needed(Index width) const {
    return levels() * Scratch<R>::padded(rows_ * width);
  }

 private:
  Index kernel_ = 1, dilation_ = 1, rows_ = 0;
  Doubling doubling_{1, Doubling::Steps::pairs};
  bool pays_ = false;
};

/// The levels of one plane after the other.
template <class R>
class PlaneRows {
 public:
  using Row = typename R::Row;

  explicit PlaneRows(const PlanePlan& plan) : plan_(plan) {}

  void allocate(Scratch<R>& scratch, Index width) {
    width_ = width;
    for (int l = 0; l < plan_.levels(); ++l) levels_[static_cast<std::size_t>(l)] = scratch.row(plan_.rows() * width);
  }

  /// Windows one row apart, side by side. fill(row, count, to, pitch) makes rows.
  template <int B, class Fill>
  void reduce(const SlidingWindows<Row>& windows, const Fill& fill) const {
    const Doubling& doubling = plan_.doubling();
    const Index rows = windows.count + (plan_.kernel() - 1) * plan_.dilation();
    fill(windows.first, rows, levels_[0], width_);
    const auto row = [&](int l, Index tap) {
      return levels_[static_cast<std::size_t>(l)].from(tap * plan_.dilation() * width_);
    };
    const auto length = [&](Index taps) { return (rows - (taps - 1) * plan_.dilation()) * width_; };
    for (int l = 1; l <= doubling.levels(); ++l)
      make_level<R, B>(doubling, l, row, levels_[static_cast<std::size_t>(l)], length(doubling.window(l)));
    merge_terms<R, B>(doubling, 0, row, windows.to, length(plan_.kernel()));
  }

 private:
  const PlanePlan& plan_;
  std::array<Row, 16> levels_{};
  Index width_ = 0;
};

}  // namespace detail
EIGENPOOL_END
