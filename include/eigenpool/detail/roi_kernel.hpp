// The kernel of RoI pooling: rows of cells are summed into one (a loop along contiguous memory), and that row's cells
// into values. The backward goes the same way back. A strip is a few channels that lie beside each other in memory, or
// a single one; scratch rows hold its cells as [column][channel of the strip].
#pragma once

#include <bit>

#include "roi_table.hpp"
#include "rows.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The sum of numbers along the canonical tree.
template <class Lane>
Lane tree_sum(const Lane* x, std::size_t count) {
  if (count == 0) return Lane(0);
  if (count == 1) return x[0];
  if (count == 2) return x[0] + x[1];
  if (count == 3) return (x[0] + x[1]) + x[2];
  if (count == 4) return (x[0] + x[1]) + (x[2] + x[3]);
  const std::size_t half = std::bit_floor(count - 1);
  return tree_sum(x, half) + tree_sum(x + half, count - half);
}

/// The sum of the entry's rows along the same tree: fill(tap, row) gives each. Products are stored before they are
/// added, so that no compiler makes them one operation here and two there.
template <int B, class Lane, class Fill>
EIGENPOOL_INLINE const Lane* sum_entry(RowStack<Lane>& rows, const RoiAxis& axis, std::size_t entry, const Fill& fill) {
  const auto [begin, end] = axis.taps(entry);
  RowSums<Lane, B> sums{rows};
  if (begin == end) {
    sums.clear(0);
    return rows.row(0);
  }
  Tree<RowSums<Lane, B>> tree(sums);
  const int base = tree.start(0);
  for (std::size_t t = begin; t < end; ++t) {
    fill(axis.tap(t), rows.row(tree.push()));
    tree.carry(static_cast<Index>(t - begin));
  }
  tree.finish(base);
  return rows.row(0);
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

/// Values of one box and strip, in vectors of B bytes. S: what the images hold.
template <class S, int B>
class RoiStrip {
 public:
  using Lane = Added<S>;

  RoiStrip(const RoiTables& tables, RoiScratch<Lane>& scratch, Index channels)
      : tables_(tables), scratch_(scratch), channels_(channels), width_(tables.span.end - tables.span.begin) {}

  /// Calls visit(row entry, column bin, column entry, values) for every pair of entries of a bin, bins of row bin `ph`
  /// in order, the entries of each in row-major order. x is the strip's first plane.
  template <class Visit>
  EIGENPOOL_INLINE void for_each_value(const ImageView<const S>& image, const S* x, std::size_t ph, std::size_t bins,
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

  /// Calls visit(column bin, values) with the largest cells of the bins of row bin `ph`, whose entries are cells; not
  /// for a bin without cells.
  template <class Visit>
  EIGENPOOL_INLINE void for_each_largest(const ImageView<const S>& image, const S* x, std::size_t ph, std::size_t bins,
                                         const Visit& visit) const {
    const auto [first, last] = tables_.rows.entries(ph);
    if (first == last) return;
    scratch_.row_stack.reset(width_ * channels_);
    Lane* row = scratch_.row_stack.row(0);
    for (std::size_t e = first; e < last; ++e) {
      const Index cell = tables_.rows.tap(tables_.rows.taps(e).begin).cell;
      if (e == first)
        on_row(ScaleRow<Lane>{Lane(1)}, image, x, cell, row);
      else
        on_row(MaxRow<Lane>(), image, x, cell, row);
    }
    for (std::size_t pw = 0; pw < bins; ++pw)
      if (const auto [begin, end] = tables_.columns.entries(pw); begin < end) visit(pw, largest(row, begin, end));
  }

  Index channels() const { return channels_; }
  Index width() const { return width_; }

 private:
  /// The operation on the cells of one row of the picture, which is `row` in scratch.
  template <class Op>
  EIGENPOOL_INLINE void on_row(const Op& op, const ImageView<const S>& image, const S* x, Index cell, Lane* row) const {
    const Index column = image.stride[3], channel = image.stride[1];
    const S* from = x + cell * image.stride[2] + tables_.span.begin * column;
    if (channels_ == 1 ? column == 1 : channel == 1 && column == channels_)
      return for_row<B>(op, from, row, width_ * channels_);
    for (Index w = 0; w < width_; ++w)
      for (Index c = 0; c < channels_; c += channel == 1 ? channels_ : 1)
        for_row<B>(op, from + w * column + c * channel, row + w * channels_ + c, channel == 1 ? channels_ : 1);
  }

  EIGENPOOL_INLINE const Lane* sum_rows(const ImageView<const S>& image, const S* x, std::size_t entry) const {
    scratch_.row_stack.reset(width_ * channels_);
    return sum_entry<B>(scratch_.row_stack, tables_.rows, entry, [&](const RoiTap& tap, Lane* row) EIGENPOOL_LAMBDA {
      on_row(ScaleRow<Lane>{static_cast<Lane>(tap.weight)}, image, x, tap.cell, row);
    });
  }

  EIGENPOOL_INLINE const Lane* sum_columns(const Lane* row, std::size_t entry) const {
    scratch_.value_stack.reset(channels_);
    if (channels_ == 1) return sum_numbers(row, entry);
    return sum_entry<B>(scratch_.value_stack, tables_.columns, entry,
                        [&](const RoiTap& tap, Lane* value) EIGENPOOL_LAMBDA {
                          const Lane* from = row + (tap.cell - tables_.span.begin) * channels_;
                          for_row<B>(ScaleRow<Lane>{static_cast<Lane>(tap.weight)}, from, value, channels_);
                        });
  }

  // The same of a single channel.
  EIGENPOOL_INLINE const Lane* sum_numbers(const Lane* row, std::size_t entry) const {
    const auto [begin, end] = tables_.columns.taps(entry);
    if (scratch_.product.size() < end - begin) scratch_.product.resize(end - begin);
    Lane* product = scratch_.product.data();
    for (std::size_t t = begin; t < end; ++t) {
      const RoiTap& tap = tables_.columns.tap(t);
      product[t - begin] = static_cast<Lane>(tap.weight) * row[tap.cell - tables_.span.begin];
    }
    Lane* sum = scratch_.value_stack.row(0);
    *sum = tree_sum(product, end - begin);
    return sum;
  }

  EIGENPOOL_INLINE const Lane* largest(const Lane* row, std::size_t begin, std::size_t end) const {
    scratch_.value_stack.reset(channels_);
    Lane* value = scratch_.value_stack.row(0);
    const auto from = [&](std::size_t entry) EIGENPOOL_LAMBDA {
      const Index cell = tables_.columns.tap(tables_.columns.taps(entry).begin).cell;
      return row + (cell - tables_.span.begin) * channels_;
    };
    std::copy_n(from(begin), channels_, value);
    for (std::size_t f = begin + 1; f < end; ++f) for_row<B>(MaxRow<Lane>(), from(f), value, channels_);
    return value;
  }

  const RoiTables& tables_;
  RoiScratch<Lane>& scratch_;
  Index channels_, width_;
};

}  // namespace detail
EIGENPOOL_END
