// The kernel for windows that are whole small planes (a global pooling, channels first): as many planes are reduced
// at once as a vector has lanes.
#pragma once

#include "kernel_scalar.hpp"
#include "nan_guard.hpp"
#include "strip_sum.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class R, class S, class Output>
class WholePlanesKernel {
 public:
  /// Whether it reduces with R: a vector has at most 16 lanes.
  static constexpr bool is_known = !R::numbered && sizeof(typename R::Lane) >= 4;

  WholePlanesKernel(const Problem& problem, const S* source, const Output& output)
      : problem_(problem),
        source_(source),
        output_(output),
        shape_{problem.axes[1].kernel(), problem.axes[2].source()},
        planes_(problem.cells()) {}

  /// Many planes of several vectors, of few vectors a row where rows are added up: columns are summed first.
  static bool suits(const Problem& problem) {
    if constexpr (!is_known) return false;
    const auto& [n0, n1, n2] = problem.axes;
    const auto is_dense = [](const Axis& axis) { return axis.partitions() && axis.tiles(); };
    if (problem.inner != 1 || !n0.is_identity() || !is_dense(n1) || !is_dense(n2) || n2.result() != 1) return false;
    if (R::ordered_sum && (problem.reversed || n2.source() * size > most_vectors * simd::vector_bytes())) return false;
    const Index length = n1.kernel() * n2.source();
    return length >= 2 * group && length <= longest && problem.cells() >= group / 2;
  }

  Index tasks() const { return ceil_div(planes_, group); }

  template <int B>
  void run(Index begin, Index end) const {
    NanGuard<R, S> guard;
    const auto info = output_.info(window_taps(problem_, Cell::number(problem_, 0)));
    const Index last = std::min(end * group, planes_), step = NanGuard<R, S>::needed ? group : last;
    for (Index plane = begin * group; plane < last; plane += step) {
      const Index planes = std::min(step, last - plane);
      const S* p = source_ + plane * shape_.length();
      if (guard.template is_clean<B>(p, p + planes * shape_.length()))
        with_shape<B>(
            [&](auto vectors, const auto& rows) { reduce_planes<B, vectors.value>(rows, plane, planes, info); });
      else
        ScalarKernel<typename R::Exact, S, Output>(problem_, source_, output_).run(plane, plane + planes);
    }
  }

 private:
  using Lane = typename R::Lane;
  template <int B>
  using Acc = typename R::template Acc<B>;
  template <int B>
  static constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  static constexpr Index size = sizeof(Lane);
  static constexpr Index group = 16;             // planes: the lanes of any vector, or several times as many
  static constexpr Index most_vectors = 2;       // of a row
  static constexpr Index longest = 4096 / size;  // elements of a plane; longer ones are read one after the other

  template <Index n>
  using Constant = std::integral_constant<Index, n>;

  struct Shape {
    Index rows, width;
    EIGENPOOL_INLINE Index length() const { return rows * width; }
  };

  // The vectors that a plane's columns fill, a power of two, and the rows. In any order, a plane is a single row. Most
  // networks end with planes of seven rows.
  template <int B, class F>
  void with_shape(const F& f) const {
    if constexpr (R::ordered_sum) {
      if (shape_.width > lanes<B>) return f(Constant<2>(), shape_.rows);
      if (shape_.rows == 7) return f(Constant<1>(), Constant<7>());
    }
    f(Constant<1>(), shape_.rows);
  }

