// Elements that a kernel sees through a function: |x|, or x * x. The function is
// applied while loading, so that nothing is written and read again.
#pragma once

#include "scalar.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// An S that is loaded as View::of(its lanes).
template <class S, class View>
struct Viewed {
  S value;

  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> load(const Viewed* p) {
    return View::of(simd::load_as<T, B>(&p->value));
  }
  explicit operator Compared<S>() const {
    constexpr int single = static_cast<int>(sizeof(Compared<S>));
    return load<Compared<S>, single>(this).raw[0];
  }
};

/// The same memory, seen through View.
template <class View, class S>
const Viewed<S, View>* viewed(const S* p) {
  static_assert(sizeof(Viewed<S, View>) == sizeof(S));
  return reinterpret_cast<const Viewed<S, View>*>(p);
}

/// |x|; of -0 too.
struct Magnitude {
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> of(const simd::Vec<T, B>& x) {
    const auto zero = simd::broadcast<T, B>(T(0));
    return simd::select(simd::greater(x, zero), x, simd::subtract(zero, x));
  }
};

/// x * x, rounded before it is added to anything: a compiler that fused the two
/// would give other bits where the machine can.
struct Square {
  template <class T, int B>
  EIGENPOOL_INLINE static simd::Vec<T, B> of(const simd::Vec<T, B>& x) {
    auto square = simd::multiply(x, x);
#if defined(__has_builtin)
#if __has_builtin(__builtin_assoc_barrier)
    if constexpr (simd::Vec<T, B>::compiled)
      square.raw = __builtin_assoc_barrier(square.raw);
    else
      for (T& lane : square.raw) lane = __builtin_assoc_barrier(lane);
#endif
#endif
    return square;
  }
};

}  // namespace detail
EIGENPOOL_END
