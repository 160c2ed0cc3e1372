// Loops over neighbouring elements in vectors, and over buffered rows of accumulators.
#pragma once

#include "../simd/dispatch.hpp"
#include "keyed.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Calls f(i) for vectors of `lanes` that make up [0, length), of which there
/// is at least one; the last may overlap the one before it.
template <Index lanes, class F>
EIGENPOOL_INLINE void for_vectors(Index length, const F& f) {
  const Index last = length - lanes;
  for (Index i = 0; i < last; i += lanes) f(i);
  f(last);
}

/// Calls f(i) for vectors that hold [0, length), in a buffer: the last may reach
/// beyond.
template <class R, int B, class F>
EIGENPOOL_INLINE void for_whole_vectors(Index length, const F& f) {
  for (Index i = 0; i < length; i += simd::Vec<typename R::Lane, B>::lanes) f(i);
}

/// row[i] = the identity: mostly a single vector, for which g++ would call memset if it were not by itself.
template <class R, int B>
EIGENPOOL_INLINE void fill_vectors(const typename R::Row& row, Index length) {
  if (length <= 0) return;
  constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  row.template store<B>(0, R::template identity<B>());
  for_whole_vectors<R, B>(
      length - lanes, [&](Index i) EIGENPOOL_LAMBDA { row.template store<B>(i + lanes, R::template identity<B>()); });
}

/// row[i] . rows[i] . ..., from the last to the first
template <class R, int B, class... Rows>
EIGENPOOL_INLINE typename R::template Acc<B> merged(Index i, const typename R::Row& row, const Rows&... rows) {
  auto acc = row.template load<B>(i);
  if constexpr (sizeof...(rows) > 0) R::template merge<B>(acc, merged<R, B>(i, rows...));
  return acc;
}

/// a[0] . a[1], a[2] . a[3], ..., and the same of b.
template <class R, int B>
EIGENPOOL_INLINE typename R::template Acc<B> merged_pairs(const typename R::template Acc<B>& a,
                                                          const typename R::template Acc<B>& b) {
  typename R::template Acc<B> even, odd;
  R::template unzip<B>(a, b, even, odd);
  R::template merge<B>(even, odd);
  return R::template ordered<B>(even);
}

/// to[i] = rows[i] . ..., compiled for vectors of B bytes.
template <class R, int B, class... Rows>
void merge_rows(const typename R::Row& to, Index length, const Rows&... rows) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA {
    for_whole_vectors<R, B>(length,
                            [&](Index i) EIGENPOOL_LAMBDA { to.template store<B>(i, merged<R, B>(i, rows...)); });
  });
}
template <class R, int B>
void fill_row(const typename R::Row& row, Index length) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA { fill_vectors<R, B>(row, length); });
}

/// `length` elements of `count` rows, in whole vectors.
template <class R, int B>
void fill_rows(const typename R::Row& rows, Index length, Index count, Index pitch) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA {
    for (Index r = 0; r < count; ++r) fill_vectors<R, B>(rows.from(r * pitch), length);
  });
}

/// to[i] = f(i), an accumulator.
template <class R, int B, class F>
void make_row(const typename R::Row& to, Index length, const F& f) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA {
    for_whole_vectors<R, B>(length, [&](Index i) EIGENPOOL_LAMBDA { to.template store<B>(i, f(i)); });
  });
}

}  // namespace detail
EIGENPOOL_END
