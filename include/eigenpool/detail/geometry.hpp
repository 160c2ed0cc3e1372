// From a user's description of windows to axis tables, with every check on the
// way: fail here or never.
#pragma once

#include <limits>
#include <string>

#include "axis.hpp"
#include "error.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <std::size_t N>
using Extents = std::array<Index, N>;

template <int D>
using Axes = std::array<Axis, static_cast<std::size_t>(D)>;

template <int D>
void require_at_least(const Function& function, const char* argument, const Sizes<D>& sizes, Index least) {
  for (int a = 0; a < D; ++a)
    if (sizes[a] < least) fail_axis(function, argument, a, sizes[a], "must be at least " + std::to_string(least));
}

/// dilation * (kernel - 1) + 1, checked.
template <int D>
Index window_extent(const Function& function, const Window<D>& window, int axis) {
  Index extent = 0;
  if (!multiply(window.dilation[axis], window.kernel[axis] - 1, extent) || !add(extent, 1, extent))
    fail_axis(function, "kernel", axis, window.kernel[axis], "the window's extent overflows 64 bits");
  return extent;
}

/// Checks the numbers of a window one by one.
template <int D>
void require_positive(const Function& function, const Window<D>& window) {
  require_at_least(function, "kernel", window.kernel, 1);
  require_at_least(function, "stride", window.stride, 1);
  require_at_least(function, "dilation", window.dilation, 1);
  if (!window.padding.same) {
    require_at_least(function, "padding.begin", window.padding.begin, 0);
    require_at_least(function, "padding.end", window.padding.end, 0);
  }
}

template <int D>
void require_countable_taps(const Function& function, const Window<D>& window) {
  Index taps = 1;
  for (int a = 0; a < D; ++a)
    if (!multiply(taps, window.kernel[a], taps))
      fail_axis(function, "kernel", a, window.kernel[a], "the window's number of taps overflows 64 bits");
}

/// Checks one side's padding on axis a of a window of that extent.
inline void require_padding_inside(const Function& function, const char* argument, int a, Index padding, Index extent) {
  if (padding >= extent)
    fail_axis(function, argument, a, padding, "must be less than the window's extent " + std::to_string(extent));
}

/// The windows of a Window. Output sizes follow PyTorch's pooling_output_shape:
/// with ceil_mode, the last window must start inside the input or the leading
/// padding. SAME follows TensorFlow's GetWindowedOutputSize.
template <int D>
struct FixedWindows {
  const Window<D>& window;
  Axis::Counted counted = Axis::Counted::taps;

  Axes<D> axes(const Function& function, const Extents<D>& extents) const;

 private:
  Axis axis(const Function& function, int a, Index input) const;
  Axis make(int a, Index input, Index output, Index begin, Index end) const {
    return Axis::affine(input, output, window.kernel[a], window.stride[a], begin, end, window.dilation[a], counted);
  }
};

template <int D>
Axes<D> FixedWindows<D>::axes(const Function& function, const Extents<D>& extents) const {
  require_positive(function, window);
  Axes<D> made;
  for (int a = 0; a < D; ++a)
    made[static_cast<std::size_t>(a)] = axis(function, a, extents[static_cast<std::size_t>(a)]);
  require_countable_taps(function, window);
  return made;
}
template <int D>
Axis FixedWindows<D>::axis(const Function& function, int a, Index input) const {
  const Index extent = window_extent(function, window, a), stride = window.stride[a];
  if (window.padding.same) {
    const Index output = (input - 1) / stride + 1;
    Index reached = 0;
    if (!add((output - 1) * stride, extent, reached))
      fail_axis(function, "kernel", a, window.kernel[a], "the window's extent overflows 64 bits");
    const Index total = std::max(reached - input, Index{0});
    const Index begin = *window.padding.same == SamePadding::upper ? total / 2 : total - total / 2;
    return make(a, input, output, begin, total - begin);
  }
  const Index begin = window.padding.begin[a], end = window.padding.end[a];
  require_padding_inside(function, "padding.begin", a, begin, extent);
  require_padding_inside(function, "padding.end", a, end, extent);
  Index padded = 0;
  if (!add(input, begin, padded) || !add(padded, end, padded))
    fail_axis(function, "kernel", a, window.kernel[a], "the padded input's extent overflows 64 bits");
  const Index slack = padded - extent;
  const Index outputs = (window.ceil_mode ? ceil_div(slack, stride) : floor_div(slack, stride)) + 1;
  if (outputs < 1)
    fail_axis(
        function, "kernel", a, window.kernel[a],
        "the window's extent " + std::to_string(extent) + " exceeds the padded input's " + std::to_string(padded));
  return make(a, input, std::min(outputs, (input + begin - 1) / stride + 1), begin, end);
}
EIGENPOOL_COMPILED(struct FixedWindows<1>)
EIGENPOOL_COMPILED(struct FixedWindows<2>)
EIGENPOOL_COMPILED(struct FixedWindows<3>)

