// The kernel of RoI pooling: rows of cells are summed into one (a loop along contiguous memory), and that row's cells
// into values. The backward goes the same way back. A strip is a few channels that lie beside each other in memory, or
// a single one; scratch rows hold its cells as [column][channel of the strip].
#pragma once

#include "roi_table.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// A stack of rows of lanes for a Tree of sums.
template <class Lane>
class RowStack {
 public:
  void reset(Index length) { length_ = length; }
  Lane* row(int d) {
    const auto needed = static_cast<std::size_t>((d + 1) * length_);
    if (rows_.size() < needed) rows_.resize(needed, Lane(0));
    return rows_.data() + d * length_;
  }
  void clear(int d) { std::fill_n(row(d), length_, Lane(0)); }
  void merge(int d) {
    const Lane* from = row(d + 1);
    Lane* to = row(d);
    for (Index i = 0; i < length_; ++i) to[i] = to[i] + from[i];
  }

 private:
  Index length_ = 0;
  std::vector<Lane> rows_;
};

/// The sum of the entry's rows along the canonical tree: fill(tap, row) gives each. Products are stored before they are
/// added, so that no compiler makes them one operation here and two there.
template <class Lane, class Fill>
const Lane* sum_entry(RowStack<Lane>& stack, const RoiAxis& axis, std::size_t entry, const Fill& fill) {
  const auto [begin, end] = axis.taps(entry);
  if (begin == end) {
    stack.clear(0);
    return stack.row(0);
  }
  Tree<RowStack<Lane>> tree(stack);
  const int base = tree.start(0);
  for (std::size_t t = begin; t < end; ++t) {
    fill(axis.tap(t), stack.row(tree.push()));
    tree.carry(static_cast<Index>(t - begin));
  }
  tree.finish(base);
  return stack.row(0);
}

/// The tables of a box, and the columns that it reads.
struct RoiTables {
  RoiAxis rows, columns;
  Span span{0, 0};
};

/// What a strip of one box is worked on with, made once for many.
template <class Lane>
struct RoiScratch {
  RowStack<Lane> row_stack, value_stack;
  std::vector<Lane> best, gradient, product;
  std::vector<std::size_t> row_entry, column_entry;
};

/// Values of one box and strip. S: what the images hold.
template <class S>
class RoiStrip {
 public:
  using Lane = Added<S>;

  RoiStrip(const RoiTables& tables, RoiScratch<Lane>& scratch, Index channels)
      : tables_(tables), scratch_(scratch), channels_(channels), width_(tables.span.end - tables.span.begin) {}

  /// Calls visit(row entry, column bin, column entry, values) for every pair of entries of a bin, bins of row bin `ph`
  /// in order, the entries of each in row-major order. x is the strip's first plane.
  template <class Visit>
  void for_each_value(const ImageView<const S>& image, const S* x, std::size_t ph, std::size_t bins,
                      const Visit& visit) const {
    const auto [first, last] = tables_.rows.entries(ph);
    for (std::size_t e = first; e < last; ++e) {
      const Lane* row = sum_rows(image, x, e);
      for (std::size_t pw = 0; pw < bins; ++pw) {
        const auto [begin, end] = tables_.columns.entries(pw);
        for (std::size_t f = begin; f < end; ++f) visit(e, pw, f, sum_columns(row, f));
      }
    }
  }

  Index channels() const { return channels_; }
  Index width() const { return width_; }

 private:
  const Lane* sum_rows(const ImageView<const S>& image, const S* x, std::size_t entry) const {
    scratch_.row_stack.reset(width_ * channels_);
    const Index column = image.stride[3], channel = image.stride[1];
    const bool is_run = channels_ == 1 ? column == 1 : channel == 1 && column == channels_;
    return sum_entry(scratch_.row_stack, tables_.rows, entry, [&](const RoiTap& tap, Lane* row) {
      const Lane weight = static_cast<Lane>(tap.weight);
      const S* from = x + tap.cell * image.stride[2] + tables_.span.begin * column;
      if (is_run) {
        for (Index i = 0; i < width_ * channels_; ++i) row[i] = weight * static_cast<Lane>(from[i]);
      } else {
        for (Index w = 0; w < width_; ++w)
          for (Index c = 0; c < channels_; ++c)
            row[w * channels_ + c] = weight * static_cast<Lane>(from[w * column + c * channel]);
      }
    });
  }

  const Lane* sum_columns(const Lane* row, std::size_t entry) const {
    scratch_.value_stack.reset(channels_);
    return sum_entry(scratch_.value_stack, tables_.columns, entry, [&](const RoiTap& tap, Lane* value) {
      const Lane weight = static_cast<Lane>(tap.weight);
      const Lane* from = row + (tap.cell - tables_.span.begin) * channels_;
      for (Index c = 0; c < channels_; ++c) value[c] = weight * from[c];
    });
  }

  const RoiTables& tables_;
  RoiScratch<Lane>& scratch_;
  Index channels_, width_;
};

}  // namespace detail
EIGENPOOL_END
