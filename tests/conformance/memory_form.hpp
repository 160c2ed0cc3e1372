// The forms in which a case's numbers can lie in memory: channels first or last, row-major or column-major, with
// or without a batch axis. Told at run time, so that this is compiled once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "case_file.hpp"

namespace conformance {

struct MemoryForm {
  bool channels_last = false;
  bool column_major = false;
  bool batched = true;

  /// The tensor's extents for the extents (N, C, spatial...), and back.
  Extents tensor_extents(const Extents& extents) const;
  Extents logical_extents(const Extents& tensor_extents) const;

  /// For each value of an array of these extents (N, C, spatial...): its place in the tensor's memory.
  std::vector<std::size_t> places(const Extents& extents) const;

  /// "channels_last col-major unbatched".
  std::string name() const;
};

}  // namespace conformance
