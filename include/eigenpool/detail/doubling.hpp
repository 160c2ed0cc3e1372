// Windows of 1, 2, 4, ... neighbouring taps, or of 1, 4, 16, ..., each from
// smaller ones; which of them make up a window of any size; and rows of them. A
// kernel of k taps costs about 2 log2 k steps for a sum, log2 k for a maximum.
#pragma once

#include "integer.hpp"
#include "row_loops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Level 0 is the input; a window of a level above is made of two or four of the
/// level below. The whole window is made of its terms, taken from the last to the
/// first.
class Doubling {
 public:
  enum class Steps {
    canonical,  // powers of two, of which each is in a window at most once: the canonical order of a sum
    pairs,      // two windows of a power of two, which may share taps
    fours,      // up to four of a power of four: fewer passes, where merging costs no more than reading
  };

  struct Term {
    int level;
    Index tap;  // where it starts in the window
  };

  /// Of a kernel below 2^20.
  Doubling(Index kernel, Steps steps) : growth_(steps == Steps::fours ? 2 : 1) {
    int top = static_cast<int>(bit_width(kernel) - 1) / growth_;
    if (top > 0 && window(top) == kernel) --top;  // the last step is the caller's
    if (steps == Steps::canonical && 2 * window(top) != kernel) {
      for (int l = top; l >= 0; --l)
        if ((kernel >> l & 1) != 0) add(l, kernel >> (l + 1) << (l + 1));
    } else {
      for (Index tap = 0; tap + window(top) < kernel; tap += window(top)) add(top, tap);
      add(top, kernel - window(top));
      if (count_ == 3) add(top, kernel - window(top));  // two or four are merged at once
    }
    levels_ = terms_[0].level;
  }

  /// Levels above 0 that must be made.
  int levels() const { return levels_; }
  /// Taps of a window of a level.
  Index window(int level) const { return Index{1} << (growth_ * level); }
  int count() const { return count_; }
  const Term& term(int i) const { return terms_[static_cast<std::size_t>(i)]; }

 private:
  void add(int level, Index tap) { terms_[static_cast<std::size_t>(count_++)] = {level, tap}; }

  std::array<Term, 20> terms_{};  // one for each bit of a kernel that a buffered row holds
  int growth_, count_ = 0, levels_ = 0;
};

/// How the windows of a reducer are put together.
template <class R>
inline constexpr Doubling::Steps steps_of = R::ordered_sum                ? Doubling::Steps::canonical
                                            : R::numbered && !is_keyed<R> ? Doubling::Steps::pairs
                                                                          : Doubling::Steps::fours;

/// Makes windows of `level`; row(level, tap) are the windows from a tap on.
template <class R, int B, class RowOf>
void make_level(const Doubling& doubling, int level, const RowOf& row, const typename R::Row& to, Index length) {
  const Index window = doubling.window(level - 1);
  const auto part = [&](Index i) { return row(level - 1, i * window); };
  if constexpr (steps_of<R> == Doubling::Steps::fours)
    merge_rows<R, B>(to, length, part(0), part(1), part(2), part(3));
  else
    merge_rows<R, B>(to, length, part(0), part(1));
}

/// The terms from number `first` on, merged: a row of its own or, if there is one alone, of the level.
template <class R, int B, class RowOf>
typename R::Row merge_terms(const Doubling& doubling, int first, const RowOf& row, const typename R::Row& to,
                            Index length) {
  const auto term = [&](int t) { return row(doubling.term(t).level, doubling.term(t).tap); };
  int t = doubling.count() - 1;
  typename R::Row rest = term(t);
  for (; t >= first + 3; t -= 3, rest = to) merge_rows<R, B>(to, length, term(t - 3), term(t - 2), term(t - 1), rest);
  for (; t > first; --t, rest = to) merge_rows<R, B>(to, length, term(t - 1), rest);
  return rest;
}

}  // namespace detail
EIGENPOOL_END
