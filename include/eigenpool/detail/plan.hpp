// From a tensor's shape and a description of windows to the canonical problem
// and the result's shape.
#pragma once

#include "driver.hpp"
#include "tensor.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The tensor axis of the first spatial axis.
template <Layout layout>
constexpr int first_spatial(int rank, int spatial_rank) {
  return rank - spatial_rank - (layout == channels_last ? 1 : 0);
}

template <std::size_t R>
struct Plan {
  Problem problem;
  Extents<R> source_shape, result_shape;
  bool row_major;

  /// The result's shape in a tensor of rank 2: (N, C).
  template <Layout layout>
  Extents<2> squeezed() const {
    return {result_shape[0], result_shape[layout == channels_last ? R - 1 : 1]};
  }
  template <Layout layout, std::size_t Q>
  Extents<Q> result() const {
    if constexpr (Q == R)
      return result_shape;
    else
      return squeezed<layout>();
  }
};

/// Outer and inner extents by the table of storage orders and layouts: what is
/// slower, and what is faster in memory than the spatial axes. A hostile shape's
/// product wraps here, and require_countable() then refuses the shape.
template <Layout layout, int D, std::size_t R>
void set_surroundings(Problem& problem, const Extents<R>& shape, bool row_major) {
  std::uint64_t product = 1;
  for (int a = 0; a < first_spatial<layout>(static_cast<int>(R), D); ++a)
    product *= static_cast<std::uint64_t>(shape[static_cast<std::size_t>(a)]);
  const Index leading = static_cast<Index>(product);
  const Index trailing = layout == channels_last ? shape[R - 1] : 1;
  problem.outer = row_major ? leading : trailing;
  problem.inner = row_major ? trailing : leading;
  problem.reversed = !row_major;
}

/// Checks everything that `shape` and `windows` can have wrong; `argument` is
/// what the shape is called.
template <Layout layout, int D, std::size_t N, class Windows>
Plan<N> make_plan(const Function& function, const char* argument, const Extents<N>& shape, const Windows& windows,
                  bool row_major) {
  constexpr int R = static_cast<int>(N);
  static_assert(R >= D + (layout == channels_last ? 1 : 0),
                "eigenpool: the tensor's rank is too small for its spatial "
                "axes (and its channel axis)");
  constexpr int spatial = first_spatial<layout>(R, D);
  Extents<D> extents{};
  for (int a = 0; a < R; ++a)
    if (shape[static_cast<std::size_t>(a)] < 0)
      fail_axis(function, argument, a, shape[static_cast<std::size_t>(a)], "must be at least 0");
  for (int a = 0; a < D; ++a) {
    extents[static_cast<std::size_t>(a)] = shape[static_cast<std::size_t>(spatial + a)];
    if (extents[static_cast<std::size_t>(a)] == 0)
      fail_axis(function, argument, spatial + a, Index{0}, "a spatial extent must be at least 1");
  }
  const Axes<D> axes = windows.axes(function, extents);
  Plan<N> plan{{}, shape, shape, row_major};
  set_surroundings<layout, D, R>(plan.problem, shape, row_major);
  for (int a = 0; a < D; ++a) {
    const Axis& axis = axes[static_cast<std::size_t>(a)];
    plan.result_shape[static_cast<std::size_t>(spatial + a)] = axis.result();
    plan.problem.axes[static_cast<std::size_t>(row_major ? 3 - D + a : 2 - a)] = axis;
  }
  return plan;
}

/// The result's dimensions, for Eigen's customOp.
template <Layout layout, int D, class X, class Windows>
auto result_dimensions(const Function& function, const X& x, const Windows& windows) {
  const auto plan = make_plan<layout, D>(function, "input", shape_of(x), windows, is_row_major<X>);
  require_countable<typename TraitsOf<X>::Index>(function, "output", plan.result_shape, sizeof(ScalarOf<X>));
  return dimensions_of<X>(plan.result_shape);
}

}  // namespace detail
EIGENPOOL_END
