// Types other than float: the forward passes of the operators that the table names them for.
#include "dispatch.hpp"
#include "library.hpp"

namespace bench {
namespace {

template <typename T, Layout layout>
Run forward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  const auto x = tensor<T, 2>(buffers.source, c, c.in, layout);
  if (c.op == Op::global_average) {
    return [=, y = Map<T, 2>(buffers.result.as<T>(), c.n, c.c)]() mutable {
      eigenpool::global_avg_pool_into<layout>(y, x);
    };
  }
  auto y = tensor<T, 2>(buffers.result, c, c.out, layout);
  const auto w = window<2>(c);
  if (c.op == Op::max) return [=]() mutable { eigenpool::max_pool2d_into<layout>(y, x, w); };
  const eigenpool::AvgOptions options{.count_include_pad = c.count_include_pad, .divisor_override = {}};
  return [=]() mutable { eigenpool::avg_pool2d_into<layout>(y, x, w, options); };
}

}  // namespace

Run library_other_types(const Problem& problem, const Buffers& buffers) {
  const Op op = problem.c.op;
  const bool built = op == Op::max || op == Op::average || op == Op::global_average;
  if (!built || problem.c.axes != 2 || problem.direction != Direction::forward) return {};
  return with_layout(problem.layout, [&](auto layout) {
    return with_scalar(problem.dtype, [&](auto value) -> Run {
      using T = decltype(value);
      if constexpr (std::is_same_v<T, float>)
        return {};  // the other files have it
      else
        return forward<T, layout.value>(problem, buffers);
    });
  });
}

}  // namespace bench
