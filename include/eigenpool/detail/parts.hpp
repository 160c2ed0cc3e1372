// A problem in parts that a cache holds, for what reads its input, or what it makes of it, more than once: memory is
// read once.
#pragma once

#include "problem.hpp"

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
  Parts(const Problem& problem, std::size_t element_bytes, Index run)
      : problem_(problem), axis_(slowest(problem, 2)), run_(run) {
    constexpr double cache = 128.0 * 1024;
    const double slice =
        static_cast<double>(problem.plane()) * static_cast<double>(problem.inner) * static_cast<double>(element_bytes);
    slices_ = std::clamp(static_cast<Index>(cache / std::max(slice, 1.0)), Index{1}, run);
    rows_ = std::max(axis().result(), Index{1});
    if (slice > cache && axis().is_affine() && !axis().overlaps_twice())
      rows_ = std::clamp(static_cast<Index>(static_cast<double>(rows_) * cache / slice), Index{1}, rows_);
  }

  /// The same, of parts of whole rows: they read at most `room` on the slowest axis or, if that is less than twice what
  /// a window does, as many as that.
  Parts(const Problem& problem, Index room) : problem_(problem), axis_(slowest(problem, 1)), run_(problem.outer) {
    const Index extent = std::max(axis().source(), Index{1}), window = axis().reach(1);
    slices_ = std::clamp(room / extent, Index{1}, run_);
    rows_ = std::max(axis().result(), Index{1});
    if (room < extent && axis().is_affine())
      rows_ = std::min(rows_, (std::max(room, 2 * window) - window) / axis().stride() + 1);
  }

  /// The slowest axis that is more than a cell, or the `last`.
  static std::size_t slowest(const Problem& problem, std::size_t last) {
    std::size_t a = 0;
    while (a < last && problem.axes[a].result() == 1 && problem.axes[a].source() == 1) ++a;
    return a;
  }

  /// Rows of the slowest axis that a part reads, at most.
  Index most_rows() const {
    return per_slice() > 1 ? std::min(axis().reach(rows_), axis().source()) : slices_ * axis().source();
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
  const Axis& axis() const { return problem_.axes[axis_]; }

  Index per_run() const { return ceil_div(run_, slices_); }
  Index per_slice() const { return ceil_div(axis().result(), rows_); }

  void take_rows(Part& part, Index begin) const {
    const Index end = std::min(begin + rows_, axis().result());
    const Span rows = axis().real_span(begin, end);
    part.problem.axes[axis_] = axis().part(begin, end);
    part.source += rows.begin * problem_.source_strides()[axis_];
    part.result += begin * problem_.result_strides()[axis_];
  }

  const Problem& problem_;
  std::size_t axis_;
  Index run_, slices_, rows_;
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
