// The backward of a maximum along rows of single elements (channels first): as
// gather.hpp, with vectors along a row. The inputs of one residue of the stride
// are covered alike, so each residue is a row of its own, and they are
// interleaved on the way out.
#pragma once

#include "gather.hpp"
#include "scratch.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S, CompactIndex I>
class RowGather {
 public:
  using Lane = Added<S>;
  using Code = simd::Signed<Lane>;
  using Buffers = Scratch<ArgMax<S, Lane, Code>>;
  using Row = typename ArgMax<S, Lane, Code>::Row;

  RowGather(const Problem& problem, const S* dy, const I* indices, S* dx)
      : problem_(problem), transposed_(problem.transposed()), dy_(dy), indices_(indices), dx_(dx) {
    const auto& [n0, n1, n2] = problem.axes;
    const Index outputs = (Buffers::near_capacity - phases_needed()) / row_pitch();
    block_ = std::clamp((outputs - ceil_div(n1.kernel(), n1.stride())) * n1.stride(), Index{1}, n1.source());
    blocks_ = ceil_div(n1.source(), block_);
  }

  /// Single elements, and small windows and strides, which bound the buffers.
  static bool suits(const Problem& problem) {
    constexpr Index small = 8;
    const auto& [n0, n1, n2] = problem.axes;
    if (problem.inner != 1 || problem.reversed || !n0.is_identity() || n0.source() != 1) return false;
    if (!n1.is_affine() || !n2.is_affine() || n1.dilation() != 1 || n2.dilation() != 1) return false;
    if (std::max({n1.kernel(), n2.kernel(), n1.stride(), n2.stride()}) > small || n2.source() > 2048) return false;
    return ceil_div(n1.kernel(), n1.stride()) * ceil_div(n2.kernel(), n2.stride()) <= most_windows;
  }

  Index tasks() const { return problem_.outer * blocks_; }

