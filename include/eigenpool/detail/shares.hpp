// The backward of an average: what each output gives to the inputs of its window.
#pragma once

#include <vector>

#include "driver.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// dy / divisor, cell by cell, in the lanes that sums are made in. A task is a row of outputs.
template <class S>
class ShareRows {
 public:
  using Lane = Added<S>;

  ShareRows(const Problem& forward, const S* dy, Lane* shares)
      : forward_(forward), dy_(dy), shares_(shares), length_(forward.axes[2].result() * forward.inner) {
    if constexpr (std::is_arithmetic_v<Lane>) {
      if (!has_columns()) return;
      columns_.resize(static_cast<std::size_t>(length_));
      for (Index o = 0; o < forward.axes[2].result(); ++o)
        std::fill_n(columns_.data() + o * forward.inner, forward.inner, static_cast<Lane>(forward.axes[2].divisor(o)));
    }
  }

  Index tasks() const { return forward_.cells() / forward_.axes[2].result(); }

  template <int B>
  void run(Index begin, Index end) const {
    Cell cell = Cell::number(forward_, begin * forward_.axes[2].result());
    for (Index i = begin; i < end; ++i, cell.next_row(forward_)) {
      const Index outer = forward_.axes[0].divisor(cell.at[0]) * forward_.axes[1].divisor(cell.at[1]);
      Index done = 0;
      if constexpr (std::is_arithmetic_v<Lane>)
        if (has_columns()) done = divide_vectors<B>(dy_ + i * length_, shares_ + i * length_, outer);
      for (Index at = done; at < length_; ++at)
        simd::store(shares_ + i * length_ + at, mean(simd::load_as<Lane, single>(dy_ + i * length_ + at),
                                                     outer * forward_.axes[2].divisor(at / forward_.inner)));
    }
  }

 private:
  static constexpr int single = static_cast<int>(sizeof(Lane));

  // Lanes hold the products of divisors.
  bool has_columns() const { return forward_.max_taps() <= 1 << 24; }

  template <int B>
  Index divide_vectors(const S* from, Lane* to, Index outer) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    if (length_ < lanes) return 0;
    simd::apart<B>([=, columns = columns_.data(), length = length_]() EIGENPOOL_LAMBDA {
      const auto rows = simd::broadcast<Lane, B>(static_cast<Lane>(outer));
      for_vectors<lanes>(length, [&](Index i) EIGENPOOL_LAMBDA {
        const auto divisors = simd::multiply(rows, simd::load<Lane, B>(columns + i));
        simd::store(to + i, mean(simd::load_as<Lane, B>(from + i), divisors));
      });
    });
    return length_;
  }

  const Problem& forward_;
  const S* dy_;
  Lane* shares_;
  Index length_;
  std::vector<Lane> columns_;
};

template <class S>
std::vector<Added<S>> shares(const Problem& forward, const S* dy, const AnyParallel& parallel) {
  std::vector<Added<S>> result(static_cast<std::size_t>(forward.cells() * forward.inner));
  if (result.empty()) return result;
  const ShareRows<S> kernel(forward, dy, result.data());
  if constexpr (std::is_arithmetic_v<Added<S>>)
    run_kernel(kernel, forward.bytes<S>(), parallel);
  else
    kernel.template run<static_cast<int>(sizeof(Added<S>))>(0, kernel.tasks());
  return result;
}

/// Whether no input is in two windows, and none of them reaches out: inputs in none may remain at the ends.
inline bool is_partition(const Problem& problem) {
  const auto& [n0, n1, n2] = problem.axes;
  return n0.partitions() && n1.partitions() && n2.partitions();
}

/// The backward of an average over a partition: all inputs of a window get the
/// same share, and those in no window get 0. A task is a row of outputs.
template <class S>
class SpreadShares {
 public:
  SpreadShares(const Problem& forward, const S* dy, S* dx, Index divisor)
      : forward_(forward), dy_(dy), dx_(dx), divisor_(divisor) {}

  Index tasks() const { return forward_.cells() / forward_.axes[2].result(); }

