// The backward of a maximum from compact indices as a gather: each input asks the
// windows that cover it whether their maximum was there, in the order in which a
// scatter would add. (Flat indices are faster scattered: they are eight times as
// large, and each is read once.)
#pragma once

#include "indices.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The windows along one axis that cover an input, by their output position,
/// and which of their taps it is.
struct Covering {
  Index first = 0, step = 1, count = 0;  // outputs
  Index tap = 0, tap_step = 0;           // falls as the output rises

  Covering() = default;
  Covering(const Axis& forward, const Axis& transposed, Index at) {
    const Index reached = at + forward.padding();
    if (forward.dilation() == 1) {
      const Index stride = forward.stride(), last = std::min(reached / stride, forward.result() - 1);
      first = reached < forward.kernel() ? 0 : (reached - forward.kernel()) / stride + 1;
      step = 1, count = std::max(last - first + 1, Index{0});
      tap = reached - first * stride, tap_step = stride;
      return;
    }
    const Taps taps = transposed.taps(at);
    first = taps.position(taps.real_begin), step = taps.step, count = taps.real();
    tap = (reached - first * forward.stride()) / forward.dilation();
    tap_step = step * forward.stride() / forward.dilation();
  }
  Index output(Index m) const { return first + m * step; }
  Index tap_of(Index m) const { return tap - m * tap_step; }
};

inline constexpr Index most_windows = 32;

/// The windows over neighbouring inputs: where their gradients and indices are,
/// and the index that says that the maximum was here.
template <class Code>
struct Windows {
  std::array<Index, most_windows> offset;
  std::array<Code, most_windows> code;
  Index count = 0;

  void add(Index at, Index number) {
    const auto w = static_cast<std::size_t>(count++);
    offset[w] = at;
    code[w] = static_cast<Code>(number);
  }
};

/// dx[i] = the sum of the gradients at the offsets + i whose index is the code,
/// for `length` neighbours, at least a vector.
template <class Lane, int B, class S, class I, class T>
EIGENPOOL_INLINE void gather_vectors(const S* dy, const I* indices, T* dx, Index length,
                                     const Windows<simd::Signed<Lane>>& windows) {
  using Code = simd::Signed<Lane>;
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  const auto nothing = simd::broadcast<Lane, B>(Lane(0));
  const auto count = static_cast<std::size_t>(windows.count);
  for (Index begin = 0; begin < length; begin += lanes) {
    const Index i = std::min(begin, length - lanes);
    auto sum = nothing;
    for (std::size_t w = 0; w < count; ++w) {
      const Index at = windows.offset[w] + i;
      const auto here = simd::equal(simd::load_as<Code, B>(indices + at), simd::broadcast<Code, B>(windows.code[w]));
      sum = simd::add(sum, simd::select(here, simd::load_as<Lane, B>(dy + at), nothing));
    }
    simd::store_as(dx + i, sum, lanes);
  }
}

/// For an inner extent of at least a vector. S: what dy and dx hold.
template <class S, CompactIndex I>
class Gather {
 public:
  using Lane = Added<S>;
  using Code = simd::Signed<Lane>;  // an index beside a lane

  Gather(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem), transposed_(problem.transposed()), dy_(dy), indices_(indices), dx_(dx) {}

  /// Few windows cover an input, and inner elements fill vectors.
  static bool suits(const Problem& problem) {
    Wide windows = 1;
    for (const Axis& axis : problem.axes) {
      if (!axis.is_affine()) return false;
      windows *= ceil_div(axis.kernel(), axis.stride());
    }
    return windows <= most_windows && problem.inner >= 64 / static_cast<Index>(sizeof(Lane));
  }

  Index tasks() const { return problem_.outer * problem_.plane(); }

  /// Inputs [begin, end).
  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    Cell cell = Cell::number(transposed_, begin);
    std::array<Covering, 3> covering = covering_at(cell);
    for (Index i = begin; i < end; ++i) {
      gather_cell<B>(i, cell, covering);
      const bool new_row = cell.at[2] + 1 == transposed_.axes[2].result();
      cell.next(transposed_);
      if (new_row)
        covering = covering_at(cell);
      else
        covering[2] = Covering(problem_.axes[2], transposed_.axes[2], cell.at[2]);
    }
  }

 private:
  std::array<Covering, 3> covering_at(const Cell& cell) const {
    std::array<Covering, 3> all;
    for (std::size_t a = 0; a < 3; ++a) all[a] = Covering(problem_.axes[a], transposed_.axes[a], cell.at[a]);
    return all;
  }

  void find_windows(const std::array<Covering, 3>& covering, Windows<Code>& all) const {
    const std::array<Index, 3> strides = problem_.result_strides();
    const auto [a0, a1, a2] = logical_axes(problem_);
    const Covering &c0 = covering[a0], &c1 = covering[a1], &c2 = covering[a2];
    const Axis &n1 = problem_.axes[a1], &n2 = problem_.axes[a2];
    all.count = 0;
    for (Index m0 = 0; m0 < c0.count; ++m0)
      for (Index m1 = 0; m1 < c1.count; ++m1) {
        const Index row = c0.output(m0) * strides[a0] + c1.output(m1) * strides[a1];
        const Index taps = (c0.tap_of(m0) * n1.kernel() + c1.tap_of(m1)) * n2.kernel();
        for (Index m2 = 0; m2 < c2.count; ++m2) {
          all.add(row + c2.output(m2) * strides[a2], taps + c2.tap_of(m2));
        }
      }
  }

  template <int B>
  EIGENPOOL_INLINE void gather_cell(Index number, const Cell& cell, const std::array<Covering, 3>& covering) const {
    Windows<Code> windows;
    find_windows(covering, windows);
    const Index plane = cell.outer * problem_.result_plane() * problem_.inner;
    simd::apart<B>([dy = dy_ + plane, indices = indices_ + plane, dx = dx_ + number * problem_.inner,
                    inner = problem_.inner, all = &windows]()
                       EIGENPOOL_LAMBDA { gather_vectors<Lane, B>(dy, indices, dx, inner, *all); });
  }

  const Problem& problem_;
  Problem transposed_;
  const S* dy_;
  const I* indices_;
  S* dx_;
};

}  // namespace detail
EIGENPOOL_END
