// Reducers: stateless policies that say what a window becomes. Each has
//
//   Lane                    what it computes in
//   Acc<B>                  an accumulator of B bytes of lanes
//   Row                     a buffer of accumulators
//   Exact                   the same reducer, made for taps that may be NaN
//   numbered                whether accumulators carry tap numbers
//   ordered_sum             taps are combined along the canonical tree
//                           (tree.hpp); otherwise any order will do, and a tap
//                           may be taken in twice
//   first(x, n)             the accumulator of one tap numbered n
//   fold(a, x, n)           takes in a tap with a larger number than all before
//   merge(a, b)             combines accumulators of any taps
//   identity()              the accumulator of no tap
//   unzip(a, b, even, odd)  the lanes of two accumulators in a row, even ones
//                           and odd ones apart
//   pairs(a, b)             neighbouring lanes of the two, merged
//
// merge is associative, and commutative but for a sum's rounding. Numbers grow
// along the window in logical row-major order, so ties and NaNs need no other
// information.
#pragma once

#include "../simd/vec.hpp"
#include "scalar.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The larger value. The exact one keeps a NaN once taken in; the other is for
/// values that are known to be none.
template <class L, bool exact = false>
struct Max {
  using Lane = L;
  using Exact = Max<L, true>;
  static constexpr bool numbered = false;
  static constexpr bool ordered_sum = false;
  template <int B>
  using Acc = simd::Vec<Lane, B>;

  struct Row {
    Lane* values;
    template <int B>
    EIGENPOOL_INLINE Acc<B> load(Index i) const {
      return simd::load<Lane, B>(values + i);
    }
    template <int B>
    EIGENPOOL_INLINE void store(Index i, const Acc<B>& acc) const {
      simd::store(values + i, acc);
    }
    Row from(Index i) const { return {values + i}; }
  };

  template <int B>
  EIGENPOOL_INLINE static Acc<B> first(const simd::Vec<Lane, B>& x, Index) {
    return x;
  }
  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& x) {
    if constexpr (exact)
      a = simd::maximum(a, x);
    else
      a = simd::select(simd::greater(a, x), a, x);
  }
  template <int B>
  EIGENPOOL_INLINE static void fold(Acc<B>& a, const simd::Vec<Lane, B>& x, Index) {
    merge<B>(a, x);
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip(a, b, even, odd);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> pairs(const Acc<B>& a, const Acc<B>& b) {
    Acc<B> even, odd;
    simd::unzip_near(a, b, even, odd);
    merge<B>(even, odd);
    return simd::ordered(even);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return simd::broadcast<Lane, B>(lowest<Lane>());
  }
};

/// The larger value and the number of its tap: the first of equal values, the
/// last of NaNs (where it is exact). S is the scalar that the lanes were widened
/// from.
template <class S, class L, class N, bool exact = false>
struct ArgMax {
  using Lane = L;
  using Exact = ArgMax<S, L, N, true>;
  using Number = N;
  static constexpr bool numbered = true;
  static constexpr bool ordered_sum = false;
  static constexpr Number none = std::numeric_limits<Number>::max();  // loses every tie

  /// Bytes of numbers beside B bytes of values.
  template <int B>
  static constexpr int number_bytes = simd::Vec<Lane, B>::lanes* static_cast<int>(sizeof(Number));

  template <int B>
  struct Acc {
    simd::Vec<Lane, B> value;
    simd::Vec<Number, number_bytes<B>> number;
  };

  struct Row {
    Lane* values;
    Number* numbers;
    template <int B>
    EIGENPOOL_INLINE Acc<B> load(Index i) const {
      return {simd::load<Lane, B>(values + i), simd::load<Number, number_bytes<B>>(numbers + i)};
    }
    template <int B>
    EIGENPOOL_INLINE void store(Index i, const Acc<B>& acc) const {
      simd::store(values + i, acc.value);
      simd::store(numbers + i, acc.number);
    }
    Row from(Index i) const { return {values + i, numbers + i}; }
  };

  template <int B>
  EIGENPOOL_INLINE static Acc<B> first(const simd::Vec<Lane, B>& x, Index number) {
    return {x, simd::broadcast<Number, number_bytes<B>>(static_cast<Number>(number))};
  }
  template <int B>
  EIGENPOOL_INLINE static void fold(Acc<B>& a, const simd::Vec<Lane, B>& x, Index number) {
    auto taken = simd::greater(x, a.value);
    if constexpr (exact && simd::can_be_nan<Lane>) taken = simd::either(taken, simd::is_nan(x));
    a.value = simd::select(taken, x, a.value);
    a.number = simd::select(taken, simd::broadcast<Number, number_bytes<B>>(static_cast<Number>(number)), a.number);
  }
  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    const simd::Mask<Lane, B> lower{simd::greater(a.number, b.number).raw};
    auto taken = simd::either(simd::greater(b.value, a.value), simd::both(simd::equal(a.value, b.value), lower));
    if constexpr (exact && simd::can_be_nan<Lane>) {
      const simd::Mask<Lane, B> higher{simd::greater(b.number, a.number).raw};
      const auto sole = simd::equal(a.value, a.value);  // a is no NaN
      taken = simd::either(taken, simd::both(simd::is_nan(b.value), simd::either(higher, sole)));
    }
    a.value = simd::select(taken, b.value, a.value);
    a.number = simd::select(taken, b.number, a.number);
  }
  /// The same tap, its number counted from elsewhere: `steps` holds what to add,
  /// lane by lane.
  template <int B>
  EIGENPOOL_INLINE static void renumber(Acc<B>& a, const Number* steps) {
    a.number = simd::add(a.number, simd::load<Number, number_bytes<B>>(steps));
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip(a.value, b.value, even.value, odd.value);
    simd::unzip(a.number, b.number, even.number, odd.number);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> pairs(const Acc<B>& a, const Acc<B>& b) {
    Acc<B> even, odd;
    simd::unzip_near(a.value, b.value, even.value, odd.value);
    simd::unzip_near(a.number, b.number, even.number, odd.number);
    merge<B>(even, odd);
    return {simd::ordered(even.value), simd::ordered(even.number)};
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return {simd::broadcast<Lane, B>(static_cast<Lane>(lowest<S>())), simd::broadcast<Number, number_bytes<B>>(none)};
  }
};

/// The sum along the canonical tree.
template <class L>
struct Sum {
  using Lane = L;
  using Exact = Sum;
  static constexpr bool numbered = false;
  static constexpr bool ordered_sum = true;
  template <int B>
  using Acc = simd::Vec<Lane, B>;
  using Row = typename Max<Lane>::Row;

  template <int B>
  EIGENPOOL_INLINE static Acc<B> first(const simd::Vec<Lane, B>& x, Index) {
    return x;
  }
  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    a = simd::add(a, b);
  }
  template <int B>
  EIGENPOOL_INLINE static void fold(Acc<B>& a, const simd::Vec<Lane, B>& x, Index) {
    merge<B>(a, x);
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip(a, b, even, odd);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> pairs(const Acc<B>& a, const Acc<B>& b) {
    Acc<B> even, odd;
    simd::unzip_near(a, b, even, odd);
    merge<B>(even, odd);
    return simd::ordered(even);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return simd::broadcast<Lane, B>(Lane(0));
  }
};

}  // namespace detail
EIGENPOOL_END
