// The loops over the taps of one window.
#pragma once

#include <algorithm>

#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Three nested loops over the real taps of a window, outermost first.
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

  /// The same with loops over a single tap outermost: beside padding, which
  /// counts for 0, they change no sum, and the innermost loop is a long one.
  constexpr TapLoops compacted() const {
    TapLoops result = *this;
    std::size_t next = 3;
    for (std::size_t i = 3; i-- > 0;)
      if (loop[i].count != 1) result.loop[--next] = loop[i];
    while (next > 0) result.loop[--next] = Loop();
    return result;
  }

  /// The number of taps where one loop has them all.
  constexpr Index single_run() const {
    const Index longest = std::max({loop[0].count, loop[1].count, loop[2].count});
    return loop[0].count * loop[1].count * loop[2].count == longest ? longest : 0;
  }

  /// The side of a square of taps, where two loops have them all; otherwise 0.
  constexpr Index square_side() const {
    const auto [outer, inner] = square();
    const Index side = outer->count;
    return inner->count == side && loop[0].count * loop[1].count * loop[2].count == side * side ? side : 0;
  }
  /// Its loops.
  constexpr std::array<const Loop*, 2> square() const {
    return {loop[0].count > 1 ? &loop[0] : &loop[1], loop[2].count > 1 ? &loop[2] : &loop[1]};
  }

  constexpr const Loop& longest() const { return loop[0].count > 1 ? loop[0] : loop[1].count > 1 ? loop[1] : loop[2]; }
};

}  // namespace detail
EIGENPOOL_END
