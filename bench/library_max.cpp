#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

template <int D, Layout layout>
Run forward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, D>(buffers.source, c, c.in, layout), y = tensor<float, D>(buffers.result, c, c.out, layout),
          w = window<D>(c)]() mutable {
    if constexpr (D == 1) eigenpool::max_pool1d_into<layout>(y, x, w);
    if constexpr (D == 2) eigenpool::max_pool2d_into<layout>(y, x, w);
    if constexpr (D == 3) eigenpool::max_pool3d_into<layout>(y, x, w);
  };
}

template <int D, Layout layout, typename I>
Run forward_with_indices(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, D>(buffers.source, c, c.in, layout), y = tensor<float, D>(buffers.result, c, c.out, layout),
          indices = tensor<I, D>(buffers.indices, c, c.out, layout), w = window<D>(c)]() mutable {
    if constexpr (D == 1) eigenpool::max_pool1d_with_indices_into<layout>(y, indices, x, w);
    if constexpr (D == 2) eigenpool::max_pool2d_with_indices_into<layout>(y, indices, x, w);
    if constexpr (D == 3) eigenpool::max_pool3d_with_indices_into<layout>(y, indices, x, w);
  };
}

template <Layout layout, typename I>
Run backward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return
      [dy = tensor<float, 2>(buffers.source, c, c.out, layout), dx = tensor<float, 2>(buffers.result, c, c.in, layout),
       indices = tensor<I, 2>(buffers.indices, c, c.out, layout),
       w = window<2>(c)]() mutable { eigenpool::max_pool2d_backward_into<layout>(dx, dy, indices, w); };
}

template <int D, Layout layout>
Run indexed(const Problem& problem, const Buffers& buffers) {
  return with_index(problem, [&](auto index) -> Run {
    using I = decltype(index);
    if constexpr (D == 2 || !std::is_same_v<I, std::uint16_t>) {
      if (!problem.is_backward()) return forward_with_indices<D, layout, I>(problem, buffers);
    }
    if constexpr (D == 2 && !std::is_same_v<I, std::uint16_t>) {
      if (problem.is_backward()) return backward<layout, I>(problem, buffers);
    }
    return {};
  });
}

template <int D>
Run make(const Problem& problem, const Buffers& buffers) {
  return with_layout(problem.layout, [&](auto layout) {
    return problem.direction == Direction::forward ? forward<D, layout.value>(problem, buffers)
                                                   : indexed<D, layout.value>(problem, buffers);
  });
}

}  // namespace

Run library_max(const Problem& problem, const Buffers& buffers) {
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
