// The kernels of a blur: binomial filters along the axes of a plane, and their adjoint.
//
// Sums are divided once, after all axes. Logical axis 0 comes first in every storage order: row-major it is the slow
// axis, and each row of sums is filtered along itself; column-major it is the fast one, and filtered rows are kept
// until the last sum that needs them.
#pragma once

#include <vector>

#include "binomial.hpp"
#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The cell that position p of an axis of n cells shows, or -1 for a zero.
constexpr Index shown_cell(BlurPadding padding, Index p, Index n) {
  if (p >= 0 && p < n) return p;
  if (padding == BlurPadding::zero) return -1;
  if (padding == BlurPadding::replicate) return p < 0 ? 0 : n - 1;
  return p < 0 ? -p : 2 * (n - 1) - p;
}

/// What both directions know: the axes, and how padding is chosen.
struct BlurPlane {
  Problem problem;  // the forward's
  BlurPadding padding;

  const Axis& slow() const { return problem.axes[1]; }
  const Axis& fast() const { return problem.axes[2]; }
  Index inner() const { return problem.inner; }
  Index source_row() const { return fast().source() * inner(); }
  Index result_row() const { return fast().result() * inner(); }
  Index padded_row() const { return (fast().source() + 2 * most_blur_taps) * inner(); }
  Index divisor() const { return Index{1} << (slow().kernel() + fast().kernel() - 2); }
};

/// Rows that were filtered along themselves, kept while sums need them: at most 7 neighbours.
template <class Lane>
class KeptRows {
 public:
  static constexpr Index rows = 8;
  KeptRows(Lane* memory, Index pitch) : memory_(memory), pitch_(pitch) { forget(); }
  void forget() { number_.fill(-1); }
  /// The row of this number, made by make(row) if it is not here.
  template <class Make>
  EIGENPOOL_INLINE const Lane* get(Index number, const Make& make) {
    Lane* row = memory_ + number % rows * pitch_;
    Index& kept = number_[static_cast<std::size_t>(number % rows)];
    if (kept != number) make(row);
    kept = number;
    return row;
  }

 private:
  Lane* memory_;
  Index pitch_;
  std::array<Index, static_cast<std::size_t>(rows)> number_;
};

/// y from x; a task is a row of y.
template <class S>
class BlurForward {
 public:
  using Lane = Added<S>;

  BlurForward(const BlurPlane& plane, const S* x, S* y)
      : plane_(plane), x_(x), y_(y), zeros_(static_cast<std::size_t>(plane.source_row()), S(0)) {}

