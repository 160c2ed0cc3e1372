// A row of windows of three columns of taps, which overlap: each column is reduced once, for all the windows that it is
// in, and memory is read in its order.
#pragma once

#include "fetch.hpp"
#include "nan_guard.hpp"
#include "problem.hpp"
#include "reduce_taps.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// with_tap_way for columns: only those of most pictures are unrolled, since each way is compiled anew.
template <class F>
void with_column_way(const TapLoops& column, const F& f) {
  if (column.single_run() == 2) return f(std::integral_constant<TapWay, TapWay::two>());
  if (column.single_run() == 3) return f(std::integral_constant<TapWay, TapWay::three>());
  f(std::integral_constant<TapWay, TapWay::few>());
}

template <class R, class S>
class ColumnSweep {
 public:
  using Lane = typename R::Lane;

  /// Whether results are those of reducing tap by tap: not with numbers, which change with the window; of a sum, where
  /// columns come first on the canonical tree.
  static bool suits(const Problem& problem) {
    const auto& [n0, n1, n2] = problem.axes;
    if (n0.max_count() * n1.max_count() == 1) return false;  // there is nothing to reduce once
    if (R::numbered || !n2.is_affine() || n2.kernel() != columns || n2.dilation() != 1 || n2.stride() >= columns)
      return false;
    return !R::ordered_sum || (!problem.reversed && n0.max_count() <= 3 && n1.max_count() <= 3);
  }

  /// Of windows of `problem`, of a column of which `loops` are over the taps; columns are at least a vector wide.
  ColumnSweep(const Problem& problem, const TapLoops& loops)
      : stride_(problem.axes[2].stride()),
        inner_(problem.inner),
        strip_(std::min(inner_, capacity)),
        loops_(loops),
        fetches_(stride_ > 1 && comes_from_memory<S>(problem)) {}

  /// Whether columns are asked for before they are read: with a stride, two rows of a window are new.
  bool fetches() const { return fetches_; }

  /// Calls sink(o, i, accumulator) for vectors i of windows o in [0, windows), the first of which begins at p: whether
  /// none of the taps was NaN, or that does not matter. Where one was, results are of no use. `narrow` as is_narrow().
  template <int B, TapWay way, class Sink>
  EIGENPOOL_INLINE bool run(const S* p, Index windows, bool narrow, const Sink& sink) const {
    Watches<B> watch;
    if (narrow && stride_ == 1) sweep_narrow<B, way, 1>(p, windows, watch, sink);
    if (narrow && stride_ == 2) sweep_narrow<B, way, 2>(p, windows, watch, sink);
    for (Index begin = 0; !narrow && begin < inner_; begin += strip_) {
      const Index start = std::min(begin, inner_ - strip_);
      sweep<B, way>(p + start, windows, watch,
                    [&](Index o, Index i, const auto& acc) EIGENPOOL_LAMBDA { sink(o, start + i, acc); });
    }
    return watch[0].found_none() && watch[1].found_none();
  }

 private:
  static constexpr Index columns = 3, capacity = 4096 / sizeof(Lane);

  template <int B>
  using Watches = std::array<NanWatch<Lane, B>, 2>;  // of neighbouring columns, so that neither waits for the other

  // What neighbouring windows share of a column stays in registers.
  template <int B, TapWay way, Index stride, class Sink>
  EIGENPOOL_INLINE void sweep_narrow(const S* first, Index windows, Watches<B>& watch, const Sink& sink) const {
    for_vectors<simd::Vec<Lane, B>::lanes>(inner_, [&](Index i) EIGENPOOL_LAMBDA {
      const S* p = first + i;
      const auto column = [&](std::size_t c) EIGENPOOL_LAMBDA {
        return reduce_column<B, way>(p + static_cast<Index>(c) * inner_, watch[c % 2]);
      };
      auto left = column(0), middle = stride == 1 ? column(1) : left;
      for (Index o = 0; o < windows; ++o, p += stride * inner_) {
        if constexpr (stride > 1) middle = column(1);
        const auto right = column(2);
        auto acc = left;
        R::template merge<B>(acc, middle);
        R::template merge<B>(acc, right);
        sink(o, i, acc);
        left = stride == 1 ? middle : right;
        middle = right;
      }
    });
  }

  template <int B, TapWay way, class Sink>
  EIGENPOOL_INLINE void sweep(const S* p, Index windows, Watches<B>& watch, const Sink& sink) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    alignas(64) Lane kept[columns][capacity];
    Lane *left = kept[0], *middle = kept[1], *right = kept[2];
    for (Index c = 0; c < columns - stride_; ++c)
      for_vectors<lanes>(strip_, [&](Index i) EIGENPOOL_LAMBDA {
        simd::store(kept[c] + i, fetch_column<B, way>(p + c * inner_ + i, watch[0]));
      });
    for (Index o = 0; o < windows; ++o, p += stride_ * inner_) {
      const auto finish = [&](const auto& middle_at) EIGENPOOL_LAMBDA {
        for_vectors<lanes>(strip_, [&](Index i) EIGENPOOL_LAMBDA {
          auto acc = simd::load<Lane, B>(left + i);
          R::template merge<B>(acc, middle_at(i));
          const auto last = fetch_column<B, way>(p + (columns - 1) * inner_ + i, watch[0]);
          R::template merge<B>(acc, last);
          simd::store(right + i, last);
          sink(o, i, acc);
        });
      };
      if (stride_ == 1) {
        finish([&](Index i) EIGENPOOL_LAMBDA { return simd::load<Lane, B>(middle + i); });
        std::swap(left, middle);
        std::swap(middle, right);
      } else {
        finish([&](Index i) EIGENPOOL_LAMBDA { return fetch_column<B, way>(p + inner_ + i, watch[1]); });
        std::swap(left, right);
      }
    }
  }

  // A vector of a column; and asks for what is behind, which costs columns of few vectors more than they gain.
  template <int B, TapWay way>
  EIGENPOOL_INLINE simd::Vec<Lane, B> fetch_column(const S* p, NanWatch<Lane, B>& watch) const {
    if (fetches_) {
      fetch_behind(p + loops_.last_offset());
      fetch_behind(p + loops_.last_offset() - loops_.loop[2].offset);
    }
    return reduce_column<B, way>(p, watch);
  }

  // A vector of a column.
  template <int B, TapWay way>
  EIGENPOOL_INLINE simd::Vec<Lane, B> reduce_column(const S* p, NanWatch<Lane, B>& watch) const {
    return watch.value(reduce_vector<WatchedIfNeeded<R>, B, way>(p, loops_));
  }

  Index stride_, inner_, strip_;
  TapLoops loops_;
  bool fetches_;
};

}  // namespace detail
EIGENPOOL_END
