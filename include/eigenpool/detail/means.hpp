// Sums become means: quotients of sums and divisors, and the output of an average.
#pragma once

#include <bit>

#include "output.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The quotient of a sum and a divisor. A sum of -0 becomes
/// +0, as if summing had started from 0; integers are rounded to nearest even; a
/// custom scalar is multiplied by the reciprocal, since it may lack division.
template <std::floating_point Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> mean(const simd::Vec<Lane, B>& sum, const simd::Vec<Lane, B>& divisors) {
  return simd::divide(simd::add(sum, simd::broadcast<Lane, B>(Lane(0))), divisors);
}
template <std::integral Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> mean(const simd::Vec<Lane, B>& sum, const simd::Vec<Lane, B>& divisors) {
  if constexpr (sizeof(Lane) == 4) {
    return simd::rounded_quotient(sum, divisors);
  } else {
    constexpr auto lanes = static_cast<std::size_t>(simd::Vec<Lane, B>::lanes);
    std::array<Lane, lanes> a, b;
    simd::store(a.data(), sum);
    simd::store(b.data(), divisors);
    for (std::size_t i = 0; i < lanes; ++i)
      a[i] = static_cast<Lane>(rounded_quotient(static_cast<std::int64_t>(a[i]), static_cast<std::int64_t>(b[i])));
    return simd::load<Lane, B>(a.data());
  }
}

/// One divisor of many sums, for loops to hold in registers.
template <class Lane, int B>
class Divisor {
 public:
  EIGENPOOL_INLINE explicit Divisor(Index divisor) {
    if constexpr (std::is_floating_point_v<Lane>) {
      multiplies_ = std::has_single_bit(static_cast<std::uint64_t>(divisor));  // by the reciprocal, which is exact
      factor_ = simd::broadcast<Lane, B>(multiplies_ ? 1 / static_cast<Lane>(divisor) : static_cast<Lane>(divisor));
    } else if constexpr (std::is_arithmetic_v<Lane>) {
      factor_ = simd::broadcast<Lane, B>(static_cast<Lane>(divisor));
    } else {
      factor_ = simd::broadcast<Lane, B>(Lane(1.0 / static_cast<double>(divisor)));
    }
  }

  EIGENPOOL_INLINE simd::Vec<Lane, B> mean_of(const simd::Vec<Lane, B>& sum) const {
    if constexpr (!std::is_arithmetic_v<Lane>) return simd::multiply(sum, factor_);
    if constexpr (std::is_floating_point_v<Lane>)
      if (multiplies_) return simd::multiply(simd::add(sum, simd::broadcast<Lane, B>(Lane(0))), factor_);
    if constexpr (std::is_arithmetic_v<Lane>) return mean(sum, factor_);
  }

 private:
  simd::Vec<Lane, B> factor_;
  bool multiplies_ = false;
};

template <class Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> mean(const simd::Vec<Lane, B>& sum, Index divisor) {
  return Divisor<Lane, B>(divisor).mean_of(sum);
}

template <class S>
class Means {
 public:
  struct Info {
    Index divisor;
  };
  struct RowInfo {
    Index divisor;
    const void* table;  // for each column, a factor of the divisor; may be null
  };
  template <class Lane, int B>
  struct Held {
    Divisor<Lane, B> divisor;
    simd::Vec<Lane, B> row_divisor;
    const Lane* table;
  };
  struct Writer {
    S* values;
    template <class R, int B>
    EIGENPOOL_INLINE static auto hold(const Info& info) {
      return Divisor<typename R::Lane, B>(info.divisor);
    }
    template <class R, int B>
    EIGENPOOL_INLINE static auto hold(const RowInfo& info) {
      using Lane = typename R::Lane;
      Held<Lane, B> held{Divisor<Lane, B>(info.divisor), {}, static_cast<const Lane*>(info.table)};
      if constexpr (std::is_arithmetic_v<Lane>)
        held.row_divisor = simd::broadcast<Lane, B>(static_cast<Lane>(info.divisor));
      return held;
    }
    template <int B, class Lane>
    EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, const Divisor<Lane, B>& divisor,
                                Index) const {
      simd::store_as(values + at, divisor.mean_of(acc), count);
    }
    template <int B, class Lane>
    EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, const Held<Lane, B>& held,
                                Index i) const {
      if constexpr (std::is_arithmetic_v<Lane>)
        if (held.table != nullptr)
          return simd::store_as(
              values + at, mean(acc, simd::multiply(held.row_divisor, simd::load<Lane, B>(held.table + i))), count);
      write<B>(at, acc, count, held.divisor, i);
    }
  };

  /// Divides by `divisor` everywhere or, without one, by the product of the
  /// axes' own.
  Means(S* values, const Problem& problem, std::optional<Index> divisor) : values_(values), problem_(problem) {
    if (divisor)
      uniform_ = *divisor;
    else if (problem.cells() > 0 && problem.divisor_is_uniform())
      uniform_ = info(window_taps(problem, Cell::number(problem, 0))).divisor;
  }

  Means part(Index at, const Problem& problem) const { return {values_ + at, problem, uniform_}; }
  static constexpr Index cell_bytes = sizeof(S);
  Means tile(unsigned char* memory, const Problem& tile) const {
    return {reinterpret_cast<S*>(memory), tile, uniform_};
  }
  template <int B>
  EIGENPOOL_INLINE void take(const Means& tile, const simd::RowsBeside& cells, Index at) const {
    simd::lay_apart<B>(tile.values_, cells, values_ + at);
  }

  Writer writer() const { return {values_}; }
  static Info below(const Info& info) { return info; }
  template <class AnyInfo>
  EIGENPOOL_INLINE static const AnyInfo& next(const AnyInfo& held) {
    return held;
  }
  Info info(const WindowTaps& taps) const {
    if (uniform_) return {*uniform_};
    const auto& [n0, n1, n2] = problem_.axes;
    return {n0.divisor(taps[0]) * n1.divisor(taps[1]) * n2.divisor(taps[2])};
  }

  template <class R>
  RowInfo row_info(const Cell& cell, const typename R::Row& table, bool) const {
    if (uniform_) return {*uniform_, nullptr};
    return {problem_.axes[0].divisor(cell.at[0]) * problem_.axes[1].divisor(cell.at[1]), table.values};
  }
  Index rows_alike(const Cell& cell, bool) const {
    const Span whole = problem_.axes[1].whole();
    return uniform_ ? std::numeric_limits<Index>::max() : whole.holds(cell.at[1]) ? whole.end - cell.at[1] : 1;
  }
  bool needs_table() const { return !uniform_; }
  template <class R>
  void fill_table(const typename R::Row& table, Index begin, Index outputs, Index unit) const {
    constexpr Index lanes = 64;  // at most; whole vectors are divided
    std::fill_n(table.values, outputs * unit + lanes, typename R::Lane(1));
    for (Index o = 0; o < outputs; ++o)
      std::fill_n(table.values + o * unit, unit, static_cast<typename R::Lane>(problem_.axes[2].divisor(begin + o)));
  }

 private:
  S* values_;
  Problem problem_;
  std::optional<Index> uniform_;
};

}  // namespace detail
EIGENPOOL_END
