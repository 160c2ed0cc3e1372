// The levels of a spatial pyramid. A coarse level is made from a finer one whose
// windows its own are made of; each is flattened and takes its place in the rows
// of the result.
#pragma once

#include "avg_engine.hpp"
#include "max_engine.hpp"

EIGENPOOL_BEGIN

/// What a spatial pyramid takes from its windows.
enum class Pyramid { max, average };

namespace detail {

/// The adaptive pooling of every spatial axis to `level` cells.
template <Layout layout, int D, std::size_t R>
Plan<R> level_plan(const Function& function, const Extents<R>& shape, Index level, bool row_major) {
  const OutputSize<D> size(level);
  return make_plan<layout, D>(function, "input", shape, AdaptiveWindows<D>{size}, row_major);
}

/// The levels that were asked for, and where each one's features begin in a row.
template <int D>
struct Levels {
  const std::vector<Index>& levels;
  std::vector<Index> first;
  Index features = 0;

  Levels(const Function& function, const std::vector<Index>& asked, Index channels) : levels(asked) {
    if (levels.empty()) fail(function.name() + ": levels is empty, must name at least one level");
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const auto refuse = [&](const char* reason) {
        fail_axis(function, "levels", static_cast<int>(i), levels[i], reason);
      };
      if (levels[i] < 1) refuse("must be at least 1");
      first.push_back(features);
      Index count = channels;
      for (int a = 0; a < D; ++a)
        if (!multiply(count, levels[i], count)) refuse("the number of features overflows 64 bits");
      if (!add(features, count, features)) refuse("the number of features overflows 64 bits");
    }
  }
};

/// f(element of a level's tensor, of (N, features of the level)) for all of them, in the order of memory. A row of
/// features is the flattened tensor: its axes but the first, the last fastest.
template <std::size_t R, class F>
void for_each_feature(const Extents<R>& shape, bool row_major, const F& f) {
  Index features = 1;
  for (std::size_t a = 1; a < R; ++a) features *= shape[a];
  const Index count = shape[0] * features;
  if (row_major) {
    for (Index i = 0; i < count; ++i) f(i, i / features, i % features);
    return;
  }
  Extents<R> at{}, weight{};
  weight[R - 1] = 1;
  for (std::size_t a = R - 1; a > 1; --a) weight[a - 1] = weight[a] * shape[a];
  Index feature = 0;
  for (Index i = 0; i < count; ++i) {
    f(i, at[0], feature);
    for (std::size_t a = 0; a < R; ++a) {
      feature += weight[a];
      if (++at[a] < shape[a]) break;
      feature -= at[a] * weight[a];
      at[a] = 0;
    }
  }
}

/// Makes levels of maxima of S, or of averages of S.
template <Layout layout, int D, class S, std::size_t R, class P>
class PyramidLevels {
 public:
  using Lane = Compared<S>;

  PyramidLevels(const Function& function, const Extents<R>& shape, const S* x, bool row_major, const P& parallel)
      : function_(function), shape_(shape), x_(x), row_major_(row_major), parallel_(parallel) {}

  /// sink(i, values, shape) for level number i, finest levels first.
  template <class Sink>
  void make(const std::vector<Index>& levels, Pyramid kind, const Sink& sink) const {
    std::vector<std::size_t> order(levels.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return levels[a] > levels[b]; });
    std::vector<Made> made;
    for (const std::size_t i : order) {
      if (kind == Pyramid::max)
        maxima(levels[i], made, [&](const auto& values, const auto& shape) { sink(i, values, shape); });
      else
        averages(levels[i], made, [&](const auto& values, const auto& shape) { sink(i, values, shape); });
    }
  }

 private:
  /// A level to make coarser ones from: maxima, or sums.
  struct Made {
    Index level;
    Extents<R> shape;
    std::vector<Lane> values;
  };

  Index extent(const Extents<R>& shape, int a) const {
    return shape[static_cast<std::size_t>(first_spatial<layout>(static_cast<int>(R), D) + a)];
  }
  /// Whether the windows of a level share no cell.
  bool tiles(Index level) const {
    for (int a = 0; a < D; ++a)
      if (extent(shape_, a) % level != 0) return false;
    return true;
  }
  /// The coarsest level whose windows make up those of `level`.
  static const Made* finer(const std::vector<Made>& made, Index level) {
    const Made* best = nullptr;
    for (const Made& m : made)
      if (m.level % level == 0) best = &m;
    return best;
  }
  Plan<R> plan(const Extents<R>& from, Index level) const {
    return level_plan<layout, D>(function_, from, level, row_major_);
  }

  // A window of a level is the union of those of a level that is a multiple, tiled or not.
  template <class Sink>
  void maxima(Index level, std::vector<Made>& made, const Sink& sink) const {
    const Made* from = finer(made, level);
    const Plan<R> p = plan(from != nullptr ? from->shape : shape_, level);
    Made next{level, p.result_shape, std::vector<Lane>(static_cast<std::size_t>(elements(p.result_shape)))};
    if (from != nullptr)
      extreme_windows<Larger>(p.problem, from->values.data(), next.values.data(), parallel_);
    else
      reduce_windows<Extremum<Lane, Larger>>(p.problem.simplified(), x_, Values<Lane>(next.values.data()), parallel_);
    sink(next.values, next.shape);
    made.push_back(std::move(next));
  }

  // Sums of tiles add up; what overlaps, and integers, whose quotients are rounded, come from the input.
  template <class Sink>
  void averages(Index level, std::vector<Made>& made, const Sink& sink) const {
    const auto size = [](const Plan<R>& p) { return static_cast<std::size_t>(elements(p.result_shape)); };
    if constexpr (!std::integral<S> && std::is_arithmetic_v<Lane>) {
      if (tiles(level)) {
        const Made* from = finer(made, level);
        const Plan<R> p = plan(from != nullptr ? from->shape : shape_, level);
        Made next{level, p.result_shape, std::vector<Lane>(size(p))};
        if (from != nullptr)
          mean_windows(p.problem, from->values.data(), next.values.data(), Index{1}, parallel_);
        else
          mean_windows(p.problem, x_, next.values.data(), Index{1}, parallel_);
        Lane cells = 1;
        for (int a = 0; a < D; ++a) cells *= static_cast<Lane>(extent(shape_, a) / level);
        std::vector<Lane> quotients = next.values;
        for (Lane& value : quotients) value /= cells;
        sink(quotients, next.shape);
        return made.push_back(std::move(next));
      }
    }
    const Plan<R> p = plan(shape_, level);
    std::vector<S> values(size(p));
    mean_windows(p.problem, x_, values.data(), std::nullopt, parallel_);
    sink(values, p.result_shape);
  }

  const Function& function_;
  const Extents<R>& shape_;
  const S* x_;
  bool row_major_;
  const P& parallel_;
};

