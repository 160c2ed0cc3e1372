// Reduces along buffered rows of columns, each of `unit` neighbouring elements:
// taps next to each other, by doubling, by halving, or window by window. All of
// them build the same canonical tree.
#pragma once

#include "row_loops.hpp"
#include "row_plan.hpp"
#include "scratch.hpp"
#include "strip_sum.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The rows that a horizontal reduction works in.
template <class R>
struct HorizontalRows {
  typename R::Row columns;                      // a buffer for the input, padding included; overwritten
  typename R::Row input;                        // what is read first: the same, or the caller's memory
  typename R::Row results;                      // where the plan needs them
  const typename R::Row* levels;                // of doubling, from level 1 on
  simd::Signed<typename R::Lane>*first, *last;  // where rows wrap, flags of the outputs with no column before, or after
};

/// `emit(f)` takes the results: f(i) is the accumulator of the outputs from
/// position i on.
template <class R, int B>
class Horizontal {
 public:
  using Acc = typename R::template Acc<B>;
  using Row = typename R::Row;
  static constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  static constexpr int single = static_cast<int>(sizeof(typename R::Lane));  // bytes of one lane

  Horizontal(const Axis& axis, const RowPlan& plan, Index unit) : axis_(axis), plan_(plan), unit_(unit) {}

  /// Whether windows of so many columns are summed as they are, in registers: to write what neighbours share takes more
  /// time.
  bool sums_at_once(Index kernel) const { return R::ordered_sum && kernel >= 4 && kernel <= (unit_ < lanes ? 5 : 8); }

  /// The outputs from `begin` on, `outputs` of them (of several rows, side by
  /// side), from columns that start with the first of axis.span().
  template <class Emit>
  void reduce(const HorizontalRows<R>& rows, Index begin, Index outputs, const Emit& emit) const {
    using Way = RowPlan::Way;
    Row columns = rows.input;
    for (int h = plan_.halvings - 1; h >= 0; --h, columns = rows.columns)
      halve(columns, rows.columns, (outputs - 1) * (plan_.stride << h) + (plan_.kernel << h));
    switch (plan_.way) {
      case Way::neighbours:
        if constexpr (!is_keyed<R>)  // rows wrap for short windows alone
          if (plan_.wraps) return wrapped(rows, emit);
        return neighbours(plan_.kernel, plan_.doubling, columns, rows.levels, outputs, emit);
      case Way::unzipped:
        if (plan_.kernel == 2) return emit([columns](Index i) EIGENPOOL_LAMBDA { return pairs(columns, i); });
        return emit([columns](Index i) EIGENPOOL_LAMBDA { return triples(columns, i); });
      case Way::thirds:
        return emit([columns](Index i) EIGENPOOL_LAMBDA {
          return third([columns](Index j) EIGENPOOL_LAMBDA { return three(columns, j, 1); }, i);
        });
      case Way::picked:
        if (unit_ >= lanes && sums_at_once(plan_.kernel)) {
          sum_windows(columns, plan_.kernel, plan_.stride, rows.results, outputs);
          return emit(kept(rows.results));
        }
        neighbours(plan_.kernel, plan_.doubling, columns, rows.levels, (outputs - 1) * plan_.stride + 1,
                   into(rows.results, (outputs - 1) * plan_.stride + 1));
        pick(rows.results, outputs);
        return emit(kept(rows.results));
      case Way::interleaved:
        interleaved(rows, begin, outputs);
        return emit(kept(rows.results));
      case Way::each:
        each_window(rows, begin, outputs);
        return emit(kept(rows.results));
    }
  }

 private:
  static auto kept(Row row) {
    return [row](Index i) EIGENPOOL_LAMBDA { return row.template load<B>(i); };
  }
  auto into(Row to, Index outputs) const {
    return [to, length = outputs * unit_](const auto& f) { make_row<R, B>(to, length, f); };
  }

  // to[i] = columns[2 i] . columns[2 i + 1]
  static void halve(Row columns, Row to, Index length) {
    make_row<R, B>(to, length, [columns](Index i) EIGENPOOL_LAMBDA { return pairs(columns, i); });
  }
  EIGENPOOL_INLINE static void unzip(const Row& columns, Index i, Acc& even, Acc& odd) {
    R::template unzip<B>(columns.template load<B>(2 * i), columns.template load<B>(2 * i + lanes), even, odd);
  }
  EIGENPOOL_INLINE static Acc pairs(const Row& columns, Index i) {
    return merged_pairs<R, B>(columns.template load<B>(2 * i), columns.template load<B>(2 * i + lanes));
  }
  // columns[2 i] . columns[2 i + 1] . columns[2 i + 2]
  EIGENPOOL_INLINE static Acc triples(const Row& columns, Index i) {
    Acc acc, odd, third, unused;
    unzip(columns, i, acc, odd);
    unzip(columns, i + 1, third, unused);
    R::template merge<B>(acc, odd);
    R::template merge<B>(acc, third);
    return R::template ordered<B>(acc);
  }

