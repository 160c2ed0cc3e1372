// Walks over a problem's results plane by plane, in logical row-major order whatever the storage order: what writes or
// adds in this order gives the same bits in every layout and on any number of threads.
#pragma once

#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Tasks that share no plane: of each outer slice, strips of at most `most` neighbouring inner elements. One thread
/// takes `together` of its strips at once.
class Strips {
 public:
  explicit Strips(const Problem& problem, Index most = 64, Index together = 1)
      : problem_(problem), most_(most), together_(together), count_(ceil_div(problem.inner, most)) {}

  Index tasks() const { return problem_.outer * count_; }

  /// Calls run(outer, offset, length): the inner elements [offset, offset + length) of one outer slice.
  template <class Run>
  void for_each(Index begin, Index end, const Run& run) const {
    for (Index task = begin; task < end;) {
      const Index first = task % count_, strips = std::min({together_, count_ - first, end - task});
      run(task / count_, first * most_, std::min(strips * most_, problem_.inner - first * most_));
      task += strips;
    }
  }

 private:
  const Problem& problem_;
  Index most_, together_, count_;
};

/// Calls visit(at, taps) for each result cell of an outer slice: `at` is the offset of its first inner element, taps
/// its window where `with_taps` asks for it. The last cell comes first where `last_first`.
template <bool with_taps, bool last_first = false, class Visit>
void for_each_result(const Problem& problem, Index outer, const Visit& visit) {
  const auto [a0, a1, a2] = logical_axes(problem);
  const std::array<Index, 3> strides = problem.result_strides();
  const Index n0 = problem.axes[a0].result(), n1 = problem.axes[a1].result(), n2 = problem.axes[a2].result();
  const auto in_order = [](Index i, Index n) { return last_first ? n - 1 - i : i; };
  const Index first = outer * problem.result_plane() * problem.inner;
  WindowTaps taps{};
  for (Index k0 = 0; k0 < n0; ++k0) {
    const Index i0 = in_order(k0, n0);
    if constexpr (with_taps) taps[a0] = problem.axes[a0].taps(i0);
    for (Index k1 = 0; k1 < n1; ++k1) {
      const Index i1 = in_order(k1, n1);
      if constexpr (with_taps) taps[a1] = problem.axes[a1].taps(i1);
      const Index row = first + i0 * strides[a0] + i1 * strides[a1];
      for (Index k2 = 0; k2 < n2; ++k2) {
        const Index i2 = in_order(k2, n2);
        if constexpr (with_taps) taps[a2] = problem.axes[a2].taps(i2);
        visit(row + i2 * strides[a2], taps);
      }
    }
  }
}

}  // namespace detail
EIGENPOOL_END
