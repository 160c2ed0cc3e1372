// The mean and the variance of every plane, as the statistics pooling of speech models and the layers that normalise
// want them: global_mean_variance, and its backward.
//
// x is (N, C, spatial...) or, channels_last, (N, spatial..., C), with one to three spatial axes; each result is (N, C).
//   mean      the sum of a plane's n cells / n
//   variance  the sum of (x - mean)^2 / (n - correction)
// The mean is taken away before squares are summed, so a mean that is large beside the variance costs no digits.
// Scalars: float, double, half and bfloat16 (in float). A NaN or an infinity in a plane makes its variance NaN. Sums
// and errors are as in avg_pool.hpp; the results are the same bits in every layout, storage order and number of
// threads.
#pragma once

#include "detail/moments_engine.hpp"

EIGENPOOL_BEGIN

/// correction: what is taken from a plane's cells in the variance's divisor; 1 for the unbiased estimate. At least 0,
/// and less than the cells.
struct VarianceOptions {
  Index correction = 0;
};

/// What global_mean_variance returns.
template <class Tensor>
struct MeanVariance {
  Tensor mean;
  Tensor variance;
};

namespace detail {

inline constexpr const char* global_mean_variance_name = "global_mean_variance";

inline Index variance_divisor(const Function& function, const Problem& problem, const VarianceOptions& options) {
  if (options.correction < 0 || options.correction >= problem.plane())
    fail(function.name() + ": correction is " + std::to_string(options.correction) +
         ", must be at least 0 and less than the plane's " + std::to_string(problem.plane()) + " cells");
  return problem.plane() - options.correction;
}

template <Layout layout, int D, class M, class X, class Device>
void mean_variance_into(const Function& function, M& mean, M& variance, const X& x, const VarianceOptions& options,
                        const Device& device) {
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, GlobalWindow<D>());
  const Index divisor = variance_divisor(function, plan.problem, options);
  const auto shape = plan.template squeezed<layout>();
  require_shape(function, "mean", shape_of(mean), shape);
  require_shape(function, "variance", shape_of(variance), shape);
  const Bytes source(input.data(), elements(input.shape()));
  const Bytes means(mean.data(), mean.size()), variances(variance.data(), variance.size());
  require_apart(function, "mean", means, "input", source);
  require_apart(function, "variance", variances, "input", source);
  require_apart(function, "variance", variances, "mean", means);
  moments(plan.problem, input.data(), mean.data(), variance.data(), divisor, Parallel<Device>(device));
}

template <Layout layout, int D, class G, class X, class Output, class Device>
void mean_variance_backward(const Function& function, const G& dmean, const G& dvariance, const X& x,
                            const VarianceOptions& options, const Output& output, const Device& device) {
  const Operand<G> of_mean(dmean, device), of_variance(dvariance, device);
  const Operand<X> input(x, device);
  const auto plan = forward_plan<layout, D>(function, input, GlobalWindow<D>());
  const Index divisor = variance_divisor(function, plan.problem, options);
  require_shape(function, "mean_gradient", of_mean.shape(), plan.template squeezed<layout>());
  require_shape(function, "variance_gradient", of_variance.shape(), plan.template squeezed<layout>());
  auto& dx = output();
  require_shape(function, "output", shape_of(dx), input.shape());
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "mean_gradient", Bytes(of_mean.data(), elements(of_mean.shape())));
  require_apart(function, "output", written, "variance_gradient",
                Bytes(of_variance.data(), elements(of_variance.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  moments_backward(plan.problem, of_mean.data(), of_variance.data(), input.data(), dx.data(), divisor,
                   Parallel<Device>(device));
}

}  // namespace detail

/// {mean, variance}, both (N, C).
template <Layout layout = channels_first, detail::GlobalInput X>
  requires detail::RealTensor<X>
auto global_mean_variance(const X& x, const VarianceOptions& options = {}) {
  using Tensor = detail::ResultTensor<X, 2>;
  constexpr int D = detail::rank_of<X> - 2;
  constexpr detail::Function function{detail::global_mean_variance_name};
  const auto shape = detail::shape_of(x);
  const auto channel = static_cast<std::size_t>(layout == channels_last ? D + 1 : 1);
  const std::array<Index, 2> planes{shape[0], shape[channel]};
  MeanVariance<Tensor> result{detail::make_tensor<Tensor>(planes), detail::make_tensor<Tensor>(planes)};
  detail::mean_variance_into<layout, D>(function, result.mean, result.variance, x, options, Eigen::DefaultDevice());
  return result;
}

/// The same into mean and variance, on `device`.
template <Layout layout = channels_first, detail::OutputTensor M, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::RealTensor<X> && detail::Squeezed<M, X>
void global_mean_variance_into(M& mean, M& variance, const X& x, const VarianceOptions& options = {},
                               const Device& device = {}) {
  constexpr detail::Function function{detail::global_mean_variance_name, 0, "_into"};
  detail::mean_variance_into<layout, detail::rank_of<X> - 2>(function, mean, variance, x, options, device);
}

/// dx = mean_gradient / n + variance_gradient * 2 (x - mean) / (n - correction); the gradients are (N, C).
template <Layout layout = channels_first, detail::RealTensor G, detail::GlobalInput X>
  requires detail::Squeezed<G, X>
auto global_mean_variance_backward(const G& mean_gradient, const G& variance_gradient, const X& x,
                                   const VarianceOptions& options = {}) {
  constexpr detail::Function function{detail::global_mean_variance_name, 0, "_backward"};
  return detail::new_gradient<G>(detail::shape_of(x), [&](const auto&, const auto& output) {
    detail::mean_variance_backward<layout, detail::rank_of<X> - 2>(function, mean_gradient, variance_gradient, x,
                                                                   options, output, Eigen::DefaultDevice());
  });
}

/// The same into dx, whose shape is x's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::RealTensor G, detail::GlobalInput X,
          class Device = Eigen::DefaultDevice>
  requires detail::Squeezed<G, X> && detail::SameKind<Y, X>
void global_mean_variance_backward_into(Y&& dx, const G& mean_gradient, const G& variance_gradient, const X& x,
                                        const VarianceOptions& options = {}, const Device& device = {}) {
  constexpr detail::Function function{detail::global_mean_variance_name, 0, "_backward_into"};
  detail::mean_variance_backward<layout, detail::rank_of<X> - 2>(
      function, mean_gradient, variance_gradient, x, options, [&]() -> auto& { return dx; }, device);
}

EIGENPOOL_END
