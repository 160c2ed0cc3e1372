// Pooling of sequences, forward and backward.
#pragma once

#include "sequence_steps.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The arguments of a forward, checked.
template <Layout layout, class X, class T>
class SequenceArguments {
 public:
  using Shape = SequenceShape<layout, static_cast<std::size_t>(rank_of<X>)>;

  template <class Device>
  SequenceArguments(const Function& function, const X& x, const T& valid, const SequenceOptions& options,
                    const Device& device)
      : x_(x, device),
        valid_(valid, device),
        shape_{x_.shape(), is_row_major<X>},
        groups_(checked_steps<X>(function, "input", shape_, valid_, options)) {
    if (options.empty) empty_ = empty_value<ScalarOf<X>>(function, *options.empty);
  }

  const Shape& shape() const { return shape_; }

  void require_output(const Function& function, const char* name, const Bytes& output) const {
    require_apart(function, name, output, "input", Bytes(x_.data(), elements(x_.shape())));
    require_apart(function, name, output, RowNumbers<T> ? "lengths" : "mask",
                  Bytes(valid_.data(), elements(valid_.shape())));
  }

  /// y = the reduction of each sequence, and what is empty.
  template <class S, class Reduction, class P>
  void run(S* y, const Reduction& reduction, const P& parallel) const {
    const Rows y_rows = shape_.result_rows();
    if constexpr (layout == channels_first && is_row_major<X> && RowNumbers<T>)
      reduce_planes(y, reduction, parallel);
    else
      reduction.reduce(shape_.rows(), groups_, x_.data(), y_rows, y, parallel);
    fill_empty_groups(groups_, y_rows, y, empty_);
  }

  /// No index where no step is valid.
  template <class I>
  void clear_empty(I* indices) const {
    fill_empty_groups(groups_, shape_.result_rows(), indices, I{-1});
  }

 private:
  /// Where steps are neighbours, each feature is a row whose first steps are one window.
  template <class S, class Reduction, class P>
  void reduce_planes(S* y, const Reduction& reduction, const P& parallel) const {
    const Index features = shape_.features(), steps = shape_.steps();
    const auto run = [&](Index begin, Index end) {
      const Eigen::DefaultDevice here;
      Problem problem;
      problem.outer = features;
      for (Index n = begin; n < end; ++n) {
        const Index length = groups_.count(n);
        problem.axes[2] = Axis::affine(steps, 1, std::max(length, Index{1}), steps, 0, 0, 1, Axis::Counted::real_taps);
        reduction.reduce_window(problem, x_.data() + n * features * steps, y, n * features, Parallel(here));
      }
    };
    if (features > 0) parallel(shape_.sequences(), static_cast<double>(features * steps) * sizeof(ScalarOf<X>), run);
  }

  Operand<X> x_;
  Operand<T> valid_;
  Shape shape_;
  Groups groups_;
  ScalarOf<X> empty_{0};
};

/// Reductions of sequences: reduce() by groups of steps; reduce_window() of windows that are a row's first steps, to
/// y[at], y[at + 1], ...
struct SequenceSum {
  bool divided;

  template <class S, class P>
  void reduce(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y, const P& parallel) const {
    SumOfGroups{divided}(x_rows, groups, x, y_rows, y, parallel);
  }
  template <class S, class P>
  void reduce_window(const Problem& problem, const S* x, S* y, Index at, const P& parallel) const {
    mean_windows(problem, x, y + at, divided ? problem.axes[2].kernel() : 1, parallel);
  }
};

struct SequenceMax {
  template <class S, class P>
  void reduce(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y, const P& parallel) const {
    ExtremeOfGroups<Larger>()(x_rows, groups, x, y_rows, y, parallel);
  }
  template <class S, class P>
  void reduce_window(const Problem& problem, const S* x, S* y, Index at, const P& parallel) const {
    extreme_windows<Larger>(problem, x, y + at, parallel);
  }
};

template <class I>
struct SequenceMaxWithIndices {
  I* indices;

  template <class S, class P>
  void reduce(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y, const P& parallel) const {
    extreme_groups_with_indices<Larger>(x_rows, groups, x, y_rows, y, indices, parallel);
  }
  template <class S, class P>
  void reduce_window(const Problem& problem, const S* x, S* y, Index at, const P& parallel) const {
    extreme_windows_with_indices<Larger>(problem, Numbering::Kind::flat, x, y + at, indices + at, parallel);
  }
};

