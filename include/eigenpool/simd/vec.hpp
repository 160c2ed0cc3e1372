// The vector vocabulary: Vec<T, Bytes> on compiler vector types, or on plain
// arrays where a compiler has none (or EIGENPOOL_PORTABLE_SIMD asks for them),
// and for single lanes, which may hold any scalar with + and <.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "../config.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// f(0), f(1), ..., f(n - 1), unrolled whatever the compiler thinks of it.
template <std::size_t n, class F>
EIGENPOOL_INLINE void unrolled(const F& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) EIGENPOOL_LAMBDA { (f(I), ...); }
  (std::make_index_sequence<n>{});
}

template <int Bytes>
struct SignedOf;
template <>
struct SignedOf<1> {
  using type = std::int8_t;
};
template <>
struct SignedOf<2> {
  using type = std::int16_t;
};
template <>
struct SignedOf<4> {
  using type = std::int32_t;
};
template <>
struct SignedOf<8> {
  using type = std::int64_t;
};

/// The signed integer as wide as T: the lanes of a comparison's result, and of
/// tap numbers beside T.
template <class T>
using Signed = typename SignedOf<sizeof(T)>::type;

#if defined(EIGENPOOL_PORTABLE_SIMD) || !(defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12))
inline constexpr bool has_compiler_vectors = false;
#else
inline constexpr bool has_compiler_vectors = true;
#endif

template <class T, int Bytes>
struct Compiled {
  typedef T type __attribute__((vector_size(Bytes)));
};

/// `Bytes` bytes of T. Bytes == sizeof(T) is one lane, for any T.
template <class T, int Bytes>
struct Vec {
  static constexpr int lanes = Bytes / static_cast<int>(sizeof(T));
  static constexpr bool compiled = has_compiler_vectors && lanes > 1;
  using Lane = T;
  using Raw = typename std::conditional_t<compiled, Compiled<T, Bytes>,
                                          std::type_identity<std::array<T, static_cast<std::size_t>(lanes)>>>::type;
  Raw raw;
};

/// The result of a comparison of Vec<T, Bytes>.
template <class T, int Bytes>
struct Mask {
  static constexpr auto pick() {
    if constexpr (Vec<T, Bytes>::compiled)
      return std::type_identity<typename Compiled<Signed<T>, Bytes>::type>{};
    else
      return std::type_identity<std::array<bool, static_cast<std::size_t>(Vec<T, Bytes>::lanes)>>{};
  }
  typename decltype(pick())::type raw;
};

namespace each {  // the array form of an operation: lane by lane
template <class Result, class Op, class... Args>
EIGENPOOL_INLINE Result apply(const Op& op, const Args&... args) {
  Result result;
  for (std::size_t i = 0; i < result.raw.size(); ++i) result.raw[i] = op(args.raw[i]...);
  return result;
}

/// Integers as ones that wrap, which vectors do as well.
template <class T>
EIGENPOOL_INLINE decltype(auto) wrapping(const T& x) {
  if constexpr (std::integral<T>)
    return static_cast<std::make_unsigned_t<T>>(x);
  else
    return (x);
}
}  // namespace each

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> load(const T* p) {
  Vec<T, Bytes> v;
  if constexpr (std::is_trivial_v<T> && Vec<T, Bytes>::lanes > 1)  // a single one should be read as what it is
    std::memcpy(&v.raw, p, sizeof(v.raw));
  else
    for (std::size_t i = 0; i < v.raw.size(); ++i) v.raw[i] = p[i];
  return v;
}

template <class T, int Bytes>
EIGENPOOL_INLINE void store(T* p, const Vec<T, Bytes>& v) {
  if constexpr (std::is_trivial_v<T> && Vec<T, Bytes>::lanes > 1)
    std::memcpy(p, &v.raw, sizeof(v.raw));
  else
    for (std::size_t i = 0; i < v.raw.size(); ++i) p[i] = v.raw[i];
}

/// Through memory, since g++ 12 inserts lane by lane what is written as a vector of copies in a function that only an
/// attribute allows AVX.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> broadcast(const T& value) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) EIGENPOOL_LAMBDA {
    const T copies[] = {(static_cast<void>(I), value)...};
    return load<T, Bytes>(copies);
  }
  (std::make_index_sequence<static_cast<std::size_t>(Vec<T, Bytes>::lanes)>{});
}

