// From a problem's run-time properties to template arguments.
#pragma once

#include "cases.hpp"

#include <Eigen/Core>

#include <cstdint>
#include <type_traits>

namespace bench {

template <Layout value>
using LayoutTag = std::integral_constant<Layout, value>;

// Calls f(a layout as a type); f's result must not depend on it.
template <typename F>
auto with_layout(Layout layout, const F& f) {
  return layout == Layout::channels_first ? f(LayoutTag<Layout::channels_first>{})
                                          : f(LayoutTag<Layout::channels_last>{});
}

// Calls f(a value of the index type).
template <typename F>
auto with_index(const Problem& problem, const F& f) {
  switch (problem.index_bytes()) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    default:
      return f(std::int64_t{});
  }
}

// Calls f(a value of the scalar type).
template <typename F>
auto with_scalar(Dtype dtype, const F& f) {
  switch (dtype) {
    case Dtype::f64:
      return f(double{});
    case Dtype::f16:
      return f(Eigen::half{});
    case Dtype::bf16:
      return f(Eigen::bfloat16{});
    case Dtype::u8:
      return f(std::uint8_t{});
    case Dtype::s8:
      return f(std::int8_t{});
    default:
      return f(float{});
  }
}

}  // namespace bench
