// Reduces along buffered rows of columns, each of `unit` neighbouring elements:
// taps next to each other, by doubling, by halving, or window by window. All of
// them build the same canonical tree.
#pragma once

#include "axis.hpp"
#include "doubling.hpp"
#include "row_loops.hpp"
#include "scratch.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How the windows of an axis are reduced, and where its rows stand in a buffer.
struct RowPlan {
  enum class Way {
    neighbours,   // windows one column apart
    unzipped,     // windows of two or three columns, two apart: even and odd
                  // columns are taken apart in registers
    picked,       // as neighbours; then every stride-th is kept
    interleaved,  // the transposed table of a stride: the windows of one residue
                  // of the stride are neighbours, and the residues take turns
    each          // one by one
  };

  /// `alike` says that the outputs of all rows are written alike.
  RowPlan(const Axis& axis, Index unit, Doubling::Steps steps, bool alike)
      : way(Way::each), kernel(axis.kernel()), stride(axis.stride()), reach(axis.reach(axis.result())) {
    pitch = axis.result();
    if (alike && wraps_well(axis, unit)) {
      way = Way::neighbours;
      wraps = true;
      reach = column_pitch = pitch;
      return;
    }
    if (axis.is_covering() && axis.dilation() == 1 && stride <= axis.result()) {
      way = Way::interleaved;
      column_pitch = std::max(reach, ceil_div(axis.result(), stride));
      pitch = column_pitch * stride;
    } else if (axis.is_affine() && stride <= 2 * reach_of_window(axis)) {
      plan_affine(axis, unit, steps);
    } else {
      column_pitch = reach;
    }
  }

  /// Whether rows may be reduced side by side.
  bool is_joint() const { return way != Way::each; }
  /// Whether results are made in a row of their own.
  bool needs_results() const { return way == Way::picked || way == Way::interleaved || way == Way::each; }

  Way way;
  Index kernel, stride;    // once halved
  Index reach;             // columns that the outputs of a row need
  Index pitch = 0;         // outputs from one row to the next
  Index column_pitch = 0;  // columns from one row to the next
  bool wraps = false;      // rows stand without padding between them; what windows reach of
                           // their neighbours is left out
  int halvings = 0;        // pairs of columns, then pairs of those, ...
  Doubling doubling{1, Doubling::Steps::pairs};

 private:
  static Index reach_of_window(const Axis& axis) { return (axis.kernel() - 1) * axis.dilation() + 1; }

  /// Three neighbours that keep an axis as it is: all rows are one run, both to read and to write.
  static bool wraps_well(const Axis& axis, Index unit) {
    constexpr Index longest = 64;  // longer rows gain nothing
    return axis.is_affine() && axis.stride() == 1 && axis.dilation() == 1 && axis.kernel() == 3 &&
           axis.padding() == 1 && axis.source() == axis.result() && axis.source() * unit <= longest;
  }

  void plan_affine(const Axis& axis, Index unit, Doubling::Steps steps) {
    constexpr Index longest_padded = 4096;
    const bool plain = unit == 1 && axis.dilation() == 1;
    if (axis.result() == 1 && plain && kernel > 1 && kernel <= longest_padded)
      reach = kernel = stride = static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(kernel)));
    pitch = std::max(ceil_div(reach, stride), axis.result());
    column_pitch = pitch * stride;
    for (; plain && kernel % 2 == 0 && stride % 2 == 0 && stride > 2; ++halvings) kernel /= 2, stride /= 2;
    way = stride == 1                                            ? Way::neighbours
          : stride == 2 && (kernel == 2 || kernel == 3) && plain ? Way::unzipped
                                                                 : Way::picked;
    if (way != Way::unzipped) doubling = Doubling(kernel, steps);
  }
};

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
        if (plan_.wraps) return wrapped(rows, emit);
        return neighbours(plan_.kernel, plan_.doubling, columns, rows.levels, outputs, emit);
      case Way::unzipped:
        if (plan_.kernel == 2) return emit([columns](Index i) EIGENPOOL_LAMBDA { return pairs(columns, i); });
        return emit([columns](Index i) EIGENPOOL_LAMBDA { return triples(columns, i); });
      case Way::picked:
        neighbours(plan_.kernel, plan_.doubling, columns, rows.levels, (outputs - 1) * plan_.stride + 1,
                   into(rows.results, (outputs - 1) * plan_.stride + 1));
        for (Index i = 0; i < outputs; ++i) copy_column(rows.results, i * plan_.stride, i);
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
    const auto row = [&](int l, Index tap) { return (l == 0 ? columns : levels[l - 1]).from(tap * apart); };
    if (steps_of<R> != Doubling::Steps::fours && kernel == 3)
      return emit([columns, apart](Index i) EIGENPOOL_LAMBDA {
        Acc acc = columns.template load<B>(i);
        R::template merge<B>(acc, columns.template load<B>(i + apart));
        R::template merge<B>(acc, columns.template load<B>(i + 2 * apart));
        return acc;
      });
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

  void interleaved(const HorizontalRows<R>& rows, Index begin, Index outputs) const {
    if constexpr (R::ordered_sum) {
      const Index stride = plan_.stride, kernel = plan_.kernel, origin = axis_.span(begin, begin + outputs).begin;
      const Row sums = rows.levels[0];
      for (Index turn = 0; turn < std::min(stride, outputs); ++turn) {
        const Index reached = begin + turn + axis_.padding(), count = (outputs - turn - 1) / stride + 1;
        const Index residue = reached % stride, taps = residue < kernel ? (kernel - 1 - residue) / stride + 1 : 0;
        const Row columns = rows.input.from((reached / stride - taps + 1 - origin) * unit_);
        if (taps == 0)
          into(sums, count)([](Index) EIGENPOOL_LAMBDA { return R::template identity<B>(); });
        else
          neighbours(taps, Doubling(taps, steps_of<R>), columns, rows.levels + 1, count, into(sums, count));
        if (stride == 2 && unit_ == 1 && turn == 1)
          zip(rows.results, sums, outputs);
        else if (stride == 2 && unit_ == 1 && outputs > 1)
          into(rows.results, count)([sums](Index i) EIGENPOOL_LAMBDA { return sums.template load<B>(i); });
        else
          for (Index i = 0; i < count; ++i)
            for (Index c = 0; c < unit_; ++c)
              rows.results.values[(turn + i * stride) * unit_ + c] = sums.values[i * unit_ + c];
      }
    }
  }

  // evens[2 i], evens[2 i + 1] = evens[i], odds[i]: from the end, so that nothing is lost.
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

  void copy_column(const Row& row, Index from, Index to) const {
    for (Index c = 0; c < unit_; ++c)
      row.template store<single>(to * unit_ + c, row.template load<single>(from * unit_ + c));
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
