// The kernel for sums that the canonical order begins along the row (of column-major tensors whose fastest axis is
// spatial): rows are summed into a buffer, and then the columns of that.
#pragma once

#include "kernel_row.hpp"
#include "parts.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class RowsFirstKernel {
  using Lane = typename R::Lane;
  using Along = RowKernel<R, S, Values<Lane>>;
  using Down = RowKernel<R, Lane, Output>;

 public:
  RowsFirstKernel(const Problem& problem, const S* source, const Output& output)
      : source_(source), output_(output), parts_(parts_of(problem)), elements_(elements(problem, parts_)) {}

  /// Windows of which each has a tap in the source on every axis but the row, if a part's sums are not too many.
  static bool suits(const Problem& problem) {
    if (!R::ordered_sum || !problem.reversed || problem.is_row()) return false;
    if (problem.plane() == 0 || problem.result_plane() == 0) return false;
    for (std::size_t a = 0; a < 2; ++a) {
      const Axis& axis = problem.axes[a];
      const Index last = axis.result() - 1;
      if (axis.span(0, 1).end <= 0 || axis.span(last, last + 1).begin >= axis.source()) return false;
    }
    return Along::suits(along_rows(problem), {}) && Down::suits(down_columns(problem), {}) &&
           elements(problem, parts_of(problem)) <= most;
  }

  Index tasks() const { return parts_.count(); }

  template <int B>
  void run(Index begin, Index end) const {
    Scratch<R> scratch(Scratch<R>::padded(elements_));
    Lane* const sums = scratch.row(elements_).values;
    for (; begin < end; ++begin) {
      const Part part = parts_.part(begin);
      const Problem along = along_rows(part.problem), down = down_columns(part.problem);
      run_all<B>(Along(along, source_ + part.source, Values<Lane>(sums)));
      run_all<B>(Down(down, sums, output_.part(part.result, part.problem)));
    }
  }

 private:
  static constexpr Index most = (Index{16} << 20) / sizeof(Lane);  // elements, on the heap

  template <int B, class Kernel>
  static void run_all(const Kernel& kernel) {
    kernel.template run<B>(0, kernel.tasks());
  }

  static Problem along_rows(const Problem& problem) {
    const auto& [n0, n1, n2] = problem.axes;
    return {problem.outer * n0.source() * n1.source(), problem.inner, {Axis(), Axis(), n2}, true};
  }
  static Problem down_columns(const Problem& problem) {
    const auto& [n0, n1, n2] = problem.axes;
    return {problem.outer, problem.inner, {n0, n1, Axis::identity(n2.result())}, true};
  }

  // Elements of the sums of a row, with all that is between it and the next of the slowest axis.
  static Index row(const Problem& problem) {
    const auto& [n0, n1, n2] = problem.axes;
    return (Parts::slowest(problem, 1) == 1 ? 1 : n1.source()) * n2.result() * problem.inner;
  }
  static Parts parts_of(const Problem& problem) {
    return Parts(problem, (Scratch<R>::capacity - 2 * Scratch<R>::slack) / row(problem));
  }
  static Index elements(const Problem& problem, const Parts& parts) { return parts.most_rows() * row(problem); }

  const S* source_;
  const Output& output_;
  Parts parts_;
  Index elements_;
};

}  // namespace detail
EIGENPOOL_END
