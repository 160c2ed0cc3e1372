#include "memory_form.hpp"

#include <algorithm>
#include <cstdint>

namespace conformance {

Extents MemoryForm::tensor_extents(const Extents& extents) const {
  Extents result = extents;
  if (channels_last) std::rotate(result.begin() + 1, result.begin() + 2, result.end());
  if (!batched) result.erase(result.begin());
  return result;
}

Extents MemoryForm::logical_extents(const Extents& tensor_extents) const {
  Extents result = tensor_extents;
  if (!batched) result.insert(result.begin(), 1);
  if (channels_last) std::rotate(result.begin() + 1, result.end() - 1, result.end());
  return result;
}

std::vector<std::size_t> MemoryForm::places(const Extents& extents) const {
  // The axes (N, C, spatial...) from the fastest in memory to the slowest; a batch axis of 1 changes nothing.
  std::vector<std::size_t> order(extents.size());
  for (std::size_t axis = 0; axis < order.size(); ++axis) order[axis] = axis;
  if (channels_last) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  if (!column_major) std::reverse(order.begin(), order.end());

  std::vector<std::int64_t> strides(extents.size());
  std::int64_t stride = 1;
  for (const std::size_t axis : order) {
    strides[axis] = stride;
    stride *= extents[axis];
  }

  std::vector<std::size_t> result(static_cast<std::size_t>(cell_count(extents)));
  for (std::size_t i = 0; i < result.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    std::int64_t place = 0;
    for (std::size_t axis = extents.size(); axis-- > 0; rest /= extents[axis]) {
      place += rest % extents[axis] * strides[axis];
    }
    result[i] = static_cast<std::size_t>(place);
  }
  return result;
}

std::string MemoryForm::name() const {
  return std::string(channels_last ? "channels_last" : "channels_first") +
         (column_major ? " col-major" : " row-major") + (batched ? "" : " unbatched");
}

}  // namespace conformance
