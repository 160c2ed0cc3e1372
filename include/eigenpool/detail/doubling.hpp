// Windows of 1, 2, 4, ... neighbouring taps, each from two of half the size;
// and which of them make up a window of any size. A kernel of k taps costs
// about 2 log2 k steps for a sum, log2 k for a maximum.
#pragma once

#include <array>

#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Level l holds windows of 2^l taps; level 0 is the input. The whole window is
/// the sum of its terms, taken from the last to the first, which is the
/// canonical order; a maximum may count taps twice and needs two terms at most.
class Doubling {
 public:
  struct Term {
    int level;
    Index tap;  // where it starts in the window
  };

  /// Of a kernel below 2^20.
  Doubling(Index kernel, bool idempotent) {
    const int top = static_cast<int>(bit_width(kernel)) - 1;  // 2^top <= kernel
    const Index power = Index{1} << top;
    if (kernel == 1) {
      add(0, 0);
    } else if (kernel == power) {  // the last step is the caller's
      add(top - 1, 0);
      add(top - 1, power / 2);
    } else if (idempotent) {
      add(top, 0);
      add(top, kernel - power);
    } else {
      for (int l = top; l >= 0; --l)
        if ((kernel >> l & 1) != 0) add(l, kernel >> (l + 1) << (l + 1));
    }
    levels_ = terms_[0].level;
  }

  /// Levels above 0 that must be made.
  int levels() const { return levels_; }
  int count() const { return count_; }
  const Term& term(int i) const { return terms_[static_cast<std::size_t>(i)]; }

 private:
  void add(int level, Index tap) { terms_[static_cast<std::size_t>(count_++)] = {level, tap}; }

  std::array<Term, 20> terms_{};  // one for each bit of a kernel that a buffered row holds
  int count_ = 0, levels_ = 0;
};

}  // namespace detail
EIGENPOOL_END
