// XNNPACK: channels last, one and two spatial axes, and the global average of channels first. Operators are created
// and set up beforehand. Its averages leave padding out of the divisor.
#include "peers.hpp"

#include <xnnpack.h>

#include <cstdint>
#include <limits>
#include <stdexcept>

namespace bench {
namespace {

using Operator = std::shared_ptr<xnn_operator>;

// Calls create(the operator's address); null: not for these parameters or this machine.
template <typename Create>
Operator created(const Create& create) {
  xnn_operator_t made = nullptr;
  if (create(&made) != xnn_status_success) return {};
  return {made, [](xnn_operator_t op) { xnn_delete_operator(op); }};
}

Run execution(const Operator& made, xnn_status setup) {
  if (setup != xnn_status_success) throw std::runtime_error("XNNPACK refuses to set up an operator");
  return [made] { xnn_run_operator(made.get(), nullptr); };
}

// Sizes as XNNPACK takes them: of the last two spatial axes.
struct Picture {
  std::uint32_t top, right, bottom, left, kernel_h, kernel_w, stride_h, stride_w;
  std::size_t n, c, h, w;

  explicit Picture(const Case& source)
      : n(static_cast<std::size_t>(source.n)),
        c(static_cast<std::size_t>(source.c)),
        h(static_cast<std::size_t>(source.in[1])),
        w(static_cast<std::size_t>(source.in[2])) {
    const auto number = [](Index value) { return static_cast<std::uint32_t>(value); };
    const PlainWindow window = plain_window(source);
    top = number(window.padding[1]), bottom = number(window.padding_after[1]);
    left = number(window.padding[2]), right = number(window.padding_after[2]);
    kernel_h = number(window.kernel[1]), kernel_w = number(window.kernel[2]);
    stride_h = number(window.stride[1]), stride_w = number(window.stride[2]);
  }
};

// Value is how a call passes a number of type T: itself, or float for half.
template <typename T, typename Create, typename Setup, typename Value>
Run max_pool(const Problem& problem, const Buffers& buffers, Create create, Setup setup, Value lowest, Value highest) {
  const Picture p(problem.c);
  const Operator made = created([&](xnn_operator_t* into) {
    return create(p.top, p.right, p.bottom, p.left, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w, 1, 1, p.c, p.c, p.c,
                  lowest, highest, 0, into);
  });
  if (!made) return {};
  return execution(made, setup(made.get(), p.n, p.h, p.w, buffers.source.as<T>(), buffers.result.as<T>(), nullptr));
}

constexpr float infinity = std::numeric_limits<float>::infinity();

Run max_pool_of_type(const Problem& problem, const Buffers& buffers) {
  switch (problem.dtype) {
    case Dtype::f32:
      return max_pool<float>(problem, buffers, &xnn_create_max_pooling2d_nhwc_f32, &xnn_setup_max_pooling2d_nhwc_f32,
                             -infinity, infinity);
    case Dtype::f16:
      return max_pool<void>(problem, buffers, &xnn_create_max_pooling2d_nhwc_f16, &xnn_setup_max_pooling2d_nhwc_f16,
                            -infinity, infinity);
    case Dtype::u8:
      return max_pool<std::uint8_t>(problem, buffers, &xnn_create_max_pooling2d_nhwc_u8,
                                    &xnn_setup_max_pooling2d_nhwc_u8, std::uint8_t{0}, std::uint8_t{255});
    case Dtype::s8:
      return max_pool<std::int8_t>(problem, buffers, &xnn_create_max_pooling2d_nhwc_s8,
                                   &xnn_setup_max_pooling2d_nhwc_s8, std::int8_t{-128}, std::int8_t{127});
    default:
      return {};
  }
}

Run average_f32(const Problem& problem, const Buffers& buffers) {
  const Picture p(problem.c);
  const Operator made = created([&](xnn_operator_t* into) {
    return xnn_create_average_pooling2d_nhwc_f32(p.top, p.right, p.bottom, p.left, p.kernel_h, p.kernel_w, p.stride_h,
                                                 p.stride_w, p.c, p.c, p.c, -infinity, infinity, 0, into);
  });
  if (!made) return {};
  return execution(made, xnn_setup_average_pooling2d_nhwc_f32(made.get(), p.n, p.h, p.w, buffers.source.as<float>(),
                                                              buffers.result.as<float>(), nullptr));
}

Run average_u8(const Problem& problem, const Buffers& buffers) {
  const Picture p(problem.c);
  const Operator made = created([&](xnn_operator_t* into) {
    return xnn_create_average_pooling2d_nhwc_qu8(p.top, p.right, p.bottom, p.left, p.kernel_h, p.kernel_w, p.stride_h,
                                                 p.stride_w, p.c, p.c, p.c, 0, 1, 0, 1, 0, 255, 0, into);
  });
  if (!made) return {};
  return execution(made,
                   xnn_setup_average_pooling2d_nhwc_qu8(made.get(), p.n, p.h, p.w, buffers.source.as<std::uint8_t>(),
                                                        buffers.result.as<std::uint8_t>(), nullptr));
}

Run average_pool(const Problem& problem, const Buffers& buffers) {
  const bool divides_by_padding = problem.c.count_include_pad && problem.c.padding != Case::Extents{};
  if (divides_by_padding || has_overhang(problem.c)) return {};
  if (problem.dtype == Dtype::u8) return average_u8(problem, buffers);
  return problem.dtype == Dtype::f32 ? average_f32(problem, buffers) : Run{};
}

template <typename T, typename Create, typename Setup>
Run global_average(const Problem& problem, const Buffers& buffers, const Create& create, Setup setup) {
  const Picture p(problem.c);
  const Operator made = created([&](xnn_operator_t* into) { return create(p.c, into); });
  if (!made) return {};
  return execution(made, setup(made.get(), p.n, p.h * p.w, buffers.source.as<T>(), buffers.result.as<T>(), nullptr));
}

Run global_average_last(const Problem& problem, const Buffers& buffers) {
  switch (problem.dtype) {
    case Dtype::f32: {
      const auto create = [](std::size_t c, xnn_operator_t* into) {
        return xnn_create_global_average_pooling_nwc_f32(c, c, c, -infinity, infinity, 0, into);
      };
      return global_average<float>(problem, buffers, create, &xnn_setup_global_average_pooling_nwc_f32);
    }
    case Dtype::f16: {
      const auto create = [](std::size_t c, xnn_operator_t* into) {
        return xnn_create_global_average_pooling_nwc_f16(c, c, c, -infinity, infinity, 0, into);
      };
      return global_average<void>(problem, buffers, create, &xnn_setup_global_average_pooling_nwc_f16);
    }
    case Dtype::u8: {
      const auto create = [](std::size_t c, xnn_operator_t* into) {
        return xnn_create_global_average_pooling_nwc_qu8(c, c, c, 0, 1, 0, 1, 0, 255, 0, into);
      };
      return global_average<std::uint8_t>(problem, buffers, create, &xnn_setup_global_average_pooling_nwc_qu8);
    }
    case Dtype::s8: {
      const auto create = [](std::size_t c, xnn_operator_t* into) {
        return xnn_create_global_average_pooling_nwc_qs8(c, c, c, 0, 1, 0, 1, -128, 127, 0, into);
      };
      return global_average<std::int8_t>(problem, buffers, create, &xnn_setup_global_average_pooling_nwc_qs8);
    }
    default:
      return {};
  }
}

Run global_average_first(const Problem& problem, const Buffers& buffers) {
  if (problem.dtype != Dtype::f32) return {};
  const auto create = [](std::size_t c, xnn_operator_t* into) {
    return xnn_create_global_average_pooling_ncw_f32(c, -infinity, infinity, 0, into);
  };
  return global_average<float>(problem, buffers, create, &xnn_setup_global_average_pooling_ncw_f32);
}

Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (problem.direction != Direction::forward || c.axes == 3 || !plain_window(c).exists) return {};
  const bool last = problem.layout == Layout::channels_last;
  if (c.op == Op::global_average) {
    return last ? global_average_last(problem, buffers) : global_average_first(problem, buffers);
  }
  if (!last) return {};
  return c.is_max() ? max_pool_of_type(problem, buffers) : average_pool(problem, buffers);
}

}  // namespace

Peer xnnpack_peer() {
  if (xnn_initialize(nullptr) != xnn_status_success) throw std::runtime_error("XNNPACK does not run on this machine");
  return {peer_kind("XNNPACK", &make), EIGENPOOL_BENCH_XNNPACK_VERSION};
}

}  // namespace bench
