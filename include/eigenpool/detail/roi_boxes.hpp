// The boxes of a RoI pooling as a caller hands them in, checked, and the memory of its tensors.
#pragma once

#include <cmath>
#include <vector>

#include "indices.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// (K, 4): x1, y1, x2, y2.
template <class B>
concept BoxTensor = TensorLike<B> && std::floating_point<ScalarOf<B>> && rank_of<B>
== 2;
/// (K): the image of each box.
template <class B>
concept BatchIndexTensor = TensorLike<B> && FlatIndex<ScalarOf<B>> && rank_of<B>
== 1;
/// (N, C, H, W), of real numbers.
template <class X>
concept Images = Differentiable<X> && rank_of<X>
== 4;

/// A box in cells of the input: vertical bounds, then horizontal ones.
struct Box {
  Index image;
  std::array<double, 2> begin, end;
};

/// Bounds of larger magnitude are refused, so that positions are exact to a millionth of a cell and counts fit 64 bits.
inline constexpr double most_cells = 0x1p31;

inline void require_scale(const Function& function, double scale) {
  if (!(scale > 0 && std::isfinite(scale)))
    fail(function.name() + ": spatial_scale is " + std::to_string(scale) + ", must be finite and above 0");
}

/// The caller's boxes times `scale`; `images` is the batch's extent. `ordered`: a box may not end before it begins.
template <class B, class N>
std::vector<Box> read_boxes(const Function& function, const Operand<B>& boxes, const Operand<N>& batch_indices,
                            double scale, Index images, bool ordered) {
  const Index count = boxes.shape()[0], numbers = boxes.shape()[1];
  if (numbers != 4) fail_axis(function, "boxes", 1, numbers, "expected 4");
  require_shape(function, "batch_indices", batch_indices.shape(), {count});
  const auto bound_of = [&](Index k, Index j) {
    return static_cast<double>(boxes.data()[is_row_major<B> ? k * 4 + j : j * count + k]);
  };
  const auto fail_bound = [&](Index k, Index j, const std::string& reason) {
    fail(function.name() + ": boxes(" + std::to_string(k) + ", " + std::to_string(j) + ") is " +
         std::to_string(bound_of(k, j)) + ", " + reason);
  };
  std::vector<Box> result(static_cast<std::size_t>(count));
  for (Index k = 0; k < count; ++k) {
    Box& box = result[static_cast<std::size_t>(k)];
    box.image = static_cast<Index>(batch_indices.data()[k]);
    if (box.image < 0 || box.image >= images)
      fail(function.name() + ": batch_indices(" + std::to_string(k) + ") is " + std::to_string(box.image) +
           ", must be from 0 to " + std::to_string(images - 1));
    for (Index j = 0; j < 4; ++j) {
      const double scaled = bound_of(k, j) * scale;
      if (!(std::abs(scaled) < most_cells)) fail_bound(k, j, "must be finite and, scaled, below 2^31");
      (j < 2 ? box.begin : box.end)[static_cast<std::size_t>(j % 2 == 0)] = scaled;
    }
    for (Index j = 2; ordered && j < 4; ++j)
      if (bound_of(k, j) < bound_of(k, j - 2))
        fail_bound(k, j, "must not be less than the box's beginning " + std::to_string(bound_of(k, j - 2)));
  }
  return result;
}

/// A tensor of images: its extents (N, C, H, W), and the elements from one index to the next on each axis.
template <class S>
struct ImageView {
  S* data;
  Extents<4> extents, stride;

  S* plane(Index image, Index channel) const { return data + image * stride[0] + channel * stride[1]; }
};

/// Where the logical axes N, C, H and W are among a tensor's.
template <Layout layout>
constexpr std::array<std::size_t, 4> image_axes() {
  if (layout == channels_last) return {0, 3, 1, 2};
  return {0, 1, 2, 3};
}

template <Layout layout>
Extents<4> image_extents(const Extents<4>& shape) {
  Extents<4> extents{};
  for (std::size_t a = 0; a < 4; ++a) extents[a] = shape[image_axes<layout>()[a]];
  return extents;
}

/// The shape of a tensor of such extents.
template <Layout layout>
Extents<4> image_shape(const Extents<4>& extents) {
  Extents<4> shape{};
  for (std::size_t a = 0; a < 4; ++a) shape[image_axes<layout>()[a]] = extents[a];
  return shape;
}

template <Layout layout, class S>
ImageView<S> image_view(S* data, const Extents<4>& shape, bool row_major) {
  Extents<4> step{};
  Index next = 1;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t a = row_major ? 3 - i : i;
    step[a] = next;
    next *= shape[a];
  }
  return {data, image_extents<layout>(shape), image_extents<layout>(step)};
}

}  // namespace detail
EIGENPOOL_END