  Index tasks() const { return plane_.problem.outer * plane_.slow().result(); }
  std::vector<Lane> scratch() const {
    const Index elements = (2 + KeptRows<Lane>::rows) * plane_.padded_row() + slack + plane_.source_row();
    return std::vector<Lane>(static_cast<std::size_t>(elements), Lane(0));
  }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, std::vector<Lane>& scratch) const {
    const Axis& slow = plane_.slow();
    const Index inner = plane_.inner(), row = plane_.source_row(), before = plane_.fast().padding() * inner;
    Lane *padded = scratch.data(), *all = padded + plane_.padded_row();
    Lane* zeros = all + plane_.padded_row() + slack;  // never written
    KeptRows<Lane> kept(zeros + row, plane_.padded_row());
    for (Index task = begin; task < end; ++task) {
      const Index o = task % slow.result();
      const S* x = x_ + task / slow.result() * slow.source() * row;
      const ToMeans<Lane, S> y{y_ + task * plane_.result_row(), plane_.divisor()};
      const auto cell = [&](Index j) EIGENPOOL_LAMBDA {
        return shown_cell(plane_.padding, o * slow.stride() - slow.padding() + j, slow.source());
      };
      if (!plane_.problem.reversed) {
        BlurTaps<S> taps{};
        for (Index j = 0; j < slow.kernel(); ++j)
          taps[static_cast<std::size_t>(j)] = cell(j) < 0 ? zeros_.data() : x + cell(j) * row;
        binomial<B, Lane>(taps, slow.kernel(), row, ToLanes<Lane>{padded + before});
        filter_row<B>(padded, all, y);
      } else {
        if (o == 0 || task == begin) kept.forget();
        BlurTaps<Lane> taps{};
        for (Index j = 0; j < slow.kernel(); ++j) {
          const Index number = cell(j);
          const auto make = [&](Lane* to) EIGENPOOL_LAMBDA {
            binomial<B, Lane>(BlurTaps<S>{x + number * row}, 1, row, ToLanes<Lane>{padded + before});
            filter_row<B>(padded, all, ToLanes<Lane>{to});
          };
          taps[static_cast<std::size_t>(j)] = number < 0 ? zeros : kept.get(number, make);
        }
        binomial<B, Lane>(taps, slow.kernel(), plane_.result_row(), y);
      }
    }
  }

 private:
  static constexpr Index slack = 64;  // elements that vectors may read beyond a row

  /// The filter along a row that starts after its padding, at every stride-th cell; `all` is for every cell.
  template <int B, class To>
  EIGENPOOL_INLINE void filter_row(Lane* padded, Lane* all, const To& to) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const Axis& fast = plane_.fast();
    const Index inner = plane_.inner(), k = fast.kernel(), stride = fast.stride(), outputs = fast.result();
    pad(padded);
    if (stride == 1) return binomial<B, Lane>(taps_from<Lane>(padded, k, inner), k, outputs * inner, to);
    if (inner >= lanes) {
      for (Index o = 0; o < outputs; ++o)
        binomial<B, Lane>(taps_from<Lane>(padded + o * stride * inner, k, inner), k, inner, to.from(o * inner));
      return;
    }
    binomial<B, Lane>(taps_from<Lane>(padded, k, inner), k, ((outputs - 1) * stride + 1) * inner, ToLanes<Lane>{all});
    lanes_apart<Lane, B>([=]() EIGENPOOL_LAMBDA { pick<B>(all, outputs, stride, inner, to); });
  }

  template <int B, class To>
  EIGENPOOL_INLINE static void pick(const Lane* all, Index outputs, Index stride, Index inner, const To& to) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    constexpr int single = static_cast<int>(sizeof(Lane));
    Index o = 0;
    if (inner == 1 && stride == 2) {
      for (; o + lanes <= outputs; o += lanes) {
        simd::Vec<Lane, B> even, odd;
        simd::unzip(simd::load<Lane, B>(all + 2 * o), simd::load<Lane, B>(all + 2 * o + lanes), even, odd);
        to.template write<B>(o, even);
      }
    }
    for (; o < outputs; ++o)
      for (Index c = 0; c < inner; ++c)
        to.template write<single>(o * inner + c, simd::load<Lane, single>(all + o * stride * inner + c));
  }

  void pad(Lane* padded) const {
    const Axis& fast = plane_.fast();
    const Index inner = plane_.inner(), n = fast.source(), before = fast.padding();
    const auto fill = [&](Index at) {
      const Index cell = shown_cell(plane_.padding, at - before, n);
      Lane* to = padded + at * inner;
      if (cell < 0)
        std::fill_n(to, inner, Lane(0));
      else
        std::copy_n(padded + (before + cell) * inner, inner, to);
    };
    for (Index at = 0; at < before; ++at) fill(at);
    for (Index at = before + n; at < n + fast.kernel() - 1; ++at) fill(at);
  }

  BlurPlane plane_;
  const S* x_;
  S* y_;
  std::vector<S> zeros_;
};

/// dx from dy, the adjoint: results are set apart by their stride, with zeros between; the same filter over them gives
/// what each padded position gets; and what padding got goes to the cells that it showed, the first positions first. A
/// task is a row of dx.
template <class S>
class BlurBackward {
 public:
  using Lane = Added<S>;

  BlurBackward(const BlurPlane& plane, const S* dy, S* dx)
      : plane_(plane), dy_(dy), dx_(dx), zeros_(static_cast<std::size_t>(plane.result_row()), S(0)) {}

