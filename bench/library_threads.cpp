#include "library_threads.hpp"

#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

struct Pool {
  explicit Pool(int count) : threads(count), device(&threads, count) {}
  Eigen::ThreadPool threads;
  Eigen::ThreadPoolDevice device;
};
std::unique_ptr<Pool> pool;

template <int D, Layout layout>
Run fixed(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  const eigenpool::AvgOptions options{.count_include_pad = c.count_include_pad, .divisor_override = {}};
  return [=, x = tensor<float, D>(buffers.source, c, c.in, layout),
          y = tensor<float, D>(buffers.result, c, c.out, layout), w = window<D>(c), is_max = c.is_max()]() mutable {
    const Eigen::ThreadPoolDevice& device = pool->device;
    if constexpr (D == 1) {
      if (is_max) eigenpool::max_pool1d_into<layout>(y, x, w, device);
      if (!is_max) eigenpool::avg_pool1d_into<layout>(y, x, w, options, device);
    } else if constexpr (D == 2) {
      if (is_max) eigenpool::max_pool2d_into<layout>(y, x, w, device);
      if (!is_max) eigenpool::avg_pool2d_into<layout>(y, x, w, options, device);
    } else {
      if (is_max) eigenpool::max_pool3d_into<layout>(y, x, w, device);
      if (!is_max) eigenpool::avg_pool3d_into<layout>(y, x, w, options, device);
    }
  };
}

template <Layout layout>
Run adaptive(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, 2>(buffers.source, c, c.in, layout), y = tensor<float, 2>(buffers.result, c, c.out, layout),
          size = eigenpool::OutputSize<2>{c.out[1], c.out[2]}, is_max = c.is_max()]() mutable {
    if (is_max) eigenpool::adaptive_max_pool2d_into<layout>(y, x, size, pool->device);
    if (!is_max) eigenpool::adaptive_avg_pool2d_into<layout>(y, x, size, pool->device);
  };
}

template <Layout layout>
Run global(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  return [x = tensor<float, 2>(buffers.source, c, c.in, layout),
          y = Map<float, 2>(buffers.result.as<float>(), c.n, c.c), is_max = c.is_max()]() mutable {
    if (is_max) eigenpool::global_max_pool_into<layout>(y, x, pool->device);
    if (!is_max) eigenpool::global_avg_pool_into<layout>(y, x, pool->device);
  };
}

template <Layout layout>
Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if ((c.is_adaptive() || c.is_global()) && c.axes != 2) return {};
  if (c.is_adaptive()) return adaptive<layout>(problem, buffers);
  if (c.is_global()) return global<layout>(problem, buffers);
  if (c.axes == 1) return fixed<1, layout>(problem, buffers);
  return c.axes == 2 ? fixed<2, layout>(problem, buffers) : fixed<3, layout>(problem, buffers);
}

}  // namespace

void set_threads(int count) { pool = std::make_unique<Pool>(count); }

Run make_eigenpool_on_threads(const Problem& problem, const Buffers& buffers) {
  return with_layout(problem.layout, [&](auto layout) { return make<layout.value>(problem, buffers); });
}

}  // namespace bench
