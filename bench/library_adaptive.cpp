#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

template <Layout layout, typename I>
Run indexed(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  auto indices = tensor<I, 2>(buffers.indices, c, c.out, layout);
  if (problem.is_backward()) {
    return [=, dy = tensor<float, 2>(buffers.source, c, c.out, layout),
            dx = tensor<float, 2>(buffers.result, c, c.in, layout)]() mutable {
      eigenpool::adaptive_max_pool2d_backward_into<layout>(dx, dy, indices);
    };
  }
  return
      [=, x = tensor<float, 2>(buffers.source, c, c.in, layout), y = tensor<float, 2>(buffers.result, c, c.out, layout),
       size = eigenpool::OutputSize<2>{c.out[1], c.out[2]}]() mutable {
        eigenpool::adaptive_max_pool2d_with_indices_into<layout>(y, indices, x, size);
      };
}

template <Layout layout>
Run forward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, 2>(buffers.source, c, c.in, layout), y = tensor<float, 2>(buffers.result, c, c.out, layout),
          size = eigenpool::OutputSize<2>{c.out[1], c.out[2]}, is_max = c.is_max()]() mutable {
    if (is_max) eigenpool::adaptive_max_pool2d_into<layout>(y, x, size);
    if (!is_max) eigenpool::adaptive_avg_pool2d_into<layout>(y, x, size);
  };
}

template <Layout layout>
Run average_backward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [dy = tensor<float, 2>(buffers.source, c, c.out, layout),
          dx = tensor<float, 2>(buffers.result, c, c.in, layout)]() mutable {
    eigenpool::adaptive_avg_pool2d_backward_into<layout>(dx, dy);
  };
}

}  // namespace

Run library_adaptive(const Problem& problem, const Buffers& buffers) {
  if (problem.c.axes != 2 || problem.index_bytes() == 2) return {};
  return with_layout(problem.layout, [&](auto layout) -> Run {
    if (problem.direction == Direction::forward) return forward<layout.value>(problem, buffers);
    if (!problem.c.is_max()) return average_backward<layout.value>(problem, buffers);
    return problem.index_bytes() == 1 ? indexed<layout.value, std::uint8_t>(problem, buffers)
                                      : indexed<layout.value, std::int64_t>(problem, buffers);
  });
}

}  // namespace bench