  Index tasks() const { return plane_.problem.outer * plane_.slow().source(); }
  std::vector<Lane> scratch() const {
    const Index elements = (4 + KeptRows<Lane>::rows) * plane_.padded_row();
    return std::vector<Lane>(static_cast<std::size_t>(elements), Lane(0));
  }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, std::vector<Lane>& scratch) const {
    const Axis& slow = plane_.slow();
    const Index pitch = plane_.padded_row(), row = plane_.result_row(), source = plane_.source_row();
    Lane *spread = scratch.data(), *sums = spread + pitch, *part = sums + pitch;  // spread: 0 between results
    Lane* zeros = part + pitch;                                                   // never written
    KeptRows<Lane> kept(zeros + pitch, pitch);
    for (Index task = begin; task < end; ++task) {
      const Index i = task % slow.source();
      const S* dy = dy_ + task / slow.source() * slow.result() * row;
      const ToMeans<Lane, S> dx{dx_ + task * source, plane_.divisor()};
      const Lane* all = sums;
      if (!plane_.problem.reversed) {
        Lane* to = plane_.fast().stride() == 1 ? spread_results(spread) : sums;
        sum_rows<B, S>(i, row, part, to, [&](Index o) EIGENPOOL_LAMBDA {
          return o < 0 ? static_cast<const S*>(zeros_.data()) : dy + o * row;
        });
        if (to == sums) spread_row<B>(static_cast<const Lane*>(sums), spread);
        all = filter_row<B>(spread, part);
      } else {
        if (i == 0 || task == begin) kept.forget();
        sum_rows<B, Lane>(i, source, part, sums, [&](Index o) EIGENPOOL_LAMBDA -> const Lane* {
          if (o < 0) return zeros;
          const auto make = [&](Lane* to) EIGENPOOL_LAMBDA {
            spread_row<B>(dy + o * row, spread);
            filter_row<B>(spread, to);
          };
          return kept.get(o, make) + plane_.fast().padding() * plane_.inner();
        });
      }
      binomial<B, Lane>(BlurTaps<Lane>{all}, 1, source, dx);
    }
  }

 private:
  /// sums = what row i of the slow axis gets from all positions that show it. row_of(o) is row o of the results, or
  /// zeros for -1.
  template <int B, class T, class RowOf>
  EIGENPOOL_INLINE void sum_rows(Index i, Index length, Lane* part, Lane* sums, const RowOf& row_of) const {
    const Axis& slow = plane_.slow();
    const Index before = slow.padding(), n = slow.source(), k = slow.kernel();
    const auto add_position = [&](Index q, Lane* to) EIGENPOOL_LAMBDA {
      BlurTaps<T> taps{};
      for (Index j = 0; j < k; ++j) {
        const Index at = q - (k - 1) + j;
        const bool is_result = at >= 0 && at % slow.stride() == 0 && at / slow.stride() < slow.result();
        taps[static_cast<std::size_t>(j)] = row_of(is_result ? at / slow.stride() : -1);
      }
      binomial<B, Lane>(taps, k, length, ToLanes<Lane>{to});
    };
    add_position(i + before, sums);
    const auto add_padding = [&](Index q) EIGENPOOL_LAMBDA {
      if (shown_cell(plane_.padding, q - before, n) != i) return;
      add_position(q, part);
      for (Index at = 0; at < length; ++at) sums[at] = static_cast<Lane>(sums[at] + part[at]);
    };
    for (Index q = 0; q < before; ++q) add_padding(q);
    for (Index q = before + n; q < n + k - 1; ++q) add_padding(q);
  }

  /// Where results start in a row that holds them apart by their stride.
  Lane* spread_results(Lane* spread) const { return spread + (plane_.fast().kernel() - 1) * plane_.inner(); }

  template <int B, class T>
  EIGENPOOL_INLINE void spread_row(const T* results, Lane* spread) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const Index inner = plane_.inner(), stride = plane_.fast().stride(), outputs = plane_.fast().result();
    Lane* to = spread_results(spread);
    if (stride == 1) return binomial<B, Lane>(BlurTaps<T>{results}, 1, outputs * inner, ToLanes<Lane>{to});
    Index o = 0;
    if (inner == 1 && stride == 2) {
      const auto nothing = simd::broadcast<Lane, B>(Lane(0));
      for (; o + lanes <= outputs; o += lanes) {
        simd::Vec<Lane, B> low, high;
        simd::zip(simd::load_as<Lane, B>(results + o), nothing, low, high);
        simd::store(to + 2 * o, low);
        simd::store(to + 2 * o + lanes, high);
      }
    }
    for (; o < outputs; ++o)
      for (Index c = 0; c < inner; ++c) to[o * stride * inner + c] = static_cast<Lane>(results[o * inner + c]);
  }

  /// The adjoint of the filter along one row of spread results; gives where it starts in `to`, after its padding.
  template <int B>
  EIGENPOOL_INLINE const Lane* filter_row(const Lane* spread, Lane* to) const {
    const Axis& fast = plane_.fast();
    const Index inner = plane_.inner(), n = fast.source(), k = fast.kernel(), before = fast.padding();
    binomial<B, Lane>(taps_from<Lane>(spread, k, inner), k, (n + k - 1) * inner, ToLanes<Lane>{to});
    const auto fold = [&](Index q) {
      const Index cell = shown_cell(plane_.padding, q - before, n);
      if (cell < 0) return;
      for (Index c = 0; c < inner; ++c) {
        Lane& sum = to[(before + cell) * inner + c];
        sum = static_cast<Lane>(sum + to[q * inner + c]);
      }
    };
    for (Index q = 0; q < before; ++q) fold(q);
    for (Index q = before + n; q < n + k - 1; ++q) fold(q);
    return to + before * inner;
  }

  BlurPlane plane_;
  const S* dy_;
  S* dx_;
  std::vector<S> zeros_;
};

}  // namespace detail
EIGENPOOL_END