template <Layout layout, class X, class T, class Reduction>
auto sequences_pooled(const Function& function, const X& x, const T& valid, const SequenceOptions& options,
                      const Reduction& reduction) {
  const Eigen::DefaultDevice device;
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  auto y = make_tensor<ResultTensor<X, rank_of<X> - 1>>(arguments.shape().result());
  arguments.run(y.data(), reduction, Parallel(device));
  return y;
}

template <Layout layout, class Y, class X, class T, class Reduction, PoolingDevice Device>
void sequences_pool_into(const Function& function, Y& y, const X& x, const T& valid, const SequenceOptions& options,
                         const Reduction& reduction, const Device& device) {
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_shape(function, "output", shape_of(y), arguments.shape().result());
  arguments.require_output(function, "output", Bytes(y.data(), y.size()));
  arguments.run(y.data(), reduction, Parallel<Device>(device));
}

template <Layout layout, class Y, class N, class X, class T, PoolingDevice Device>
void sequences_with_indices_into(const Function& function, Y& y, N& indices, const X& x, const T& valid,
                                 const SequenceOptions& options, const Device& device) {
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_rows_numberable<ScalarOf<N>>(function, arguments.shape().steps(), "steps");
  require_shape(function, "output", shape_of(y), arguments.shape().result());
  require_shape(function, "indices", shape_of(indices), arguments.shape().result());
  const Bytes output(y.data(), y.size()), numbers(indices.data(), indices.size());
  arguments.require_output(function, "output", output);
  arguments.require_output(function, "indices", numbers);
  require_apart(function, "indices", numbers, "output", output);
  arguments.run(y.data(), SequenceMaxWithIndices<ScalarOf<N>>{indices.data()}, Parallel<Device>(device));
  arguments.clear_empty(indices.data());
}

template <Layout layout, FlatIndex I, class X, class T>
auto sequences_with_indices(const Function& function, const X& x, const T& valid, const SequenceOptions& options) {
  constexpr int rank = rank_of<X> - 1;
  const Eigen::DefaultDevice device;
  const SequenceArguments<layout, X, T> arguments(function, x, valid, options, device);
  require_rows_numberable<I>(function, arguments.shape().steps(), "steps");
  const auto shape = arguments.shape().result();
  WithIndices<ResultTensor<X, rank>, ResultTensor<X, rank, I>> result{make_tensor<ResultTensor<X, rank>>(shape),
                                                                      make_tensor<ResultTensor<X, rank, I>>(shape)};
  arguments.run(result.output.data(), SequenceMaxWithIndices<I>{result.indices.data()}, Parallel(device));
  arguments.clear_empty(result.indices.data());
  return result;
}

/// dx of a sum or mean; `output()` gives the tensor to write, whose shape is called `argument`.
template <Layout layout, std::size_t R, class G, class T, class Output, PoolingDevice Device>
void sequences_backward(const Function& function, const char* argument, const Extents<R>& extents, const G& dy,
                        const T& valid, const SequenceOptions& options, bool divided, const Output& output,
                        const Device& device) {
  static_assert(R == static_cast<std::size_t>(rank_of<G>) + 1,
                "eigenpool: the input has one axis more than the gradient");
  const Operand<G> gradient(dy, device);
  const Operand<T> steps(valid, device);
  const SequenceShape<layout, R> shape{extents, is_row_major<G>};
  const Groups groups = checked_steps<G>(function, argument, shape, steps, options);
  require_shape(function, "gradient", gradient.shape(), shape.result());
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, RowNumbers<T> ? "lengths" : "mask",
                Bytes(steps.data(), elements(steps.shape())));
  spread_groups(shape.result_rows(), groups, gradient.data(), shape.rows(), dx.data(), divided,
                Parallel<Device>(device));
}

template <Layout layout, std::size_t R, class G, class N, class Output, PoolingDevice Device>
void sequences_backward_from_indices(const Function& function, const char* argument, const Extents<R>& extents,
                                     const G& dy, const N& indices, const Output& output, const Device& device) {
  static_assert(R == static_cast<std::size_t>(rank_of<G>) + 1,
                "eigenpool: the input has one axis more than the gradient");
  const Operand<G> gradient(dy, device);
  const Operand<N> numbers(indices, device);
  const SequenceShape<layout, R> shape{extents, is_row_major<G>};
  require_extents<G>(function, argument, extents);
  require_shape(function, "gradient", gradient.shape(), shape.result());
  require_shape(function, "indices", numbers.shape(), gradient.shape());
  require_row_indices(function, numbers.data(), numbers.shape(), shape.steps(), "steps", is_row_major<G>);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "indices", Bytes(numbers.data(), elements(numbers.shape())));
  scatter_groups(shape.result_rows(), shape.no_groups(), gradient.data(), numbers.data(), shape.rows(), dx.data(),
                 Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
