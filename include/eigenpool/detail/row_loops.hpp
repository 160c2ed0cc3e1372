// Loops over buffered rows of accumulators, each compiled for vectors of B bytes.
#pragma once

#include "../simd/dispatch.hpp"
#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// f(i) for vectors that hold [0, length); the last may reach beyond.
template <class R, int B, class F>
EIGENPOOL_INLINE void for_whole_vectors(Index length, const F& f) {
  for (Index i = 0; i < length; i += simd::Vec<typename R::Lane, B>::lanes) f(i);
}

/// to[i] = f(i), an accumulator.
template <class R, int B, class F>
void make_row(const typename R::Row& to, Index length, const F& f) {
  simd::apart<B>([=]() EIGENPOOL_LAMBDA {
    for_whole_vectors<R, B>(length, [&](Index i) EIGENPOOL_LAMBDA { to.template store<B>(i, f(i)); });
  });
}

/// to[i] = a[i] . b[i]
template <class R, int B>
void merge_rows(const typename R::Row& a, const typename R::Row& b, const typename R::Row& to, Index length) {
  make_row<R, B>(to, length, [=](Index i) EIGENPOOL_LAMBDA {
    auto acc = a.template load<B>(i);
    R::template merge<B>(acc, b.template load<B>(i));
    return acc;
  });
}

template <class R, int B>
void fill_row(const typename R::Row& row, Index length) {
  make_row<R, B>(row, length, [](Index) EIGENPOOL_LAMBDA { return R::template identity<B>(); });
}

}  // namespace detail
EIGENPOOL_END