  // columns[i] . columns[i + apart] . columns[i + 2 apart]
  EIGENPOOL_INLINE static Acc three(const Row& columns, Index i, Index apart) {
    Acc acc = columns.template load<B>(i);
    R::template merge<B>(acc, columns.template load<B>(i + apart));
    R::template merge<B>(acc, columns.template load<B>(i + 2 * apart));
    return acc;
  }
  // f(3 i), f(3 (i + 1)), ..., of an f that gives neighbours.
  template <class F>
  EIGENPOOL_INLINE static Acc third(const F& f, Index i) {
    return R::template every_third<B>(f(3 * i), f(3 * i + lanes), f(3 * i + 2 * lanes));
  }

  // columns[i - 1] . columns[i] . columns[i + 1], but for what is in another row.
  template <class Emit>
  void wrapped(const HorizontalRows<R>& rows, const Emit& emit) const {
    emit([columns = rows.columns, unit = unit_, first = rows.first, last = rows.last](Index i) EIGENPOOL_LAMBDA {
      Acc acc = columns.template load<B>(i);
      R::template merge_except<B>(first + i, acc, columns.template load<B>(i - unit));
      R::template merge_except<B>(last + i, acc, columns.template load<B>(i + unit));
      return acc;
    });
  }

  // columns[i] . columns[i + dilation] . ...
  template <class Emit>
  void neighbours(Index kernel, const Doubling& doubling, Row columns, const Row* levels, Index outputs,
                  const Emit& emit) const {
    const Index apart = axis_.dilation() * unit_;
    if (sums_at_once(kernel)) {
      sum_windows(columns, kernel, 1, levels[0], outputs);
      return emit(kept(levels[0]));
    }
    const auto row = [&](int l, Index tap) { return (l == 0 ? columns : levels[l - 1]).from(tap * apart); };
    if (steps_of<R> != Doubling::Steps::fours && kernel == 3)
      return emit([columns, apart](Index i) EIGENPOOL_LAMBDA { return three(columns, i, apart); });
    for (int l = 1; l <= doubling.levels(); ++l)
      make_level<R, B>(doubling, l, row, levels[l - 1],
                       (outputs + (kernel - doubling.window(l)) * axis_.dilation()) * unit_);
    const auto term = [&](int t) { return row(doubling.term(t).level, doubling.term(t).tap); };
    if (doubling.count() == 1) return emit(kept(columns));
    if (doubling.count() == 2)
      return emit([first = term(0), second = term(1)](Index i)
                      EIGENPOOL_LAMBDA { return merged<R, B>(i, first, second); });
    if constexpr (steps_of<R> == Doubling::Steps::fours)
      return emit([first = term(0), second = term(1), third = term(2), fourth = term(3)](Index i)
                      EIGENPOOL_LAMBDA { return merged<R, B>(i, first, second, third, fourth); });
    if constexpr (steps_of<R> == Doubling::Steps::canonical) {
      const Row rest = merge_terms<R, B>(doubling, 2, row, levels[doubling.levels()], outputs * unit_);
      emit([first = term(0), second = term(1), rest](Index i)
               EIGENPOOL_LAMBDA { return merged<R, B>(i, first, second, rest); });
    }
  }

  // The sums of windows of four to eight columns, `stride` columns apart: next to each other, or of whole vectors.
  void sum_windows(Row columns, Index kernel, Index stride, Row to, Index windows) const {
    if constexpr (R::ordered_sum)
      with_count<4>(kernel, [&](auto count) {
        simd::apart<B>([=, together = stride == 1 ? windows : 1, step = stride * unit_, unit = unit_,
                        apart = axis_.dilation() * unit_]() EIGENPOOL_LAMBDA {
          for (Index o = 0; o < windows; o += together)
            for_whole_vectors<R, B>(together * unit, [&](Index i) EIGENPOOL_LAMBDA {
              to.template store<B>(o * unit + i, sum_few<R, B, count.value>(columns.values + o * step + i, apart));
            });
        });
      });
  }

  void interleaved(const HorizontalRows<R>& rows, Index begin, Index outputs) const {
    if constexpr (R::ordered_sum) {
      const Index stride = plan_.stride, kernel = plan_.kernel, origin = axis_.span(begin, begin + outputs).begin;
      const bool zips = unit_ == 1 && plan_.zips();
      for (Index turn = 0; turn < std::min(stride, outputs); ++turn) {
        const Index reached = begin + turn + axis_.padding(), count = (outputs - turn - 1) / stride + 1;
        const Index residue = reached % stride, taps = residue < kernel ? (kernel - 1 - residue) / stride + 1 : 0;
        const Row columns = rows.input.from((reached / stride - taps + 1 - origin) * unit_);
        const Row sums = !zips ? rows.levels[0] : turn == 0 ? rows.results : rows.levels[turn - 1];
        if (taps == 0)
          into(sums, count)([](Index) EIGENPOOL_LAMBDA { return R::template identity<B>(); });
        else
          neighbours(taps, Doubling(taps, steps_of<R>), columns, rows.levels + plan_.sum_rows(), count,
                     into(sums, count));
        if (!zips) copy_columns(sums, 1, rows.results.from(turn * unit_), stride, count);
      }
      if (zips && stride == 2) zip(rows.results, rows.levels[0], outputs);
      if (zips && stride == 3) zip(rows.results, rows.levels[0], rows.levels[1], outputs);
    }
  }

