// Which cells each window covers, told from the contract and not from the library: expected shapes, windows
// without a real cell, and compact indices as positions in the plane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool_case.hpp"

namespace conformance {

/// One window on one axis: taps at first, first + step, ...; those outside [0, input) are padding.
struct Span {
  std::int64_t first;
  std::int64_t taps;
  std::int64_t step;
};

/// An index of a window without a real cell.
inline constexpr double no_cell = -1;
/// A compact index that numbers no tap of its window, or one in the padding.
inline constexpr double wrong_tap = -2;

/// From a window's first tap to its last one. Throws Malformed where an attribute leaves the runner's range.
std::int64_t window_extent(const WindowAttributes& window, std::size_t axis);

class Geometry {
 public:
  /// The output extents (N, C, spatial...) by the contract's rule. Throws Malformed as window_extent does.
  static Extents output_extents(const PoolCase& pool_case);

  /// Needs a case whose output extents are those of a tensor of the file.
  explicit Geometry(const PoolCase& pool_case);

  bool byte_numbers_taps() const;

  /// The file's indices, with no_cell for each window without a real cell.
  Array expected_indices(const Array& indices) const;

  /// The indices that the contract asks for: the first maximum, or the last NaN.
  Array maxima(const Array& input) const;

  /// One-byte tap numbers as positions in the plane, no_cell or wrong_tap.
  Array decoded(const Array& taps) const;

 private:
  double index_of_maximum(const std::vector<std::size_t>& window, const double* plane) const;
  double position(const std::vector<std::size_t>& window, std::int64_t tap) const;
  bool has_real_cell(const std::vector<std::size_t>& window) const;
  template <class Function>
  Array mapped(const Array& array, Function function) const;

  Extents input_;                         // spatial extents
  std::vector<std::vector<Span>> spans_;  // per spatial axis, per output position
};

/// A backward with indices from the file, whose gradient has the right shape and whose indices have not, or leave
/// the plane.
bool only_indices_are_wrong(const PoolCase& pool_case);

/// About how many cells a result of these arguments would have.
double requested_cells(const PoolCase& pool_case);

}  // namespace conformance
