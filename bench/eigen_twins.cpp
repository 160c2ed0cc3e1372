// What a user of Eigen alone would write: Tensor expressions, where one says the same thing in one go.
//   windows side by side, adaptive ones that divide, global  a reshape that gives each window axes of its own, reduced
//   other windows in 2-D and 3-D                             extract_image_patches, extract_volume_patches, reduced
//   averages' backward                                       the mirror images: a broadcast, patches of dy
// No such expression exists for uneven adaptive windows, count_include_pad = false, flat indices in a window, or the
// backward of a max.
#include "contender.hpp"
#include "dispatch.hpp"

#include <unsupported/Eigen/CXX11/Tensor>

namespace bench {
namespace {

template <typename T, int rank>
using Map = Eigen::TensorMap<Eigen::Tensor<T, rank, Eigen::RowMajor>>;

template <int rank>
using Dims = std::array<Index, rank>;

// Only an even windows' axis pair (window, cell in the window) is left of each spatial axis; the first window axis
// is merged with everything before it, and the channels of channels_last come last.
template <int axes, bool inner>
struct Tiles {
  static constexpr int rank = 2 * axes + (inner ? 1 : 0), reduced_rank = rank - axes;
  Dims<rank> split{};         // windows and cells
  Dims<reduced_rank> kept{};  // windows only
  Dims<rank> ones{};          // windows, with one cell each
  Dims<rank> repeat{};        // how often a window's value is repeated along each axis
  Dims<axes> cells{};         // the axes of the cells
  float taps = 1;

