// The table of one axis of one box: what its bins are made of.
//
// A RoI pooling is separable. An entry is a weighted sum of cells along one axis; one entry of the rows with one of the
// columns makes a value. A bin has one entry, all of its samples' weights merged, or several, of whose values it is the
// maximum: a sample each, a sample's corner each, or a cell each.
#pragma once

#include <algorithm>
#include <vector>

#include "roi_boxes.hpp"

EIGENPOOL_BEGIN

/// What a bin of a RoI pooling becomes.
///   average         of roi_align's samples, or of roi_pool's cells
///   max             the largest sample, or cell
///   max_of_corners  roi_align alone: the largest corner of any sample's cell times its bilinear weight, which is what
///                   ONNX's RoiAlign calls max
enum class RoiMode { average, max, max_of_corners };

namespace detail {

struct RoiTap {
  Index cell;
  double weight;
};

class RoiAxis {
 public:
  struct Range {
    std::size_t begin, end;
  };

  void clear() {
    taps_.clear();
    entry_ends_.clear();
    bin_ends_.clear();
    divisors_.clear();
  }
  /// To the open entry, which end_entry() closes; a cell of weight 0 is not read. Cells come in order but that one
  /// before the last may come again; what has come before gets more weight.
  void add(Index cell, double weight) {
    if (weight == 0) return;
    const std::size_t open = entry_ends_.empty() ? 0 : entry_ends_.back();
    for (std::size_t t = taps_.size(); t > open && t + 2 > taps_.size(); --t)
      if (taps_[t - 1].cell == cell) {
        taps_[t - 1].weight += weight;
        return;
      }
    taps_.push_back({cell, weight});
  }
  void end_entry() { entry_ends_.push_back(taps_.size()); }
  void end_bin(double divisor) {
    bin_ends_.push_back(entry_ends_.size());
    divisors_.push_back(divisor);
  }
  Range entries(std::size_t bin) const { return {bin == 0 ? 0 : bin_ends_[bin - 1], bin_ends_[bin]}; }
  Range taps(std::size_t entry) const { return {entry == 0 ? 0 : entry_ends_[entry - 1], entry_ends_[entry]}; }
  const RoiTap& tap(std::size_t t) const { return taps_[t]; }
  double divisor(std::size_t bin) const { return divisors_[bin]; }

  /// The cells from the first to the last that any tap reads.
  Span cells() const {
    if (taps_.empty()) return {0, 0};
    const auto [least, most] = std::minmax_element(taps_.begin(), taps_.end(),
                                                   [](const RoiTap& a, const RoiTap& b) { return a.cell < b.cell; });
    return {least->cell, most->cell + 1};
  }

 private:
  std::vector<RoiTap> taps_;
  std::vector<std::size_t> entry_ends_, bin_ends_;
  std::vector<double> divisors_;
};

/// The sampling points of one bin along one axis: begin + (i + 0.5) step for i below `count`. Those beyond a cell
/// outside of [0, cells) count as 0.
struct RoiSamples {
  double begin, step;
  Index count, cells;

  double position(Index i) const { return begin + (static_cast<double>(i) + 0.5) * step; }
  bool is_before(Index i) const { return position(i) < -1; }
  bool is_beyond(Index i) const { return position(i) > static_cast<double>(cells); }

  /// The samples in reach: positions rise with i, and a guess of the bounds spares all that a huge box has elsewhere.
  Span inside() const {
    Index first = guess(-1, -1), last = guess(static_cast<double>(cells), 2);
    while (first < count && is_before(first)) ++first;
    while (last > first && is_beyond(last - 1)) --last;
    return {first, std::max(first, last)};
  }

 private:
  Index guess(double position, double slack) const {
    if (!(step > 0)) return slack < 0 ? 0 : count;
    const double i = (position - begin) / step - 0.5 + slack;
    return i <= 0 ? 0 : i >= static_cast<double>(count) ? count : static_cast<Index>(i);
  }
};

/// The two cells beside a position, and their bilinear weights; the outermost half cells have the value of the border.
inline std::array<RoiTap, 2> neighbours(double position, Index cells) {
  const double inside = std::max(position, 0.0);
  const Index low = std::min(static_cast<Index>(inside), cells - 1);
  if (low == cells - 1) return {{{low, 1}, {low, 0}}};
  const double beyond = inside - static_cast<double>(low);
  return {{{low, 1 - beyond}, {low + 1, beyond}}};
}

/// A bin of roi_align. Samples out of reach are one entry of no cells, whose value is 0.
inline void add_sampled_bin(RoiAxis& axis, const RoiSamples& samples, RoiMode mode) {
  const Span inside = samples.inside();
  for (Index i = inside.begin; i < inside.end; ++i) {
    for (const RoiTap& tap : neighbours(samples.position(i), samples.cells)) {
      axis.add(tap.cell, tap.weight);
      if (mode == RoiMode::max_of_corners) axis.end_entry();
    }
    if (mode == RoiMode::max) axis.end_entry();
  }
  const bool some_outside = inside.end - inside.begin < samples.count;
  if (mode == RoiMode::average || some_outside) axis.end_entry();
  axis.end_bin(mode == RoiMode::average ? static_cast<double>(std::max(samples.count, Index{1})) : 1);
}

/// A bin of roi_pool: the cells [begin, end).
inline void add_whole_bin(RoiAxis& axis, const Span& cells, RoiMode mode) {
  for (Index cell = cells.begin; cell < cells.end; ++cell) {
    axis.add(cell, 1);
    if (mode == RoiMode::max) axis.end_entry();
  }
  if (mode == RoiMode::average) axis.end_entry();
  axis.end_bin(mode == RoiMode::average ? static_cast<double>(std::max(cells.end - cells.begin, Index{1})) : 1);
}

}  // namespace detail
EIGENPOOL_END
