// The kernel for an inner extent of at least a vector (channels last, or
// column-major batches): vectors run along it, with the accumulators of a whole
// window in registers.
#pragma once

#include "../simd/dispatch.hpp"
#include "column_sweep.hpp"
#include "kernel_scalar.hpp"
#include "nan_guard.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class InnerKernel {
 public:
  /// Few cells (a global pooling) are cut into strips, so that threads find
  /// work: not so narrow that threads fetch the same memory.
  InnerKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output), whole_(problem.axes[2].whole()) {
    constexpr Index enough_cells = 32, strip = 512 / sizeof(typename R::Lane);
    strip_ = problem.cells() < enough_cells ? strip : std::max(problem.inner, Index{1});
    strips_ = ceil_div(problem.inner, strip_);
    // A period is a stride, which may be any number: no longer than a row, it can be multiplied.
    period_ = strips_ == 1 ? std::min(problem.axes[2].period(), std::max(problem.axes[2].result(), Index{1})) : 1;
    sweeps_ = strips_ == 1 && ColumnSweep<R, S>::suits(problem);
    guarded_ =
        NanGuard<R, S>::needed && R::numbered && strips_ == 1 && problem.overlaps() && problem.axes[0].is_identity();
    const bool takes_pairs = problem.axes[2].is_affine() && problem.axes[2].kernel() == 2;
    fetches_ = strips_ == 1 && takes_pairs && comes_from_memory<S>(problem);
  }

  Index tasks() const { return problem_.cells() * strips_; }
  /// Whether the columns of windows, two of which take turns, are asked for before they are read. Longer windows gain
  /// nothing.
  bool fetches() const { return fetches_; }

  template <int B>
  void run(Index begin, Index end) const {
    Cell cell = Cell::number(problem_, begin / strips_);
    WindowTaps taps = window_taps(problem_, cell);
    NanGuard<R, S> guard;
    for (Index i = begin; i < end;) {
      const Index alike = std::min(strips_ == 1 ? alike_from(cell) : strips_ - i % strips_, end - i);
      reduce_turns<B>(guard, i, cell, taps, alike);
      i += alike;
      if (i % strips_ == 0) advance(cell, taps, strips_ == 1 ? alike : 1);
    }
  }

 private:
  void advance(Cell& cell, WindowTaps& taps, Index cells) const {
    cell.at[2] += cells - 1;
    cell.next(problem_);
    if (cell.at[2] == 0)
      taps = window_taps(problem_, cell);
    else
      taps[2] = problem_.axes[2].taps(cell.at[2]);
  }

  // Neighbouring cells whose windows are all in the source: those a period apart are alike.
  Index alike_from(const Cell& cell) const {
    return cell.at[2] >= whole_.begin && cell.at[2] < whole_.end ? whole_.end - cell.at[2] : 1;
  }

  template <int B>
  void reduce_turns(NanGuard<R, S>& guard, Index task, Cell cell, WindowTaps taps, Index tasks) const {
    reduce_alike<B>(guard, task, cell, taps, ceil_div(tasks, period_));
    for (Index turn = 1; turn < std::min(period_, tasks); ++turn) {
      taps[2] = problem_.axes[2].taps(++cell.at[2]);
      reduce_alike<B>(guard, task + turn, cell, taps, ceil_div(tasks - turn, period_));
    }
  }

  template <int B>
  void reduce_alike(NanGuard<R, S>& guard, Index task, const Cell& cell, const WindowTaps& taps, Index tasks) const {
    if constexpr (R::numbered) {
      if (guarded_ && is_clean<B>(guard, cell) && reduce_cells<R, B>(task, cell, taps, tasks)) return;
    } else {
      if (sweeps_ && tasks > 1 && sweep_cells<B>(task, cell, taps, tasks)) return;
      if (reduce_cells<WatchedIfNeeded<R>, B>(task, cell, taps, tasks)) return;
    }
    reduce_cells<typename R::Exact, B>(task, cell, taps, tasks);
  }

  // Cells whose windows share columns; not if one holds NaN, or nothing.
  template <int B>
  bool sweep_cells(Index first, const Cell& cell, const WindowTaps& taps, Index cells) const {
    WindowTaps column = taps;
    column[2].count = column[2].real_end = 1;
    const TapLoops loops = tap_loops<R>(problem_, column, Numbering());
    if (loops.empty() || problem_.inner < simd::Vec<typename R::Lane, B>::lanes) return false;
    bool done = false;
    with_column_way(loops, [&](auto way) EIGENPOOL_LAMBDA {
      constexpr TapWay chosen = way.value;
      done = simd::apart<B>([=, p = source_ + first_tap(problem_, cell.outer, taps), inner = problem_.inner,
                             sweep = ColumnSweep<R, S>(problem_, loops), writer = output_.writer(),
                             info = output_.info(taps)]() EIGENPOOL_LAMBDA {
        const auto held = writer.template hold<R, B>(info);
        return sweep.template run<B, chosen>(p, cells, [&](Index o, Index i, const auto& acc) EIGENPOOL_LAMBDA {
          writer.template write<B>((first + o) * inner + i, acc, simd::Vec<typename R::Lane, B>::lanes, held, 0);
        });
      });
    });
    return done;
  }

  // The rows of the source that a row of cells reads.
  template <int B>
  bool is_clean(NanGuard<R, S>& guard, const Cell& cell) const {
    const Taps rows = problem_.axes[1].taps(cell.at[1]);
    const Index row = problem_.axes[2].source() * problem_.inner;
    const S* plane = source_ + (cell.outer * problem_.axes[0].source() + cell.at[0]) * problem_.axes[1].source() * row;
    if (rows.real() == 0) return true;
    return guard.template is_clean<B>(plane + rows.position(rows.real_begin) * row,
                                      plane + (rows.position(rows.real_end - 1) + 1) * row);
  }

  // `tasks` of them from number `task` on: cells a period apart, or strips of one; whether the reducer saw no NaN that
  // it minds.
  template <class Reducer, int B>
  bool reduce_cells(Index task, Cell cell, const WindowTaps& taps, Index tasks) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const Index count = strips_ == 1 ? tasks : 1, strips = strips_ == 1 ? 1 : tasks;
    const Index begin = task % strips_ * strip_, length = std::min(strips * strip_, problem_.inner - begin);
    const TapLoops loops = tap_loops<Reducer>(problem_, taps, numbering_of(output_, taps));
    const S* p = loops.empty() ? source_ : source_ + first_tap(problem_, cell.outer, taps) + begin;
    const Index step =
        count > 1 ? problem_.axes[2].shift() * problem_.inner : 0;  // a single window may have any stride
    const Index apart = period_ * problem_.inner;
    Index at = task / strips_ * problem_.inner + begin;
    if (length < lanes) {
      for (Index o = 0; o < count; ++o, cell.at[2] += period_, at += apart, p += step)
        write_elements(p, length, loops, at, output_.info(window_taps(problem_, cell)));
      return true;
    }
    if (loops.empty()) {
      write_empty<B>(at, count, apart, length, taps);
      return true;
    }
    // Vectors are aligned from `head` on, as those of all taps are; what is before it is a part, if there are many.
    const Index head = length >= 16 * lanes && problem_.inner % lanes == 0 ? simd::to_aligned<lanes>(p) : 0;
    const std::array<Span, 2> parts{Span{0, head > 0 ? lanes : 0}, Span{head, length}};
    bool clean = true;
    with_tap_way<Reducer>(loops, [&](auto way) EIGENPOOL_LAMBDA {
      constexpr TapWay chosen = way.value;
      clean = simd::apart<B>([=, fetches = fetches_, last_tap = loops.last_offset(), writer = output_.writer(),
                              first = output_.info(taps)]() EIGENPOOL_LAMBDA {
        auto held = writer.template hold<R, B>(first);
        NanWatch<typename R::Lane, B> watch;
        // Not in the loops of other windows, which take longer with it, even unused.
        const auto fetch = [&](const S* window) EIGENPOOL_LAMBDA {
          if (chosen == TapWay::few || !fetches) return;
          fetch_behind(window);
          fetch_behind(window + last_tap);
        };
        if constexpr (chosen != TapWay::long_sum) {
          if (count > 1 && is_narrow<typename R::Lane, B>(length)) {
            for_vectors<lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
              auto own = held;
              for (Index o = 0; o < count; ++o, own = Output::next(own)) {
                fetch(p + o * step + i);
                const auto acc = reduce_vector<Reducer, B, chosen>(p + o * step + i, loops);
                writer.template write<B>(at + o * apart + i, watch.value(acc), lanes, own, 0);
              }
            });
            return watch.found_none();
          }
        }
        for (Index o = 0; o < count; ++o, held = Output::next(held))
          for (const Span& part : parts) {
            const Index from = part.begin, to = at + o * apart + from;
            if (from == part.end) continue;
            reduce_taps<Reducer, B, chosen>(p + o * step + from, part.end - from, loops,
                                            [&](Index i, const auto& acc) EIGENPOOL_LAMBDA {
                                              fetch(p + o * step + from + i);
                                              writer.template write<B>(to + i, watch.value(acc), lanes, held, 0);
                                            });
          }
        return watch.found_none();
      });
    });
    return clean;
  }

  // `count` windows that hold nothing, `apart` elements from each other.
  template <int B>
  void write_empty(Index at, Index count, Index apart, Index length, const WindowTaps& taps) const {
    using Exact = typename R::Exact;
    simd::apart<B>([=, writer = output_.writer(), info = output_.info(taps)]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      const auto held = writer.template hold<Exact, B>(info);
      for (Index o = 0; o < count; ++o)
        for_vectors<lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
          writer.template write<B>(at + o * apart + i, Exact::template identity<B>(), lanes, held, 0);
        });
    });
  }

  // Less than a vector.
  void write_elements(const S* p, Index length, const TapLoops& loops, Index at,
                      const typename Output::Info& info) const {
    using Exact = typename R::Exact;
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    for (Index i = 0; i < length; ++i) {
      const auto acc = loops.empty() ? Exact::template identity<single>() : reduce_element<Exact>(p + i, loops);
      output_.writer().template write<single>(at + i, acc, 1, Output::Writer::template hold<Exact, single>(info), 0);
    }
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Span whole_;
  Index strip_, strips_, period_;
  bool sweeps_, guarded_, fetches_;
};

}  // namespace detail
EIGENPOOL_END
