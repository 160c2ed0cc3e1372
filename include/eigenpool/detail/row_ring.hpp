// Doubling over the rows of a plane, for sums of windows that slide down it: partial windows of 1, 2, 4, ... rows are
// kept in rings as long as they are needed, so that every row of the source is read once and a window costs its
// logarithm.
#pragma once

#include "row_plane.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How many rows of each level are kept, and whether to do it.
class RingPlan {
 public:
  explicit RingPlan(const Axis& axis) : kernel_(axis.kernel()), dilation_(axis.dilation()) {
    pays_ = slides_often(axis);
    if (!pays_) return;
    doubling_ = Doubling(kernel_, Doubling::Steps::canonical);
    for (int l = 0; l < doubling_.levels(); ++l) keep(l, doubling_.window(l + 1) - doubling_.window(l));
    for (int t = 0; t < doubling_.count(); ++t)
      keep(doubling_.term(t).level, kernel_ - doubling_.term(t).tap - doubling_.window(doubling_.term(t).level));
    slots_[0] = ceil_div(slots_[0] + batch - 1, batch) * batch;
  }

  static constexpr Index batch = 8;  // rows of the source that are read at once

  bool pays() const { return pays_; }
  Index kernel() const { return kernel_; }
  Index dilation() const { return dilation_; }
  const Doubling& doubling() const { return doubling_; }
  Index slots(int level) const { return slots_[static_cast<std::size_t>(level)]; }
  /// Elements of scratch, for rows of `width`.
  template <class R>
  Index needed(Index width) const {
    Index all = 0;
    for (int l = 0; l <= doubling_.levels(); ++l) all += slots(l) * Scratch<R>::padded(width);
    return all;
  }

 private:
  // A row of this level is asked for until `taps` taps further on.
  void keep(int level, Index taps) {
    Index& slots = slots_[static_cast<std::size_t>(level)];
    slots = std::max(slots, taps * dilation_ + 1);
  }

  Index kernel_, dilation_;
  Doubling doubling_{1, Doubling::Steps::canonical};
  std::array<Index, 16> slots_{};
  bool pays_;
};

/// The ring of one task, over rows of one plane after the other.
template <class R>
class RowRing {
 public:
  using Row = typename R::Row;
  using Plan = RingPlan;

  explicit RowRing(const Plan& plan) : plan_(plan) {}

  void allocate(Scratch<R>& scratch, Index width) {
    pitch_ = Scratch<R>::padded(width);
    for (int l = 0; l <= plan_.doubling().levels(); ++l)
      rings_[static_cast<std::size_t>(l)] = scratch.rows(plan_.slots(l), width);
  }

  void restart() { plane_ = -1; }

  /// fill(row, count, to, pitch) makes rows, some of them ahead.
  template <int B, class Fill>
  void reduce(const SlidingWindows<Row>& windows, const Fill& fill) {
    for (Index first = windows.first; first <= windows.last(); first += windows.stride) {
      slide_to<B>(windows.plane, first, windows.length, fill);
      merge_terms<R, B>(plan_.doubling(), 0, rows_from(first), windows.to.from(windows.place(first)), windows.length);
    }
  }

 private:
  // Makes the parts of the window whose first row is `first`.
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
  }

  auto rows_from(Index at) const {
    return [this, at](int level, Index tap) { return row(level, at + tap * plan_.dilation()); };
  }
  Index slot(int level, Index at) const {
    const Index rest = at % plan_.slots(level);
    return rest < 0 ? rest + plan_.slots(level) : rest;
  }
  Row row(int level, Index at) const { return rings_[static_cast<std::size_t>(level)].from(slot(level, at) * pitch_); }

  const Plan& plan_;
  std::array<Row, 16> rings_{};
  Index pitch_ = 0, plane_ = -1, start_ = 0, next_ = 0, filled_ = 0;
};

}  // namespace detail
EIGENPOOL_END