  template <int B>
  void run(Index begin, Index end) const {
    simd::apart<B>([=, *this]() EIGENPOOL_LAMBDA {
      const auto& [n0, n1, n2] = forward_.axes;
      const bool one = n2.kernel() == n2.source();  // then the rows of a window are one run
      const Index run = one ? n2.kernel() * n1.kernel() : n2.kernel(), rows = one ? 1 : n1.kernel();
      const Index outputs = n2.result(), inner = forward_.inner, row = n2.source() * inner, slab = n1.source() * row;
      const Divider<B> divide{Divisor<Lane, B>(divisor_), Divisor<Lane, single>(divisor_)};
      Cell cell = Cell::number(forward_, begin * outputs);
      for (Index i = begin; i < end; ++i, cell.next_row(forward_)) {
        S* to = dx_ + (cell.outer * n0.source() + cell.at[0] * n0.kernel()) * slab + cell.at[1] * n1.kernel() * row;
        const S* from = dy_ + i * outputs * inner;
        const Index left = (forward_.cells() - i * outputs) * inner;
        if (inner > 1)
          for (Index o = 0; o < outputs; ++o) spread_column(divide, from + o * inner, to + o * run * inner, run, inner);
        else if (run == 2)
          spread_pairs(divide, from, to, outputs, left);
        else
          for (Index o = 0; o < outputs; ++o) fill<B>(divide.one(from + o), to + o * run, run);
        const Index length = one ? run * inner : row;
        std::fill(to + outputs * run * inner, to + length, S(0));
        for (Index s = 0; s < n0.kernel(); ++s)
          for (Index r = s == 0 ? 1 : 0; r < rows; ++r) copy<B>(to, to + s * slab + r * row, length);
        if (cell.at[1] + 1 == n1.result()) clear_rest(cell, to + n1.kernel() * row, row);
      }
    });
  }

 private:
  using Lane = Added<S>;
  static constexpr int single = static_cast<int>(sizeof(Lane));

  template <int B>
  struct Divider {
    Divisor<Lane, B> vectors;
    Divisor<Lane, single> singles;
    EIGENPOOL_INLINE auto all(const S* from) const { return vectors.mean_of(simd::load_as<Lane, B>(from)); }
    EIGENPOOL_INLINE auto one(const S* from) const { return singles.mean_of(simd::load_as<Lane, single>(from)); }
  };

  // The rows and slabs below the last row of windows of a slab.
  EIGENPOOL_INLINE void clear_rest(const Cell& cell, S* below, Index row) const {
    const auto& [n0, n1, n2] = forward_.axes;
    const Index slab = n1.source() * row, rest = (n1.source() - n1.result() * n1.kernel()) * row;
    for (Index s = 0; s < n0.kernel(); ++s) std::fill_n(below + s * slab, rest, S(0));
    if (cell.at[0] + 1 == n0.result())
      std::fill_n(below + (n0.kernel() - 1) * slab + rest, (n0.source() - n0.result() * n0.kernel()) * slab, S(0));
  }

  // Each output twice; `left` of them can be read.
  template <int B>
  EIGENPOOL_INLINE static void spread_pairs(const Divider<B>& divide, const S* from, S* to, Index outputs, Index left) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    Index o = 0;
    for (; o < outputs && o + lanes <= left; o += lanes) {
      const auto value = divide.all(from + o);
      simd::Vec<Lane, B> low, high;
      simd::zip(value, value, low, high);
      const Index count = 2 * (outputs - o);
      simd::store_as(to + 2 * o, low, std::min(lanes, count));
      if (count > lanes) simd::store_as(to + 2 * o + lanes, high, std::min(lanes, count - lanes));
    }
    for (; o < outputs; ++o) fill<single>(divide.one(from + o), to + 2 * o, 2);
  }

  // The channels of one output, `run` times.
  template <int B>
  EIGENPOOL_INLINE static void spread_column(const Divider<B>& divide, const S* from, S* to, Index run, Index inner) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    for (Index c = 0; c < run; ++c, to += inner) {
      Index i = 0;
      for (; i + lanes <= inner; i += lanes) simd::store_as(to + i, divide.all(from + i), lanes);
      for (; i < inner; ++i) simd::store_as(to + i, divide.one(from + i), 1);
    }
  }

  template <int B>
  EIGENPOOL_INLINE static void fill(const simd::Vec<Lane, single>& value, S* to, Index count) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const auto all = simd::broadcast<Lane, B>(value.raw[0]);
    if (count < lanes) return simd::store_as(to, all, count);
    for_vectors<lanes>(count, [&](Index i) EIGENPOOL_LAMBDA { simd::store_as(to + i, all, lanes); });
  }

  template <int B>
  EIGENPOOL_INLINE static void copy(const S* from, S* to, Index count) {
    constexpr Index bytes = static_cast<Index>(sizeof(S));
    if (count * bytes < B) return static_cast<void>(std::copy_n(from, count, to));
    const auto* source = reinterpret_cast<const unsigned char*>(from);
    auto* result = reinterpret_cast<unsigned char*>(to);
    for_vectors<B>(count * bytes, [&](Index i) EIGENPOOL_LAMBDA {
      simd::store(result + i, simd::load<unsigned char, B>(source + i));
    });
  }

  const Problem& forward_;
  const S* dy_;
  S* dx_;
  Index divisor_;
};

}  // namespace detail
EIGENPOOL_END
