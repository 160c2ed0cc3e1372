// The loops over the taps of one window.
#pragma once

#include <algorithm>

#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Three nested loops over the real taps of a window, outermost first. Loops over
/// a single tap are outermost: beside padding, which counts for 0, they change no
/// sum, and the innermost loop is a long one.
struct TapLoops {
  struct Loop {
    Index count = 1;   // real taps; 0 when the window holds nothing
    Index offset = 0;  // elements from one tap to the next
    Index lead = 0;    // taps in the padding before the first
    Index weight = 0;  // what one tap adds to a tap's number
  };
  std::array<Loop, 3> loop;
  Index first_number = 0;  // the number of the first real tap

  constexpr bool empty() const { return loop[0].count == 0 || loop[1].count == 0 || loop[2].count == 0; }

  /// From the first tap to the last, in elements.
  constexpr Index last_offset() const {
    Index offset = 0;
    for (const Loop& l : loop) offset += (l.count - 1) * l.offset;
    return offset;
  }

  /// Whether adding from the first tap to the last is the canonical order: at
  /// most three taps, (a + b) + c, in each loop.
  constexpr bool is_short() const {
    for (const Loop& l : loop)
      if (l.count > 3 || (l.count == 3 && l.lead % 2 != 0)) return false;
    return true;
  }

  /// The number of taps where the innermost loop has them all; otherwise 0.
  constexpr Index single_run() const { return loop[0].count == 1 && loop[1].count == 1 ? loop[2].count : 0; }

  /// The side of a square of taps, where the two inner loops have them all; otherwise 0.
  constexpr Index square_side() const {
    return loop[0].count == 1 && loop[1].count == loop[2].count ? loop[2].count : 0;
  }
};

}  // namespace detail
EIGENPOOL_END
