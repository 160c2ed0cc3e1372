// Loops over neighbouring elements in vectors, and over buffered rows of accumulators.
#pragma once

#include "../simd/dispatch.hpp"
#include "reducers.hpp"

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

/// to[i] = a[i] . b[i]
template <class R, int B>
EIGENPOOL_INLINE void merge_vectors(const typename R::Row& a, const typename R::Row& b, const typename R::Row& to,
                                    Index length) {
  for_whole_vectors<R, B>(length, [&](Index i) EIGENPOOL_LAMBDA {
    auto acc = a.template load<B>(i);
    R::template merge<B>(acc, b.template load<B>(i));
    to.template store<B>(i, acc);
  });
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

/// The same, each compiled for vectors of B bytes.
template <class R, int B>
void merge_rows(const typename R::Row& a, const typename R::Row& b, const typename R::Row& to, Index length) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA { merge_vectors<R, B>(a, b, to, length); });
}
template <class R, int B>
void fill_row(const typename R::Row& row, Index length) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA { fill_vectors<R, B>(row, length); });
}

/// `length` elements of `count` rows, and nothing beyond them.
template <class R, int B>
void fill_rows(const typename R::Row& rows, Index length, Index count, Index pitch) {
  constexpr Index lanes = simd::Vec<typename R::Lane, B>::lanes;
  constexpr int single = static_cast<int>(sizeof(typename R::Lane));
  if (length <= 0) return;
  simd::apart<B>([=]() EIGENPOOL_LAMBDA {
    for (Index r = 0; r < count; ++r) {
      const typename R::Row row = rows.from(r * pitch);
      if (length >= lanes)
        for_vectors<lanes>(length,
                           [&](Index i) EIGENPOOL_LAMBDA { row.template store<B>(i, R::template identity<B>()); });
      else
        for (Index i = 0; i < length; ++i) row.template store<single>(i, R::template identity<single>());
    }
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
