// Global poolings give and take (N, C) tensors as well as (N, C, 1, ...) ones.
#pragma once

#include <cstddef>

#include "tensors.hpp"

namespace conformance {

/// The form of a result (N, C) whose input has the given form: two axes, so channels first and last are the same.
template <class Form_>
using Rank2Form = Form<2, true, Layout::channels_first, Form_::order>;

template <class Scalar, class Form>
auto to_rank2(const Array& array) {
  return to_tensor<Scalar, Rank2Form<Form>>({{array.extents[0], array.extents[1]}, array.values});
}

/// With the spatial extents of 1 that the file's tensors have.
template <class Form, class Tensor>
Array from_rank2(const Tensor& tensor) {
  Array array = to_array<Rank2Form<Form>>(tensor);
  array.extents.resize(static_cast<std::size_t>(Form::rank), 1);
  return array;
}

/// Two forms that between them have both layouts and both storage orders; not where an error is expected.
template <int D, class Run>
void in_rank2_forms(const PoolCase& of, Run&& run) {
  if (of.expects_error) return;
  run.template operator()<Form<D + 2, true, Layout::channels_first, Eigen::RowMajor>>();
  run.template operator()<Form<D + 2, true, Layout::channels_last, Eigen::ColMajor>>();
}

}  // namespace conformance
