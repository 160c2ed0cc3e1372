// Maxima and minima of windows that slide down a plane, by van Herk (1992) and Gil and Werman (1993): rows are cut into
// blocks as long as a window, so that a window is the end of one block and the beginning of the next. A row costs three
// merges, however long the windows are.
#pragma once

#include "row_plane.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How many rows are kept, and whether to do it.
class ScanPlan {
 public:
  explicit ScanPlan(const Axis& axis) : kernel_(axis.kernel()), dilation_(axis.dilation()), pays_(slides_often(axis)) {}

  bool pays() const { return pays_; }
  Index dilation() const { return dilation_; }
  /// Rows of a block: with a dilation, of as many blocks as lie between its taps.
  Index block() const { return kernel_ * dilation_; }
  /// Elements from row to row, for rows of `width`: whole vectors, and an odd number of them, since rows that lie a
  /// power of two apart take each other's place in a cache.
  template <class R>
  static Index pitch(Index width) {
    constexpr Index lanes = 64 / sizeof(typename R::Lane);
    return (ceil_div(width, lanes) | 1) * lanes;
  }
  /// Rows of the source that are read at once: few enough for the nearest cache.
  template <class R>
  static Index batch(Index width) {
    return std::clamp(Scratch<R>::near_capacity / (2 * pitch<R>(width)), Index{2}, largest_batch);
  }
  static constexpr Index largest_batch = 8;
  /// Rows of a block, of the prefixes of the next, and of a batch.
  template <class R>
  Index rows(Index width) const {
    return block() + dilation_ + batch<R>(width);
  }
  /// Elements of scratch.
  template <class R>
  Index needed(Index width) const {
    return Scratch<R>::padded(rows<R>(width) * pitch<R>(width));
  }

 private:
  Index kernel_, dilation_;
  bool pays_;
};

/// The rows of one task, of one plane after the other.
template <class R>
class RowScans {
 public:
  using Row = typename R::Row;
  using Plan = ScanPlan;

  explicit RowScans(const Plan& plan) : plan_(plan) {}

  void allocate(Scratch<R>& scratch, Index width) {
    pitch_ = Plan::template pitch<R>(width);
    batch_ = Plan::template batch<R>(width);
    kept_ = scratch.row(plan_.template rows<R>(width) * pitch_);
    prefixes_ = kept_.from(plan_.block() * pitch_);
    rows_ = prefixes_.from(plan_.dilation() * pitch_);
  }

  void restart() { plane_ = -1; }

  /// The windows that follow what was made last, or any of another plane. fill(row, count, to, pitch) makes rows.
  template <int B, class Fill>
  void reduce(const SlidingWindows<Row>& windows, const Fill& fill) {
    if (windows.plane != plane_) {
      plane_ = windows.plane, begin_ = windows.first;
      fill(begin_, plan_.block(), kept_, pitch_);
      begin_block<B>(windows.length);
    }
    for (;;) {
      make_blocks<B>(windows);
      if (windows.last() < begin_ + plan_.block())
        return take<B>(windows, windows.last() - begin_ - plan_.dilation() + 1, fill);
      take<B>(windows, plan_.block(), fill);
      begin_ += plan_.block();
      begin_block<B>(windows.length);
    }
  }

 private:
  using Windows = SlidingWindows<Row>;

  // Rows of the block become what they and all that follow in it are reduced to.
  template <int B>
  void begin_block(Index length) {
    const Index taps = plan_.dilation() * pitch_, reach = plan_.block() * pitch_ - taps;
    for (Index turn = 0; turn < plan_.dilation(); ++turn)
      simd::apart<B>([length, taps, reach, rows = kept_.from(turn * pitch_)]() EIGENPOOL_LAMBDA {
        for_whole_vectors<R, B>(length, [&](Index i) EIGENPOOL_LAMBDA {
          auto acc = rows.template load<B>(reach + i);
          for (Index at = reach - taps + i; at >= 0; at -= taps) {
            R::template merge<B>(acc, rows.template load<B>(at));
            rows.template store<B>(at, acc);
          }
        });
      });
    fill_row<R, B>(prefixes_, taps);
    taken_ = 0;
  }

  // The windows that are whole blocks.
  template <int B>
  void make_blocks(const Windows& windows) const {
    for (Index i = 0; i < plan_.dilation(); ++i)
      if (windows.hold(begin_ + i))
        merge_rows<R, B>(windows.to.from(windows.place(begin_ + i)), windows.length, kept_.from(i * pitch_));
  }

  // Rows of the block behind, before its row `end`, and the windows that end with them.
  template <int B, class Fill>
  void take(const Windows& windows, Index end, const Fill& fill) {
    while (taken_ < end) {
      const Index rest = end - taken_, count = ceil_div(rest, ceil_div(rest, batch_));
      fill(begin_ + plan_.block() + taken_, count, rows_, pitch_);
      const Index together = plan_.dilation() == 1 ? count : 1;  // rows with one prefix
      for (Index r = 0; r < count; r += together, taken_ += together)
        merge<B>(windows, rows_.from(r * pitch_), together);
    }
  }
  template <int B>
  void merge(const Windows& windows, Row batch, Index count) const {
    std::array<Index, Plan::largest_batch> places;  // of the windows that end with a row, if there are
    for (Index r = 0; r < count; ++r) {
      const Index window = taken_ + r + plan_.dilation();
      const bool is_made = window < plan_.block() && windows.hold(begin_ + window);
      places[static_cast<std::size_t>(r)] = is_made ? windows.place(begin_ + window) : -1;
    }
    simd::apart<B>([places, count, pitch = pitch_, length = windows.length, to = windows.to, batch,
                    kept = kept_.from(taken_ * pitch_), taps = plan_.dilation() * pitch_,
                    prefix = prefixes_.from(taken_ % plan_.dilation() * pitch_)]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      // From the end on: what a vector writes beyond a result belongs to the next one, which is written later.
      for (Index i = (length - 1) / lanes * lanes; i >= 0; i -= lanes) {
        auto acc = prefix.template load<B>(i);
        for (Index r = 0, at = i; r < count; ++r, at += pitch) {
          const auto row = batch.template load<B>(at);
          R::template merge<B>(acc, row);
          kept.template store<B>(at, row);
          const Index place = places[static_cast<std::size_t>(r)];
          if (place < 0) continue;
          auto window = kept.template load<B>(at + taps);
          R::template merge<B>(window, acc);
          to.template store<B>(place + i, window);
        }
        prefix.template store<B>(i, acc);
      }
    });
  }

  const Plan& plan_;
  Row kept_{};  // suffixes of a block, each until the row of the block behind that takes its place is there
  Row prefixes_{}, rows_{};
  Index pitch_ = 0, batch_ = 0, plane_ = -1;
  Index begin_ = 0, taken_ = 0;  // the block's first row; rows of the block behind that were taken in
};

}  // namespace detail
EIGENPOOL_END
