// Pooling in plain loops, as it is written without a library: the twin that every other contender is checked against.
#pragma once

#include "cases.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace bench::naive {

// What one output looks at along one axis: the taps [start, start + taps), of which [begin, end) lie in the input.
struct Range {
  Index start, taps, begin, end;
  Index divisor;  // the axis's share of an average's divisor
};

inline Range range_of(const Case& c, std::size_t axis, Index o) {
  const Index in = c.in[axis], out = c.out[axis];
  if (c.is_global()) return {0, in, 0, in, in};
  if (c.is_adaptive()) {
    const Index start = o * in / out, end = ((o + 1) * in + out - 1) / out;
    return {start, end - start, start, end, end - start};
  }
  const Index start = o * c.stride[axis] - c.padding[axis], taps = c.kernel[axis];
  const Index begin = std::max<Index>(start, 0), end = std::min(start + taps, in);
  const Index padded = std::min(start + taps, in + c.padding[axis]) - start;
  return {start, taps, begin, end, c.count_include_pad ? padded : end - begin};
}

using Window = std::array<Range, 3>;

inline Index divisor_of(const Window& w) { return w[0].divisor * w[1].divisor * w[2].divisor; }

// Memory is [outer][spatial][inner] in both layouts: N*C pictures of one value a cell, or N pictures of C values.
struct Shape {
  Index outer, inner;
};

template <Layout layout>
Shape shape_of(const Case& c) {
  if constexpr (layout == Layout::channels_first) {
    return {c.n * c.c, 1};
  } else {
    return {c.n, c.c};
  }
}

// Calls visit(window, offset of the picture's first value of this channel, output number) in memory's order.
template <Layout layout, typename Visit>
void for_each_output(const Case& c, const Visit& visit) {
  const auto [outer, inner] = shape_of<layout>(c);
  const Index picture = c.in[0] * c.in[1] * c.in[2] * inner;
  Index output = 0;
  for (Index o = 0; o < outer; ++o) {
    for (Index i0 = 0; i0 < c.out[0]; ++i0) {
      for (Index i1 = 0; i1 < c.out[1]; ++i1) {
        for (Index i2 = 0; i2 < c.out[2]; ++i2) {
          const Window window{range_of(c, 0, i0), range_of(c, 1, i1), range_of(c, 2, i2)};
          for (Index channel = 0; channel < inner; ++channel) visit(window, o * picture + channel, output++);
        }
      }
    }
  }
}

// Calls visit(cell of the plane, cell's coordinates) for each real cell, in row-major order.
template <typename Visit>
void for_each_cell(const Case& c, const Window& w, const Visit& visit) {
  for (Index i0 = w[0].begin; i0 < w[0].end; ++i0) {
    for (Index i1 = w[1].begin; i1 < w[1].end; ++i1) {
      const Index row = (i0 * c.in[1] + i1) * c.in[2];
      for (Index i2 = w[2].begin; i2 < w[2].end; ++i2) visit(row + i2, i0, i1, i2);
    }
  }
}

// Half and bfloat16 are compared and added as float, small integers as int.
template <typename T>
using Wide = std::conditional_t<std::is_integral_v<T>, int, std::conditional_t<sizeof(T) == 2, float, T>>;

template <typename T>
T average(Wide<T> sum, Index divisor) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(std::nearbyint(static_cast<double>(sum) / static_cast<double>(divisor)));
  } else {
    return static_cast<T>(sum / static_cast<Wide<T>>(divisor));
  }
}

template <typename T, Layout layout>
void max_forward(const Case& c, const T* x, T* y) {
  const Index inner = shape_of<layout>(c).inner;
  for_each_output<layout>(c, [=, &c](const Window& w, Index picture, Index output) {
    Wide<T> best = static_cast<Wide<T>>(Eigen::NumTraits<T>::lowest());
    for_each_cell(c, w, [&](Index cell, Index, Index, Index) {
      const Wide<T> value = static_cast<Wide<T>>(x[picture + cell * inner]);
      if (value > best) best = value;
    });
    y[output] = static_cast<T>(best);
  });
}

template <typename T, Layout layout, typename I>
void max_forward_with_indices(const Case& c, const T* x, T* y, I* indices) {
  const Index inner = shape_of<layout>(c).inner;
  for_each_output<layout>(c, [=, &c](const Window& w, Index picture, Index output) {
    T best = Eigen::NumTraits<T>::lowest();
    Index where = -1;
    for_each_cell(c, w, [&](Index cell, Index i0, Index i1, Index i2) {
      if (!(x[picture + cell * inner] > best)) return;
      best = x[picture + cell * inner];
      constexpr bool flat = sizeof(I) == 8;
      where = flat ? cell : ((i0 - w[0].start) * w[1].taps + i1 - w[1].start) * w[2].taps + i2 - w[2].start;
    });
    y[output] = best;
    indices[output] = static_cast<I>(where);
  });
}

template <typename T, Layout layout>
void avg_forward(const Case& c, const T* x, T* y) {
  const Index inner = shape_of<layout>(c).inner;
  for_each_output<layout>(c, [=, &c](const Window& w, Index picture, Index output) {
    Wide<T> sum{};
    for_each_cell(c, w,
                  [&](Index cell, Index, Index, Index) { sum += static_cast<Wide<T>>(x[picture + cell * inner]); });
    y[output] = average<T>(sum, divisor_of(w));
  });
}

// The cell that a flat or compact index means.
template <typename I>
Index cell_of(const Case& c, const Window& w, I index) {
  if constexpr (sizeof(I) == 8) {
    return index;
  } else {
    const Index i2 = index % w[2].taps, i1 = index / w[2].taps % w[1].taps, i0 = index / w[2].taps / w[1].taps;
    return ((w[0].start + i0) * c.in[1] + w[1].start + i1) * c.in[2] + w[2].start + i2;
  }
}

template <typename T, Layout layout, typename I>
void max_backward(const Case& c, const T* dy, const I* indices, T* dx) {
  const Index inner = shape_of<layout>(c).inner;
  std::fill(dx, dx + c.inputs(), T{});
  for_each_output<layout>(c, [=, &c](const Window& w, Index picture, Index output) {
    dx[picture + cell_of(c, w, indices[output]) * inner] += dy[output];
  });
}

template <typename T, Layout layout>
void avg_backward(const Case& c, const T* dy, T* dx) {
  const Index inner = shape_of<layout>(c).inner;
  std::fill(dx, dx + c.inputs(), T{});
  for_each_output<layout>(c, [=, &c](const Window& w, Index picture, Index output) {
    const T share = dy[output] / static_cast<T>(divisor_of(w));
    for_each_cell(c, w, [&](Index cell, Index, Index, Index) { dx[picture + cell * inner] += share; });
  });
}

}  // namespace bench::naive
