// Reduces along a buffered row of columns, each of `unit` neighbouring elements: taps next to each other, by
// doubling, by phases of the stride, or by halving. All of them build the same canonical tree.
#pragma once

#include "axis.hpp"
#include "row_buffer.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The rows that a horizontal reduction works in.
template <class R>
struct HorizontalRows {
  typename R::Row columns;  // the input, padding included; overwritten
  typename R::Row results;
  std::array<typename R::Row, 3> work;
  static constexpr Index count = 5;
};

/// The outputs [begin, end) of an axis, from columns that start with the first of axis.span(begin, end).
template <class R, int B>
class Horizontal {
 public:
  using Acc = typename R::template Acc<B>;
  using Row = typename R::Row;
  static constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  static constexpr int single = static_cast<int>(sizeof(typename R::Lane));  // bytes of one lane

  /// `weight` is what one tap adds to a number.
  EIGENPOOL_INLINE Horizontal(const Axis& axis, Index unit, Index weight) : axis_(axis), unit_(unit), weight_(weight) {}

  EIGENPOOL_INLINE void reduce(const HorizontalRows<R>& rows, Index begin, Index end) const {
    const Index outputs = end - begin, kernel = axis_.kernel();
    if (!axis_.is_affine() || (axis_.stride() >= kernel && kernel >= 8))
      each_window(rows, begin, end);
    else if (kernel > 3)
      doubled(rows, outputs);
    else if (axis_.stride() == 1)
      neighbours(rows, outputs);
    else
      phases(rows, outputs);
  }

 private:
  // results[i] = columns[i] . columns[i + dilation] . ...
  EIGENPOOL_INLINE void neighbours(const HorizontalRows<R>& rows, Index outputs) const {
    std::array<Row, 3> tap{};
    for (Index j = 0; j < axis_.kernel(); ++j)
      tap[static_cast<std::size_t>(j)] = rows.columns.from(j * axis_.dilation() * unit_);
    combine(tap, rows.results, outputs);
  }

  // Every stride-th column is a phase; on the phases, taps are neighbours again.
  EIGENPOOL_INLINE void phases(const HorizontalRows<R>& rows, Index outputs) const {
    const Index stride = axis_.stride();
    std::array<Row, 3> tap{};
    std::array<Index, 3> made{};
    for (Index j = 0; j < axis_.kernel(); ++j) {
      const Index column = j * axis_.dilation(), phase = column % stride;
      Index found = 0;
      while (found < j && made[static_cast<std::size_t>(found)] != phase) ++found;
      const Row row = rows.work[static_cast<std::size_t>(found)];
      if (found == j) {
        const Index length = outputs + ((axis_.kernel() - 1) * axis_.dilation() - phase) / stride;
        copy_phase(rows.columns.from(phase * unit_), row, length);
      }
      made[static_cast<std::size_t>(j)] = found == j ? phase : -1;
      tap[static_cast<std::size_t>(j)] = row.from(column / stride * unit_);
    }
    combine(tap, rows.results, outputs);
  }

  EIGENPOOL_INLINE void copy_phase(const Row& columns, const Row& phase, Index length) const {
    if (unit_ == 1 && axis_.stride() == 2) {
      for (Index i = 0; i < length; i += lanes) {
        Acc even, odd;
        R::template unzip<B>(columns.template load<B>(2 * i), columns.template load<B>(2 * i + lanes), even, odd);
        phase.template store<B>(i, even);
      }
      return;
    }
    copy_every(columns, phase, length);
  }

  // to[i] = from[i * stride], column by column
  EIGENPOOL_INLINE void copy_every(const Row& from, const Row& to, Index length) const {
    for (Index i = 0; i < length; ++i) {
      const Index source = i * axis_.stride() * unit_, target = i * unit_;
      if (unit_ < lanes) {
        for (Index c = 0; c < unit_; ++c) to.template store<single>(target + c, from.template load<single>(source + c));
      } else {
        for (Index c = 0; c < unit_; c += lanes) to.template store<B>(target + c, from.template load<B>(source + c));
      }
    }
  }

  EIGENPOOL_INLINE void combine(const std::array<Row, 3>& tap, const Row& results, Index outputs) const {
    for (Index i = 0; i < outputs * unit_; i += lanes) {
      Acc acc = tap[0].template load<B>(i);
      if (axis_.kernel() > 1) R::template merge<B>(acc, R::template shifted<B>(tap[1].template load<B>(i), weight_));
      if (axis_.kernel() > 2)
        R::template merge<B>(acc, R::template shifted<B>(tap[2].template load<B>(i), 2 * weight_));
      results.template store<B>(i, acc);
    }
  }

