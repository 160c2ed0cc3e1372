// Types other than float: the forward passes of the operators that the table names them for.
#pragma once

#include "dispatch.hpp"
#include "library.hpp"

namespace bench::other_types {

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

template <typename T>
Run make(const Problem& problem, const Buffers& buffers) {
  return with_layout(problem.layout, [&](auto layout) { return forward<T, layout.value>(problem, buffers); });
}

}  // namespace bench::other_types
