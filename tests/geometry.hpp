// How the tests state a pooling problem: plain numbers, in no words of the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace oracle {

using Index = std::int64_t;
using Extents = std::vector<Index>;

enum class Kind { window, adaptive, global };
enum class Pad { given, same_upper, same_lower };
inline constexpr Index keep = -1;  // an adaptive output extent: the input's

// One pooling problem. An empty `stride` means the kernel, an empty `begin` zeros, an empty `end` the same as
// `begin`, an empty `dilation` ones.
struct Geometry {
  std::string name{};
  Extents lead{1, 1};  // N, C
  Extents spatial{};
  Kind kind = Kind::window;
  Extents kernel{};
  Extents stride{};
  Extents begin{};
  Extents end{};
  Extents dilation{};
  Pad pad = Pad::given;
  bool ceil = false;
  Extents output_size{};
  bool count_include_pad = true;
  std::optional<Index> divisor{};

  std::size_t rank() const { return spatial.size(); }
  Index stride_of(std::size_t axis) const { return stride.empty() ? kernel[axis] : stride[axis]; }
  Index dilation_of(std::size_t axis) const { return dilation.empty() ? 1 : dilation[axis]; }
  Index extent_of(std::size_t axis) const { return dilation_of(axis) * (kernel[axis] - 1) + 1; }
  Index begin_of(std::size_t axis) const { return begin.empty() ? 0 : begin[axis]; }
  Index end_of(std::size_t axis) const { return end.empty() ? begin_of(axis) : end[axis]; }
};

inline std::ostream& operator<<(std::ostream& out, const Geometry& g) {
  const auto list = [&](const char* label, const Extents& extents) {
    if (extents.empty()) return;
    out << ' ' << label;
    for (const Index extent : extents) out << ' ' << extent;
  };
  out << g.name;
  list("lead", g.lead), list("spatial", g.spatial), list("kernel", g.kernel), list("stride", g.stride);
  list("begin", g.begin), list("end", g.end), list("dilation", g.dilation), list("to", g.output_size);
  if (g.kind == Kind::global) out << " global";
  if (g.pad != Pad::given) out << (g.pad == Pad::same_upper ? " same_upper" : " same_lower");
  if (g.ceil) out << " ceil";
  if (!g.count_include_pad) out << " exclude";
  if (g.divisor) out << " divisor " << *g.divisor;
  return out;
}

inline Index product(const Extents& extents) {
  Index result = 1;
  for (const Index extent : extents) result *= extent;
  return result;
}

}  // namespace oracle
