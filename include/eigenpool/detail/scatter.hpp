// The backward of a maximum as a scatter: each gradient is added where its
// window's maximum was.
#pragma once

#include <vector>

#include "indices.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// dx = 0, then dx[index] += dy for every output, in logical row-major order
/// within each plane, whatever the storage order, so that the sums have the
/// same bits. Small floats are summed in float.
template <class S, class I>
class Scatter {
 public:
  Scatter(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem), dy_(dy), indices_(indices), dx_(dx), reader_(problem) {
    constexpr Index strip = 64;
    strips_ = ceil_div(problem.inner, strip);
    strip_ = strip;
  }

  Index tasks() const { return problem_.outer * strips_; }

  void run(Index begin, Index end) const {
    for (Index i = begin; i < end; ++i) {
      const Index offset = i % strips_ * strip_;
      strip_planes(i / strips_, offset, std::min(strip_, problem_.inner - offset));
    }
  }

 private:
  using Lane = Compared<S>;

  void strip_planes(Index outer, Index offset, Index length) const {
    S* dx = dx_ + outer * problem_.plane() * problem_.inner + offset;
    if constexpr (std::is_same_v<S, Lane>) {
      const bool whole = length == problem_.inner;
      const Index runs = whole ? 1 : problem_.plane(), run = whole ? problem_.plane() * length : length;
      for (Index r = 0; r < runs; ++r) std::fill_n(dx + r * problem_.inner, run, S(0));
      add_planes(outer, offset, length, dx, problem_.inner);
    } else {
      std::vector<Lane> sums(static_cast<std::size_t>(problem_.plane() * length), Lane(0));
      add_planes(outer, offset, length, sums.data(), length);
      for (Index p = 0; p < problem_.plane(); ++p)
        for (Index c = 0; c < length; ++c)
          dx[p * problem_.inner + c] = static_cast<S>(sums[static_cast<std::size_t>(p * length + c)]);
    }
  }

  // Adds to sums[position * pitch + c], for c below `length`.
  template <class T>
  void add_planes(Index outer, Index offset, Index length, T* sums, Index pitch) const {
    const auto [a0, a1, a2] = logical_axes(problem_);
    const std::array<Index, 3> strides = problem_.result_strides();
    WindowTaps taps{};
    for (Index i0 = 0; i0 < problem_.axes[a0].result(); ++i0) {
      if constexpr (CompactIndex<I>) taps[a0] = problem_.axes[a0].taps(i0);
      for (Index i1 = 0; i1 < problem_.axes[a1].result(); ++i1) {
        if constexpr (CompactIndex<I>) taps[a1] = problem_.axes[a1].taps(i1);
        Index at = outer * problem_.result_plane() * problem_.inner + i0 * strides[a0] + i1 * strides[a1] + offset;
        for (Index i2 = 0; i2 < problem_.axes[a2].result(); ++i2, at += strides[a2]) {
          if constexpr (CompactIndex<I>) taps[a2] = problem_.axes[a2].taps(i2);
          for (Index c = 0; c < length; ++c) add(indices_[at + c], dy_[at + c], taps, sums + c, pitch);
        }
      }
    }
  }

  template <class T>
  void add(I index, const S& gradient, const WindowTaps& taps, T* sums, Index pitch) const {
    if (IndexReader<I>::is_absent(index)) return;
    T& sum = sums[reader_.offset(index, taps) * pitch];
    sum = static_cast<T>(sum + static_cast<T>(gradient));
  }

  const Problem& problem_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  IndexReader<I> reader_;
  Index strip_, strips_;
};

template <class S, class I, class P>
void scatter(const Problem& problem, const S* dy, const I* indices, S* dx, const P& parallel) {
  if (problem.outer == 0 || problem.inner == 0) return;
  const Scatter<S, I> kernel(problem, dy, indices, dx);
  const double bytes = static_cast<double>(problem.plane()) * static_cast<double>(problem.inner) * sizeof(S);
  parallel(kernel.tasks(), bytes, [&](Index begin, Index end) { kernel.run(begin, end); });
}

}  // namespace detail
EIGENPOOL_END
