// The kernel for many small planes of single elements, whose rows are too short
// for vectors, or whose windows differ from cell to cell: planes are laid side by
// side in a tile, so that the inner kernel's vectors run across them.
#pragma once

#include "../simd/transpose.hpp"
#include "kernel_inner.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class PlanesKernel {
 public:
  PlanesKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem), source_(source), output_(output), tile_{1, group(problem), problem.axes, problem.reversed} {}

  /// Many planes with short rows, of which several vectors fit a tile; or with windows that differ, which rows would
  /// reduce one by one.
  static bool suits(const Problem& problem) {
    if (problem.inner != 1 || problem.outer < granule / 2 || problem.result_plane() == 0) return false;
    if (problem.plane() > capacity || problem.result_plane() > capacity) return false;
    const Axis& axis = problem.axes[2];
    const bool is_short = axis.is_affine() && axis.result() <= granule;
    return (is_short ? 2 * granule : granule) * bytes_per_plane(problem) <= capacity && (is_short || !axis.is_affine());
  }

  Index tasks() const { return ceil_div(problem_.outer, tile_.inner); }

  template <int B>
  void run(Index begin, Index end) const {
    Memory memory;
    S* const source = reinterpret_cast<S*>(memory.next);
    const Output result = output_.tile(memory.next + tile_.inner * problem_.plane() * size, tile_);
    const InnerKernel<R, S, Output> kernel(tile_, source, result);
    for (Index plane = begin * tile_.inner; begin < end; ++begin, plane += tile_.inner) {
      const Index planes = std::min(tile_.inner, problem_.outer - plane);
      const simd::RowsBeside sources{planes, problem_.plane(), problem_.plane(), tile_.inner};
      const simd::RowsBeside results{planes, problem_.result_plane(), problem_.result_plane(), tile_.inner};
      simd::apart<B>([=, from = source_ + plane * problem_.plane()]()
                         EIGENPOOL_LAMBDA { simd::lay_beside<B>(from, sources, source); });
      kernel.template run<B>(0, kernel.tasks());
      simd::apart<B>([=, all = output_, at = plane * problem_.result_plane()]()
                         EIGENPOOL_LAMBDA { all.template take<B>(result, results, at); });
    }
  }

 private:
  static constexpr Index size = sizeof(S);
  static constexpr Index capacity = 64 * 1024;                                          // bytes
  static constexpr Index granule = std::max<Index>(64 / sizeof(typename R::Lane), 16);  // planes: whole vectors of all

  struct Memory {
    Memory() : next(bytes) {}
    alignas(64) unsigned char bytes[capacity];
    unsigned char* next;
  };

  static Index bytes_per_plane(const Problem& problem) {
    return problem.plane() * size + problem.result_plane() * Output::cell_bytes;
  }
  /// As many as fit, up to what amortises a window's cost.
  static Index group(const Problem& problem) {
    const Index fit = capacity / bytes_per_plane(problem) / granule * granule;
    return std::clamp(ceil_div(problem.outer, granule) * granule, granule, std::min(fit, 4 * granule));
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Problem tile_;
};

}  // namespace detail
EIGENPOOL_END
