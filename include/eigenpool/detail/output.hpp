// What becomes of accumulators: values, values with indices, or means (means.hpp),
// in the caller's scalar and memory.
//
// An output offers a writer(), whose write<B>(at, acc, count, hold<R, B>(info), i)
// takes the first `count` elements of an accumulator of R; and an Info about them,
// which loops hold in registers:
//   info(taps)     of the cell of a window; next(info) of the cell to its right,
//                  below(info) of the one below it, where the windows of both are whole
//   row_info(...)  a RowInfo of a row of cells: what all of them share; next(info)
//                  of the row below. What differs is in a table, filled by
//                  fill_table, of which write uses the entries i, i + 1, ...
//   rows_alike(cell, absolute)  for how many rows from a cell's on next() holds
// An output of sums has part(at, problem): that of a part of the problem, whose cells begin at place `at`.
// For planes that are computed side by side in a tile, tile(memory, problem) is
// the same output there, of `cell_bytes` bytes a cell, and take<B>(tile, cells, at)
// brings its cells to their place.
// `absolute` says that numbers on axis 1 count from the start of the plane, not
// of the window.
#pragma once

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
  using RowInfo = Info;
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

  Values part(Index at, const Problem&) const { return Values(values_ + at); }
  static constexpr Index cell_bytes = sizeof(S);
  Values tile(unsigned char* memory, const Problem&) const { return Values(reinterpret_cast<S*>(memory)); }
  template <int B>
  EIGENPOOL_INLINE void take(const Values& tile, const simd::RowsBeside& cells, Index at) const {
    simd::lay_apart<B>(tile.values_, cells, values_ + at);
  }

  Writer writer() const { return {values_}; }
  Info info(const WindowTaps&) const { return {}; }
  static Info next(Info info) { return info; }
  static Info below(Info info) { return info; }
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
    Index base;      // what a tap's number counts from
    Index step;      // between the bases of neighbouring cells, or rows
    Index row_step;  // between those of cells below each other
  };
  struct RowInfo : Info {
    const void* table;  // for each column, what to take from a number; may be null
  };
  struct Writer {
    S* values;
    I* indices;

    template <class R, int B, class AnyInfo>
    EIGENPOOL_INLINE static AnyInfo hold(const AnyInfo& info) {
      return info;
    }
    template <int B, class Acc, class AnyInfo>
    EIGENPOOL_INLINE void write(Index at, const Acc& acc, Index count, const AnyInfo& info,
                                [[maybe_unused]] Index i) const {
      using Number = typename decltype(acc.number)::Lane;
      constexpr int bytes = static_cast<int>(sizeof(acc.number.raw));
      auto number = simd::add(acc.number, simd::broadcast<Number, bytes>(static_cast<Number>(info.base)));
      if constexpr (std::is_same_v<AnyInfo, RowInfo>)
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
    const auto step = [&](std::size_t a) {
      const bool moves = own.kind == Numbering::Kind::flat && problem_.axes[a].result() > 1;
      return moves ? problem_.axes[a].stride() * own.stride[a] : 0;
    };
    return {base, step(2), step(1)};
  }
  template <class AnyInfo>
  static AnyInfo next(AnyInfo info) {
    info.base += info.step;
    return info;
  }
  static Info below(Info info) {
    info.base += info.row_step;
    return info;
  }
  template <class R>
  RowInfo row_info(const Cell& cell, const typename R::Row& table, bool absolute) const {
    if (numbering_.kind == Numbering::Kind::flat) return {{0, 0, 0}, nullptr};
    if (!absolute) return {{0, 0, 0}, table.numbers};
    const Axis& axis = problem_.axes[1];
    const Index row = -numbering_.stride[1];
    return {{axis.taps(cell.at[1]).first * row, axis.stride() * row, 0}, table.numbers};
  }
  Index rows_alike(const Cell& cell, bool absolute) const {
    return absolute && needs_table() ? problem_.axes[1].result() - cell.at[1] : std::numeric_limits<Index>::max();
  }
  bool needs_table() const { return numbering_.kind == Numbering::Kind::compact; }
  template <class R>
  void fill_table(const typename R::Row& table, Index begin, Index outputs, Index unit) const {
    const Axis& axis = problem_.axes[2];
    for (Index o = 0; o < outputs; ++o)
      std::fill_n(
          table.numbers + o * unit, unit,
          static_cast<typename R::Number>(numbering_.of_position(2, axis.taps(begin + o).first, axis.dilation())));
  }

 private:
  S* values_;
  I* indices_;
  Problem problem_;
  Numbering numbering_;
};

}  // namespace detail
EIGENPOOL_END
