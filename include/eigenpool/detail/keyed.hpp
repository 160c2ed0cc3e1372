// Maxima in float and the numbers of their taps as keys: of two vectors of keys, two instructions find the winners,
// where values beside numbers take seven. Making keys and taking them apart takes some eighteen (g++ 12, AVX2): for
// windows of many merges.
#pragma once

#include <bit>

#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Keys of as many values as B bytes of float hold, in their order.
template <int B>
struct Keys {
  simd::Vec<double, B> low, high;
};
template <>
struct Keys<4> {
  simd::Vec<double, 8> low;
};

/// What ArgExtremum is, for values that are known to be no NaN. The upper half of a key is a value's bits, its exponent
/// raised by one of a double's, so that all keys are finite and normal, and no mode of the processor takes one for 0.
/// The lower half decides between equal values: the smaller number wins. -0 becomes the 0 that it is equal to.
template <class S, class Order>
struct KeyedExtremum {
  using Lane = float;
  using Number = std::int32_t;
  using Fold = ArgExtremum<S, Lane, Number, Order>;  // takes in taps, of which keys are made then
  using Exact = typename Fold::Exact;
  static constexpr bool numbered = true;
  static constexpr bool ordered_sum = false;

  template <int B>
  using Acc = Keys<B>;
  template <int B>
  using Pair = typename Fold::template Acc<B>;

  struct Row {
    double* values;   // keys
    Number* numbers;  // the same memory, for a table of numbers
    static Row at(unsigned char* memory, Index) {
      return {reinterpret_cast<double*>(memory), reinterpret_cast<Number*>(memory)};
    }
    template <int B>
    EIGENPOOL_INLINE Acc<B> load(Index i) const {
      if constexpr (B == sizeof(Lane))
        return {simd::load<double, 2 * B>(values + i)};
      else
        return {simd::load<double, B>(values + i), simd::load<double, B>(values + i + lanes<B>)};
    }
    template <int B>
    EIGENPOOL_INLINE void store(Index i, const Acc<B>& acc) const {
      simd::store(values + i, acc.low);
      if constexpr (B > sizeof(Lane)) simd::store(values + i + lanes<B>, acc.high);
    }
    Row from(Index i) const { return {values + i, numbers + i}; }
  };

  template <int B>
  EIGENPOOL_INLINE static Acc<B> keys(const Pair<B>& pair) {
    auto bits = simd::bits_as<std::int32_t>(pair.value);
    bits = simd::select(simd::equal(bits, all<B>(highest_bit)), all<B>(0), bits);
    const auto tie = simd::bit_xor(pair.number, tie_order<B>(bits)), head = simd::add(bits, all<B>(raised));
    if constexpr (B == sizeof(Lane)) {
      const auto upper = static_cast<std::uint32_t>(head.raw[0]), lower = static_cast<std::uint32_t>(tie.raw[0]);
      return {{{std::bit_cast<double>(std::uint64_t{upper} << 32 | lower)}}};
    } else {
      Bits<B> low, high;
      is_little ? simd::zip(tie, head, low, high) : simd::zip(head, tie, low, high);
      return {simd::bits_as<double>(low), simd::bits_as<double>(high)};
    }
  }
  template <int B>
  EIGENPOOL_INLINE static Pair<B> pair(const Acc<B>& keys) {
    Bits<B> head, tie;
    if constexpr (B == sizeof(Lane)) {
      const auto key = std::bit_cast<std::uint64_t>(keys.low.raw[0]);
      head = all<B>(static_cast<std::int32_t>(key >> 32)), tie = all<B>(static_cast<std::int32_t>(key));
    } else {
      const auto low = simd::bits_as<std::int32_t>(keys.low), high = simd::bits_as<std::int32_t>(keys.high);
      is_little ? simd::unzip(low, high, tie, head) : simd::unzip(low, high, head, tie);
    }
    return {simd::bits_as<float>(simd::subtract(head, all<B>(raised))), simd::bit_xor(tie, tie_order<B>(head))};
  }

  template <int B>
  EIGENPOOL_INLINE static void merge(Acc<B>& a, const Acc<B>& b) {
    a.low = Order::winner(a.low, b.low);
    if constexpr (B > sizeof(Lane)) a.high = Order::winner(a.high, b.high);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> identity() {
    return keys<B>(Fold::template identity<B>());
  }
  template <int B>
  EIGENPOOL_INLINE static void unzip(const Acc<B>& a, const Acc<B>& b, Acc<B>& even, Acc<B>& odd) {
    simd::unzip_near(a.low, a.high, even.low, odd.low);
    simd::unzip_near(b.low, b.high, even.high, odd.high);
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> ordered(const Acc<B>& acc) {
    return {simd::ordered(acc.low), simd::ordered(acc.high)};
  }
  template <int B>
  EIGENPOOL_INLINE static Acc<B> every_third(const Acc<B>& a, const Acc<B>& b, const Acc<B>& c) {
    return {simd::every_third(a.low, a.high, b.low), simd::every_third(b.high, c.low, c.high)};
  }

 private:
  template <int B>
  using Bits = simd::Vec<std::int32_t, B>;
  template <int B>
  static constexpr Index lanes = simd::Vec<double, B>::lanes;
  static constexpr bool is_little = std::endian::native == std::endian::little;
  static constexpr std::int32_t highest_bit = std::numeric_limits<std::int32_t>::min();
  static constexpr std::int32_t raised = 1 << 20;

  template <int B>
  EIGENPOOL_INLINE static Bits<B> all(std::int32_t bits) {
    return simd::broadcast<std::int32_t, B>(bits);
  }
  // What numbers are turned over by: where a larger lower half makes a key win, the smaller number is to have it.
  template <int B>
  EIGENPOOL_INLINE static Bits<B> tie_order(const Bits<B>& head) {
    constexpr std::int32_t positive = std::is_same_v<Order, Larger> ? ~highest_bit : highest_bit;
    return simd::select(simd::greater(all<B>(0), head), all<B>(~positive), all<B>(positive));
  }
};

/// The same reducer in keys, where there is one.
template <class R>
struct KeyedForm;
template <class S, class Order>
struct KeyedForm<ArgExtremum<S, float, std::int32_t, Order>> {
  using type = KeyedExtremum<S, Order>;
};
template <class R>
concept HasKeys = requires {
  typename KeyedForm<R>::type;
};

template <class R>
inline constexpr bool is_keyed = requires {
  typename R::Fold;
};

/// The reducer that takes in taps for R.
template <class R>
struct FoldForm {
  using type = R;
};
template <class R>
  requires is_keyed<R>
struct FoldForm<R> {
  using type = typename R::Fold;
};
template <class R>
using FoldOf = typename FoldForm<R>::type;

/// R's accumulator of taps that were taken in, and the other way round.
template <class R, int B>
EIGENPOOL_INLINE typename R::template Acc<B> made_of(const typename FoldOf<R>::template Acc<B>& taps) {
  if constexpr (is_keyed<R>)
    return R::template keys<B>(taps);
  else
    return taps;
}
template <class R, int B>
EIGENPOOL_INLINE typename FoldOf<R>::template Acc<B> taken_apart(const typename R::template Acc<B>& acc) {
  if constexpr (is_keyed<R>)
    return R::template pair<B>(acc);
  else
    return acc;
}

}  // namespace detail
EIGENPOOL_END