  /// Blocks of rows of the input.
  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    Buffers scratch(needed());
    const Work work{scratch.rows(output_rows(), row_width()), scratch.rows(problem_.axes[2].stride(), phase_length())};
    for (Index i = begin; i < end; ++i) {
      const Index outer = i / blocks_, first = i % blocks_ * block_;
      gather_block<B>(outer, first, std::min(first + block_, problem_.axes[1].source()), work);
    }
  }

 private:
  static constexpr Code no_match = -1;
  struct Work {
    Row outputs;  // gradients, and the index of each
    Row phases;
  };

  // Columns of outputs that windows reach beyond either end.
  Index margin() const {
    return ceil_div(problem_.axes[2].kernel() + problem_.axes[2].padding(), problem_.axes[2].stride());
  }
  Index phase_length() const { return ceil_div(problem_.axes[2].source(), problem_.axes[2].stride()); }
  Index row_width() const { return 2 * margin() + std::max(problem_.axes[2].result(), phase_length()) + 16; }
  Index row_pitch() const { return Buffers::padded(row_width()); }
  Index phases_needed() const {
    return (problem_.axes[2].stride() + 1) * Buffers::padded(phase_length()) + row_pitch();
  }
  Index output_rows() const {
    return block_ / problem_.axes[1].stride() + ceil_div(problem_.axes[1].kernel(), problem_.axes[1].stride()) + 1;
  }
  Index needed() const { return output_rows() * row_pitch() + phases_needed(); }

  template <int B>
  EIGENPOOL_INLINE void gather_block(Index outer, Index begin, Index end, const Work& work) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index pitch = row_pitch();
    const Index first = Covering(n1, transposed_.axes[1], begin).first;
    const Covering final_row(n1, transposed_.axes[1], end - 1);
    for (Index o = first; o < final_row.first + final_row.count; ++o)
      read_row<B>(outer, o, work.outputs.from((o - first) * pitch));
    for (Index r = begin; r < end; ++r) {
      const Covering rows(n1, transposed_.axes[1], r);
      S* dx = dx_ + (outer * n1.source() + r) * n2.source();
      for (Index phase = 0; phase < std::min(n2.stride(), n2.source()); ++phase) {
        Windows<Code> windows;
        find_windows(rows, first, phase, pitch, windows);
        const Row to = work.phases.from(phase * Buffers::padded(phase_length()));
        simd::apart<B>([values = work.outputs.values, numbers = work.outputs.numbers, to = to.values,
                        length = whole_vectors<B>(phase_length()), all = &windows]()
                           EIGENPOOL_LAMBDA { gather_vectors<Lane, B>(values, numbers, to, length, *all); });
      }
      interleave<B>(work.phases, dx);
    }
  }

  template <int B>
  static constexpr Index whole_vectors(Index length) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    return (length + lanes - 1) / lanes * lanes;
  }

  // The windows over the inputs phase, phase + stride, ... of a row.
  void find_windows(const Covering& rows, Index first, Index phase, Index pitch, Windows<Code>& all) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index reached = phase + n2.padding(), residue = reached % n2.stride();
    const Index last_tap =
        n2.kernel() <= residue ? -1 : residue + (n2.kernel() - 1 - residue) / n2.stride() * n2.stride();
    for (Index m = 0; m < rows.count; ++m) {
      const Index row = (rows.output(m) - first) * pitch + margin(), tap1 = rows.tap_of(m);
      for (Index tap2 = last_tap; tap2 >= 0; tap2 -= n2.stride())
        all.add(row + (reached - tap2) / n2.stride(), tap1 * n2.kernel() + tap2);
    }
  }

  // An output row beside columns that no index names.
  template <int B>
  EIGENPOOL_INLINE void read_row(Index outer, Index o, const Row& to) const {
    const Index outputs = problem_.axes[2].result(), at = (outer * problem_.axes[1].result() + o) * outputs;
    std::fill_n(to.numbers, margin(), no_match);
    std::fill_n(to.numbers + margin() + outputs, row_width() - margin() - outputs, no_match);
    simd::apart<B>([dy = dy_ + at, indices = indices_ + at, to = to.from(margin()), outputs]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<Lane, B>::lanes;
      if (outputs >= lanes)
        for_vectors<lanes>(outputs, [&](Index i) EIGENPOOL_LAMBDA { read<B>(dy + i, indices + i, to.from(i)); });
      else
        for (Index i = 0; i < outputs; ++i) read<static_cast<int>(sizeof(Lane))>(dy + i, indices + i, to.from(i));
    });
  }
  template <int B>
  EIGENPOOL_INLINE static void read(const S* dy, const I* indices, const Row& to) {
    simd::store(to.values, simd::load_as<Lane, B>(dy));
    simd::store(to.numbers, simd::load_as<Code, B>(indices));
  }

  template <int B>
  EIGENPOOL_INLINE void interleave(const Row& phases, S* dx) const {
    const Index stride = problem_.axes[2].stride(), width = problem_.axes[2].source();
    const Index pitch = Buffers::padded(phase_length());
    simd::apart<B>([=]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<Lane, B>::lanes;
      Index i = 0;
      if (stride == 1)
        for (; i + lanes <= width; i += lanes) simd::store_as(dx + i, simd::load<Lane, B>(phases.values + i), lanes);
      if (stride == 2) {
        for (; i + 2 * lanes <= width; i += 2 * lanes) {
          simd::Vec<Lane, B> low, high;
          simd::zip(simd::load<Lane, B>(phases.values + i / 2), simd::load<Lane, B>(phases.values + pitch + i / 2), low,
                    high);
          simd::store_as(dx + i, low, lanes);
          simd::store_as(dx + i + lanes, high, lanes);
        }
      }
      for (; i < width; ++i) dx[i] = static_cast<S>(phases.values[i % stride * pitch + i / stride]);
    });
  }

  const Problem& problem_;
  Problem transposed_;
  const S* dy_;
  const I* indices_;
  S* dx_;
  Index block_, blocks_;
};

}  // namespace detail
EIGENPOOL_END
