// Reduces along a buffered row of columns, each of `unit` neighbouring
// elements: taps next to each other, by doubling, by phases of the stride, or
// by halving. All of them build the same canonical tree.
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

/// The outputs [begin, end) of an axis, from columns that start with the first
/// of axis.span(begin, end).
template <class R, int B>
class Horizontal {
 public:
  using Acc = typename R::template Acc<B>;
  using Row = typename R::Row;
  static constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  static constexpr int single = static_cast<int>(sizeof(typename R::Lane));  // bytes of one lane

  /// `weight` is what one tap adds to a number.
  EIGENPOOL_INLINE Horizontal(const Axis& axis, Index unit, Index weight) : axis_(axis), unit_(unit), weight_(weight) {}

  /// Whether outputs are computed side by side, so that several rows may stand
  /// in one, each at a multiple of pitch() columns, and be reduced as one long
  /// row.
  static constexpr bool is_joint(const Axis& axis) {
    if (axis.is_covering()) return axis.dilation() == 1;
    return axis.is_affine() && !(axis.stride() >= axis.kernel() && axis.kernel() >= 16);
  }

  EIGENPOOL_INLINE void reduce(const HorizontalRows<R>& rows, Index begin, Index end) const {
    const Index outputs = end - begin, kernel = axis_.kernel(), stride = axis_.stride();
    if (!is_joint(axis_))
      each_window(rows, begin, end);
    else if (axis_.is_covering())
      interleaved(rows, begin, end);
    else if (stride == 1)
      neighbours(kernel, axis_.dilation(), rows.columns, rows.results, outputs);
    else if (kernel > 3)
      strided(rows, outputs);
    else if (stride == 2 && axis_.dilation() == 1 && unit_ == 1)
      halves(rows, outputs);
    else
      phases(rows, outputs);
  }

 private:
  // to[i] = columns[i] . columns[i + dilation] . ...; overwrites columns
  EIGENPOOL_INLINE void neighbours(Index kernel, Index dilation, const Row& columns, const Row& to,
                                   Index outputs) const {
    if (kernel > 3) return doubled(kernel, dilation, columns, to, outputs);
    std::array<Row, 3> tap{};
    for (Index j = 0; j < kernel; ++j) tap[static_cast<std::size_t>(j)] = columns.from(j * dilation * unit_);
    combine(kernel, tap, to, outputs);
  }

  // Stride 2 without dilation: even and odd columns are taken apart in
  // registers.
  EIGENPOOL_INLINE void halves(const HorizontalRows<R>& rows, Index outputs) const {
    const auto evens = [&](Index i, Acc& odd) EIGENPOOL_LAMBDA {
      Acc even;
      R::template unzip<B>(rows.columns.template load<B>(2 * i), rows.columns.template load<B>(2 * i + lanes), even,
                           odd);
      return even;
    };
    for (Index i = 0; i < outputs; i += lanes) {
      Acc odd, unused;
      Acc acc = evens(i, odd);
      if (axis_.kernel() > 1) R::template merge<B>(acc, R::template shifted<B>(odd, weight_));
      if (axis_.kernel() > 2) R::template merge<B>(acc, R::template shifted<B>(evens(i + 1, unused), 2 * weight_));
      rows.results.template store<B>(i, acc);
    }
  }

  // The transposed table of a stride: the outputs of one residue of the stride
  // are windows of neighbours, and the residues take turns.
  EIGENPOOL_INLINE void interleaved(const HorizontalRows<R>& rows, Index begin, Index end) const {
    if constexpr (R::ordered_sum) {
      const Index stride = axis_.stride(), kernel = axis_.kernel(), origin = axis_.span(begin, end).begin;
      for (Index turn = 0; turn < std::min(stride, end - begin); ++turn) {
        const Index reached = begin + turn + axis_.padding(), outputs = (end - begin - turn - 1) / stride + 1;
        const Index residue = reached % stride, taps = residue < kernel ? (kernel - 1 - residue) / stride + 1 : 0;
        const Row columns = rows.columns.from((reached / stride - taps + 1 - origin) * unit_);
        const Row& sums = rows.work[turn == 1];
        if (taps == 0) {
          for (Index i = 0; i < outputs * unit_; i += lanes) sums.template store<B>(i, R::template identity<B>());
        } else if (taps <= 3) {
          neighbours(taps, 1, columns, sums, outputs);
        } else {  // doubling overwrites what the other turns still need
          copy(columns, rows.work[2], outputs + taps - 1);
          doubled(taps, 1, rows.work[2], sums, outputs);
        }
        if (stride == 2 && unit_ == 1 && turn == 1)
          zip(rows.work[0], sums, rows.results, end - begin);
        else if (stride != 2 || unit_ != 1 || end - begin == 1)
          copy_to_every(sums, rows.results.from(turn * unit_), outputs);
      }
    }
  }

