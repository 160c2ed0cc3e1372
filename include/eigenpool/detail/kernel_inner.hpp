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
      : problem_(problem), source_(source), output_(output), whole_(problem.axes[2].whole()) {
    constexpr Index enough_cells = 64, strip = 256;
    strip_ = problem.cells() < enough_cells ? strip : std::max(problem.inner, Index{1});
    strips_ = ceil_div(problem.inner, strip_);
  }

  Index tasks() const { return problem_.cells() * strips_; }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    Cell cell = Cell::number(problem_, begin / strips_);
    for (Index i = begin; i < end;) {
      const Index alike = strips_ == 1 ? std::min(alike_from(cell), end - i) : 1;
      reduce_cells<B>(i, cell, alike);
      i += alike;
      if (i % strips_ != 0) continue;
      cell.at[2] += alike - 1;
      cell.next(problem_);
    }
  }

 private:
  // Neighbouring cells whose windows are all in the source.
  Index alike_from(const Cell& cell) const {
    return cell.at[2] >= whole_.begin && cell.at[2] < whole_.end ? whole_.end - cell.at[2] : 1;
  }

  template <int B>
  EIGENPOOL_INLINE void reduce_cells(Index task, Cell cell, Index count) const {
    constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
    const WindowTaps taps = window_taps(problem_, cell);
    const Index begin = task % strips_ * strip_, length = std::min(strip_, problem_.inner - begin);
    const TapLoops loops = tap_loops<R>(problem_, taps, numbering());
    const S* p = loops.empty() ? source_ : source_ + first_tap(problem_, cell.outer, taps) + begin;
    Index at = task / strips_ * problem_.inner + begin;
    for (Index o = 0; o < count; ++o, ++cell.at[2], at += problem_.inner) {
      const auto info = output_.info(cell);
      const auto write = [&](Index i, const auto& acc)
                             EIGENPOOL_LAMBDA { output_.template write<B>(at + i, acc, lanes, info, 0); };
      if (loops.empty() || length < lanes)
        write_elements(p, length, loops, at, info);
      else
        reduce_taps<R, B>(p, length, loops, write);
      p += problem_.axes[2].stride() * problem_.inner;
    }
  }

  // A window that holds nothing, or the end of the inner extent.
  EIGENPOOL_INLINE void write_elements(const S* p, Index length, const TapLoops& loops, Index at,
                                       const typename Output::Info& info) const {
    constexpr int single = static_cast<int>(sizeof(typename R::Lane));
    for (Index i = 0; i < length; ++i) {
      const auto acc = loops.empty() ? R::template identity<single>() : reduce_element<R>(p + i, loops);
      output_.template write<single>(at + i, acc, 1, info, 0);
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
  Span whole_;
  Index strip_, strips_;
};

}  // namespace detail
EIGENPOOL_END
