// The tensors that a function writes: new ones, or the caller's.
#pragma once

#include "tensor.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// What gives the tensor to write once its shape is known: a new one in `result`, or the caller's, whose shape is
/// checked.
template <class Tensor>
auto new_tensor(Tensor& result) {
  return [&result](const auto& shape) -> auto& {
    result = make_tensor<Tensor>(shape);
    return result;
  };
}
template <class Tensor>
auto given_tensor(const Function& function, Tensor& result) {
  return [ function, &result ](const auto& shape) -> auto& {
    require_shape(function, "output", shape_of(result), shape);
    return result;
  };
}

}  // namespace detail
EIGENPOOL_END
