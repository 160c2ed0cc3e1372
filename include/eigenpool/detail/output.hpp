// What becomes of accumulators: values, values with indices, or means, in the
// caller's scalar and memory.
//
// An output offers a writer(), whose write<B>(at, acc, count, hold<R, B>(info), i)
// takes the first `count` elements of an accumulator of R; and an Info about them,
// which loops hold in registers:
//   info(taps)     of the cell of a window; next(info) of the cell to its right,
//                  where the windows of both are whole
//   row_info(...)  of a row of cells: what all of them share. What differs is
//                  in a table, filled by fill_table, of which write uses the
//                  entries i, i + 1, ...
//   rows_alike(cell, absolute)  how many rows from a cell's on share it
// For planes that are computed side by side in a tile, tile(memory, problem) is
// the same output there, of `cell_bytes` bytes a cell, and take<B>(tile, cells, at)
// brings its cells to their place.
// `absolute` says that numbers on axis 1 count from the start of the plane, not
// of the window.
#pragma once

#include <bit>

#include "../simd/transpose.hpp"
#include "problem.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// How an output numbers taps: of all windows, or of one; of an output without indices, nothing.
template <class Output, class... OfWindow>
Numbering numbering_of(const Output& output, const OfWindow&... taps) {
  if constexpr (requires { output.numbering(taps...); })
    return output.numbering(taps...);
  else
    return {};
}

template <class S>
class Values {
 public:
  struct Info {};
  struct Writer {
    S* values;
    template <class R, int B>
    static Info hold(Info info) {
      return info;
    }
    template <int B, class Lane>
    EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, Info, Index) const {
      simd::store_as(values + at, acc, count);
    }
  };
  explicit Values(S* values) : values_(values) {}

  static constexpr Index cell_bytes = sizeof(S);
  Values tile(unsigned char* memory, const Problem&) const { return Values(reinterpret_cast<S*>(memory)); }
  template <int B>
  EIGENPOOL_INLINE void take(const Values& tile, const simd::RowsBeside& cells, Index at) const {
    simd::lay_apart<B>(tile.values_, cells, values_ + at);
  }

  Writer writer() const { return {values_}; }
  Info info(const WindowTaps&) const { return {}; }
  static Info next(Info info) { return info; }
  template <class R>
  Info row_info(const Cell&, const typename R::Row&, bool) const {
    return {};
  }
  Index rows_alike(const Cell&, bool) const { return std::numeric_limits<Index>::max(); }
  bool needs_table() const { return false; }
  template <class R>
  void fill_table(const typename R::Row&, Index, Index, Index) const {}

 private:
  S* values_;
};

template <class S, class I>
class ValuesAndIndices {
 public:
  static constexpr I absent = std::is_signed_v<I> ? static_cast<I>(-1) : std::numeric_limits<I>::max();
  struct Info {
    Index base;         // what a tap's number counts from
    const void* table;  // for each column, what to take from a number
    Index step;         // between the bases of neighbouring cells
  };
  struct Writer {
    S* values;
    I* indices;

    template <class R, int B>
    EIGENPOOL_INLINE static Info hold(const Info& info) {
      return info;
    }
    template <int B, class Acc>
    EIGENPOOL_INLINE void write(Index at, const Acc& acc, Index count, const Info& info, Index i) const {
      using Number = typename decltype(acc.number)::Lane;
      constexpr int bytes = static_cast<int>(sizeof(acc.number.raw));
      auto number = simd::add(acc.number, simd::broadcast<Number, bytes>(static_cast<Number>(info.base)));
      if (info.table != nullptr)
        number = simd::subtract(number, simd::load<Number, bytes>(static_cast<const Number*>(info.table) + i));
      const auto none = simd::broadcast<Number, bytes>(std::numeric_limits<Number>::max());
      number = simd::select(simd::equal(acc.number, none), simd::broadcast<Number, bytes>(static_cast<Number>(absent)),
                            number);
      simd::store_as(values + at, acc.value, count);
      simd::store_as(indices + at, number, count);
    }
  };

  ValuesAndIndices(S* values, I* indices, const Problem& problem, const Numbering& numbering)
      : values_(values), indices_(indices), problem_(problem), numbering_(numbering) {}

