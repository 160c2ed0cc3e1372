#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

eigenpool::AvgOptions options(const Case& c) {
  return {.count_include_pad = c.count_include_pad, .divisor_override = {}};
}

template <int D, Layout layout>
Run forward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, D>(buffers.source, c, c.in, layout), y = tensor<float, D>(buffers.result, c, c.out, layout),
          w = window<D>(c), o = options(c)]() mutable {
    if constexpr (D == 1) eigenpool::avg_pool1d_into<layout>(y, x, w, o);
    if constexpr (D == 2) eigenpool::avg_pool2d_into<layout>(y, x, w, o);
    if constexpr (D == 3) eigenpool::avg_pool3d_into<layout>(y, x, w, o);
  };
}

template <int D, Layout layout>
Run backward(const Problem& problem, const Buffers& buffers) {
  if constexpr (D == 2) {
    const Case& c = problem.c;
    return [dy = tensor<float, 2>(buffers.source, c, c.out, layout),
            dx = tensor<float, 2>(buffers.result, c, c.in, layout), w = window<2>(c),
            o = options(c)]() mutable { eigenpool::avg_pool2d_backward_into<layout>(dx, dy, w, o); };
  }
  return {};
}

template <int D>
Run make(const Problem& problem, const Buffers& buffers) {
  return with_layout(problem.layout, [&](auto layout) {
    return problem.is_backward() ? backward<D, layout.value>(problem, buffers)
                                 : forward<D, layout.value>(problem, buffers);
  });
}

}  // namespace

Run library_average(const Problem& problem, const Buffers& buffers) {
  switch (problem.c.axes) {
    case 1:
      return make<1>(problem, buffers);
    case 2:
      return make<2>(problem, buffers);
    default:
      return make<3>(problem, buffers);
  }
}

}  // namespace bench
