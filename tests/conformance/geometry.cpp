#include "geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace conformance {
namespace {

constexpr std::int64_t largest_attribute = std::int64_t{1} << 31;  // products of two stay below 2^63
constexpr std::int64_t most_windows = std::int64_t{1} << 26;       // of one axis
constexpr std::int64_t byte_taps = 255;

std::int64_t in_range(std::int64_t value, std::int64_t lowest) {
  if (value < lowest || value > largest_attribute) throw Malformed("an attribute is out of the runner's range");
  return value;
}

std::int64_t fixed_output(const WindowAttributes& window, std::size_t axis, std::int64_t input) {
  const std::int64_t extent = window_extent(window, axis);
  const std::int64_t stride = in_range(window.stride[axis], 1);
  const std::int64_t begin = in_range(window.pad_begin[axis], 0);
  const std::int64_t slack = input + begin + in_range(window.pad_end[axis], 0) - extent;
  const std::int64_t rounding = window.ceil_mode ? stride - 1 : 0;
  if (slack + rounding < 0) return 0;
  const std::int64_t starts_inside = (input + begin - 1) / stride + 1;
  return std::min((slack + rounding) / stride + 1, starts_inside);
}

std::int64_t axis_output(const PoolCase& of, std::size_t axis) {
  switch (of.op) {
    case Operator::max_pool:
    case Operator::avg_pool:
    case Operator::lp_pool:
      return fixed_output(of.window, axis, of.input.extents[axis + 2]);
    case Operator::adaptive_max_pool:
    case Operator::adaptive_avg_pool:
    case Operator::fractional_max_pool:
    case Operator::roi_align:
      return in_range(of.output_size[axis], 0);
    default:
      return 1;
  }
}

Span adaptive_span(std::int64_t position, std::int64_t input, std::int64_t outputs) {
  const std::int64_t first = position * input / outputs;
  const std::int64_t end = ((position + 1) * input + outputs - 1) / outputs;
  return {first, end - first, 1};
}

Span span(const PoolCase& of, std::size_t axis, std::int64_t position, std::int64_t outputs) {
  if (!has_window(of.op)) return adaptive_span(position, of.input.extents[axis + 2], outputs);
  const WindowAttributes& window = of.window;
  return {position * window.stride[axis] - window.pad_begin[axis], window.kernel[axis], window.dilation[axis]};
}

bool has_the_ruled_extents(const PoolCase& of, const Array& result) {
  try {
    return result.extents == Geometry::output_extents(of);
  } catch (const Malformed&) {  // such a window has no output
    return false;
  }
}

}  // namespace

std::int64_t window_extent(const WindowAttributes& window, std::size_t axis) {
  return in_range(window.dilation[axis], 1) * (in_range(window.kernel[axis], 1) - 1) + 1;
}

Extents Geometry::output_extents(const PoolCase& of) {
  Extents extents{of.input.extents[0], of.input.extents[1]};
  if (of.op == Operator::roi_align) extents[0] = of.boxes.extents[0];
  if (of.op == Operator::max_unpool) {
    const Extents plane = of.output_size.empty() ? unpooled(of) : of.output_size;
    extents.insert(extents.end(), plane.begin(), plane.end());
    return extents;
  }
  for (std::size_t axis = 0; axis + 2 < of.input.extents.size(); ++axis) extents.push_back(axis_output(of, axis));
  return extents;
}

Geometry::Geometry(const PoolCase& of) : input_(spatial(of.input.extents)), spans_(input_.size()) {
  const Extents extents = output_extents(of);
  for (std::size_t axis = 0; axis < input_.size(); ++axis) {
    const std::int64_t outputs = extents[axis + 2];
    if (outputs > most_windows) throw Malformed("the output is too large for the runner");
    for (std::int64_t i = 0; i < outputs; ++i) spans_[axis].push_back(span(of, axis, i, outputs));
  }
}

bool Geometry::byte_numbers_taps() const {
  std::int64_t product = 1;
  for (const auto& spans : spans_) {
    std::int64_t most = 0;
    for (const Span& span : spans) most = std::max(most, span.taps);
    if (most > byte_taps) return false;
    product *= most;
  }
  return product <= byte_taps;
}

