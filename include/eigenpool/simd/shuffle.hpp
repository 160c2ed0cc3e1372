// Moves between lanes.
#pragma once

#include "vec.hpp"

EIGENPOOL_BEGIN
namespace simd {

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

/// Lanes 0, 3, 6, ... of three vectors in a row.
template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> every_third(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, const Vec<T, Bytes>& c) {
  constexpr int lanes = Vec<T, Bytes>::lanes;
  Vec<T, Bytes> result;
  if constexpr (Vec<T, Bytes>::compiled) {
    // None of these lanes is in the same place as another, since no power of two is a multiple of three: they are laid
    // over each other first.
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      const auto two = __builtin_shufflevector(a.raw, b.raw, ((lanes + I) % 3 == 0 ? lanes + I : I)...);
      const auto all = __builtin_shufflevector(two, c.raw, ((2 * lanes + I) % 3 == 0 ? lanes + I : I)...);
      result.raw = __builtin_shufflevector(all, all, (3 * I % lanes)...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    std::array<T, 3 * static_cast<std::size_t>(lanes)> row;
    store(row.data(), a);
    store(row.data() + lanes, b);
    store(row.data() + 2 * lanes, c);
    for (std::size_t i = 0; i < result.raw.size(); ++i) result.raw[i] = row[3 * i];
  }
  return result;
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

/// Three vectors interleaved, number `part` of the three that they make.
template <int part, class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes> zip_three(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, const Vec<T, Bytes>& c) {
  constexpr int lanes = Vec<T, Bytes>::lanes, first = part * lanes;
  Vec<T, Bytes> result;
  if constexpr (Vec<T, Bytes>::compiled) {
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      const auto two = __builtin_shufflevector(a.raw, b.raw, ((first + I) / 3 + ((first + I) % 3 == 1 ? lanes : 0))...);
      result.raw = __builtin_shufflevector(two, c.raw, ((first + I) % 3 == 2 ? lanes + (first + I) / 3 : I)...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    for (std::size_t i = 0; i < result.raw.size(); ++i) {
      const std::size_t at = static_cast<std::size_t>(first) + i;
      result.raw[i] = (at % 3 == 0 ? a : at % 3 == 1 ? b : c).raw[at / 3];
    }
  }
  return result;
}

/// In each 16 bytes: the lower halves of a and b interleaved, and the upper halves.
template <class T, int Bytes>
EIGENPOOL_INLINE void zip_near(const Vec<T, Bytes>& a, const Vec<T, Bytes>& b, Vec<T, Bytes>& low,
                               Vec<T, Bytes>& high) {
  constexpr int lanes = Vec<T, Bytes>::lanes, near = 16 / static_cast<int>(sizeof(T));
  if constexpr (Vec<T, Bytes>::compiled) {
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      low.raw = __builtin_shufflevector(a.raw, b.raw, (I / near * near + I % near / 2 + I % 2 * lanes)...);
      high.raw = __builtin_shufflevector(a.raw, b.raw, (I / near * near + (near + I % near) / 2 + I % 2 * lanes)...);
    }
    (std::make_integer_sequence<int, lanes>{});
  } else {
    for (std::size_t i = 0; i < a.raw.size(); ++i) {
      const std::size_t n = near, from = i / n * n + i % n / 2;
      low.raw[i] = (i % 2 == 0 ? a : b).raw[from];
      high.raw[i] = (i % 2 == 0 ? a : b).raw[from + n / 2];
    }
  }
}

template <class T, int Bytes>
EIGENPOOL_INLINE Vec<T, 2 * Bytes> join(const Vec<T, Bytes>& low, const Vec<T, Bytes>& high) {
  Vec<T, 2 * Bytes> v;
  if constexpr (Vec<T, Bytes>::compiled) {
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      v.raw = __builtin_shufflevector(low.raw, high.raw, I...);
    }
    (std::make_integer_sequence<int, Vec<T, 2 * Bytes>::lanes>{});
  } else {
    store(v.raw.data(), low);
    store(v.raw.data() + low.raw.size(), high);
  }
  return v;
}

/// One half of a vector: number 0 is the lower.
template <int number, class T, int Bytes>
EIGENPOOL_INLINE Vec<T, Bytes / 2> half(const Vec<T, Bytes>& v) {
  constexpr int lanes = Vec<T, Bytes / 2>::lanes;
  if constexpr (Vec<T, Bytes / 2>::compiled) {
    Vec<T, Bytes / 2> result;
    [&]<int... I>(std::integer_sequence<int, I...>) EIGENPOOL_LAMBDA {
      result.raw = __builtin_shufflevector(v.raw, v.raw, (number * lanes + I)...);
    }
    (std::make_integer_sequence<int, lanes>{});
    return result;
  } else {
    return load<T, Bytes / 2>(&v.raw[static_cast<std::size_t>(number * lanes)]);
  }
}

}  // namespace simd
EIGENPOOL_END
