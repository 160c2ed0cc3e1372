// A pooling in canonical form: memory [outer][axis 0][axis 1][axis 2][inner],
// and a table for each axis.
#pragma once

#include "axis.hpp"
#include "reduce_taps.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Axes in memory order, the slowest first; unused ones have extent 1.
/// Row-major tensors have their logical axes in this order, column-major ones
/// in reverse.
struct Problem {
  Index outer = 1, inner = 1;
  std::array<Axis, 3> axes;
  bool reversed = false;

  /// The memory axis that is number t of the logical order.
  constexpr int memory_axis(int t) const { return reversed ? 2 - t : t; }

  constexpr Index result_plane() const { return axes[0].result() * axes[1].result() * axes[2].result(); }
  constexpr Index cells() const { return outer * result_plane(); }
  constexpr Index plane() const { return axes[0].source() * axes[1].source() * axes[2].source(); }
  constexpr bool is_affine() const { return axes[0].is_affine() && axes[1].is_affine() && axes[2].is_affine(); }

  /// Cells from one position to the next on each memory axis of the source, and
  /// elements.
  constexpr std::array<Index, 3> plane_strides() const {
    return {axes[1].source() * axes[2].source(), axes[2].source(), 1};
  }
  constexpr std::array<Index, 3> source_strides() const {
    const auto [s0, s1, s2] = plane_strides();
    return {s0 * inner, s1 * inner, s2 * inner};
  }

  constexpr std::array<Index, 3> result_strides() const {
    return {axes[1].result() * axes[2].result() * inner, axes[2].result() * inner, inner};
  }

  /// What source and result take, in bytes, if both are of S.
  template <class S>
  constexpr double bytes() const {
    return static_cast<double>(outer * inner) * static_cast<double>(plane() + result_plane()) * sizeof(S);
  }

  /// Whether nothing happens on the outer axes.
  constexpr bool is_row() const { return axes[0].is_identity() && axes[1].is_identity(); }

  /// Whether neighbouring windows share taps.
  constexpr bool overlaps() const {
    for (const Axis& axis : axes)
      if (!axis.is_affine() || axis.kernel() > axis.stride()) return true;
    return false;
  }

  /// Of the largest window.
  constexpr Wide max_taps() const { return Wide{axes[0].max_count()} * axes[1].max_count() * axes[2].max_count(); }

  constexpr bool divisor_is_uniform() const {
    return axes[0].divisor_is_uniform() && axes[1].divisor_is_uniform() && axes[2].divisor_is_uniform();
  }

  /// The table of the backward: sources and results change places.
  constexpr Problem transposed() const {
    return {outer, inner, {axes[0].transposed(), axes[1].transposed(), axes[2].transposed()}, reversed};
  }

  /// The same pooling with axes that nothing happens on merged into their
  /// neighbours, so that inner loops are long, and planes that windows tile made
  /// one. Only for results without indices: it forgets what a plane was.
  constexpr Problem simplified() const {
    Problem p = *this;
    for (int merged = 0; merged < 3 && p.axes[2].is_identity(); ++merged) {
      p.inner *= p.axes[2].source();
      p.axes = {Axis(), p.axes[0], p.axes[1]};
    }
    if (p.axes[0].is_identity()) {
      p.outer *= p.axes[0].source();
      p.axes[0] = Axis();
      if (p.axes[1].tiles()) {
        p.axes[1] = p.axes[1].repeated(p.outer);
        p.outer = 1;
      }
    }
    return p;
  }
};

/// Where an output cell is: which outer slice, and its position on each memory
/// axis of the result.
struct Cell {
  Index outer;
  std::array<Index, 3> at;

  static constexpr Cell number(const Problem& problem, Index cell) {
    Cell c{};
    for (int a = 2; a >= 0; --a) {
      const Index extent = problem.axes[static_cast<std::size_t>(a)].result();
      c.at[static_cast<std::size_t>(a)] = cell % extent;
      cell /= extent;
    }
    c.outer = cell;
    return c;
  }

  /// To the first cell of the next row.
  constexpr void next_row(const Problem& problem) {
    at[2] = problem.axes[2].result() - 1;
    next(problem);
  }