  // The sums of all turns in the order of outputs, in the place of those of the first: from the end, so that nothing is
  // lost.
  static void zip(Row evens, Row odds, Index outputs) {
    simd::apart<B>([=]() EIGENPOOL_LAMBDA {
      for (Index i = (outputs - 1) / (2 * lanes) * lanes; i >= 0; i -= lanes) {
        Acc low, high;
        simd::zip(evens.template load<B>(i), odds.template load<B>(i), low, high);
        evens.template store<B>(2 * i, low);
        evens.template store<B>(2 * i + lanes, high);
      }
    });
  }
  static void zip(Row first, Row second, Row third, Index outputs) {
    simd::apart<B>([=]() EIGENPOOL_LAMBDA {
      for (Index i = (outputs - 1) / (3 * lanes) * lanes; i >= 0; i -= lanes) {
        const Acc a = first.template load<B>(i), b = second.template load<B>(i), c = third.template load<B>(i);
        first.template store<B>(3 * i, simd::zip_three<0>(a, b, c));
        first.template store<B>(3 * i + lanes, simd::zip_three<1>(a, b, c));
        first.template store<B>(3 * i + 2 * lanes, simd::zip_three<2>(a, b, c));
      }
    });
  }

  // row[i] = row[stride i], by factors of the stride.
  void pick(Row row, Index outputs) const {
    const auto all = kept(row);
    Index stride = plan_.stride;
    for (; unit_ == 1 && stride % 2 == 0; stride /= 2)
      make_row<R, B>(row, (outputs - 1) * (stride / 2) + 1, [row](Index i) EIGENPOOL_LAMBDA {
        Acc even, odd;
        unzip(row, i, even, odd);
        return R::template ordered<B>(even);
      });
    for (; unit_ == 1 && stride % 3 == 0; stride /= 3)
      make_row<R, B>(row, (outputs - 1) * (stride / 3) + 1, [all](Index i) EIGENPOOL_LAMBDA { return third(all, i); });
    if (stride > 1) copy_columns(row, stride, row, 1, outputs);
  }
  // `count` columns of those `step` apart, to those `to_step` apart.
  void copy_columns(Row from, Index step, Row to, Index to_step, Index count) const {
    if (unit_ >= lanes)
      return simd::apart<B>([=, unit = unit_]() EIGENPOOL_LAMBDA {
        for (Index i = 0; i < count; ++i)
          for_vectors<lanes>(unit, [&](Index c) EIGENPOOL_LAMBDA {
            to.template store<B>(i * to_step * unit + c, from.template load<B>(i * step * unit + c));
          });
      });
    const auto copy = [&](Index i, Index o) { to.template store<single>(o, from.template load<single>(i)); };
    if (unit_ == 1)  // by itself: with the loop over a column's elements it takes twice as long
      for (Index i = 0; i < count; ++i) copy(i * step, i * to_step);
    else
      for (Index i = 0; i < count; ++i)
        for (Index c = 0; c < unit_; ++c) copy(i * step * unit_ + c, i * to_step * unit_ + c);
  }

  void each_window(const HorizontalRows<R>& rows, Index begin, Index outputs) const {
    const Index origin = axis_.span(begin, begin + outputs).begin;
    for (Index i = 0; i < outputs; ++i) {
      const Taps taps = axis_.taps(begin + i);
      const Row first = rows.input.from((taps.first - origin) * unit_);
      for (Index c = 0; c < unit_; ++c) rows.results.template store<single>(i * unit_ + c, window(first.from(c), taps));
    }
  }

  EIGENPOOL_INLINE auto window(const Row& first, const Taps& taps) const {
    auto acc = R::template identity<single>();
    if (taps.count == 0) return acc;
    const auto tap = [&](Index j) EIGENPOOL_LAMBDA { return first.template load<single>(j * taps.step * unit_); };
    if constexpr (R::ordered_sum) {
      if (taps.count > 3) {
        LaneStack<R> stack;
        Tree<LaneStack<R>> tree(stack);
        for (Index j = 0; j < taps.count; ++j) {
          stack.entry(tree.push()) = tap(j);
          tree.carry(j);
        }
        tree.finish(0);
        return stack.entry(0);
      }
    }
    acc = tap(0);
    for (Index j = 1; j < taps.count; ++j) R::template merge<single>(acc, tap(j));
    return acc;
  }

  const Axis& axis_;
  const RowPlan& plan_;
  Index unit_;
};

}  // namespace detail
EIGENPOOL_END
