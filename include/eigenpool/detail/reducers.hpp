// Reducers: stateless policies that say what a window becomes. Each has
//
//   Lane                    what it computes in
//   Acc<B>                  an accumulator of B bytes of lanes
//   Row                     a buffer of accumulators; Row::at(memory, elements)
//   Exact                   the same reducer, made for taps that may be NaN
//   numbered                whether accumulators carry tap numbers
//   ordered_sum             taps are combined along the canonical tree
//                           (tree.hpp); otherwise any order will do, and a tap
//                           may be taken in twice
//   first(x, n)             the accumulator of one tap numbered n
//   fold(a, x, n)           takes in a tap with a larger number than all before
//   merge(a, b)             combines accumulators of any taps
//   merge_except(flags, a, b)  the same but in the lanes whose flag is set, in memory
//   identity()              the accumulator of no tap
//   unzip(a, b, even, odd)  the lanes of two accumulators in a row, even ones
//                           and odd ones apart, in an order that ordered() undoes
//   every_third(a, b, c)    lanes 0, 3, 6, ... of three accumulators in a row
//
// merge is associative, and commutative but for a sum's rounding. Numbers grow
// along the window in logical row-major order, so ties and NaNs need no other
// information.
#pragma once

#include "../simd/shuffle.hpp"
#include "scalar.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// What reducers have in common whose accumulators are plain lanes; R says how
/// two of them merge.
template <class R, class L>
struct LaneReducer {
  using Lane = L;
  static constexpr bool numbered = false;
  template <int B>
  using Acc = simd::Vec<Lane, B>;

