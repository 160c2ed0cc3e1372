// From the arguments of a RoI pooling, checked, to its kernels.
#pragma once

#include "ops.hpp"
#include "results.hpp"
#include "roi_backward.hpp"
#include "run_kernel.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class S, class Kernel, class P>
void run_roi(const Kernel& kernel, double bytes, const P& parallel) {
  if (kernel.tasks() == 0) return;
  if constexpr (is_custom<S>)
    parallel(kernel.tasks(), bytes / static_cast<double>(kernel.tasks()),
             [&](Index begin, Index end) { kernel.template run<static_cast<int>(sizeof(S))>(begin, end); });
  else
    run_kernel(kernel, bytes, parallel);
}

/// Checks the shape of images of scalars S, and a rule's options; gives the shape of the result for `boxes` boxes.
template <Layout layout, class S, class I, class Rule>
Extents<4> roi_shape(const Function& function, const char* argument, const Extents<4>& shape, Index boxes,
                     const Rule& rule) {
  for (std::size_t a = 0; a < 4; ++a)
    if (shape[a] < 0) fail_axis(function, argument, static_cast<int>(a), shape[a], "must be at least 0");
  for (std::size_t a = 2; a < 4; ++a) {
    const std::size_t axis = image_axes<layout>()[a];
    if (shape[axis] == 0)
      fail_axis(function, argument, static_cast<int>(axis), Index{0}, "a spatial extent must be at least 1");
  }
  require_countable<I>(function, argument, shape, sizeof(S));
  require_at_least(function, "output_size", rule.output_size(), 1);
  require_scale(function, rule.scale());
  rule.require_legal(function);
  const Extents<4> result =
      image_shape<layout>({boxes, image_extents<layout>(shape)[1], rule.output_size()[0], rule.output_size()[1]});
  require_countable<I>(function, "output", result, sizeof(S));
  return result;
}

/// y from images and boxes; `output(shape)` gives the tensor to write.
template <Layout layout, class X, class B, class N, class Rule, class Output, PoolingDevice Device>
void roi_forward(const Function& function, const X& x, const B& boxes, const N& batch_indices, const Rule& rule,
                 const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  const Operand<X> input(x, device);
  const Operand<B> bounds(boxes, device);
  const Operand<N> numbers(batch_indices, device);
  const Extents<4> shape =
      roi_shape<layout, S, DefaultIndexOf<X>>(function, "input", input.shape(), bounds.shape()[0], rule);
  const auto read = read_boxes(function, bounds, numbers, rule.scale(), input.shape()[0], rule.is_ordered());
  auto& y = output(shape);
  const Bytes written(y.data(), y.size());
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  require_apart(function, "output", written, "boxes", Bytes(bounds.data(), elements(bounds.shape())));
  require_apart(function, "output", written, "batch_indices", Bytes(numbers.data(), elements(numbers.shape())));
  const RoiForward<S, Rule> kernel(rule, read, image_view<layout>(input.data(), input.shape(), is_row_major<X>),
                                   image_view<layout>(y.data(), shape, is_row_major<X>));
  run_roi<S>(kernel, 16.0 * static_cast<double>(written.end - written.begin), Parallel<Device>(device));
}

/// dx for images of `shape`. `input` holds them, or is nullptr where averages need none.
template <Layout layout, class G, class B, class N, class Rule, class Output, PoolingDevice Device>
void roi_backward(const Function& function, const char* argument, const Extents<4>& shape, const ScalarOf<G>* input,
                  const G& dy, const B& boxes, const N& batch_indices, const Rule& rule, const Output& output,
                  const Device& device) {
  using S = ScalarOf<G>;
  const Operand<G> gradient(dy, device);
  const Operand<B> bounds(boxes, device);
  const Operand<N> numbers(batch_indices, device);
  const Extents<4> pooled = roi_shape<layout, S, DefaultIndexOf<G>>(function, argument, shape, bounds.shape()[0], rule);
  if (input == nullptr && rule.mode() != RoiMode::average && elements(shape) > 0)
    fail(function.name() + ": mode is a maximum, whose gradient needs the input: see _backward_from_input");
  require_shape(function, "gradient", gradient.shape(), pooled);
  const auto read = read_boxes(function, bounds, numbers, rule.scale(), shape[0], rule.is_ordered());
  auto& dx = output(shape);
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "boxes", Bytes(bounds.data(), elements(bounds.shape())));
  require_apart(function, "output", written, "batch_indices", Bytes(numbers.data(), elements(numbers.shape())));
  if (input != nullptr) require_apart(function, "output", written, "input", Bytes(input, elements(shape)));
  const RoiBackward<S, Rule> kernel(rule, read, image_view<layout>(input, shape, is_row_major<G>),
                                    image_view<layout>(gradient.data(), pooled, is_row_major<G>),
                                    image_view<layout>(dx.data(), shape, is_row_major<G>));
  run_roi<S>(kernel, static_cast<double>(written.end - written.begin), Parallel<Device>(device));
}

}  // namespace detail
EIGENPOOL_END
