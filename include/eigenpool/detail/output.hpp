// What becomes of accumulators: values, values with indices, or means, in the
// caller's scalar and memory.
//
// An output offers write(at, acc, count, info), for `count` elements that share
// a cell, and Info from info(cell). `shared` says that Info is the same in all
// cells, so that one write may cross from cell to cell.
#pragma once

#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S>
class Values {
 public:
  struct Info {};
  explicit Values(S* values) : values_(values) {}

  bool shared() const { return true; }
  Info info(const WindowTaps&, const Cell&) const { return {}; }

  template <int B, class Lane>
  EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, Info) const {
    simd::store_as(values_ + at, acc, count);
  }
  template <int B, class R, class Rows>
  EIGENPOOL_INLINE void write_row(const Problem&, Index, const Rows&, Cell, Index) const {}  // shared() instead

 private:
  S* values_;
};

/// Numbers in a buffered row count from the start of the window on axis 2, from
/// the first real tap on the others.
inline WindowTaps taps_from_start(const Problem& problem, const Cell& cell) {
  WindowTaps taps = window_taps(problem, cell);
  taps[2].real_begin = 0;
  return taps;
}

template <class S, class I>
class ValuesAndIndices {
 public:
  using Info = Index;  // what a tap's number counts from
  static constexpr I absent = std::is_signed_v<I> ? static_cast<I>(-1) : std::numeric_limits<I>::max();

  ValuesAndIndices(S* values, I* indices, const Numbering& numbering)
      : values_(values), indices_(indices), numbering_(numbering) {}

  bool shared() const { return false; }
  const Numbering& numbering() const { return numbering_; }

  Info info(const WindowTaps& taps, const Cell&) const { return info(taps, numbering_); }
  static Info info(const WindowTaps& taps, const Numbering& numbering) {
    Index base = 0;
    for (std::size_t a = 0; a < 3; ++a) base += numbering.base(a, taps[a], taps[a].real_begin);
    return base;
  }

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index at, const Acc& acc, Index count, Info base) const {
    simd::store_as(values_ + at, acc.value, count);
    std::array<decltype(acc.number.raw[0] + 0), static_cast<std::size_t>(decltype(acc.value)::lanes)> numbers;
    std::memcpy(numbers.data(), &acc.number, sizeof(acc.number));
    for (Index i = 0; i < count; ++i) write_index(at + i, numbers[static_cast<std::size_t>(i)], base);
  }
  template <int B, class R, class Rows>
  EIGENPOOL_INLINE void write_row(const Problem& problem, Index at, const Rows& rows, Cell cell, Index outputs) const {
    using V = simd::Vec<typename R::Lane, B>;
    for (Index i = 0; i < outputs; i += V::lanes)
      simd::store_as(values_ + at + i, rows.results.template load<B>(i).value, std::min<Index>(V::lanes, outputs - i));
    WindowTaps taps = taps_from_start(problem, cell);
    const Index row_base = info(taps, cell) - numbering_.base(2, taps[2], 0);
    for (Index o = 0; o < outputs; ++o) {
      const Index base = row_base + numbering_.base(2, problem.axes[2].taps(cell.at[2] + o), 0);
      write_index(at + o, rows.results.numbers[o], base);
    }
  }

 private:
  template <class Number>
  EIGENPOOL_INLINE void write_index(Index at, Number number, Index base) const {
    const bool untaken = number == std::numeric_limits<Number>::max();
    indices_[at] = untaken ? absent : static_cast<I>(static_cast<Index>(number) + base);
  }

  S* values_;
  I* indices_;
  Numbering numbering_;
};

/// The quotient of a sum and a divisor. A sum of -0 becomes +0, as if summing
/// had started from 0; integers are rounded to nearest even; a custom scalar is
/// multiplied by the reciprocal, since it may lack division.
template <std::floating_point Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> mean(const simd::Vec<Lane, B>& sum, const simd::Vec<Lane, B>& divisors) {
  return simd::divide(simd::add(sum, simd::broadcast<Lane, B>(Lane(0))), divisors);
}
template <class Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> mean(const simd::Vec<Lane, B>& sum, Index divisor) {
  if constexpr (std::floating_point<Lane>) {
    return mean(sum, simd::broadcast<Lane, B>(static_cast<Lane>(divisor)));
  } else {
    std::array<Lane, static_cast<std::size_t>(simd::Vec<Lane, B>::lanes)> lanes;
    simd::store(lanes.data(), sum);
    for (Lane& lane : lanes) {
      if constexpr (std::integral<Lane>)
        lane = static_cast<Lane>(rounded_quotient(static_cast<std::int64_t>(lane), divisor));
      else
        lane = static_cast<Lane>(lane * Lane(1.0 / static_cast<double>(divisor)));
    }
    return simd::load<Lane, B>(lanes.data());
  }
}

template <class S>
class Means {
 public:
  using Info = Index;  // the divisor

  /// Divides by `divisor` everywhere or, without one, by the product of the
  /// axes' own.
  Means(S* values, const Problem& problem, std::optional<Index> divisor) : values_(values), problem_(problem) {
    if (divisor)
      uniform_ = *divisor;
    else if (problem.cells() > 0 && problem.divisor_is_uniform())
      uniform_ = product({0, {0, 0, 0}});
  }

  bool shared() const { return uniform_.has_value(); }
  Info info(const WindowTaps&, const Cell& cell) const { return uniform_ ? *uniform_ : product(cell); }

  template <int B, class Lane>
  EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, Info divisor) const {
    simd::store_as(values_ + at, mean(acc, divisor), count);
  }
  /// `outputs` neighbouring cells with a divisor each.
  template <int B, class R, class Rows>
  EIGENPOOL_INLINE void write_row(const Problem&, Index at, const Rows& rows, Cell cell, Index outputs) const {
    using Lane = typename R::Lane;
    const Index outer = problem_.axes[0].divisor(cell.at[0]) * problem_.axes[1].divisor(cell.at[1]);
    if constexpr (std::floating_point<Lane>) {
      constexpr Index lanes = simd::Vec<Lane, B>::lanes;
      const auto divisors = rows.work[0];
      for (Index o = 0; o < outputs; ++o)
        divisors.values[o] = static_cast<Lane>(outer * problem_.axes[2].divisor(cell.at[2] + o));
      for (Index o = 0; o < outputs; o += lanes)
        simd::store_as(values_ + at + o, mean(rows.results.template load<B>(o), divisors.template load<B>(o)),
                       std::min(lanes, outputs - o));
    } else {
      constexpr int single = static_cast<int>(sizeof(Lane));
      for (Index o = 0; o < outputs; ++o)
        write<single>(at + o, rows.results.template load<single>(o), 1,
                      outer * problem_.axes[2].divisor(cell.at[2] + o));
    }
  }

 private:
  Index product(const Cell& cell) const {
    return problem_.axes[0].divisor(cell.at[0]) * problem_.axes[1].divisor(cell.at[1]) *
           problem_.axes[2].divisor(cell.at[2]);
  }

  S* values_;
  Problem problem_;
  std::optional<Index> uniform_;
};

}  // namespace detail
EIGENPOOL_END
