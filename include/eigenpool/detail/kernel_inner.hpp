// The kernel for an inner extent of at least a vector (channels last, or
// column-major batches): vectors run along it, with the accumulators of a whole
// window in registers.
#pragma once

#include "output.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class InnerKernel {
 public:
  /// Few cells with a long inner extent (a global pooling) are cut into strips,
  /// so that threads find work.
  InnerKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output) {
    constexpr Index enough_cells = 64, strip = 256;
    strip_ = problem.cells() < enough_cells ? strip : std::max(problem.inner, Index{1});
    strips_ = ceil_div(problem.inner, strip_);
  }

  Index tasks() const { return problem_.cells() * strips_; }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    Index number = begin / strips_, strip = begin % strips_;
    Cell cell = Cell::number(problem_, number);
    for (Index i = begin; i < end; ++i) {
      reduce_strip<B>(number, cell, strip);
      if (++strip == strips_) {
        strip = 0;
        ++number;
        cell.next(problem_);
      }
    }
  }

 private:
  template <int B>
  EIGENPOOL_INLINE void reduce_strip(Index number, const Cell& cell, Index strip) const {
    const WindowTaps taps = window_taps(problem_, cell);
    const auto info = output_.info(taps, cell);
    const Index begin = strip * strip_, length = std::min(strip_, problem_.inner - begin);
    const Index at = number * problem_.inner + begin;
    const auto write = [&](Index i, const auto& acc, Index count)
                           EIGENPOOL_LAMBDA { output_.template write<B>(at + i, acc, count, info); };
    const TapLoops loops = tap_loops<R>(problem_, taps, numbering());
    if (loops.empty()) {
      constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
      for (Index i = 0; i < length; i += lanes) write(i, R::template identity<B>(), std::min(lanes, length - i));
    } else {
      reduce_taps<R, B>(source_ + first_tap(problem_, cell.outer, taps) + begin, length, loops, write);
    }
  }

  Numbering numbering() const {
    if constexpr (R::numbered)
      return output_.numbering();
    else
      return {};
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Index strip_, strips_;
};

}  // namespace detail
EIGENPOOL_END
