// Doubling over the rows of a plane, for windows that slide down it: partial
// windows of 1, 2, 4, ... rows (or 1, 4, 16, ...) are kept, so that every row of
// the source is read once and a window costs its logarithm. A small plane is kept
// whole, which makes the loops long; of a large one, what is still needed is kept
// in rings.
#pragma once

#include "axis.hpp"
#include "doubling.hpp"
#include "row_loops.hpp"
#include "scratch.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How many rows of each level are kept, and whether to do it.
class RingPlan {
 public:
  /// `row` is the elements of a row; a plane of at most `capacity` elements is
  /// kept whole.
  RingPlan(const Axis& axis, Doubling::Steps steps, Index row, Index capacity)
      : kernel_(axis.kernel()), dilation_(axis.dilation()) {
    constexpr Index longest = 1024;
    pays_ = axis.is_affine() && kernel_ >= 5 && kernel_ <= longest && axis.overlaps_twice() &&
            (kernel_ - 1) * dilation_ < longest && axis.result() > 1;
    if (!pays_) return;
    doubling_ = Doubling(kernel_, steps);
    const Index reach = axis.reach(axis.result());
    is_whole_ = axis.stride() == 1 && (doubling_.levels() + 1) * reach <= capacity / row;
    pays_ = is_whole_ || kernel_ > 5;
    for (int l = 0; l < doubling_.levels(); ++l) keep(l, doubling_.window(l + 1) - doubling_.window(l));
    for (int t = 0; t < doubling_.count(); ++t)
      keep(doubling_.term(t).level, kernel_ - doubling_.term(t).tap - doubling_.window(doubling_.term(t).level));
    slots_[0] = ceil_div(slots_[0] + batch - 1, batch) * batch;
    if (is_whole_)
      for (int l = 0; l <= doubling_.levels(); ++l) slots_[static_cast<std::size_t>(l)] = reach;
  }

  static constexpr Index batch = 8;  // rows of the source that are read at once

  bool pays() const { return pays_; }
  bool is_whole() const { return pays_ && is_whole_; }
  Index kernel() const { return kernel_; }
  Index dilation() const { return dilation_; }
  const Doubling& doubling() const { return doubling_; }
  Index slots(int level) const { return slots_[static_cast<std::size_t>(level)]; }
  /// Elements of scratch, for rows of `width`.
  template <class R>
  Index needed(Index width) const {
    Index all = 0;
    for (int l = 0; l <= doubling_.levels(); ++l)
      all += is_whole_ ? Scratch<R>::padded(slots(l) * width) : slots(l) * Scratch<R>::padded(width);
    return all;
  }

 private:
  // A row of this level is asked for until `taps` taps further on.
  void keep(int level, Index taps) {
    Index& slots = slots_[static_cast<std::size_t>(level)];
    slots = std::max(slots, taps * dilation_ + 1);
  }

  Index kernel_, dilation_;
  Doubling doubling_{1, Doubling::Steps::pairs};
  std::array<Index, 16> slots_{};
  bool pays_ = false, is_whole_ = false;
};

/// The ring of one task, over rows of one plane after the other.
template <class R>
class RowRing {
 public:
  using Row = typename R::Row;

  explicit RowRing(const RingPlan& plan) : plan_(plan) {}

  void allocate(Scratch<R>& scratch, Index width) {
    pitch_ = plan_.is_whole() ? width : Scratch<R>::padded(width);
    for (int l = 0; l <= plan_.doubling().levels(); ++l)
      rings_[static_cast<std::size_t>(l)] =
          plan_.is_whole() ? scratch.row(plan_.slots(l) * width) : scratch.rows(plan_.slots(l), width);
  }

  void restart() { plane_ = -1; }

  /// All rows of a plane from `first` on, `rows` of them, and all windows.
  template <int B, class Fill>
  void whole_plane(Index first, Index rows, const Fill& fill, Row to) {
    const Doubling& doubling = plan_.doubling();
    fill(first, rows, rings_[0], pitch_);
    const auto row = [&](int l, Index tap) {
      return rings_[static_cast<std::size_t>(l)].from(tap * plan_.dilation() * pitch_);
    };
    const auto windows = [&](Index taps) { return (rows - (taps - 1) * plan_.dilation()) * pitch_; };
    for (int l = 1; l <= doubling.levels(); ++l)
      make_level<R, B>(doubling, l, row, rings_[static_cast<std::size_t>(l)], windows(doubling.window(l)));
    merge_terms<R, B>(doubling, 0, row, to, windows(plan_.kernel()));
  }

  /// Moves to the window whose first row is `first`, of plane number `plane`.
  /// fill(row, count, to, pitch) makes rows of level 0, some of them ahead.
  template <int B, class Fill>
  void slide_to(Index plane, Index first, Index length, const Fill& fill) {
    const Index end = first + (plan_.kernel() - 1) * plan_.dilation() + 1;
    if (plane != plane_ || first > next_) {
      plane_ = plane;
      start_ = next_ = filled_ = first;
    }
    for (; next_ < end; ++next_) {
      if (next_ == filled_) {
        const Index rows = std::min(RingPlan::batch, plan_.slots(0) - slot(0, next_));
        fill(next_, rows, row(0, next_), pitch_);
        filled_ += rows;
      }
      for (int l = 1; l <= plan_.doubling().levels(); ++l) {
        const Index at = next_ - (plan_.doubling().window(l) - 1) * plan_.dilation();
        if (at < start_) break;
        make_level<R, B>(plan_.doubling(), l, rows_from(at), row(l, at), length);
      }
    }
    first_ = first;
  }

  /// The window that it was moved to.
  template <int B>
  void window(const Row& to, Index length) const {
    merge_terms<R, B>(plan_.doubling(), 0, rows_from(first_), to, length);
  }

 private:
  auto rows_from(Index at) const {
    return [this, at](int level, Index tap) { return row(level, at + tap * plan_.dilation()); };
  }
  Index slot(int level, Index at) const {
    const Index rest = at % plan_.slots(level);
    return rest < 0 ? rest + plan_.slots(level) : rest;
  }
  Row row(int level, Index at) const { return rings_[static_cast<std::size_t>(level)].from(slot(level, at) * pitch_); }

  const RingPlan& plan_;
  std::array<Row, 16> rings_{};
  Index pitch_ = 0, plane_ = -1, start_ = 0, next_ = 0, filled_ = 0, first_ = 0;
};

}  // namespace detail
EIGENPOOL_END
