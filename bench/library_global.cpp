#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

// The results have rank 2, (N, C).
template <typename T>
Map<T, 2> channels(const Block& block, const Case& c) {
  return {block.as<T>(), c.n, c.c};
}

template <Layout layout, typename I>
Run indexed(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  auto indices = channels<I>(buffers.indices, c);
  if (problem.is_backward()) {
    return
        [=, dy = channels<float>(buffers.source, c), dx = tensor<float, 2>(buffers.result, c, c.in, layout)]() mutable {
          eigenpool::global_max_pool_backward_into<layout>(dx, dy, indices);
        };
  }
  return [=, x = tensor<float, 2>(buffers.source, c, c.in, layout), y = channels<float>(buffers.result, c)]() mutable {
    eigenpool::global_max_pool_with_indices_into<layout>(y, indices, x);
  };
}

template <Layout layout>
Run forward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, 2>(buffers.source, c, c.in, layout), y = channels<float>(buffers.result, c),
          is_max = c.is_max()]() mutable {
    if (is_max) eigenpool::global_max_pool_into<layout>(y, x);
    if (!is_max) eigenpool::global_avg_pool_into<layout>(y, x);
  };
}

template <Layout layout>
Run average_backward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [dy = channels<float>(buffers.source, c), dx = tensor<float, 2>(buffers.result, c, c.in, layout)]() mutable {
    eigenpool::global_avg_pool_backward_into<layout>(dx, dy);
  };
}

}  // namespace

Run library_global(const Problem& problem, const Buffers& buffers) {
  if (problem.c.axes != 2 || problem.index_bytes() == 2) return {};
  return with_layout(problem.layout, [&](auto layout) -> Run {
    if (problem.direction == Direction::forward) return forward<layout.value>(problem, buffers);
    if (!problem.c.is_max()) return average_backward<layout.value>(problem, buffers);
    return problem.index_bytes() == 1 ? indexed<layout.value, std::uint8_t>(problem, buffers)
                                      : indexed<layout.value, std::int64_t>(problem, buffers);
  });
}

}  // namespace bench
