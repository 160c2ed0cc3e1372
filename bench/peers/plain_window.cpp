#include "peers.hpp"

#include <algorithm>

namespace bench {
namespace {

Index whole_windows(const Case& c, std::size_t axis) { return c.out[axis] > 0 && c.in[axis] % c.out[axis] == 0; }

}  // namespace

PlainWindow plain_window(const Case& c) {
  if (c.is_global()) return {.kernel = c.in, .stride = {1, 1, 1}};
  PlainWindow window{.kernel = c.kernel, .stride = c.stride, .padding = c.padding};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (c.is_adaptive()) {
      window.exists = window.exists && whole_windows(c, axis);
      window.kernel[axis] = window.stride[axis] = std::max<Index>(1, c.in[axis] / c.out[axis]);
    }
    const Index reached = (c.out[axis] - 1) * window.stride[axis] + window.kernel[axis];
    window.padding_after[axis] = std::max(c.padding[axis], reached - c.in[axis] - c.padding[axis]);
  }
  return window;
}

bool has_overhang(const Case& c) { return plain_window(c).padding_after != c.padding; }

}  // namespace bench