double Geometry::position(const std::vector<std::size_t>& window, std::int64_t tap) const {
  std::int64_t result = 0;
  std::int64_t weight = 1;
  for (std::size_t axis = window.size(); axis-- > 0;) {  // the last axis is the fastest
    const Span& span = spans_[axis][window[axis]];
    if (span.taps == 0) return wrong_tap;
    const std::int64_t cell = span.first + tap % span.taps * span.step;
    if (cell < 0 || cell >= input_[axis]) return wrong_tap;
    result += cell * weight;
    weight *= input_[axis];
    tap /= span.taps;
  }
  return tap == 0 ? static_cast<double>(result) : wrong_tap;
}

bool Geometry::has_real_cell(const std::vector<std::size_t>& window) const {
  for (std::size_t axis = 0; axis < window.size(); ++axis) {
    const Span& span = spans_[axis][window[axis]];
    const std::int64_t outside = span.first < 0 ? (-span.first + span.step - 1) / span.step : 0;
    if (outside >= span.taps || span.first + outside * span.step >= input_[axis]) return false;
  }
  return true;
}

double Geometry::index_of_maximum(const std::vector<std::size_t>& window, const double* plane) const {
  double taps = 1;
  for (std::size_t axis = 0; axis < window.size(); ++axis) taps *= static_cast<double>(spans_[axis][window[axis]].taps);
  if (taps > most_windows) throw Malformed("a window is too large for the runner");
  double best = no_cell;
  for (std::int64_t tap = 0; tap < static_cast<std::int64_t>(taps); ++tap) {
    const double index = position(window, tap);
    if (index < 0) continue;
    const double value = plane[static_cast<std::size_t>(index)];
    if (best < 0 || value > plane[static_cast<std::size_t>(best)] || std::isnan(value)) best = index;
  }
  return best;
}

/// function(window, value) for every value of an array of the output's extents.
template <class Function>
Array Geometry::mapped(const Array& array, Function function) const {
  Array result = array;
  std::vector<std::size_t> window(spans_.size(), 0);
  for (double& value : result.values) {
    value = function(window, value);
    for (std::size_t axis = window.size(); axis-- > 0 && ++window[axis] == spans_[axis].size();) window[axis] = 0;
  }
  return result;
}

Array Geometry::expected_indices(const Array& indices) const {
  return mapped(indices, [&](const auto& window, double index) { return has_real_cell(window) ? index : no_cell; });
}

Array Geometry::maxima(const Array& input) const {
  Array result{{input.extents[0], input.extents[1]}, {}};
  for (const auto& spans : spans_) result.extents.push_back(static_cast<std::int64_t>(spans.size()));
  const std::int64_t windows = cell_count(spatial(result.extents));
  const std::int64_t cells = cell_count(input_);
  result.values.resize(static_cast<std::size_t>(cell_count(result.extents)));
  std::int64_t done = 0;
  return mapped(result, [&](const auto& window, double) {
    return index_of_maximum(window, input.values.data() + done++ / windows * cells);
  });
}

Array Geometry::decoded(const Array& taps) const {
  return mapped(taps, [&](const auto& window, double tap) {
    return tap == byte_taps ? no_cell : position(window, static_cast<std::int64_t>(tap));
  });
}

bool only_indices_are_wrong(const PoolCase& of) {
  if (!of.indices || !has_the_ruled_extents(of, of.grad_output)) return false;
  const auto cells = static_cast<double>(cell_count(spatial(of.input.extents)));
  const auto& indices = of.indices->values;
  return of.indices->extents != of.grad_output.extents ||
         std::any_of(indices.begin(), indices.end(), [&](double index) { return index < no_cell || index >= cells; });
}

double requested_cells(const PoolCase& of) {
  const WindowAttributes& window = of.window;
  double cells = static_cast<double>(of.input.extents[0]) * static_cast<double>(of.input.extents[1]);
  for (std::size_t axis = 0; axis + 2 < of.input.extents.size(); ++axis) {
    double outputs = 1;
    if (!of.output_size.empty()) outputs = static_cast<double>(of.output_size[axis]);
    if (!window.kernel.empty()) {
      // Padding of a window's extent or more is refused.
      const double reach = static_cast<double>(window.kernel[axis]) * static_cast<double>(window.dilation[axis]);
      const double padding = std::min(reach, static_cast<double>(window.pad_begin[axis])) +
                             std::min(reach, static_cast<double>(window.pad_end[axis]));
      const double slack = static_cast<double>(of.input.extents[axis + 2]) + padding - reach;
      outputs = slack / std::max(1.0, static_cast<double>(window.stride[axis])) + 2;
    }
    cells *= std::max(0.0, outputs);
  }
  return cells;
}

}  // namespace conformance
