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

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> broadcast(const T& value) {
  Vec<T, Bytes> v;
  if constexpr (Vec<T, Bytes>::compiled) {
    v.raw = value - typename Vec<T, Bytes>::Raw{};
  } else {
    for (auto& lane : v.raw) lane = value;
  }
  return v;
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

/// The bits that are set in either.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> bit_or(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  Vec<Signed<T>, Bytes> x, y;
  std::memcpy(&x, &a, sizeof(x));
  std::memcpy(&y, &b, sizeof(y));
  if constexpr (Vec<T, Bytes>::compiled)
    x.raw |= y.raw;
  else
    for (std::size_t i = 0; i < x.raw.size(); ++i) x.raw[i] |= y.raw[i];
  Vec<T, Bytes> result;
  std::memcpy(&result, &x, sizeof(result));
  return result;
}

/// The larger of both, lane by lane; NaN where either is. `a > b ? a : b` is one
/// instruction on x86 and gives b where either is NaN, so the two ways round,
/// put together bit by bit, keep any NaN and otherwise agree (but for the sign
/// of a zero).
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> maximum(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b) {
  const Vec<T, Bytes> larger = select(greater(a, b), a, b);
  if constexpr (std::floating_point<T> && sizeof(T) <= 8)
    return bit_or(larger, select(greater(b, a), b, a));
  else if constexpr (can_be_nan<T>)
    return select(is_nan(a), a, larger);
  else
    return larger;
}

