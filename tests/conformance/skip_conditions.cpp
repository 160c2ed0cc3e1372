#include "skip_conditions.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "geometry.hpp"
#include "pool_case.hpp"

namespace conformance {
namespace {

bool padding_is_legal(const WindowAttributes& window) {
  for (std::size_t axis = 0; axis < window.kernel.size(); ++axis) {
    const std::int64_t extent = window_extent(window, axis);
    const std::int64_t least = std::min(window.pad_begin[axis], window.pad_end[axis]);
    const std::int64_t most = std::max(window.pad_begin[axis], window.pad_end[axis]);
    if (least < 0 || most >= extent) return false;
  }
  return true;
}

bool has_cells(const Extents& plane) {
  return std::all_of(plane.begin(), plane.end(), [](std::int64_t extent) { return extent > 0; });
}

}  // namespace

bool has_wrong_arity(const CaseFile& file) {
  const std::array lists{"kernel", "stride", "dilation", "pad_begin", "pad_end", "output_size"};
  return std::any_of(lists.begin(), lists.end(), [&](const char* list) {
    return file.has(list) && file.text(list) != "none" &&
           static_cast<std::int64_t>(file.integers(list).size()) != file.integer("spatial_rank");
  });
}

bool has_other_rank(const CaseFile& file) {
  const auto rank = static_cast<std::int64_t>(file.tensor("input").array.extents.size());
  const std::int64_t spatial_rank = file.integer("spatial_rank");
  return spatial_rank != rank - 1 && spatial_rank != rank - 2;
}

bool padding_is_legal(const CaseFile& file) { return padding_is_legal(make_pool_case(file).window); }

bool padded_input_has_room(const CaseFile& file) {
  const PoolCase of = make_pool_case(file);
  if (of.op != Operator::avg_pool || of.spatial_rank != 3) return false;
  const Extents plane = spatial(of.input.extents);
  const bool fits = std::equal(plane.begin(), plane.end(), of.window.kernel.begin(), std::greater_equal{});
  return !fits && has_cells(plane) && padding_is_legal(of.window) && has_cells(spatial(Geometry::output_extents(of)));
}

bool windows_have_places(const CaseFile& file) {
  if (file.text("op") != "fractional_max_pool") return false;
  const PoolCase of = make_pool_case(file);
  const Extents plane = spatial(of.input.extents);
  for (std::size_t axis = 0; axis < plane.size(); ++axis)
    if (of.output_size[axis] < 1 || of.output_size[axis] + of.window.kernel[axis] - 1 > plane[axis]) return false;
  return true;
}

bool only_channels_are_empty(const CaseFile& file) {
  const PoolCase of = make_pool_case(file);
  return of.input.extents[1] == 0 && has_cells(spatial(of.input.extents));
}

}  // namespace conformance
