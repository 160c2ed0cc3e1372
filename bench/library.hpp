// The library's calls on a problem's memory.
#pragma once

#include "contender.hpp"

#include <eigenpool/eigenpool.hpp>

#include <array>
#include <cstdint>

namespace bench {

// One function a file, since each instantiates many kernels. An empty Run: not built for this type or rank.
Run library_max(const Problem& problem, const Buffers& buffers);
Run library_average(const Problem& problem, const Buffers& buffers);
Run library_adaptive(const Problem& problem, const Buffers& buffers);
Run library_global(const Problem& problem, const Buffers& buffers);
Run library_floats(const Problem& problem, const Buffers& buffers);    // double, half, bfloat16
Run library_integers(const Problem& problem, const Buffers& buffers);  // 8 bits

template <typename T, int rank>
using Map = Eigen::TensorMap<Eigen::Tensor<T, rank, Eigen::RowMajor>>;

// N C S... or N S... C, of the last D of three extents.
template <int D>
std::array<Index, D + 2> tensor_shape(const Case& c, const Case::Extents& extents, Layout layout) {
  std::array<Index, D + 2> shape{};
  const bool last = layout == Layout::channels_last;
  shape[0] = c.n;
  shape[last ? D + 1 : 1] = c.c;
  for (std::size_t axis = 0; axis < D; ++axis) shape[axis + (last ? 1 : 2)] = extents[axis + 3 - D];
  return shape;
}

template <typename T, int D>
Map<T, D + 2> tensor(const Block& block, const Case& c, const Case::Extents& extents, Layout layout) {
  return {block.as<T>(), tensor_shape<D>(c, extents, layout)};
}

template <int D>
eigenpool::Sizes<D> sizes(const Case::Extents& extents) {
  eigenpool::Sizes<D> result;
  for (int axis = 0; axis < D; ++axis) result[axis] = extents[static_cast<std::size_t>(axis + 3 - D)];
  return result;
}

template <int D>
eigenpool::Window<D> window(const Case& c) {
  const auto padding = sizes<D>(c.padding);
  return {.kernel = sizes<D>(c.kernel),
          .stride = sizes<D>(c.stride),
          .padding = {padding, padding},
          .dilation = sizes<D>(c.dilation),
          .ceil_mode = c.ceil_mode};
}

}  // namespace bench
