// A case's numbers as Eigen tensors, and the tensors' types that a case is run with.
#pragma once

#ifndef EIGEN_USE_THREADS
#define EIGEN_USE_THREADS
#endif

#include <eigenpool/eigenpool.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../sharing_pool.hpp"
#include "memory_form.hpp"
#include "pool_case.hpp"

namespace conformance {

using eigenpool::Layout;

template <class Scalar>
inline constexpr Dtype dtype_of = std::is_same_v<Scalar, float>    ? Dtype::f32
                                  : std::is_same_v<Scalar, double> ? Dtype::f64
                                                                   : Dtype::u8;

/// The type's side of a MemoryForm. A form without a batch axis calls fewer of the functions.
template <int rank_, bool batched_, Layout layout_, int order_>
struct Form {
  static constexpr int rank = rank_;
  static constexpr bool batched = batched_;
  static constexpr Layout layout = layout_;
  static constexpr int order = order_;
  static constexpr bool plain = batched && layout == Layout::channels_first && order == Eigen::RowMajor;
  template <class Scalar>
  using Tensor = Eigen::Tensor<Scalar, rank, order>;

  static MemoryForm memory() {
    return {
        .channels_last = layout == Layout::channels_last, .column_major = order == Eigen::ColMajor, .batched = batched};
  }
};

/// A tensor of the form for the extents (N, C, spatial...), filled with a number that no result should keep.
template <class Scalar, class Form>
auto filled_tensor(const Extents& extents) {
  const Extents in_order = Form::memory().tensor_extents(extents);
  std::array<Eigen::Index, static_cast<std::size_t>(Form::rank)> dimensions{};
  for (std::size_t axis = 0; axis < dimensions.size(); ++axis) dimensions[axis] = in_order[axis];
  typename Form::template Tensor<Scalar> tensor(dimensions);
  std::fill_n(tensor.data(), tensor.size(), Scalar(77));
  return tensor;
}

template <class Scalar>
void write_values(const Array& array, const MemoryForm& form, Scalar* data) {
  const auto places = form.places(array.extents);
  for (std::size_t i = 0; i < places.size(); ++i) data[places[i]] = static_cast<Scalar>(array.values[i]);
}

template <class Scalar>
Array read_values(const Extents& tensor_extents, const MemoryForm& form, const Scalar* data) {
  Array array{form.logical_extents(tensor_extents), {}};
  for (const std::size_t place : form.places(array.extents)) array.values.push_back(static_cast<double>(data[place]));
  return array;
}

template <class Scalar, class Form>
auto to_tensor(const Array& array) {
  auto tensor = filled_tensor<Scalar, Form>(array.extents);
  write_values(array, Form::memory(), tensor.data());
  return tensor;
}

template <class Form, class Tensor>
Array to_array(const Tensor& tensor) {
  const auto& dimensions = tensor.dimensions();
  return read_values({dimensions.begin(), dimensions.end()}, Form::memory(), tensor.data());
}

/// Two threads, for the calls that take a device.
inline const Eigen::ThreadPoolDevice& two_threads() {
  static harness::SharingPool pool(2);
  static const Eigen::ThreadPoolDevice device(&pool, 2);
  return device;
}

/// run.template operator()<Form>() for the four combinations of layout and storage order, and again without the
/// batch axis where the case has none.
template <int D, bool may_lack_batch, class Run>
void in_every_form(const PoolCase& of, Run&& run) {
  const auto combinations = [&]<int rank, bool batched>() {
    run.template operator()<Form<rank, batched, Layout::channels_first, Eigen::RowMajor>>();
    run.template operator()<Form<rank, batched, Layout::channels_first, Eigen::ColMajor>>();
    run.template operator()<Form<rank, batched, Layout::channels_last, Eigen::RowMajor>>();
    run.template operator()<Form<rank, batched, Layout::channels_last, Eigen::ColMajor>>();
  };
  combinations.template operator()<D + 2, true>();
  if constexpr (may_lack_batch) {
    if (!of.batched) combinations.template operator()<D + 1, false>();
  }
}

/// run.template operator()<D, Scalar>() for the case's rank and type.
template <class... Scalars, class Run>
void with_rank_and_type(const PoolCase& of, Run&& run) {
  const auto with_type = [&]<int D, class Scalar>() {
    if (of.dtype == dtype_of<Scalar>) run.template operator()<D, Scalar>();
  };
  if (of.spatial_rank == 1) (with_type.template operator()<1, Scalars>(), ...);
  if (of.spatial_rank == 2) (with_type.template operator()<2, Scalars>(), ...);
  if (of.spatial_rank == 3) (with_type.template operator()<3, Scalars>(), ...);
}

/// The Window of the case's attributes.
template <int D>
eigenpool::Window<D> make_window(const WindowAttributes& attributes) {
  const auto sizes = [](const Extents& entries) {
    eigenpool::Sizes<D> result;
    for (int axis = 0; axis < D; ++axis) result[axis] = entries[static_cast<std::size_t>(axis)];
    return result;
  };
  return {.kernel = sizes(attributes.kernel),
          .stride = sizes(attributes.stride),
          .padding = {sizes(attributes.pad_begin), sizes(attributes.pad_end)},
          .dilation = sizes(attributes.dilation),
          .ceil_mode = attributes.ceil_mode};
}

template <int D>
eigenpool::OutputSize<D> make_output_size(const Extents& extents) {
  eigenpool::OutputSize<D> result = 0;
  for (std::size_t axis = 0; axis < D; ++axis) result.values[axis] = extents[axis];
  return result;
}

/// run(window), with the pads as numbers and then, where the case has a SAME mode, with that.
template <int D, class Run>
void with_each_padding(const WindowAttributes& attributes, Run&& run) {
  auto window = make_window<D>(attributes);
  run(window);
  if (attributes.auto_pad == AutoPad::none) return;
  window.padding = attributes.auto_pad == AutoPad::same_upper ? eigenpool::same_upper : eigenpool::same_lower;
  run(window);
}

}  // namespace conformance