/// Elements from p to the next one that is aligned as a vector of `lanes` of them is. (malloc aligns to 16 bytes.)
template <int lanes, class T>
std::int64_t to_aligned(const T* p) {
  constexpr std::uintptr_t bytes = lanes * sizeof(T);
  return static_cast<std::int64_t>((bytes - reinterpret_cast<std::uintptr_t>(p) % bytes) % bytes / sizeof(T));
}

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> add(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw + b.raw};
  else
    return each::apply<Vec<T, Bytes>>(
        [](const T& x, const T& y) { return static_cast<T>(each::wrapping(x) + each::wrapping(y)); }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> subtract(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw - b.raw};
  else
    return each::apply<Vec<T, Bytes>>(
        [](const T& x, const T& y) { return static_cast<T>(each::wrapping(x) - each::wrapping(y)); }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> multiply(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw * b.raw};
  else
    return each::apply<Vec<T, Bytes>>([](const T& x, const T& y) { return static_cast<T>(x * y); }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> divide(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw / b.raw};
  else
    return each::apply<Vec<T, Bytes>>([](const T& x, const T& y) { return static_cast<T>(x / y); }, a, b);
}

/// a > b, lane by lane; written with < alone, since that is all a custom scalar
/// must have.
template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> greater(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {b.raw < a.raw};
  else
    return each::apply<Mask<T, Bytes>>([](const T& x, const T& y) { return static_cast<bool>(y < x); }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> equal(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw == b.raw};
  else
    return each::apply<Mask<T, Bytes>>([](const T& x, const T& y) { return x == y; }, a, b);
}

/// Whether T has a value that is not equal to itself.
template <class T>
inline constexpr bool can_be_nan = !std::integral<T> && requires(const T& x) {
  { x != x } -> std::convertible_to<bool>;
};

template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> is_nan(const Vec<T, Bytes>& a) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw != a.raw};
  else
    return each::apply<Mask<T, Bytes>>([](const T& x) { return static_cast<bool>(x != x); }, a);
}

/// A mask from memory: the lanes where all bits are set, not none.
template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> load_mask(const Signed<T>* p) {
  const auto bits = load<Signed<T>, Bytes>(p);
  if constexpr (Vec<T, Bytes>::compiled)
    return {bits.raw};
  else
    return each::apply<Mask<T, Bytes>>([](Signed<T> x) { return x != 0; }, bits);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> either(const Mask<T, Bytes>& a, const Mask<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw | b.raw};
  else
    return each::apply<Mask<T, Bytes>>([](bool x, bool y) { return x || y; }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE Mask<T, Bytes> both(const Mask<T, Bytes>& a, const Mask<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw & b.raw};
  else
    return each::apply<Mask<T, Bytes>>([](bool x, bool y) { return x && y; }, a, b);
}

template <class T, int Bytes>
EIGENPOOL_INLINE bool any(const Mask<T, Bytes>& mask) {
  if constexpr (Vec<T, Bytes>::compiled) {
    std::array<std::uint64_t, Bytes / 8> words;
    std::memcpy(&words, &mask, sizeof(words));
    std::uint64_t bits = 0;
    for (const std::uint64_t word : words) bits |= word;
    return bits != 0;
  } else {
    bool found = false;
    for (const bool lane : mask.raw) found |= lane;
    return found;
  }
}

/// Lane by lane: where the mask holds, a, else b. There are as many lanes of U
/// as of T.
template <class T, int TBytes, class U, int UBytes>
EIGENPOOL_INLINE Vec<U, UBytes> select(const Mask<T, TBytes>& mask, const Vec<U, UBytes>& a, const Vec<U, UBytes>& b) {
  if constexpr (Vec<U, UBytes>::compiled)
    return {mask.raw ? a.raw : b.raw};
  else if constexpr (std::is_arithmetic_v<U>)  // by value, which compilers turn into no branch
    return each::apply<Vec<U, UBytes>>([](bool m, U x, U y) { return m ? x : y; }, mask, a, b);
  else
    return each::apply<Vec<U, UBytes>>([](bool m, const U& x, const U& y) { return m ? x : y; }, mask, a, b);
}

/// a where it is the larger, or the smaller one; else b. Not as a mask and a choice, from which g++ 12 makes two or
/// three instructions for integers instead of one.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> larger(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {b.raw < a.raw ? a.raw : b.raw};
  else
    return select(greater(a, b), a, b);
}
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> smaller(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {a.raw < b.raw ? a.raw : b.raw};
  else
    return select(greater(b, a), a, b);
}

}  // namespace simd
EIGENPOOL_END
