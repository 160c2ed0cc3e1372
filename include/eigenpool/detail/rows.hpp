// Operations on rows of lanes along contiguous memory, in vectors of B bytes, and a stack of such rows.
#pragma once

#include <algorithm>
#include <vector>

#include "scalar.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// to = weight * from
template <class Lane>
struct ScaleRow {
  static constexpr bool repeatable = true;
  Lane weight;
  template <int B, class S>
  EIGENPOOL_INLINE void at(const S* from, Lane* to) const {
    simd::store(to, simd::multiply(simd::broadcast<Lane, B>(weight), simd::load_as<Lane, B>(from)));
  }
};

/// to += from
template <class Lane>
struct AddRow {
  static constexpr bool repeatable = false;
  template <int B, class S>
  EIGENPOOL_INLINE void at(const S* from, Lane* to) const {
    simd::store(to, simd::add(simd::load<Lane, B>(to), simd::load_as<Lane, B>(from)));
  }
};

/// to = the larger one; a NaN stays.
template <class Lane>
struct MaxRow {
  static constexpr bool repeatable = true;
  template <int B, class S>
  EIGENPOOL_INLINE void at(const S* from, Lane* to) const {
    simd::store(to, simd::maximum(simd::load<Lane, B>(to), simd::load_as<Lane, B>(from)));
  }
};

/// One operation on `count` neighbours; the last vector may overlap the one before it where twice does no harm.
template <int B, class Op, class S, class Lane>
EIGENPOOL_INLINE void for_row(const Op& op, const S* from, Lane* to, Index count) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  constexpr int single = static_cast<int>(sizeof(Lane));
  Index i = 0;
  for (; i + lanes <= count; i += lanes) op.template at<B>(from + i, to + i);
  if (Op::repeatable && i > 0 && i < count) {
    op.template at<B>(from + count - lanes, to + count - lanes);
    return;
  }
  for (; i < count; ++i) op.template at<single>(from + i, to + i);
}

/// A stack of rows of lanes, each with room for whole vectors. It grows, so a row's place is asked for again after a
/// higher one was.
template <class Lane>
class RowStack {
 public:
  void reset(Index length) { pitch_ = length < most ? length : (length + most - 1) / most * most; }
  Index pitch() const { return pitch_; }
  Lane* row(int d) {
    const auto needed = static_cast<std::size_t>((d + 1) * pitch_);
    if (rows_.size() < needed) rows_.resize(needed, Lane(0));
    return rows_.data() + d * pitch_;
  }

 private:
  static constexpr Index most = 16;  // lanes of the vectors that rows are made for
  Index pitch_ = 0;
  std::vector<Lane> rows_;
};

/// Such a stack for a Tree of sums.
template <class Lane, int B>
struct RowSums {
  RowStack<Lane>& rows;

  EIGENPOOL_INLINE void clear(int d) { std::fill_n(rows.row(d), rows.pitch(), Lane(0)); }
  EIGENPOOL_INLINE void merge(int d) {
    const Lane* from = rows.row(d + 1);
    for_row<B>(AddRow<Lane>(), from, rows.row(d), rows.pitch());
  }
};

}  // namespace detail
EIGENPOOL_END
