// A problem in parts that a cache holds, for what reads its input more than
// once: memory is read once.
#pragma once

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Runs tasks where it is called, inside a part.
struct Serial {
  template <class Run>
  void operator()(Index tasks, double, const Run& run, Index = 1) const {
    run(0, tasks);
  }
};

/// Some of a problem's results, and where they and their inputs begin.
struct Part {
  Problem problem;
  Index source, result;
};

/// Cuts a problem into parts of neighbouring results: whole outer slices or,
/// where one is more than a cache holds, rows of its slowest axis. No part of
/// whole slices reaches from one run of `run` slices into the next.
class Parts {
 public:
  Parts(const Problem& problem, std::size_t element_bytes, Index run) : problem_(problem), run_(run) {
    constexpr double cache = 128.0 * 1024;
    const double slice =
        static_cast<double>(problem.plane()) * static_cast<double>(problem.inner) * static_cast<double>(element_bytes);
    slices_ = std::clamp(static_cast<Index>(cache / std::max(slice, 1.0)), Index{1}, run);
    while (axis_ < 2 && problem.axes[axis_].result() == 1 && problem.axes[axis_].source() == 1) ++axis_;
    const Axis& axis = problem.axes[axis_];
    rows_ = std::max(axis.result(), Index{1});
    if (slice > cache && axis.is_affine() && !axis.overlaps_twice())
      rows_ = std::clamp(static_cast<Index>(static_cast<double>(rows_) * cache / slice), Index{1}, rows_);
  }

  Index count() const { return problem_.outer / run_ * per_run() * per_slice(); }

  Part part(Index i) const {
    const Index in_run = i / per_slice() % per_run() * slices_;
    const Index first = i / per_slice() / per_run() * run_ + in_run;
    Part part{problem_, first * problem_.plane() * problem_.inner, first * problem_.result_plane() * problem_.inner};
    part.problem.outer = std::min(slices_, run_ - in_run);
    if (per_slice() > 1) take_rows(part, i % per_slice() * rows_);
    return part;
  }

 private:
  Index per_run() const { return ceil_div(run_, slices_); }
  Index per_slice() const { return ceil_div(problem_.axes[axis_].result(), rows_); }

  void take_rows(Part& part, Index begin) const {
    const Axis& axis = problem_.axes[axis_];
    const Index end = std::min(begin + rows_, axis.result());
    const Span rows = axis.real_span(begin, end);
    part.problem.axes[axis_] = axis.part(begin, end);
    part.source += rows.begin * problem_.source_strides()[axis_];
    part.result += begin * problem_.result_strides()[axis_];
  }

  const Problem& problem_;
  Index run_, slices_, rows_;
  std::size_t axis_ = 0;
};

/// f(part) for all parts, on the device.
template <class P, class F>
void for_each_part(const Parts& parts, double bytes, const P& parallel, const F& f) {
  const Index count = parts.count();
  if (count > 0)
    parallel(count, bytes / static_cast<double>(count), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) f(parts.part(i));
    });
}

}  // namespace detail
EIGENPOOL_END
