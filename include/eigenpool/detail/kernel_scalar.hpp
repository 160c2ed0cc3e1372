// The scalar kernel: one element at a time, for any scalar and any window. The
// reference for the others.
#pragma once

#include "output.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class ScalarKernel {
 public:
  static constexpr int B = static_cast<int>(sizeof(typename R::Lane));

  ScalarKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output) {}

  Index tasks() const { return problem_.cells(); }

  void run(Index begin, Index end) const { run(begin, end, {0, problem_.inner}); }

  /// Cells [begin, end), of which `strip` of the inner elements.
  void run(Index begin, Index end, const Span& strip) const {
    Cell cell = Cell::number(problem_, begin);
    for (Index i = begin; i < end; ++i, cell.next(problem_)) reduce_cell(i, cell, strip);
  }

 private:
  void reduce_cell(Index number, const Cell& cell, const Span& strip) const {
    const WindowTaps taps = window_taps(problem_, cell);
    const TapLoops loops = tap_loops<R>(problem_, taps, numbering_of(output_, taps));
    const auto info = output_.info(taps);
    const S* p = loops.empty() ? nullptr : source_ + first_tap(problem_, cell.outer, taps);
    for (Index c = strip.begin; c < strip.end; ++c) {
      const auto acc = p != nullptr ? reduce_element<R>(p + c, loops) : R::template identity<B>();
      output_.writer().template write<B>(number * problem_.inner + c, acc, 1, Output::Writer::template hold<R, B>(info),
                                         0);
    }
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
};

}  // namespace detail
EIGENPOOL_END