  struct Row {
    Lane* values;
    static Row at(unsigned char* memory, Index) { return {reinterpret_cast<Lane*>(memory)}; }
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
  EIGENPOOL_INLINE static void fold(Acc<B>& a, const simd::Vec<Lane, B>& x, Index) {
    R::template merge<B>(a, x);
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip_near(a, b, even, odd);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> ordered(const Acc<B>& acc) {
    return simd::ordered(acc);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> every_third(const Acc<B>& a, const Acc<B>& b, const Acc<B>& c) {
    return simd::every_third(a, b, c);
  }
};

/// The order of a maximum.
struct Larger {
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Mask<T, B> wins(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    return simd::greater(a, b);
  }
  /// a if it wins, else b.
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> winner(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    return simd::larger(a, b);
  }
  /// The winner, or NaN where either is.
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> exact(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    return simd::maximum(a, b);
  }
  /// What everything else wins against.
  template <class T>
  static T worst() {
    return lowest<T>();
  }
};

/// The order of a minimum.
struct Smaller {
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Mask<T, B> wins(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    return simd::greater(b, a);
  }
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> winner(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    return simd::smaller(a, b);
  }
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> exact(const simd::Vec<T, B>& a, const simd::Vec<T, B>& b) {
    if constexpr (simd::can_be_nan<T>)
      return simd::select(simd::either(wins(b, a), simd::is_nan(b)), b, a);
    else
      return winner(b, a);
  }
  template <class T>
  static T worst() {
    return highest<T>();
  }
};

/// The value that wins in an Order. The exact one keeps a NaN once taken in; the
/// other is for values that are known to be none.
template <class L, class Order, bool exact = false>
struct Extremum : LaneReducer<Extremum<L, Order, exact>, L> {
  using Exact = Extremum<L, Order, true>;
  static constexpr bool ordered_sum = false;
  template <int B>
  using Acc = simd::Vec<L, B>;

  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& x) {
    if constexpr (exact)
      a = Order::exact(a, x);
    else
      a = Order::winner(a, x);
  }
  template <int B, class Flag>
  EIGENPOOL_INLINE static void merge_except(const Flag* flags, Acc<B>& a, const Acc<B>& x) {
    static_assert(!exact);
    if constexpr (std::floating_point<L>) {
      const Acc<B> taken = simd::nan_where(flags, x);  // which does not win
      a = Order::winner(taken, a);
    } else {
      merge<B>(a, simd::select(simd::load_mask<L, B>(flags), identity<B>(), x));
    }
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return simd::broadcast<L, B>(Order::template worst<L>());
  }
};

/// The value that wins in an Order and the number of its tap: the first of equal
/// values, the last of NaNs (where it is exact). S is the scalar that the lanes
/// were widened from.
template <class S, class L, class N, class Order, bool exact = false>
struct ArgExtremum {
  using Lane = L;
  using Exact = ArgExtremum<S, L, N, Order, true>;
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
    static Row at(unsigned char* memory, Index elements) {
      return {reinterpret_cast<Lane*>(memory),
              reinterpret_cast<Number*>(memory + elements * static_cast<Index>(sizeof(Lane)))};
    }
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
    auto taken = Order::wins(x, a.value);
    if constexpr (exact && simd::can_be_nan<Lane>) taken = simd::either(taken, simd::is_nan(x));
    a.value = simd::select(taken, x, a.value);
    a.number = simd::select(taken, simd::broadcast<Number, number_bytes<B>>(static_cast<Number>(number)), a.number);
  }
  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    const simd::Mask<Lane, B> lower{simd::greater(a.number, b.number).raw};
    auto taken = simd::either(Order::wins(b.value, a.value), simd::both(simd::equal(a.value, b.value), lower));
    if constexpr (exact && simd::can_be_nan<Lane>) {
      const simd::Mask<Lane, B> higher{simd::greater(b.number, a.number).raw};
      const auto sole = simd::equal(a.value, a.value);  // a is no NaN
      taken = simd::either(taken, simd::both(simd::is_nan(b.value), simd::either(higher, sole)));
    }
    a.value = simd::select(taken, b.value, a.value);
    a.number = simd::select(taken, b.number, a.number);
  }
  template <int B, class Flag>
  EIGENPOOL_INLINE static void merge_except(const Flag* flags, Acc<B>& a, const Acc<B>& b) {
    static_assert(!exact);
    if constexpr (std::floating_point<Lane>) {
      merge<B>(a, {simd::nan_where(flags, b.value), b.number});  // which neither wins nor is equal
    } else {
      const auto mask = simd::load_mask<Lane, B>(flags);
      const Acc<B> rest = identity<B>();
      merge<B>(a, {simd::select(mask, rest.value, b.value), simd::select(mask, rest.number, b.number)});
    }
  }
  /// The same tap, its number counted from elsewhere: `steps` holds what to add,
  /// lane by lane.
  template <int B>
  EIGENPOOL_INLINE static void renumber(Acc<B>& a, const Number* steps) {
    a.number = simd::add(a.number, simd::load<Number, number_bytes<B>>(steps));
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip_near(a.value, b.value, even.value, odd.value);
    simd::unzip_near(a.number, b.number, even.number, odd.number);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> ordered(const Acc<B>& acc) {
    return {simd::ordered(acc.value), simd::ordered(acc.number)};
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> every_third(const Acc<B>& a, const Acc<B>& b, const Acc<B>& c) {
    return {simd::every_third(a.value, b.value, c.value), simd::every_third(a.number, b.number, c.number)};
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return {simd::broadcast<Lane, B>(static_cast<Lane>(Order::template worst<S>())),
            simd::broadcast<Number, number_bytes<B>>(none)};
  }
};

/// The sum along the canonical tree.
template <class L>
struct Sum : LaneReducer<Sum<L>, L> {
  using Exact = Sum;
  static constexpr bool ordered_sum = true;
  template <int B>
  using Acc = simd::Vec<L, B>;

  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    a = simd::add(a, b);
  }
  template <int B, class Flag>
  EIGENPOOL_INLINE static void merge_except(const Flag* flags, Acc<B>& a, const Acc<B>& b) {
    merge<B>(a, simd::zero_where(flags, b));
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return simd::broadcast<L, B>(L(0));
  }
};

}  // namespace detail
EIGENPOOL_END