  static constexpr Index cell_bytes = sizeof(S) + sizeof(I);
  ValuesAndIndices tile(unsigned char* memory, const Problem& tile) const {
    auto* indices = reinterpret_cast<I*>(memory + tile.cells() * tile.inner * static_cast<Index>(sizeof(S)));
    return {reinterpret_cast<S*>(memory), indices, tile, numbering_};
  }
  template <int B>
  EIGENPOOL_INLINE void take(const ValuesAndIndices& tile, const simd::RowsBeside& cells, Index at) const {
    simd::lay_apart<B>(tile.values_, cells, values_ + at);
    simd::lay_apart<B>(tile.indices_, cells, indices_ + at);
  }

  const Numbering& numbering() const { return numbering_; }
  Numbering numbering(const WindowTaps& taps) const {
    return numbering_.kind == Numbering::Kind::flat ? numbering_ : Numbering::compact(problem_, taps);
  }

  Writer writer() const { return {values_, indices_}; }
  Info info(const WindowTaps& taps) const {
    const Numbering own = numbering(taps);
    Index base = 0;
    for (std::size_t a = 0; a < 3; ++a) base += own.base(a, taps[a], taps[a].real_begin);
    const bool moves = own.kind == Numbering::Kind::flat && problem_.axes[2].result() > 1;
    return {base, nullptr, moves ? problem_.axes[2].stride() * own.stride[2] : 0};
  }
  static Info next(Info info) {
    info.base += info.step;
    return info;
  }
  template <class R>
  Info row_info(const Cell& cell, const typename R::Row& table, bool absolute) const {
    if (numbering_.kind == Numbering::Kind::flat) return {0, nullptr, 0};
    return {absolute ? -problem_.axes[1].taps(cell.at[1]).first * numbering_.stride[1] : 0, table.numbers, 0};
  }
  Index rows_alike(const Cell&, bool absolute) const {
    return absolute && needs_table() ? 1 : std::numeric_limits<Index>::max();
  }
  bool needs_table() const { return numbering_.kind == Numbering::Kind::compact; }
  template <class R>
  void fill_table(const typename R::Row& table, Index begin, Index outputs, Index unit) const {
    for (Index o = 0; o < outputs; ++o)
      std::fill_n(table.numbers + o * unit, unit,
                  static_cast<typename R::Number>(problem_.axes[2].taps(begin + o).first * numbering_.stride[2]));
  }

 private:
  S* values_;
  I* indices_;
  Problem problem_;
  Numbering numbering_;
};

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
    const void* table;  // for each column, a factor of the divisor
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
      using Lane = typename R::Lane;
      return Held<Lane, B>{Divisor<Lane, B>(info.divisor), simd::broadcast<Lane, B>(static_cast<Lane>(info.divisor)),
                           static_cast<const Lane*>(info.table)};
    }
    template <int B, class Lane>
    EIGENPOOL_INLINE void write(Index at, const simd::Vec<Lane, B>& acc, Index count, const Held<Lane, B>& held,
                                Index i) const {
      if constexpr (std::is_arithmetic_v<Lane>)
        if (held.table != nullptr)
          return simd::store_as(
              values + at, mean(acc, simd::multiply(held.row_divisor, simd::load<Lane, B>(held.table + i))), count);
      simd::store_as(values + at, held.divisor.mean_of(acc), count);
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

  static constexpr Index cell_bytes = sizeof(S);
  Means tile(unsigned char* memory, const Problem& tile) const {
    return {reinterpret_cast<S*>(memory), tile, uniform_};
  }
  template <int B>
  EIGENPOOL_INLINE void take(const Means& tile, const simd::RowsBeside& cells, Index at) const {
    simd::lay_apart<B>(tile.values_, cells, values_ + at);
  }

  Writer writer() const { return {values_}; }
  template <class Lane, int B>
  EIGENPOOL_INLINE static const Held<Lane, B>& next(const Held<Lane, B>& held) {
    return held;
  }
  Info info(const WindowTaps& taps) const {
    if (uniform_) return {*uniform_, nullptr};
    const auto& [n0, n1, n2] = problem_.axes;
    return {n0.divisor(taps[0]) * n1.divisor(taps[1]) * n2.divisor(taps[2]), nullptr};
  }

  template <class R>
  Info row_info(const Cell& cell, const typename R::Row& table, bool) const {
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