  explicit Tiles(const Case& c) {
    repeat.fill(1);
    std::size_t at = 0, kept_at = 0;
    Index before = inner ? c.n : c.n * c.c;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      // A global window's plane is one axis.
      const bool plane = c.is_global();
      const std::size_t from = axis + 3 - axes;
      const Index windows = plane ? 1 : c.out[from];
      const Index extent = plane ? c.in[0] * c.in[1] * c.in[2] / windows : c.in[from] / windows;
      ones[at] = split[at] = kept[kept_at++] = before * windows;
      ++at;
      cells[axis] = static_cast<Index>(at);
      ones[at] = 1;
      split[at] = repeat[at] = extent;
      ++at;
      taps *= static_cast<float>(extent);
      before = 1;
    }
    if constexpr (inner) ones[at] = split[at] = kept[kept_at] = c.c;
  }
};

template <int axes, bool inner>
Run tiles(const Problem& problem, const Buffers& buffers) {
  using T = Tiles<axes, inner>;
  const T t(problem.c);
  auto* source = buffers.source.as<float>();
  auto* result = buffers.result.as<float>();
  if (problem.is_backward()) {
    return [=]() mutable {
      const Map<float, T::reduced_rank> dy(source, t.kept);
      Map<float, T::rank>(result, t.split) = (dy * (1 / t.taps)).reshape(t.ones).broadcast(t.repeat);
    };
  }
  return [=, is_max = problem.c.is_max()]() mutable {
    const Map<float, T::rank> x(source, t.split);
    Map<float, T::reduced_rank> y(result, t.kept);
    if (is_max) y = x.maximum(t.cells);
    if (!is_max) y = x.mean(t.cells);
  };
}

// Channels first is a batch of N*C pictures of one channel.
struct Pictures {
  Index n, c;
  explicit Pictures(const Problem& problem)
      : n(problem.layout == Layout::channels_last ? problem.c.n : problem.c.n * problem.c.c),
        c(problem.layout == Layout::channels_last ? problem.c.c : 1) {}
};

float padding_value(const Case& c) { return c.is_max() ? std::numeric_limits<float>::lowest() : 0.0F; }

// What the last window needs; less than the leading padding only where the last cells are not looked at.
Index padding_after(const Case& c, std::size_t axis) {
  return std::max(c.padding[axis], (c.out[axis] - 1) * c.stride[axis] + c.kernel[axis] - c.in[axis] - c.padding[axis]);
}

// A row-major tensor's axes are (batch, columns, rows, channels) to Eigen, so our axis 1 goes where it says columns.
template <typename Tensor>
auto patches(const Tensor& x, const Case& c) {
  return x.extract_image_patches(c.kernel[2], c.kernel[1], c.stride[2], c.stride[1], 1, 1, 1, 1, c.padding[2],
                                 padding_after(c, 2), c.padding[1], padding_after(c, 1), padding_value(c));
}

Run image_patches(const Problem& problem, const Buffers& buffers) {
  const Pictures pictures(problem);
  const Case c = problem.c;
  const Map<float, 4> x(buffers.source.as<float>(), pictures.n, c.in[1], c.in[2], pictures.c);
  Map<float, 3> y(buffers.result.as<float>(), pictures.n, c.out[1] * c.out[2], pictures.c);
  const Dims<2> cells{2, 3};
  if (c.is_max()) return [=]() mutable { y = patches(x, c).maximum(cells); };
  return [=]() mutable { y = patches(x, c).mean(cells); };
}

// The place of a maximum among a patch's cells is the compact index.
template <typename I>
Run image_patches_with_indices(const Problem& problem, const Buffers& buffers) {
  const Pictures pictures(problem);
  const Case c = problem.c;
  const Index windows = c.out[1] * c.out[2];
  const Map<float, 4> x(buffers.source.as<float>(), pictures.n, c.in[1], c.in[2], pictures.c);
  Map<float, 3> y(buffers.result.as<float>(), pictures.n, windows, pictures.c);
  Map<I, 3> indices(buffers.indices.as<I>(), pictures.n, windows, pictures.c);
  return [=]() mutable {
    const Dims<4> merged{pictures.n, windows, c.kernel[1] * c.kernel[2], pictures.c};
    y = patches(x, c).maximum(Dims<2>{2, 3});
    indices = patches(x, c).reshape(merged).argmax(2).template cast<I>();
  };
}

// Likewise (batch, columns, rows, planes, channels).
Run volume_patches(const Problem& problem, const Buffers& buffers) {
  const Pictures pictures(problem);
  const Case c = problem.c;
  const Map<float, 5> x(buffers.source.as<float>(), pictures.n, c.in[0], c.in[1], c.in[2], pictures.c);
  Map<float, 3> y(buffers.result.as<float>(), pictures.n, c.out[0] * c.out[1] * c.out[2], pictures.c);
  return [=]() mutable {
    const auto windows = x.extract_volume_patches(
        c.kernel[2], c.kernel[1], c.kernel[0], c.stride[2], c.stride[1], c.stride[0], 1, 1, 1, c.padding[2],
        padding_after(c, 2), c.padding[1], padding_after(c, 1), c.padding[0], padding_after(c, 0), padding_value(c));
    const Dims<3> cells{2, 3, 4};
    if (c.is_max()) y = windows.maximum(cells);
    if (!c.is_max()) y = windows.mean(cells);
  };
}

Run make_tiles(const Problem& problem, const Buffers& buffers) {
  const bool inner = problem.layout == Layout::channels_last;
  switch (problem.c.is_global() ? 1 : problem.c.axes) {
    case 1:
      return inner ? tiles<1, true>(problem, buffers) : tiles<1, false>(problem, buffers);
    case 2:
      return inner ? tiles<2, true>(problem, buffers) : tiles<2, false>(problem, buffers);
    default:
      return inner ? tiles<3, true>(problem, buffers) : tiles<3, false>(problem, buffers);
  }
}

// The windows that cover a cell are again its neighbourhood: the average's backward is the average of dy.
bool is_its_own_backward(const Case& c) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (c.stride[axis] != 1 || c.kernel[axis] != 2 * c.padding[axis] + 1) return false;
  }
  return c.op == Op::average && c.count_include_pad;
}

// Expressions over patches look at each cell of each window by itself; some would take seconds for one call.
constexpr Index most_patch_cells = 100'000'000;

}  // namespace

Run make_eigen(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (problem.dtype != Dtype::f32) return {};
  const bool values_only = problem.index_bytes() == 0;
  if (values_only && c.tiles()) return make_tiles(problem, buffers);

  const bool padded_average = c.op == Op::average && !c.count_include_pad;
  const bool has_windows = c.op == Op::max || c.op == Op::average;
  if (!has_windows || padded_average || c.outputs() * c.taps() > most_patch_cells) return {};
  if (problem.is_backward() && !is_its_own_backward(c)) return {};
  if (c.axes == 3 && values_only) return volume_patches(problem, buffers);
  if (c.axes != 2) return {};
  if (values_only) return image_patches(problem, buffers);
  if (problem.direction != Direction::indices || problem.index_bytes() != 1) return {};
  return image_patches_with_indices<std::uint8_t>(problem, buffers);
}

}  // namespace bench