/// The lanes of two vectors in a row, even ones and odd ones apart.
template <class T, int Bytes>
EIGENPOOL_INLINE void unzip(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, Vec<T, Bytes>& even, Vec<T, Bytes>& odd) {
  constexpr int lanes = Vec<T, Bytes>::lanes;
  if constexpr (Vec<T, Bytes>::compiled) {
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      even.raw = __builtin_shufflevector(a.raw, b.raw, (2 * I)...);
      odd.raw = __builtin_shufflevector(a.raw, b.raw, (2 * I + 1)...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    std::array<T, 2 * static_cast<std::size_t>(lanes)> row;
    store(row.data(), a);
    store(row.data() + lanes, b);
    for (std::size_t i = 0; i < even.raw.size(); ++i) {
      even.raw[i] = row[2 * i];
      odd.raw[i] = row[2 * i + 1];
    }
  }
}

/// As unzip, but in an order of lanes that takes fewer instructions; ordered()
/// puts what is made of both in order again.
template <class T, int Bytes>
EIGENPOOL_INLINE void unzip_near(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, Vec<T, Bytes>& even,
                                 Vec<T, Bytes>& odd) {
  if constexpr (Vec<T, Bytes>::compiled && Bytes > 16 && sizeof(T) <= 8) {
    // Each 16 bytes of the result are from the same 16 bytes of a and of b.
    constexpr int lanes = Vec<T, Bytes>::lanes, near = 16 / static_cast<int>(sizeof(T)), half = near / 2;
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      even.raw =
          __builtin_shufflevector(a.raw, b.raw, (I / near * near + I % half * 2 + (I % near < half ? 0 : lanes))...);
      odd.raw = __builtin_shufflevector(a.raw, b.raw,
                                        (I / near * near + I % half * 2 + 1 + (I % near < half ? 0 : lanes))...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    unzip(a, b, even, odd);
  }
}
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> ordered(const Vec<T, Bytes>& v) {
  if constexpr (Vec<T, Bytes>::compiled && Bytes > 16 && sizeof(T) <= 8) {
    constexpr int lanes = Vec<T, Bytes>::lanes, half = 8 / static_cast<int>(sizeof(T));
    Vec<T, Bytes> result;
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      result.raw = __builtin_shufflevector(
          v.raw, v.raw,
          (I < lanes / 2 ? I / half * 2 * half + I % half : (I - lanes / 2) / half * 2 * half + half + I % half)...);
    }
    (std::make_integer_sequence<int, lanes>{});
    return result;
  } else {
    return v;
  }
}

/// Two vectors interleaved: a[0], b[0], a[1], b[1], ...
template <class T, int Bytes>
EIGENPOOL_INLINE void zip(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, Vec<T, Bytes>& low, Vec<T, Bytes>& high) {
  constexpr int lanes = Vec<T, Bytes>::lanes;
  if constexpr (Vec<T, Bytes>::compiled) {
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      low.raw = __builtin_shufflevector(a.raw, b.raw, (I / 2 + I % 2 * lanes)...);
      high.raw = __builtin_shufflevector(a.raw, b.raw, (lanes / 2 + I / 2 + I % 2 * lanes)...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    std::array<T, 2 * static_cast<std::size_t>(lanes)> row;
    for (std::size_t i = 0; i < a.raw.size(); ++i) {
      row[2 * i] = a.raw[i];
      row[2 * i + 1] = b.raw[i];
    }
    low = load<T, Bytes>(row.data());
    high = load<T, Bytes>(row.data() + lanes);
  }
}

/// Each lane as another type of the same width.
template <class To, class T, int Bytes>
EIGENPOOL_INLINE Vec<To, Bytes> convert(const Vec<T, Bytes>& a) {
  if constexpr (Vec<T, Bytes>::compiled)
    return {__builtin_convertvector(a.raw, typename Vec<To, Bytes>::Raw)};
  else
    return each::apply<Vec<To, Bytes>>([](const T& x) { return static_cast<To>(x); }, a);
}

/// a / b rounded to nearest, halves to even, for |a| < 2^22 and b != 0: the
/// quotient in float then lies on the same side of each half as the exact one,
/// and float addition rounds it.
template <int Bytes>
EIGENPOOL_INLINE Vec<std::int32_t, Bytes> rounded_quotient(const Vec<std::int32_t, Bytes>& a,
                                                           const Vec<std::int32_t, Bytes>& b) {
  const auto rounder = broadcast<float, Bytes>(12582912.0F);  // 1.5 * 2^23: its neighbours are 1 apart
  const auto quotient = divide(convert<float>(a), convert<float>(b));
  return convert<std::int32_t>(subtract(add(quotient, rounder), rounder));
}

/// How vectors of a 16-bit scalar S become float and the other way round, by
/// their bits: widen(Vec<std::uint32_t>) and narrow(Vec<float>). To be specialised.
template <class S>
struct Widening;
template <class S>
concept HasWidening = sizeof(S) == 2 && requires {
  sizeof(Widening<S>);
};

/// Each lane's bits as another type of the same width.
template <class To, class T, int Bytes>
EIGENPOOL_INLINE Vec<To, Bytes> bits_as(const Vec<T, Bytes>& a) {
  Vec<To, Bytes> result;
  std::memcpy(&result, &a, sizeof(result));
  return result;
}

/// Converts in steps of at most a factor of two in width, for which compilers
/// have instructions where they take a longer step lane by lane.
template <class To, class From, int lanes>
EIGENPOOL_INLINE void convert_in_steps(const typename Compiled<From, lanes* static_cast<int>(sizeof(From))>::type& from,
                                       typename Compiled<To, lanes* static_cast<int>(sizeof(To))>::type& to) {
  constexpr bool is_long = sizeof(To) > 2 * sizeof(From) || sizeof(From) > 2 * sizeof(To);
  if constexpr (is_long && std::integral<From> && std::integral<To>) {
    constexpr int step_bytes = static_cast<int>(sizeof(To) > sizeof(From) ? sizeof(From) * 2 : sizeof(From) / 2);
    using SignedStep = typename SignedOf<step_bytes>::type;
    using Step = std::conditional_t<std::is_signed_v<From>, SignedStep, std::make_unsigned_t<SignedStep>>;
    const auto step = __builtin_convertvector(from, typename Compiled<Step, lanes * step_bytes>::type);
    convert_in_steps<To, Step, lanes>(step, to);
  } else {
    to = __builtin_convertvector(from, typename Compiled<To, lanes* static_cast<int>(sizeof(To))>::type);
  }
}

/// Converts while loading: `lanes` elements of S from p become lanes of T. An S
/// may say how it is loaded.
template <class T, int Bytes, class S>
EIGENPOOL_INLINE Vec<T, Bytes> load_as(const S* p) {
  using V = Vec<T, Bytes>;
  if constexpr (requires { S::template load<T, Bytes>(p); }) {
    return S::template load<T, Bytes>(p);
  } else if constexpr (std::is_same_v<S, T>) {
    return load<T, Bytes>(p);
  } else if constexpr (V::compiled && std::is_arithmetic_v<S>) {
    typename Compiled<S, V::lanes* static_cast<int>(sizeof(S))>::type narrow;
    std::memcpy(&narrow, p, sizeof(narrow));
    V wide;
    convert_in_steps<T, S, V::lanes>(narrow, wide.raw);
    return wide;
  } else if constexpr (V::compiled && HasWidening<S> && std::is_same_v<T, float>) {
    typename Compiled<std::uint16_t, V::lanes * 2>::type narrow;
    std::memcpy(&narrow, p, sizeof(narrow));
    return Widening<S>::widen(
        Vec<std::uint32_t, Bytes>{__builtin_convertvector(narrow, typename Vec<std::uint32_t, Bytes>::Raw)});
  } else {
    std::array<T, static_cast<std::size_t>(V::lanes)> converted;
    for (std::size_t i = 0; i < converted.size(); ++i) converted[i] = static_cast<T>(p[i]);
    return load<T, Bytes>(converted.data());
  }
}

/// The same from fewer than a vector's elements; the other lanes repeat the
/// first.
template <class T, int Bytes, class S>
EIGENPOOL_INLINE Vec<T, Bytes> load_as(const S* p, std::int64_t count) {
  std::array<T, static_cast<std::size_t>(Vec<T, Bytes>::lanes)> converted;
  for (std::size_t i = 0; i < converted.size(); ++i)
    converted[i] = static_cast<T>(p[static_cast<std::int64_t>(i) < count ? i : 0]);
  return load<T, Bytes>(converted.data());
}

/// Converts while storing the first `count` lanes.
template <class S, class T, int Bytes>
EIGENPOOL_INLINE void store_as(S* p, const Vec<T, Bytes>& v, std::int64_t count) {
  using V = Vec<T, Bytes>;
  if constexpr (std::is_same_v<S, T>) {
    if (count == V::lanes) return store(p, v);
  } else if constexpr (V::compiled && std::is_arithmetic_v<S>) {
    if (count == V::lanes) {
      typename Compiled<S, V::lanes* static_cast<int>(sizeof(S))>::type narrow;
      convert_in_steps<S, T, V::lanes>(v.raw, narrow);
      std::memcpy(static_cast<void*>(p), &narrow, sizeof(narrow));
      return;
    }
  } else if constexpr (V::compiled && HasWidening<S> && std::is_same_v<T, float>) {
    if (count == V::lanes) {
      const auto narrow =
          __builtin_convertvector(Widening<S>::narrow(v).raw, typename Compiled<std::uint16_t, V::lanes * 2>::type);
      std::memcpy(static_cast<void*>(p), &narrow, sizeof(narrow));
      return;
    }
  }
  std::array<T, static_cast<std::size_t>(V::lanes)> row;
  store(row.data(), v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = static_cast<S>(row[static_cast<std::size_t>(i)]);
}

}  // namespace simd
EIGENPOOL_END
