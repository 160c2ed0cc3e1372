// The backward of a maximum along rows of single elements (channels first): as
// gather.hpp, with vectors along a row. The inputs of one residue of the stride
// are covered alike, so each residue is a row of its own, and they are
// interleaved on the way out.
#pragma once

#include "gather.hpp"
#include "scratch.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S, class I>
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

  static bool suits(const Problem& problem) {
    const auto& [n0, n1, n2] = problem.axes;
    if (problem.inner != 1 || problem.reversed || !n0.is_identity() || n0.source() != 1) return false;
    if (!n1.is_affine() || !n2.is_affine() || n1.dilation() != 1 || n2.dilation() != 1) return false;
    return n1.kernel() <= 8 && n2.kernel() <= 8 && n2.source() <= 2048 && n2.result() > 0 &&
           ceil_div(n1.kernel(), n1.stride()) * ceil_div(n2.kernel(), n2.stride()) <= most_windows &&
           problem.plane() <= std::numeric_limits<std::int32_t>::max() / 2;
  }

  Index tasks() const { return problem_.outer * blocks_; }

  /// Blocks of rows of the input; gives how many flat indices are not in their
  /// windows.
  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, Index& astray) const {
    Buffers scratch(needed());
    Work work{scratch.rows(output_rows(), row_pitch()), scratch.row(problem_.axes[2].result()),
              scratch.rows(problem_.axes[2].stride(), phase_length())};
    for (Index o = 0; o < problem_.axes[2].result(); ++o)
      work.steps.numbers[o] = static_cast<Code>(o * problem_.axes[2].stride());
    for (Index i = begin; i < end; ++i) {
      const Index outer = i / blocks_, first = i % blocks_ * block_;
      gather_block<B>(outer, first, std::min(first + block_, problem_.axes[1].source()), work, astray);
    }
  }

 private:
  static constexpr Code no_match = std::numeric_limits<Code>::min();
  struct Work {
    Row outputs;  // gradients, and the index of each, counted from its window
    Row steps;
    Row phases;
  };

  // Columns of outputs that windows reach beyond either end.
  Index margin() const { return ceil_div(problem_.axes[2].kernel() + problem_.axes[2].padding(), problem_.axes[2].stride()); }
  Index phase_length() const { return ceil_div(problem_.axes[2].source(), problem_.axes[2].stride()); }
  Index row_pitch() const { return Buffers::padded(2 * margin() + std::max(problem_.axes[2].result(), phase_length())); }
  Index phases_needed() const { return (problem_.axes[2].stride() + 1) * Buffers::padded(phase_length()) + row_pitch(); }
  Index output_rows() const { return block_ / problem_.axes[1].stride() + ceil_div(problem_.axes[1].kernel(), problem_.axes[1].stride()) + 1; }
  Index needed() const { return output_rows() * Buffers::padded(row_pitch()) + phases_needed(); }

  template <int B>
  EIGENPOOL_INLINE void gather_block(Index outer, Index begin, Index end, const Work& work, Index& astray) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index pitch = Buffers::padded(row_pitch());
    const Index first = Covering(n1, transposed_.axes[1], begin).first;
    const Covering final_row(n1, transposed_.axes[1], end - 1);
    for (Index o = first; o < final_row.first + final_row.count; ++o)
      read_row<B>(outer, o, work.outputs.from((o - first) * pitch), work.steps, astray);
    for (Index r = begin; r < end; ++r) {
      const Covering rows(n1, transposed_.axes[1], r);
      S* dx = dx_ + (outer * n1.source() + r) * n2.source();
      for (Index phase = 0; phase < std::min(n2.stride(), n2.source()); ++phase) {
        Windows<Code> windows;
        find_windows(rows, first, phase, pitch, windows);
        const Row to = work.phases.from(phase * Buffers::padded(phase_length()));
        simd::apart<B>([values = work.outputs.values, numbers = work.outputs.numbers, to = to.values,
                        length = whole_vectors<B>(phase_length()), all = &windows]() EIGENPOOL_LAMBDA {
          gather_vectors<Lane, B, false>(values, numbers, to, length, *all);
        });
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
    const Index last_tap = n2.kernel() <= residue ? -1 : residue + (n2.kernel() - 1 - residue) / n2.stride() * n2.stride();
    for (Index m = 0; m < rows.count; ++m) {
      const Index row = (rows.output(m) - first) * pitch + margin(), tap1 = rows.tap_of(m);
      for (Index tap2 = last_tap; tap2 >= 0; tap2 -= n2.stride()) {
        const Index number = FlatIndex<I> ? (tap1 - n1.padding()) * n2.source() + tap2 - n2.padding()
                                          : tap1 * n2.kernel() + tap2;
        all.add(row + (reached - tap2) / n2.stride(), number);
      }
    }
  }

  template <int B>
  EIGENPOOL_INLINE void read_row(Index outer, Index o, const Row& to, const Row& steps, Index& astray) const {
    const auto& [n0, n1, n2] = problem_.axes;
    const Index at = (outer * n1.result() + o) * n2.result();
    std::fill_n(to.numbers, margin(), no_match);
    std::fill_n(to.numbers + margin() + n2.result(), row_pitch() - margin() - n2.result(), no_match);
    simd::apart<B>([dy = dy_ + at, indices = indices_ + at, to = to.from(margin()), steps, count = n2.result(),
                    base = o * n1.stride() * n2.source(), width = n2.source(), k1 = n1.kernel(), k2 = n2.kernel(),
                    before = n1.padding() * n2.source() + n2.padding(), sum = &astray]() EIGENPOOL_LAMBDA {
      constexpr Index lanes = simd::Vec<Lane, B>::lanes;
      if (count >= lanes)
        for_vectors<lanes>(count, [&](Index i) EIGENPOOL_LAMBDA {
          *sum += read<B>(dy + i, indices + i, to.from(i), steps.from(i), base, width, k1, k2, before);
        });
      else
        for (Index i = 0; i < count; ++i)
          *sum += read<static_cast<int>(sizeof(Lane))>(dy + i, indices + i, to.from(i), steps.from(i), base, width, k1,
                                                       k2, before);
    });
  }

  // One vector; gives whether an index is not in its window.
  template <int B>
  EIGENPOOL_INLINE static Index read(const S* dy, const I* indices, const Row& to, const Row& steps, Index base,
                                     Index width, Index k1, Index k2, Index before) {
    const auto constant = [](Index value) EIGENPOOL_LAMBDA { return simd::broadcast<Code, B>(static_cast<Code>(value)); };
    simd::store(to.values, simd::load_as<Lane, B>(dy));
    auto index = simd::load_as<Code, B>(indices);
    if constexpr (CompactIndex<I>) {
      simd::store(to.numbers, index);
      return 0;
    } else {
      const auto absent = simd::equal(index, constant(-1));
      index = simd::subtract(index, simd::add(constant(base), simd::load<Code, B>(steps.numbers)));
      auto in_window = absent;
      for (Index tap = 0; tap < k1; ++tap) {
        const auto tap2 = simd::add(index, constant(before - tap * width));
        const auto inside = simd::both(simd::greater(tap2, constant(-1)), simd::greater(constant(k2), tap2));
        in_window = simd::either(in_window, inside);
      }
      simd::store(to.numbers, simd::select(absent, constant(no_match), index));
      const auto astray = simd::select(in_window, constant(0), constant(1));
      return simd::any(simd::greater(astray, constant(0))) ? 1 : 0;
    }
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
