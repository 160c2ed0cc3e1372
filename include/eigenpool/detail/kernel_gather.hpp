// The backward of a maximum where vectors run along the inner extent (channels last): each input asks the windows over
// it whether their maximum is there, a vector of compact indices at a time.
#pragma once

#include "../simd/dispatch.hpp"
#include "../simd/spread.hpp"
#include "problem.hpp"
#include "row_loops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// dx = the sums of those gradients in dy whose windows have their maximum there, in the logical row-major order of the
/// windows. Tasks are rows of inputs.
template <class S, class I>
class GatherKernel {
 public:
  /// Whether there is one for S: sums in float or double, and indices no wider than they are.
  static constexpr bool is_known =
      std::floating_point<Compared<S>> && sizeof(Compared<S>) <= 8 && std::unsigned_integral<I>;

  GatherKernel(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem),
        dy_(dy),
        indices_(indices),
        dx_(dx),
        over_(problem.transposed().axes),
        strides_(problem.result_strides()),
        numbers_(Numbering::compact(problem).stride),
        whole_(over_[2].whole()) {}

  /// Small windows, whose taps are numbered alike, and indices that fill a vector of 32 bytes. (A gradient of 25 taps
  /// is added at the one in the time in which all are asked.)
  static bool suits(const Problem& problem) {
    return problem.is_affine() && problem.max_taps() <= Wide{most_covers} && problem.inner >= block<32> &&
           simd::vector_bytes() >= 32 && problem.plane() > 0 && problem.result_plane() > 0;
  }

  Index tasks() const { return problem_.outer * problem_.axes[0].source() * problem_.axes[1].source(); }

  template <int B>
  void run(Index begin, Index end) const {
    if constexpr (B > 32)
      if (problem_.inner < block<B>) return run<B / 2>(begin, end);
    for (Index row = begin; row < end; ++row) sum_row<B>(row);
  }

 private:
  using Lane = Compared<S>;
  static constexpr std::size_t most_covers = 16, vectors = sizeof(Lane) / sizeof(I);
  template <int B>
  static constexpr Index block = simd::Vec<I, B>::lanes;  // elements whose indices fill a vector

  /// A window over an input: where its output is, and the number of the tap that the input is to it.
  struct Cover {
    Index at;
    I number;
  };
  struct Covers {
    std::array<Cover, most_covers> all;  // the first `count`
    Index count = 0;

    void add(const Cover& a, const Cover& b) {
      all[static_cast<std::size_t>(count++)] = {a.at + b.at, static_cast<I>(a.number + b.number)};
    }
  };

  // A row of inputs, and the windows over it as far as the other axes can tell.
  struct Row {
    const S* dy;
    const I* indices;
    S* dx;
    Covers covers;
  };

  // Inputs all of whose windows have outputs take turns: those of a period are alike.
  template <int B>
  void sum_row(Index number) const {
    const Row row = row_of(number);
    const Index whole = whole_.end - whole_.begin, period = over_[2].period();
    over_[2].for_ends([&](Index i) { sum_inputs<B>(row, i, 1, 0); });
    for (Index turn = 0; turn < std::min(period, whole); ++turn)
      sum_inputs<B>(row, whole_.begin + turn, ceil_div(whole - turn, period), period);
  }

  Row row_of(Index number) const {
    const Index plane = number / problem_.axes[1].source(), outer = plane / problem_.axes[0].source();
    const std::array<Index, 2> at{plane - outer * problem_.axes[0].source(),
                                  number - plane * problem_.axes[1].source()};
    const Index from = outer * problem_.result_plane() * problem_.inner;
    Row row;
    row.dy = dy_ + from, row.indices = indices_ + from;
    row.dx = dx_ + number * problem_.axes[2].source() * problem_.inner;
    const std::size_t slow = problem_.reversed ? 1 : 0, fast = 1 - slow;
    for_covers(slow, at[slow],
               [&](const Cover& c0) { for_covers(fast, at[fast], [&](const Cover& c1) { row.covers.add(c0, c1); }); });
    return row;
  }

  // `count` inputs of a row from number `first` on, `period` apart.
  template <int B>
  void sum_inputs(const Row& row, Index first, Index count, Index period) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const Covers covers = covers_of(row, first);
    const Index inner = problem_.inner;
    const Index step = count > 1 ? over_[2].shift() * inner : 0;  // a single input may have windows of any stride
    simd::apart<B>([=, &covers, dy = row.dy, indices = row.indices, dx = row.dx + first * inner]() EIGENPOOL_LAMBDA {
      for (Index o = 0; o < count; ++o)
        for_vectors<block<B>>(inner, [&](Index i) EIGENPOOL_LAMBDA {
          std::array<simd::Vec<Lane, B>, vectors> sums;
          sum_covers<B>(dy + o * step + i, indices + o * step + i, covers, sums);
          simd::unrolled<vectors>([&](std::size_t v) EIGENPOOL_LAMBDA {
            simd::store_as(dx + o * period * inner + i + static_cast<Index>(v) * lanes, sums[v], lanes);
          });
        });
    });
  }

  // In the order in which their gradients are added.
  Covers covers_of(const Row& row, Index input) const {
    Covers covers;
    const auto for_row = [&](const auto& f) {
      for (Index i = 0; i < row.covers.count; ++i) f(row.covers.all[static_cast<std::size_t>(i)]);
    };
    if (problem_.reversed)
      for_covers(2, input, [&](const Cover& c) { for_row([&](const Cover& r) { covers.add(c, r); }); });
    else
      for_row([&](const Cover& r) { for_covers(2, input, [&](const Cover& c) { covers.add(r, c); }); });
    return covers;
  }

  // f(cover) of the windows over a position of memory axis a, as far as that axis can tell.
  template <class F>
  void for_covers(std::size_t a, Index input, const F& f) const {
    const Axis& axis = problem_.axes[a];
    const Taps windows = over_[a].taps(input);
    for (Index j = windows.real_begin; j < windows.real_end; ++j) {
      const Index window = windows.position(j), away = input + axis.padding() - window * axis.stride();
      const Index tap = axis.dilation() == 1 ? away : away / axis.dilation();
      f(Cover{window * strides_[a], static_cast<I>(tap * numbers_[a])});
    }
  }

  template <int B>
  EIGENPOOL_INLINE static void sum_covers(const S* dy, const I* indices, const Covers& covers,
                                          std::array<simd::Vec<Lane, B>, vectors>& sums) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    simd::unrolled<vectors>([&](std::size_t v) EIGENPOOL_LAMBDA { sums[v] = simd::broadcast<Lane, B>(Lane(0)); });
    for (const Cover* cover = covers.all.data(); cover != covers.all.data() + covers.count; ++cover) {
      const auto number = simd::broadcast<I, B>(cover->number);
      const auto here = simd::spread<Lane>(simd::equal(simd::load<I, B>(indices + cover->at), number));
      simd::unrolled<vectors>([&](std::size_t v) EIGENPOOL_LAMBDA {
        const auto gradient = simd::load_as<Lane, B>(dy + cover->at + static_cast<Index>(v) * lanes);
        sums[v] = simd::add(sums[v], simd::keep_where(here[v], gradient));
      });
    }
  }

  const Problem& problem_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  std::array<Axis, 3> over_;  // which windows are over an input
  std::array<Index, 3> strides_, numbers_;
  Span whole_;
};

}  // namespace detail
EIGENPOOL_END
