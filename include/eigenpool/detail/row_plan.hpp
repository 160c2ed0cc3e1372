// How a row's windows are reduced, once the rows of the source are.
#pragma once

#include "../simd/dispatch.hpp"
#include "axis.hpp"
#include "doubling.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How the windows of an axis are reduced, and where its rows stand in a buffer.
struct RowPlan {
  enum class Way {
    neighbours,   // windows one column apart
    unzipped,     // windows of two or three columns, two apart: even and odd
                  // columns are taken apart in registers
    thirds,       // windows of three columns, three apart: as neighbours, and every
                  // third is kept while they are in registers
    picked,       // as neighbours; then every stride-th is kept
    interleaved,  // the transposed table of a stride: the windows of one residue
                  // of the stride are neighbours, and the residues take turns
    each          // one by one
  };

  /// `alike` says that the outputs of all rows are written alike.
  RowPlan(const Axis& axis, Index unit, Doubling::Steps steps, bool alike)
      : way(Way::each), kernel(axis.kernel()), stride(axis.stride()), reach(axis.reach(axis.result())) {
    pitch = axis.result();
    if (alike && wraps_well(axis, unit)) {
      way = Way::neighbours;
      wraps = true;
      reach = column_pitch = pitch;
      return;
    }
    if (!joins(axis)) {
      column_pitch = reach;
    } else if (axis.is_covering()) {
      way = Way::interleaved;
      column_pitch = std::max(reach, ceil_div(axis.result(), stride));
      // A vector that begins in a short row should end before the next, so that rows can be made in any order.
      const Index lanes = simd::vector_bytes() / 4;  // of a sum, at most
      if ((column_pitch - 2) * unit < lanes) column_pitch += ceil_div(lanes, unit);
      pitch = column_pitch * stride;
    } else {
      plan_affine(axis, unit, steps);
    }
  }

  /// Whether rows may be reduced side by side: windows are not taken one by one.
  static bool joins(const Axis& axis) {
    if (axis.is_covering()) return axis.dilation() == 1 && axis.stride() <= std::max(axis.result(), Index{8});
    return axis.is_affine() && axis.stride() <= 2 * reach_of_window(axis);
  }
  bool is_joint() const { return way != Way::each; }

  /// Three neighbours that keep an axis as it is: all rows are one run, both to read and to write.
  static bool wraps_well(const Axis& axis, Index unit) {
    constexpr Index longest = 64;  // longer rows gain nothing
    return axis.is_affine() && axis.stride() == 1 && axis.dilation() == 1 && axis.kernel() == 3 &&
           axis.padding() == 1 && axis.source() == axis.result() && axis.source() * unit <= longest;
  }
  /// Whether results are made in a row of their own.
  bool needs_results() const { return way == Way::picked || way == Way::interleaved || way == Way::each; }

  /// Whether single elements of interleaved windows are brought in order in registers; and the rows that their sums
  /// take beside the results.
  bool zips() const { return stride <= 3; }
  Index sum_rows() const { return zips() ? stride - 1 : 1; }

  Way way;
  Index kernel, stride;    // once halved
  Index reach;             // columns that the outputs of a row need
  Index pitch = 0;         // outputs from one row to the next
  Index column_pitch = 0;  // columns from one row to the next
  bool wraps = false;      // rows stand without padding between them; what windows reach of
                           // their neighbours is left out
  int halvings = 0;        // pairs of columns, then pairs of those, ...
  Doubling doubling{1, Doubling::Steps::pairs};

 private:
  static Index reach_of_window(const Axis& axis) { return (axis.kernel() - 1) * axis.dilation() + 1; }

  void plan_affine(const Axis& axis, Index unit, Doubling::Steps steps) {
    constexpr Index longest_padded = 4096;
    const bool plain = unit == 1 && axis.dilation() == 1;
    if (axis.result() == 1 && plain && kernel > 1 && kernel <= longest_padded)
      reach = kernel = stride = static_cast<Index>(std::bit_ceil(static_cast<std::uint64_t>(kernel)));
    pitch = std::max(ceil_div(reach, stride), axis.result());
    column_pitch = pitch * stride;
    for (; plain && kernel % 2 == 0 && stride % 2 == 0 && stride > 2; ++halvings) kernel /= 2, stride /= 2;
    way = stride == 1                                            ? Way::neighbours
          : stride == 2 && (kernel == 2 || kernel == 3) && plain ? Way::unzipped
          : stride == 3 && kernel == 3 && plain                  ? Way::thirds
                                                                 : Way::picked;
    if (way != Way::unzipped && way != Way::thirds) doubling = Doubling(kernel, steps);
  }
};

}  // namespace detail
EIGENPOOL_END
