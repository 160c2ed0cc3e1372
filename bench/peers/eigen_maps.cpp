// What an Eigen user writes without the Tensor module: maps onto the channels of a cell, combined tap by tap, and onto
// a channel's plane, reduced whole. Forward passes of float.
#include "peers.hpp"

#include "../naive.hpp"

namespace bench {
namespace {

// A matrix with a column for each picture's channel.
Run global_pool(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  const Eigen::Map<const Eigen::ArrayXXf> x(buffers.source.as<float>(), c.taps(), c.n * c.c);
  return [x, y = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>(buffers.result.as<float>(), c.n * c.c),
          is_max = c.is_max()]() mutable {
    if (is_max) y = x.colwise().maxCoeff();
    if (!is_max) y = x.colwise().mean();
  };
}

void pool_cell(const Case& c, const naive::Window& window, const float* picture, Eigen::Map<Eigen::ArrayXf> y) {
  y.setConstant(c.is_max() ? Eigen::NumTraits<float>::lowest() : 0.0f);
  naive::for_each_cell(c, window, [&](Index cell, Index, Index, Index) {
    const Eigen::Map<const Eigen::ArrayXf> x(picture + cell * c.c, c.c);
    if (c.is_max()) y = y.max(x);
    if (!c.is_max()) y += x;
  });
  if (!c.is_max()) y /= static_cast<float>(naive::divisor_of(window));
}

void pool_channels(const Case& c, const float* x, float* y) {
  const Index picture = c.in[0] * c.in[1] * c.in[2] * c.c;
  for (Index n = 0; n < c.n; ++n) {
    for (Index i0 = 0; i0 < c.out[0]; ++i0) {
      for (Index i1 = 0; i1 < c.out[1]; ++i1) {
        for (Index i2 = 0; i2 < c.out[2]; ++i2, y += c.c) {
          const naive::Window window{naive::range_of(c, 0, i0), naive::range_of(c, 1, i1), naive::range_of(c, 2, i2)};
          pool_cell(c, window, x + n * picture, {y, c.c});
        }
      }
    }
  }
}

Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (problem.direction != Direction::forward || problem.dtype != Dtype::f32) return {};
  if (problem.layout == Layout::channels_first) return c.is_global() ? global_pool(problem, buffers) : Run{};
  return [c, x = buffers.source.as<float>(), y = buffers.result.as<float>()] { pool_channels(c, x, y); };
}

}  // namespace

Peer eigen_maps_peer() {
  return {peer_kind("Eigen", &make), std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                                         "." + std::to_string(EIGEN_MINOR_VERSION)};
}

}  // namespace bench
