// The oracle of the tests: poolings written the other way round from the library's kernels. It asks of every
// input cell whether it lies in a window, works in double, and shares no code with include/.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "geometry.hpp"

namespace oracle {

using Values = std::vector<double>;

// Along one axis: an input cell that lies in a window, and which tap of the window it is.
struct Cell {
  Index input;
  Index tap;
};

// Along one axis: the window of one output position.
struct AxisWindow {
  std::vector<Cell> cells{};
  Index taps = 0;         // numbers the taps, those outside the input too
  Index padded_taps = 0;  // taps on the input or its padding, not on ceil mode's overhang
};

struct Sides {
  Index begin;
  Index end;
};

// TensorFlow's SAME: a window for every stride begun inside the input, and as much padding as the last needs.
inline Sides same_padding(Index n, Index stride, Index extent, bool odd_cell_at_end) {
  Index last_start = 0;
  while (last_start + stride < n) last_start += stride;
  const Index missing = std::max<Index>(0, last_start + extent - n);
  const Index smaller = missing / 2;
  return odd_cell_at_end ? Sides{smaller, missing - smaller} : Sides{missing - smaller, smaller};
}

inline Sides padding_of(const Geometry& g, std::size_t axis) {
  if (g.pad == Pad::given) return {g.begin_of(axis), g.end_of(axis)};
  return same_padding(g.spatial[axis], g.stride_of(axis), g.extent_of(axis), g.pad == Pad::same_upper);
}

// A window that fits the padded input exists. In ceil mode so does one that does not fit, if its predecessor left
// some of the padded input uncovered and it starts inside the input or the leading padding.
inline bool exists(Index start, Index stride, Index extent, Index n, Sides pad, bool ceil) {
  if (start + extent <= n + pad.end) return true;
  const bool predecessor_stopped_short = start - stride + extent < n + pad.end;
  return ceil && start > -pad.begin && predecessor_stopped_short && start < n;
}

// How many windows lie along an axis.
inline Index outputs_of(const Geometry& g, std::size_t axis) {
  if (g.kind == Kind::global) return 1;
  if (g.kind == Kind::adaptive) return g.output_size[axis] == keep ? g.spatial[axis] : g.output_size[axis];
  const Index stride = g.stride_of(axis);
  const Sides pad = padding_of(g, axis);
  Index count = 0;
  while (exists(count * stride - pad.begin, stride, g.extent_of(axis), g.spatial[axis], pad, g.ceil)) ++count;
  return count;
}

inline AxisWindow fixed_window(const Geometry& g, std::size_t axis, Index i) {
  const Index n = g.spatial[axis], dilation = g.dilation_of(axis);
  const Sides pad = padding_of(g, axis);
  AxisWindow window{{}, g.kernel[axis]};
  for (Index position = -pad.begin; position < n + pad.end; ++position) {
    const Index offset = position - (i * g.stride_of(axis) - pad.begin);
    if (offset < 0 || offset % dilation != 0 || offset / dilation >= window.taps) continue;
    ++window.padded_taps;
    if (position >= 0 && position < n) window.cells.push_back({position, offset / dilation});
  }
  return window;
}

// Output i of o covers [i n / o, (i+1) n / o) of the input; a cell lies in the window when it overlaps that.
inline AxisWindow adaptive_window(Index n, Index outputs, Index i) {
  AxisWindow window;
  for (Index cell = 0; cell < n; ++cell) {
    if ((cell + 1) * outputs > i * n && cell * outputs < (i + 1) * n) window.cells.push_back({cell, window.taps++});
  }
  window.padded_taps = window.taps;
  return window;
}

inline std::vector<AxisWindow> axis_windows(const Geometry& g, std::size_t axis) {
  const Index outputs = outputs_of(g, axis);
  std::vector<AxisWindow> windows;
  for (Index i = 0; i < outputs; ++i) {
    windows.push_back(g.kind == Kind::window ? fixed_window(g, axis, i) : adaptive_window(g.spatial[axis], outputs, i));
  }
  return windows;
}

inline Extents output_spatial(const Geometry& g) {
  Extents result;
  for (std::size_t axis = 0; axis < g.rank(); ++axis) result.push_back(outputs_of(g, axis));
  return result;
}

inline Index input_size(const Geometry& g) { return product(g.lead) * product(g.spatial); }
inline Index output_size(const Geometry& g) { return product(g.lead) * product(output_spatial(g)); }

// One output of the pooling: its flat number over the whole tensor, and the cells of its window in row-major order.
struct Window {
  struct Member {
    std::size_t input;  // flat over the whole tensor
    Index flat;         // flat in the plane
    Index compact;      // the tap's number in the window
  };
  std::size_t output = 0;
  double divisor = 0;
  std::vector<Member> members{};
};

inline double divisor_of(const Geometry& g, const std::array<const AxisWindow*, 3>& axes) {
  if (g.divisor) return static_cast<double>(*g.divisor);
  double divisor = 1;
  for (const AxisWindow* axis : axes) {
    divisor *= static_cast<double>(g.count_include_pad ? axis->padded_taps : static_cast<Index>(axis->cells.size()));
  }
  return divisor;
}

// Calls f(Window) for every output, in order. Absent leading axes are taken as one cell under a window of one tap.
template <typename Function>
void for_each_window(const Geometry& g, Function f) {
  std::array<std::vector<AxisWindow>, 3> axes;
  std::array<Index, 3> n{1, 1, 1};
  axes.fill({AxisWindow{{{0, 0}}, 1, 1}});
  for (std::size_t axis = 0; axis < g.rank(); ++axis) {
    axes[3 - g.rank() + axis] = axis_windows(g, axis);
    n[3 - g.rank() + axis] = g.spatial[axis];
  }
  Window window;
  const auto visit = [&](Index plane, const AxisWindow& a, const AxisWindow& b, const AxisWindow& c) {
    window.members.clear();
    for (const Cell& i : a.cells) {
      for (const Cell& j : b.cells) {
        for (const Cell& k : c.cells) {
          const Index flat = (i.input * n[1] + j.input) * n[2] + k.input;
          window.members.push_back({static_cast<std::size_t>(plane * n[0] * n[1] * n[2] + flat), flat,
                                    (i.tap * b.taps + j.tap) * c.taps + k.tap});
        }
      }
    }
    window.divisor = divisor_of(g, {&a, &b, &c});
    f(window);
    ++window.output;
  };
  for (Index plane = 0; plane < product(g.lead); ++plane) {
    for (const AxisWindow& a : axes[0]) {
      for (const AxisWindow& b : axes[1]) {
        for (const AxisWindow& c : axes[2]) visit(plane, a, b, c);
      }
    }
  }
}

struct Max {
  Values values{};
  std::vector<Index> flat{};     // -1: the window holds no cell
  std::vector<Index> compact{};  // likewise
};

// The last NaN if there is one, else the first of the largest.
inline const Window::Member* largest(const Window& window, const Values& x) {
  const Window::Member* best = nullptr;
  for (const Window::Member& member : window.members) {
    if (std::isnan(x[member.input])) best = &member;
  }
  if (best != nullptr) return best;
  for (const Window::Member& member : window.members) {
    if (best == nullptr || x[member.input] > x[best->input]) best = &member;
  }
  return best;
}

inline Max max_pool(const Geometry& g, const Values& x, double identity = -std::numeric_limits<double>::infinity()) {
  Max result;
  for_each_window(g, [&](const Window& window) {
    const Window::Member* best = largest(window, x);
    result.values.push_back(best != nullptr ? x[best->input] : identity);
    result.flat.push_back(best != nullptr ? best->flat : -1);
    result.compact.push_back(best != nullptr ? best->compact : -1);
  });
  return result;
}

inline Values max_backward(const Geometry& g, const Values& x, const Values& dy) {
  Values dx(x.size(), 0.0);
  for_each_window(g, [&](const Window& window) {
    const Window::Member* best = largest(window, x);
    if (best != nullptr) dx[best->input] += dy[window.output];
  });
  return dx;
}

// Sums with what bounds their rounding errors: how many terms were added, and the sum of their magnitudes.
struct Sums {
  Values values{};
  Values magnitudes{};
  std::vector<Index> terms{};
};

inline Sums average_pool(const Geometry& g, const Values& x) {
  Sums result;
  for_each_window(g, [&](const Window& window) {
    double sum = 0, magnitude = 0;
    for (const Window::Member& member : window.members) {
      sum += x[member.input];
      magnitude += std::abs(x[member.input]);
    }
    const double divisor = window.members.empty() ? 1 : window.divisor;
    result.values.push_back(sum / divisor);
    result.magnitudes.push_back(magnitude / std::abs(divisor));
    result.terms.push_back(static_cast<Index>(window.members.size()));
  });
  return result;
}

inline Sums average_backward(const Geometry& g, const Values& dy) {
  const auto cells = static_cast<std::size_t>(input_size(g));
  Sums result{Values(cells, 0.0), Values(cells, 0.0), std::vector<Index>(cells, 0)};
  for_each_window(g, [&](const Window& window) {
    for (const Window::Member& member : window.members) {
      const double share = dy[window.output] / window.divisor;
      result.values[member.input] += share;
      result.magnitudes[member.input] += std::abs(share);
      ++result.terms[member.input];
    }
  });
  return result;
}

}  // namespace oracle
