// Rows laid side by side: element i of every row next to each other, and back.
#pragma once

#include <algorithm>

#include "shuffle.hpp"

EIGENPOOL_BEGIN
namespace simd {

/// A vector of 16-byte pieces, one from row(first), the others each `step` rows on; and back.
template <class T, int Bytes, class Rows>
EIGENPOOL_INLINE Vec<T, Bytes> load_pieces(const Rows& row, std::int64_t first, std::int64_t step) {
  if constexpr (Bytes == 16)
    return load<T, 16>(reinterpret_cast<const T*>(row(first)));
  else
    return join(load_pieces<T, Bytes / 2>(row, first, step),
                load_pieces<T, Bytes / 2>(row, first + Bytes / 32 * step, step));
}
template <class T, int Bytes, class Rows>
EIGENPOOL_INLINE void store_pieces(const Rows& row, std::int64_t first, std::int64_t step, const Vec<T, Bytes>& v) {
  if constexpr (Bytes == 16) {
    store(reinterpret_cast<T*>(row(first)), v);
  } else {
    store_pieces<T, Bytes / 2>(row, first, step, half<0>(v));
    store_pieces<T, Bytes / 2>(row, first + Bytes / 32 * step, step, half<1>(v));
  }
}

/// Transposes the square that the n-th 16 bytes of n vectors of n elements make, for every n: with each round of
/// interleaving, one bit of an element's row number becomes one of its column number.
template <class T, int Bytes, std::size_t n>
EIGENPOOL_INLINE void transpose_near(std::array<Vec<T, Bytes>, n>& v) {
  static_assert(n * sizeof(T) == 16);
  for (std::size_t round = 1; round < n; round *= 2) {
    std::array<Vec<T, Bytes>, n> next;
    unrolled<n / 2>([&](std::size_t i)
                        EIGENPOOL_LAMBDA { zip_near(v[i], v[i + n / 2], next[2 * i], next[2 * i + 1]); });
    v = next;
  }
}

/// `rows` rows of `length` elements, one every `pitch`, to be laid side by side in groups of `group`.
struct RowsBeside {
  std::int64_t rows, length, pitch, group;
};

/// Calls f(i, first, row) for squares of elements: those from number i on, of the rows from `first` on that fill B
/// bytes; row(r) is where a row's first element is. Rows beyond the last repeat it; the last square of a row may
/// overlap the one before it.
template <int B, class S, class F>
EIGENPOOL_INLINE void for_squares(S* rows, const RowsBeside& shape, const F& f) {
  constexpr std::int64_t lanes = B / static_cast<std::int64_t>(sizeof(S)),
                         side = 16 / static_cast<std::int64_t>(sizeof(S));
  for (std::int64_t first = 0; first < shape.group; first += lanes) {
    std::array<S*, static_cast<std::size_t>(lanes)> starts;
    for (std::int64_t r = 0; r < lanes; ++r)
      starts[static_cast<std::size_t>(r)] = rows + std::min(first + r, shape.rows - 1) * shape.pitch;
    for (std::int64_t next = 0; next < shape.length; next += side) {
      const std::int64_t i = std::min(next, shape.length - side);
      f(i, first, [&](std::int64_t r) EIGENPOOL_LAMBDA { return starts[static_cast<std::size_t>(r)] + i; });
    }
  }
}

/// The bytes of at most 16 elements, the least group.
template <class S, int B>
inline constexpr int square_bytes = std::min(B, 16 * static_cast<int>(sizeof(S)));

/// beside[i * group + r] = rows[r * pitch + i]. The group is a multiple of 16, and of the elements of B bytes.
template <int B, class S>
EIGENPOOL_INLINE void lay_beside(const S* rows, const RowsBeside& shape, S* beside) {
  constexpr int bytes = square_bytes<S, B>;
  using T = Signed<S>;
  using V = Vec<T, bytes>;
  constexpr std::size_t side = 16 / sizeof(S);
  if (shape.length < static_cast<std::int64_t>(side)) {
    for (std::int64_t i = 0; i < shape.length; ++i)
      for (std::int64_t r = 0; r < shape.group; ++r)
        beside[i * shape.group + r] = rows[std::min(r, shape.rows - 1) * shape.pitch + i];
    return;
  }
  for_squares<bytes>(rows, shape, [&](std::int64_t i, std::int64_t first, const auto& row) EIGENPOOL_LAMBDA {
    std::array<V, side> square;
    unrolled<side>([&](std::size_t r) EIGENPOOL_LAMBDA {
      square[r] = load_pieces<T, bytes>(row, static_cast<std::int64_t>(r), side);
    });
    transpose_near(square);
    S* to = beside + i * shape.group + first;
    unrolled<side>([&](std::size_t c) EIGENPOOL_LAMBDA {
      store(reinterpret_cast<T*>(to + static_cast<std::int64_t>(c) * shape.group), square[c]);
    });
  });
}

/// rows[r * pitch + i] = beside[i * group + r].
template <int B, class S>
EIGENPOOL_INLINE void lay_apart(const S* beside, const RowsBeside& shape, S* rows) {
  constexpr int bytes = square_bytes<S, B>;
  using T = Signed<S>;
  using V = Vec<T, bytes>;
  constexpr std::size_t side = 16 / sizeof(S);
  if (shape.length < static_cast<std::int64_t>(side)) {
    for (std::int64_t i = 0; i < shape.length; ++i)
      for (std::int64_t r = 0; r < shape.rows; ++r) rows[r * shape.pitch + i] = beside[i * shape.group + r];
    return;
  }
  for_squares<bytes>(rows, shape, [&](std::int64_t i, std::int64_t first, const auto& row) EIGENPOOL_LAMBDA {
    std::array<V, side> square;
    const S* from = beside + i * shape.group + first;
    unrolled<side>([&](std::size_t c) EIGENPOOL_LAMBDA {
      square[c] = load<T, bytes>(reinterpret_cast<const T*>(from + static_cast<std::int64_t>(c) * shape.group));
    });
    transpose_near(square);
    unrolled<side>([&](std::size_t r) EIGENPOOL_LAMBDA {
      store_pieces<T, bytes>(row, static_cast<std::int64_t>(r), side, square[r]);
    });
  });
}

}  // namespace simd
EIGENPOOL_END
