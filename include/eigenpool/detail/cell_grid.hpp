// Loops over cells in rows and columns whose windows are alike, vectors along their elements.
#pragma once

#include "fetch.hpp"
#include "nan_guard.hpp"
#include "reduce_taps.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// From a row of cells to the next, and from a column to the next: in elements of the source (0 where there is one,
/// whose stride may be any number), and of results.
struct CellSteps {
  Index row, column, rows_apart, columns_apart;
};

/// Such cells: the first tap of the first one's window, its place in the result, and the elements of each; those before
/// `head` are in a vector by themselves, so that the others are aligned.
template <class S>
struct CellGrid {
  const S* from;
  Index to, length, head, rows, columns;
  CellSteps steps;
  bool is_narrow;
};

/// A row of cells of few vectors: their first ones, then their second ones.
template <class Reducer, class Output, int B, TapWay way, class S, class Held, class Fetch, class Write>
EIGENPOOL_INLINE void reduce_narrow(const S* from, Index to, const CellGrid<S>& grid, const TapLoops& loops,
                                    const Held& held, const Fetch& fetch, const Write& write) {
  for_vectors<simd::Vec<typename Reducer::Lane, B>::lanes>(grid.length, [&](Index i) EIGENPOOL_LAMBDA {
    auto own = held;
    const auto window = [&](Index o) EIGENPOOL_LAMBDA { return from + o * grid.steps.column + i; };
    const auto take = [&](Index o, const auto& acc) EIGENPOOL_LAMBDA {
      write(to + o * grid.steps.columns_apart + i, acc, own);
      own = Output::next(own);
    };
    Index o = 0;
    if constexpr (way == TapWay::few)
      for (constexpr Index width = 4; o + width <= grid.columns; o += width) {
        typename Reducer::template Acc<B> acc[width];
        fold_taps<Reducer, B, width>(window(o), loops, acc, grid.steps.column);
        simd::unrolled<width>([&](std::size_t u) EIGENPOOL_LAMBDA { take(o + static_cast<Index>(u), acc[u]); });
      }
    for (; o < grid.columns; ++o) {
      fetch(window(o));
      take(o, reduce_vector<Reducer, B, way>(window(o), loops));
    }
  });
}

/// A row of cells, one after the other.
template <class Reducer, class Output, int B, TapWay way, class S, class Held, class Fetch, class Write>
EIGENPOOL_INLINE void reduce_wide(const S* from, Index to, const CellGrid<S>& grid, const TapLoops& loops,
                                  const Held& first, const Fetch& fetch, const Write& write) {
  constexpr Index lanes = simd::Vec<typename Reducer::Lane, B>::lanes;
  auto held = first;
  const std::array<Span, 2> parts{Span{0, grid.head > 0 ? lanes : 0}, Span{grid.head, grid.length}};
  for (Index o = 0; o < grid.columns; ++o, held = Output::next(held))
    for (const Span& part : parts) {
      const S* window = from + o * grid.steps.column + part.begin;
      const Index cell = to + o * grid.steps.columns_apart + part.begin;
      if (part.begin == part.end) continue;
      reduce_taps<Reducer, B, way>(window, part.end - part.begin, loops,
                                   [&](Index i, const auto& acc) EIGENPOOL_LAMBDA {
                                     fetch(window + i);
                                     write(cell + i, acc, held);
                                   });
    }
}

/// The windows of a grid, whose taps are `loops`: whether the reducer saw no NaN that it minds. `fetches`: what they
/// read is asked for early. `has_narrow`: there is a loop for cells of few vectors.
template <class Reducer, class Output, int B, TapWay way, bool has_narrow, class S>
EIGENPOOL_INLINE bool reduce_grid(const CellGrid<S>& grid, const TapLoops& loops, bool fetches,
                                  const typename Output::Writer& writer, typename Output::Info info) {
  NanWatch<typename Reducer::Lane, B> watch;
  const auto fetch = [&, last_tap = loops.last_offset()](const S* window) EIGENPOOL_LAMBDA {
    if (way == TapWay::few || !fetches) return;  // loops of many taps take longer with it, even unused
    fetch_behind(window);
    fetch_behind(window + last_tap);
  };
  const auto write = [&](Index at, const auto& acc, const auto& held) EIGENPOOL_LAMBDA {
    writer.template write<B>(at, watch.value(acc), simd::Vec<typename Reducer::Lane, B>::lanes, held, 0);
  };
  for (Index r = 0; r < grid.rows; ++r, info = Output::below(info)) {
    const S* from = grid.from + r * grid.steps.row;
    const Index to = grid.to + r * grid.steps.rows_apart;
    const auto held = writer.template hold<Reducer, B>(info);
    if constexpr (has_narrow && way != TapWay::long_sum) {
      if (grid.is_narrow) {
        reduce_narrow<Reducer, Output, B, way>(from, to, grid, loops, held, fetch, write);
        continue;
      }
    }
    reduce_wide<Reducer, Output, B, way>(from, to, grid, loops, held, fetch, write);
  }
  return watch.found_none();
}

}  // namespace detail
EIGENPOOL_END