  EIGENPOOL_INLINE void zip(const Row& first, const Row& second, const Row& to, Index outputs) const {
    for (Index i = 0; 2 * i < outputs; i += lanes) {
      Acc low, high;
      simd::zip(first.template load<B>(i), second.template load<B>(i), low, high);
      to.template store<B>(2 * i, low);
      to.template store<B>(2 * i + lanes, high);
    }
  }

  // Every stride-th column is a phase; on the phases, taps are neighbours
  // again.
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
        copy_every(rows.columns.from(phase * unit_), row, length);
      }
      made[static_cast<std::size_t>(j)] = found == j ? phase : -1;
      tap[static_cast<std::size_t>(j)] = row.from(column / stride * unit_);
    }
    combine(axis_.kernel(), tap, rows.results, outputs);
  }

  // to[i] = from[i * stride], column by column
  EIGENPOOL_INLINE void copy_every(const Row& from, const Row& to, Index length) const {
    for (Index i = 0; i < length; ++i) copy_column(from, i * axis_.stride(), to, i);
  }
  // to[i * stride] = from[i]
  EIGENPOOL_INLINE void copy_to_every(const Row& from, const Row& to, Index length) const {
    for (Index i = 0; i < length; ++i) copy_column(from, i, to, i * axis_.stride());
  }
  EIGENPOOL_INLINE void copy_column(const Row& from, Index source, const Row& to, Index target) const {
    for (Index c = 0; c < unit_; ++c)
      to.template store<single>(target * unit_ + c, from.template load<single>(source * unit_ + c));
  }

  EIGENPOOL_INLINE void combine(Index kernel, const std::array<Row, 3>& tap, const Row& to, Index outputs) const {
    for (Index i = 0; i < outputs * unit_; i += lanes) {
      Acc acc = tap[0].template load<B>(i);
      if (kernel > 1) R::template merge<B>(acc, R::template shifted<B>(tap[1].template load<B>(i), weight_));
      if (kernel > 2) R::template merge<B>(acc, R::template shifted<B>(tap[2].template load<B>(i), 2 * weight_));
      to.template store<B>(i, acc);
    }
  }

  // row[i] = row[i] . row[i + taps]; ascending, so that it may be done in place
  EIGENPOOL_INLINE void merge_ahead(const Row& row, const Row& ahead, const Row& target, Index taps, Index dilation,
                                    Index columns) const {
    const Index distance = taps * dilation * unit_;
    for (Index i = 0; i < columns * unit_; i += lanes) {
      Acc acc = row.template load<B>(i);
      R::template merge<B>(acc, R::template shifted<B>(ahead.template load<B>(i + distance), taps * weight_));
      target.template store<B>(i, acc);
    }
  }

  // Windows of 1, 2, 4, ... taps, each from two of half the size; `to` gathers
  // those that make up the kernel.
  EIGENPOOL_INLINE void doubled(Index kernel, Index dilation, const Row& power, const Row& to, Index outputs) const {
    const auto columns = [&](Index taps) { return outputs + (kernel - taps) * dilation; };
    Index gathered = 0;
    for (Index taps = 1; taps <= kernel; taps *= 2) {
      if ((kernel & taps) != 0) {
        if (gathered == 0)
          copy(power, to, columns(taps));
        else
          merge_ahead(power, to, to, taps, dilation, columns(gathered + taps));
        gathered += taps;
      }
      if (2 * taps <= kernel) merge_ahead(power, power, power, taps, dilation, columns(2 * taps));
    }
  }

  // Every window of neighbours, of which every stride-th is kept.
  EIGENPOOL_INLINE void strided(const HorizontalRows<R>& rows, Index outputs) const {
    doubled(axis_.kernel(), axis_.dilation(), rows.columns, rows.work[0], (outputs - 1) * axis_.stride() + 1);
    copy_every(rows.work[0], rows.results, outputs);
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

  // Pairs of neighbours, then pairs of those; the odd one out of each round
  // joins at the end.
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