  /// To the first cell of a plane that is `planes` further on.
  constexpr void next_plane(const Problem& problem, Index planes) {
    const Index extent = problem.axes[0].result(), reached = at[0] + planes;
    outer += reached / extent;
    at = {reached % extent, 0, 0};
  }

  constexpr void next(const Problem& problem) {
    for (std::size_t a = 3; a-- > 0;) {
      if (++at[a] < problem.axes[a].result()) return;
      at[a] = 0;
    }
    ++outer;
  }
};

/// The memory axes of logical axes 0, 1 and 2.
constexpr std::array<std::size_t, 3> logical_axes(const Problem& problem) {
  if (problem.reversed) return {2, 1, 0};
  return {0, 1, 2};
}

using WindowTaps = std::array<Taps, 3>;

inline WindowTaps window_taps(const Problem& problem, const Cell& cell) {
  return {problem.axes[0].taps(cell.at[0]), problem.axes[1].taps(cell.at[1]), problem.axes[2].taps(cell.at[2])};
}

/// How taps are numbered: by their position in the plane, or compactly within
/// their window.
struct Numbering {
  enum class Kind { flat, compact };
  Kind kind = Kind::flat;
  std::array<Index, 3> stride{};  // per memory axis: between positions (flat) or
                                  // between taps (compact)

  static constexpr Numbering flat(const Problem& problem) {
    return {Kind::flat, row_major(problem, [&](int a) { return problem.axes[static_cast<std::size_t>(a)].source(); })};
  }
  /// Within the largest window, and within one of the given tap counts, which may differ from window to window.
  static constexpr Numbering compact(const Problem& problem) {
    return {Kind::compact,
            row_major(problem, [&](int a) { return problem.axes[static_cast<std::size_t>(a)].max_count(); })};
  }
  static constexpr Numbering compact(const Problem& problem, const WindowTaps& taps) {
    return {Kind::compact, row_major(problem, [&](int a) { return taps[static_cast<std::size_t>(a)].count; })};
  }

  /// What one tap adds to the number, on memory axis a.
  constexpr Index weight(std::size_t a, Index step) const { return kind == Kind::flat ? step * stride[a] : stride[a]; }
  /// What tap number j of an axis contributes to the index.
  constexpr Index base(std::size_t a, const Taps& taps, Index j) const {
    return stride[a] * (kind == Kind::flat ? taps.position(j) : j);
  }
  /// Numbers the cells of an axis, so that a tap contributes what it is above its window's first: all windows are
  /// alike.
  constexpr Index of_position(std::size_t a, Index position, Index dilation) const {
    return stride[a] * (kind == Kind::flat ? position : floor_div(position, dilation));
  }

 private:
  template <class Extent>
  static constexpr std::array<Index, 3> row_major(const Problem& problem, const Extent& extent) {
    std::array<Index, 3> stride{};
    Index next = 1;
    for (int t = 2; t >= 0; --t) {
      const int a = problem.memory_axis(t);
      stride[static_cast<std::size_t>(a)] = next;
      next *= extent(a);
    }
    return stride;
  }
};

/// The loops over a window's real taps, in the order that reducer R wants: a
/// sum along logical axis 0 is the innermost, while other reducers meet the
/// taps in row-major order. Numbers count from the first real tap.
template <class R>
TapLoops tap_loops(const Problem& problem, const WindowTaps& taps, const Numbering& numbering) {
  const bool flipped = problem.reversed != R::ordered_sum;
  const std::array<Index, 3> strides = problem.source_strides();
  TapLoops loops;
  for (std::size_t i = 3, next = 3; i-- > 0;) {
    const std::size_t a = flipped ? 2 - i : i;
    if (taps[a].real() == 1) continue;
    loops.loop[--next] = {taps[a].real(), taps[a].step * strides[a], taps[a].real_begin,
                          R::numbered ? numbering.weight(a, taps[a].step) : 0};
  }
  return loops;
}

/// The element offset of a window's first real tap from the start of the
/// source.
inline Index first_tap(const Problem& problem, Index outer, const WindowTaps& taps) {
  const std::array<Index, 3> strides = problem.source_strides();
  Index offset = outer * problem.plane() * problem.inner;
  for (std::size_t a = 0; a < 3; ++a) offset += taps[a].position(taps[a].real_begin) * strides[a];
  return offset;
}

}  // namespace detail
EIGENPOOL_END