  template <int B, Index vectors, class Rows>
  void reduce_planes(const Rows& rows, Index first, Index planes, const typename Output::Info& info) const {
    // Whole vectors are read: the last plane of all is copied where they end within memory.
    S copy[R::ordered_sum ? longest + most_vectors * 16 : 1];
    const Shape shape = shape_;
    const S* const p = source_ + first * shape.length();
    const bool ends = R::ordered_sum && first + planes == planes_;
    const S* last = p + (planes - 1) * shape.length();
    if (ends) last = std::copy_n(last, shape.length(), copy) - shape.length();
    simd::apart<B>([=, writer = output_.writer()]() EIGENPOOL_LAMBDA {
      const auto held = writer.template hold<R, B>(info);
      for (Index plane = 0; plane < planes; plane += lanes<B>) {
        const Index count = std::min(lanes<B>, planes - plane);
        std::array<Acc<B>, static_cast<std::size_t>(lanes<B> * vectors)> acc;
        if (count < lanes<B>) acc.fill(R::template identity<B>());
        const S* from = p + plane * shape.length();
        for (Index i = 0; i < count; ++i, from += shape.length()) {
          Acc<B>* const to = &acc[static_cast<std::size_t>(i * vectors)];
          const S* const at = plane + i == planes - 1 ? last : from;
          if constexpr (R::ordered_sum)
            sum_plane<B, vectors>(at, rows, shape.width, to);
          else
            *to = fold_plane<B>(at, shape.length());
        }
        writer.template write<B>(first + plane, across<B>(acc), count, held, 0);
      }
    });
  }

  // In any order.
  template <int B>
  EIGENPOOL_INLINE static Acc<B> fold_plane(const S* p, Index length) {
    Acc<B> acc[4];
    simd::unrolled<4>([&](std::size_t u) EIGENPOOL_LAMBDA { acc[u] = simd::load_as<Lane, B>(p); });
    const auto take = [&](std::size_t u, Index i)
                          EIGENPOOL_LAMBDA { R::template merge<B>(acc[u], simd::load_as<Lane, B>(p + i)); };
    for (Index i = for_fours<Lane, B>(length, take); i < length - lanes<B>; i += lanes<B>) take(0, i);
    take(1, length - lanes<B>);
    R::template merge<B>(acc[0], acc[1]);
    R::template merge<B>(acc[2], acc[3]);
    R::template merge<B>(acc[0], acc[2]);
    return acc[0];
  }

  // In the canonical order: each column is summed.
  template <int B, Index vectors, class Rows>
  EIGENPOOL_INLINE static void sum_plane(const S* p, const Rows& rows, Index width, Acc<B>* acc) {
    for (Index v = 0; v < vectors; ++v)
      acc[v] = simd::zero_where(from(width - v * lanes<B>), sum_columns<B>(p + v * lanes<B>, rows, width));
  }

  template <int B, class Rows>
  EIGENPOOL_INLINE static Acc<B> sum_columns(const S* p, const Rows& rows, Index width) {
    if (rows <= 8) return sum_to_eight<R, B>(p, width, rows);
    LaneStack<R, B> stack;
    Tree<LaneStack<R, B>> tree(stack);
    for (Index row = 0; row < rows; row += 8) {
      const Index count = std::min(rows - row, Index{8});
      stack.entry(tree.push()) = sum_to_eight<R, B>(p + row * width, width, count);
      if (count == 8) tree.carry(row / 8);
    }
    tree.finish(0);
    return stack.entry(0);
  }

  // Flags of which all but the first `count` are set.
  EIGENPOOL_INLINE static const simd::Signed<Lane>* from(Index count) {
    static constexpr auto flags = [] {
      std::array<simd::Signed<Lane>, 32> all{};
      for (std::size_t i = 16; i < 32; ++i) all[i] = -1;
      return all;
    }();
    return flags.data() + 16 - std::clamp(count, Index{0}, Index{16});
  }

  // What the lanes of each plane's vectors add up to, plane by plane.
  template <int B, std::size_t n>
  EIGENPOOL_INLINE static Acc<B> across(const std::array<Acc<B>, n>& v) {
    if constexpr (n == 1) {
      return v[0];
    } else {
      std::array<Acc<B>, n / 2> pairs;
      simd::unrolled<n / 2>([&](std::size_t i)
                                EIGENPOOL_LAMBDA { pairs[i] = merged_pairs<R, B>(v[2 * i], v[2 * i + 1]); });
      return across<B>(pairs);
    }
  }

  const Problem& problem_;
  const S* source_;
  const Output& output_;
  Shape shape_;
  Index planes_;
};

}  // namespace detail
EIGENPOOL_END