/// The input's shape and levels, checked; rows of (N, features).
template <Layout layout, int D, std::size_t R>
struct PyramidPlan {
  Levels<D> levels;
  Extents<2> shape;

  template <class I>
  static PyramidPlan make(const Function& function, const Extents<R>& input, const std::vector<Index>& asked,
                          std::size_t element_bytes, bool row_major, I) {
    const Index channels = input[layout == channels_last ? R - 1 : 1];
    PyramidPlan plan{Levels<D>(function, asked, channels), {}};
    plan.shape = {input[0], plan.levels.features};
    require_countable<I>(function, "output", plan.shape, element_bytes);
    for (const Index level : asked) level_plan<layout, D>(function, input, level, row_major);
    return plan;
  }
};

template <Layout layout, int D, class X, class Output, PoolingDevice Device>
void pyramid_pool(const Function& function, const X& x, const std::vector<Index>& asked, Pyramid kind,
                  const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  constexpr int R = rank_of<X>;
  const Operand<X> input(x, device);
  const auto plan =
      PyramidPlan<layout, D, R>::make(function, input.shape(), asked, sizeof(S), is_row_major<X>, DefaultIndexOf<X>());
  auto& y = output(plan.shape);
  require_shape(function, "output", shape_of(y), plan.shape);
  require_apart(function, "output", Bytes(y.data(), y.size()), "input", Bytes(input.data(), elements(input.shape())));
  if (y.size() == 0) return;
  const Parallel<Device> parallel(device);
  const PyramidLevels<layout, D, S, R, Parallel<Device>> levels(function, input.shape(), input.data(), is_row_major<X>,
                                                                parallel);
  levels.make(asked, kind, [&](std::size_t i, const auto& values, const Extents<R>& shape) {
    for_each_feature(shape, is_row_major<X>, [&](Index at, Index n, Index feature) {
      y(n, plan.levels.first[i] + feature) = static_cast<S>(values[static_cast<std::size_t>(at)]);
    });
  });
}

/// dx = what the backwards of the levels' poolings add up to.
template <Layout layout, int D, class G, class X, class Output, PoolingDevice Device>
void pyramid_backward(const Function& function, const G& dy, const X& x, const std::vector<Index>& asked, Pyramid kind,
                      const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  constexpr int R = rank_of<X>;
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const auto plan =
      PyramidPlan<layout, D, R>::make(function, input.shape(), asked, sizeof(S), is_row_major<X>, DefaultIndexOf<X>());
  require_shape(function, "gradient", gradient.shape(), plan.shape);
  auto& dx = output();
  require_shape(function, "output", shape_of(dx), input.shape());
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  const Parallel<Device> parallel(device);
  const auto cells = static_cast<std::size_t>(dx.size());
  std::vector<Compared<S>> sums(cells, Compared<S>(0));
  std::vector<S> share(cells);
  for (std::size_t i = 0; i < asked.size() && cells > 0; ++i) {
    const auto of = level_plan<layout, D>(function, input.shape(), asked[i], is_row_major<X>);
    std::vector<S> part(static_cast<std::size_t>(elements(of.result_shape)));
    for_each_feature(of.result_shape, is_row_major<X>, [&](Index at, Index n, Index feature) {
      const Index column = plan.levels.first[i] + feature;
      part[static_cast<std::size_t>(at)] =
          gradient.data()[is_row_major<X> ? n * plan.shape[1] + column : n + column * plan.shape[0]];
    });
    if (kind == Pyramid::max) {
      std::vector<S> maxima(part.size());
      std::vector<std::int64_t> indices(part.size());
      max_indexed<Larger>(of.problem, input.data(), maxima.data(), indices.data(), parallel);
      scatter(of.problem, part.data(), indices.data(), share.data(), parallel);
    } else {
      mean_backward(of.problem, std::nullopt, part.data(), share.data(), parallel);
    }
    for (std::size_t c = 0; c < cells; ++c) sums[c] = sums[c] + static_cast<Compared<S>>(share[c]);
  }
  for (std::size_t c = 0; c < cells; ++c) dx.data()[c] = static_cast<S>(sums[c]);
}

}  // namespace detail
EIGENPOOL_END