  // row[i] = row[i] . row[i + taps]; ascending, so that it may be done in place
  EIGENPOOL_INLINE void merge_ahead(const Row& row, const Row& ahead, const Row& target, Index taps,
                                    Index columns) const {
    const Index distance = taps * axis_.dilation() * unit_;
    for (Index i = 0; i < columns * unit_; i += lanes) {
      Acc acc = row.template load<B>(i);
      R::template merge<B>(acc, R::template shifted<B>(ahead.template load<B>(i + distance), taps * weight_));
      target.template store<B>(i, acc);
    }
  }

  // Windows of 1, 2, 4, ... taps, each from two of half the size; `rest` gathers those that make up the kernel.
  EIGENPOOL_INLINE void doubled(const HorizontalRows<R>& rows, Index outputs) const {
    const Index kernel = axis_.kernel(), starts = (outputs - 1) * axis_.stride() + 1;
    const Row& power = rows.columns;
    const Row& rest = axis_.stride() == 1 ? rows.results : rows.work[0];
    const auto columns = [&](Index taps) { return starts + (kernel - taps) * axis_.dilation(); };
    Index gathered = 0;
    for (Index taps = 1; taps <= kernel; taps *= 2) {
      if ((kernel & taps) != 0) {
        if (gathered == 0)
          copy(power, rest, columns(taps));
        else
          merge_ahead(power, rest, rest, taps, columns(gathered + taps));
        gathered += taps;
      }
      if (2 * taps <= kernel) merge_ahead(power, power, power, taps, columns(2 * taps));
    }
    if (axis_.stride() != 1) copy_every(rest, rows.results, outputs);
  }

  EIGENPOOL_INLINE void copy(const Row& from, const Row& to, Index columns) const {
    for (Index i = 0; i < columns * unit_; i += lanes) to.template store<B>(i, from.template load<B>(i));
  }

  EIGENPOOL_INLINE void each_window(const HorizontalRows<R>& rows, Index begin, Index end) const {
    const Index origin = axis_.span(begin, end).begin;
    for (Index i = begin; i < end; ++i) {
      const Taps taps = axis_.taps(i);
      for (Index c = 0; c < unit_; ++c) {
        auto acc = R::template identity<single>();
        if (taps.count > 0) acc = window(rows, rows.columns.from((taps.first - origin) * unit_ + c), taps);
        rows.results.template store<single>((i - begin) * unit_ + c, acc);
      }
    }
  }

  EIGENPOOL_INLINE typename R::template Acc<single> window(const HorizontalRows<R>& rows, const Row& first,
                                                           const Taps& taps) const {
    if (unit_ == 1 && taps.step == 1 && taps.count >= 2 * lanes) return halved(first, rows.work[0], taps.count);
    const Index distance = taps.step * unit_;
    if constexpr (R::ordered_sum) {
      Tree<R, single, 1> tree;
      for (Index j = 0; j < taps.count; ++j) {
        const typename R::template Acc<single> tap[1] = {first.template load<single>(j * distance)};
        tree.push(tap);
        tree.carry(j);
      }
      tree.finish(0);
      return tree.top()[0];
    } else {
      auto acc = first.template load<single>(0);
      for (Index j = 1; j < taps.count; ++j)
        R::template merge<single>(acc,
                                  R::template shifted<single>(first.template load<single>(j * distance), j * weight_));
      return acc;
    }
  }

  // Pairs of neighbours, then pairs of those; the odd one out of each round joins at the end.
  EIGENPOOL_INLINE typename R::template Acc<single> halved(Row row, const Row& work, Index count) const {
    auto rest = R::template identity<single>();
    for (Index taps = 1;; taps *= 2) {
      if (count % 2 != 0) {
        const auto odd_one = row.template load<single>(count - 1);
        auto acc = R::template shifted<single>(odd_one, (count - 1) * taps * weight_);
        R::template merge<single>(acc, rest);
        rest = acc;
      }
      if (count == 1) return rest;
      count /= 2;
      for (Index i = 0; i < count; i += lanes) {
        Acc even, odd;
        R::template unzip<B>(row.template load<B>(2 * i), row.template load<B>(2 * i + lanes), even, odd);
        R::template merge<B>(even, R::template shifted<B>(odd, taps * weight_));
        work.template store<B>(i, even);
      }
      row = work;
    }
  }

  const Axis& axis_;
  Index unit_, weight_;
};

}  // namespace detail
EIGENPOOL_END