/// The windows that a pooling to the extents `pooled` had, for the unpooling that goes back.
template <int D>
struct UnpooledWindows {
  const Window<D>& window;
  Extents<D> pooled;

  /// PyTorch's (pooled - 1) * stride - padding + the window's extent; with SAME padding, the largest input that gives
  /// `pooled`.
  Extents<D> default_extents(const Function& function) const {
    require_positive(function, window);
    Extents<D> extents{};
    for (int a = 0; a < D; ++a) {
      const auto i = static_cast<std::size_t>(a);
      const Index extent = window_extent(function, window, a), stride = window.stride[a];
      const bool same = window.padding.same.has_value();
      if (!same) {
        require_padding_inside(function, "padding.begin", a, window.padding.begin[a], extent);
        require_padding_inside(function, "padding.end", a, window.padding.end[a], extent);
      }
      const Index last = same ? stride : extent - window.padding.begin[a] - window.padding.end[a];
      if (!multiply(pooled[i] - 1, stride, extents[i]) || !add(extents[i], last, extents[i]))
        fail_axis(function, "stride", a, stride, "the output's extent overflows 64 bits");
    }
    require_countable_taps(function, window);
    return extents;
  }

  /// Extents that pooling, rounding up or down, may have turned into `pooled`: less than a stride from the default.
  void require_possible(const Function& function, const char* argument, int first_axis,
                        const Extents<D>& extents) const {
    const Extents<D> defaults = default_extents(function);
    for (int a = 0; a < D; ++a) {
      const Index extent = extents[static_cast<std::size_t>(a)];
      const Wide usual = defaults[static_cast<std::size_t>(a)], room = window.stride[a] - 1;
      const Wide largest = std::numeric_limits<Index>::max();
      const Index least = static_cast<Index>(std::max(usual - room, Wide{1}));
      const Index most = static_cast<Index>(std::min(window.padding.same ? usual : usual + room, largest));
      if (extent < least || extent > most)
        fail_axis(function, argument, first_axis + a, extent,
                  "must be from " + std::to_string(least) + " to " + std::to_string(most));
    }
  }

  /// For extents that are possible.
  Axes<D> axes(const Function& function, const Extents<D>& extents) const {
    if (window.padding.same) return FixedWindows<D>{window}.axes(function, extents);
    Axes<D> made;
    for (int a = 0; a < D; ++a) {
      const auto i = static_cast<std::size_t>(a);
      made[i] = Axis::affine(extents[i], pooled[i], window.kernel[a], window.stride[a], window.padding.begin[a],
                             window.padding.end[a], window.dilation[a], Axis::Counted::taps);
    }
    return made;
  }
};

/// The windows of an adaptive pooling: output i of o covers inputs floor(i n /
/// o) up to ceil((i + 1) n / o).
template <int D>
struct AdaptiveWindows {
  const OutputSize<D>& output_size;

  Axes<D> axes(const Function& function, const Extents<D>& extents) const {
    Axes<D> made;
    for (int a = 0; a < D; ++a) {
      const Index input = extents[static_cast<std::size_t>(a)];
      const Index output = output_size[a].value_or(input);
      if (output < 0) fail_axis(function, "output_size", a, output, "must be at least 0");
      made[static_cast<std::size_t>(a)] = Axis::adaptive(input, output);
    }
    return made;
  }
};

/// One window over all of the plane.
template <int D>
struct GlobalWindow {
  Axes<D> axes(const Function&, const Extents<D>& extents) const {
    Axes<D> made;
    for (std::size_t a = 0; a < D; ++a) made[a] = Axis::adaptive(extents[a], 1);
    return made;
  }
};

}  // namespace detail
EIGENPOOL_END
