// Doubling over the rows of a plane, for windows that slide down it: partial
// windows of 1, 2, 4, ... rows are kept, so that every row of the source is read
// once and a window costs its logarithm. A small plane is kept whole, which
// makes the loops long; of a large one, what is still needed is kept in rings.
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
  RingPlan(const Axis& axis, bool idempotent, Index row, Index capacity)
      : kernel_(axis.kernel()), dilation_(axis.dilation()) {
    constexpr Index longest = 1024;
    pays_ = axis.is_affine() && kernel_ >= 5 && kernel_ <= longest && axis.overlaps_twice() &&
            (kernel_ - 1) * dilation_ < longest && axis.result() > 1;
    if (!pays_) return;
    doubling_ = Doubling(kernel_, idempotent);
    const Index reach = axis.reach(axis.result());
    is_whole_ = axis.stride() == 1 && (doubling_.levels() + 1) * reach <= capacity / row;
    pays_ = is_whole_ || kernel_ > 5;
    for (int l = 0; l < doubling_.levels(); ++l) keep(l, Index{1} << l);
    for (int t = 0; t < doubling_.count(); ++t)
      keep(doubling_.term(t).level, kernel_ - doubling_.term(t).tap - (Index{1} << doubling_.term(t).level));
    if (is_whole_)
      for (int l = 0; l <= doubling_.levels(); ++l) slots_[static_cast<std::size_t>(l)] = reach;
  }

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
  Doubling doubling_{1, true};
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
    const auto level = [&](int l, Index row) { return rings_[static_cast<std::size_t>(l)].from(row * pitch_); };
    for (int l = 1; l <= doubling.levels(); ++l)
      merge_rows<R, B>(level(l - 1, 0), level(l - 1, plan_.dilation() << (l - 1)), level(l, 0),
                       (rows - ((Index{1} << l) - 1) * plan_.dilation()) * pitch_);
    const Index length = (rows - (plan_.kernel() - 1) * plan_.dilation()) * pitch_;
    merge_terms<B>([&](const Doubling::Term& t) { return level(t.level, t.tap * plan_.dilation()); }, to, length);
  }

  /// Moves to the window whose first row is `first`, of plane number `plane`.
  /// fill(row, count, to, pitch) makes rows of level 0.
  template <int B, class Fill>
  void slide_to(Index plane, Index first, Index length, const Fill& fill) {
    const Index end = first + (plan_.kernel() - 1) * plan_.dilation() + 1;
    if (plane != plane_ || first > next_) {
      plane_ = plane;
      start_ = next_ = first;
    }
    for (; next_ < end; ++next_) {
      fill(next_, 1, row(0, next_), pitch_);
      for (int l = 1; l <= plan_.doubling().levels(); ++l) {
        const Index at = next_ - ((Index{1} << l) - 1) * plan_.dilation();
        if (at < start_) break;
        merge_rows<R, B>(row(l - 1, at), row(l - 1, at + (plan_.dilation() << (l - 1))), row(l, at), length);
      }
    }
    first_ = first;
  }

  /// The window that it was moved to.
  template <int B>
  void window(const Row& to, Index length) const {
    merge_terms<B>([&](const Doubling::Term& t) { return row(t.level, first_ + t.tap * plan_.dilation()); }, to,
                   length);
  }

 private:
  // The last terms first, which is the canonical order.
  template <int B, class RowOf>
  void merge_terms(const RowOf& row_of, const Row& to, Index length) const {
    const Doubling& doubling = plan_.doubling();
    Row rest = row_of(doubling.term(doubling.count() - 1));
    for (int t = doubling.count() - 2; t >= 0; --t) {
      merge_rows<R, B>(row_of(doubling.term(t)), rest, to, length);
      rest = to;
    }
  }
  Row row(int level, Index at) const {
    const Index slots = plan_.slots(level), rest = at % slots;
    return rings_[static_cast<std::size_t>(level)].from((rest < 0 ? rest + slots : rest) * pitch_);
  }

  const RingPlan& plan_;
  std::array<Row, 16> rings_{};
  Index pitch_ = 0, plane_ = -1, start_ = 0, next_ = 0, first_ = 0;
};

}  // namespace detail
EIGENPOOL_END
