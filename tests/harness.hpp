// Carries a problem that the tests state in plain numbers through the library: the values go into tensors of a
// layout and storage order, every operator of the problem's kind runs, and the results come back as flat numbers.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <limits>
#include <utility>
#include <vector>

#include "families.hpp"
#include "fronts.hpp"
#include "geometry.hpp"

namespace harness {

using eigenpool_test::Fronts;
using eigenpool_test::PoolingCase;
using oracle::Extents;
using oracle::Geometry;
using oracle::Index;
using Values = std::vector<double>;

template <class Case>
typename Case::Shape shape_of(const Extents& lead, const Extents& spatial) {
  typename Case::Extents extents{};
  for (std::size_t axis = 0; axis < extents.size(); ++axis) extents[axis] = spatial[axis];
  return Case::shape(lead[0], lead[1], extents);
}

// Where storage keeps each element of a tensor, listed in logical order: N, C, spatial axes, the last fastest.
template <class Case>
std::vector<std::size_t> places(const Extents& lead, const Extents& spatial) {
  const auto shape = shape_of<Case>(lead, spatial);
  std::array<std::size_t, Case::rank> step{};
  std::size_t elements = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t axis = Case::order == Eigen::RowMajor ? shape.size() - 1 - i : i;
    step[axis] = elements;
    elements *= static_cast<std::size_t>(shape[axis]);
  }
  std::vector<std::size_t> axes{0, Case::channel_axis};
  for (std::size_t axis = 0; axis < spatial.size(); ++axis) axes.push_back(Case::first_spatial + axis);
  std::vector<std::size_t> result{0};
  for (const std::size_t axis : axes) {
    std::vector<std::size_t> finer;
    for (const std::size_t place : result) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(shape[axis]); ++i) finer.push_back(place + i * step[axis]);
    }
    result = std::move(finer);
  }
  return result;
}

template <class Case, class Scalar>
typename Case::template Tensor<Scalar> to_tensor(const Extents& lead, const Extents& spatial, const Values& values) {
  typename Case::template Tensor<Scalar> tensor(shape_of<Case>(lead, spatial));
  const std::vector<std::size_t> place = places<Case>(lead, spatial);
  for (std::size_t i = 0; i < place.size(); ++i) tensor.data()[place[i]] = static_cast<Scalar>(values[i]);
  return tensor;
}

template <class Case, class Scalar>
Values from_tensor(const Extents& lead, const Extents& spatial, const typename Case::template Tensor<Scalar>& tensor) {
  Values values;
  for (const std::size_t place : places<Case>(lead, spatial)) {
    values.push_back(static_cast<double>(tensor.data()[place]));
  }
  return values;
}

template <class Case>
eigenpool::Window<Case::D> window_of(const Geometry& g) {
  eigenpool::Window<Case::D> window{.kernel = 1};
  for (int axis = 0; axis < Case::D; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    window.kernel[axis] = g.kernel[a];
    window.stride[axis] = g.stride_of(a);
    window.padding.begin[axis] = g.begin_of(a);
    window.padding.end[axis] = g.end_of(a);
    window.dilation[axis] = g.dilation_of(a);
  }
  if (g.pad == oracle::Pad::same_upper) window.padding = eigenpool::same_upper;
  if (g.pad == oracle::Pad::same_lower) window.padding = eigenpool::same_lower;
  window.ceil_mode = g.ceil;
  return window;
}

inline eigenpool::AvgOptions options_of(const Geometry& g) {
  return {.count_include_pad = g.count_include_pad, .divisor_override = g.divisor};
}

template <class Case>
eigenpool::OutputSize<Case::D> output_size_of(const Geometry& g) {
  eigenpool::OutputSize<Case::D> size = eigenpool::keep;
  for (std::size_t axis = 0; axis < g.rank(); ++axis) {
    if (g.output_size[axis] != oracle::keep) size.values[axis] = g.output_size[axis];
  }
  return size;
}

// The operators of each kind of window under common names: what a new kind adds here, every test runs.
template <class Case>
struct FixedWindows {
  using F = Fronts<Case::D>;
  eigenpool::Window<Case::D> w;
  eigenpool::AvgOptions options;

  explicit FixedWindows(const Geometry& g) : w(window_of<Case>(g)), options(options_of(g)) {}

  void max(auto& y, const auto& x, const auto& device) const {
    F::template max_pool_into<Case::layout>(y, x, w, device);
  }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    F::template max_pool_with_indices_into<Case::layout>(y, indices, x, w, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    F::template max_pool_backward_into<Case::layout>(dx, dy, indices, w, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    F::template max_pool_backward_from_input_into<Case::layout>(dx, dy, x, w, device);
  }
  void average(auto& y, const auto& x, const auto& device) const {
    F::template avg_pool_into<Case::layout>(y, x, w, options, device);
  }
  void average_backward(auto& dx, const auto& dy, const auto& device) const {
    F::template avg_pool_backward_into<Case::layout>(dx, dy, w, options, device);
  }
};

template <class Case>
struct AdaptiveWindows {
  using F = Fronts<Case::D>;
  eigenpool::OutputSize<Case::D> size;

  explicit AdaptiveWindows(const Geometry& g) : size(output_size_of<Case>(g)) {}

  void max(auto& y, const auto& x, const auto& device) const {
    F::template adaptive_max_pool_into<Case::layout>(y, x, size, device);
  }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    F::template adaptive_max_pool_with_indices_into<Case::layout>(y, indices, x, size, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    F::template adaptive_max_pool_backward_into<Case::layout>(dx, dy, indices, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    F::template adaptive_max_pool_backward_from_input_into<Case::layout>(dx, dy, x, device);
  }
  void average(auto& y, const auto& x, const auto& device) const {
    F::template adaptive_avg_pool_into<Case::layout>(y, x, size, device);
  }
  void average_backward(auto& dx, const auto& dy, const auto& device) const {
    F::template adaptive_avg_pool_backward_into<Case::layout>(dx, dy, device);
  }
};

template <class Case>
struct GlobalWindow {
  static constexpr eigenpool::Layout layout = Case::layout;

  explicit GlobalWindow(const Geometry&) {}

  void max(auto& y, const auto& x, const auto& device) const { eigenpool::global_max_pool_into<layout>(y, x, device); }
  void max_with_indices(auto& y, auto& indices, const auto& x, const auto& device) const {
    eigenpool::global_max_pool_with_indices_into<layout>(y, indices, x, device);
  }
  void max_backward(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    eigenpool::global_max_pool_backward_into<layout>(dx, dy, indices, device);
  }
  void max_backward_from_input(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    eigenpool::global_max_pool_backward_from_input_into<layout>(dx, dy, x, device);
  }
  void average(auto& y, const auto& x, const auto& device) const {
    eigenpool::global_avg_pool_into<layout>(y, x, device);
  }
  void average_backward(auto& dx, const auto& dy, const auto& device) const {
    eigenpool::global_avg_pool_backward_into<layout>(dx, dy, device);
  }
};

// What the operators of one problem are given, and what they return. Absent cells' indices read -1, compact too.
struct Inputs {
  Values x{};
  Values max_dy{};
  Values average_dy{};
};

struct Results {
  Values max{}, max_beside_flat{}, max_beside_compact{}, flat{}, compact{};
  Values max_dx_flat{}, max_dx_compact{}, max_dx_input{};
  Values average{}, average_dx{};
};

struct Part {
  const char* name;
  Values Results::*values;
};
inline constexpr Part max_parts[] = {{"max", &Results::max},
                                     {"max beside flat indices", &Results::max_beside_flat},
                                     {"max beside compact indices", &Results::max_beside_compact}};
inline constexpr Part max_gradient_parts[] = {{"dx of max from flat indices", &Results::max_dx_flat},
                                              {"dx of max from compact indices", &Results::max_dx_compact},
                                              {"dx of max from the input", &Results::max_dx_input}};
inline constexpr Part index_parts[] = {{"flat indices", &Results::flat}, {"compact indices", &Results::compact}};
inline constexpr Part average_parts[] = {{"average", &Results::average}, {"dx of average", &Results::average_dx}};

template <class Scalar>
inline constexpr bool has_gradients = !std::integral<Scalar>;

// Runs the operators of one problem. Results start out as numbers that no operator returns, so that a cell left
// unwritten shows.
template <class Case, class Scalar, class Device>
class Run {
 public:
  template <class T>
  using Tensor = typename Case::template Tensor<T>;

  Run(const Geometry& g, const Extents& out, const Inputs& inputs, const Device& device)
      : g_(g), out_(out), inputs_(inputs), device_(device) {
    x_ = to_tensor<Case, Scalar>(g.lead, g.spatial, inputs.x);
    max_dy_ = to_tensor<Case, Scalar>(g.lead, out, inputs.max_dy);
  }

  template <class Operators, class Compact>
  Results all(const Operators& operators) {
    Results r;
    r.max = output([&](auto& y) { operators.max(y, x_, device_); });
    indexed<std::int64_t>(operators, -1, r.max_beside_flat, r.flat, r.max_dx_flat);
    indexed<Compact>(operators, std::numeric_limits<Compact>::max(), r.max_beside_compact, r.compact, r.max_dx_compact);
    r.average = output([&](auto& y) { operators.average(y, x_, device_); });
    if constexpr (has_gradients<Scalar>) backward(operators, r);
    return r;
  }

 private:
  static constexpr int unwritten = 113;

  void backward(const auto& operators, Results& r) {
    r.max_dx_input = gradient([&](auto& dx) { operators.max_backward_from_input(dx, max_dy_, x_, device_); });
    const Tensor<Scalar> dy = to_tensor<Case, Scalar>(g_.lead, out_, inputs_.average_dy);
    r.average_dx = gradient([&](auto& dx) { operators.average_backward(dx, dy, device_); });
  }
  template <class T>
  Tensor<T> fresh(const Extents& spatial) {
    Tensor<T> tensor(shape_of<Case>(g_.lead, spatial));
    tensor.setConstant(static_cast<T>(unwritten));
    return tensor;
  }
  Values output(const auto& call) {
    Tensor<Scalar> y = fresh<Scalar>(out_);
    call(y);
    return from_tensor<Case, Scalar>(g_.lead, out_, y);
  }
  Values gradient(const auto& call) {
    Tensor<Scalar> dx = fresh<Scalar>(g_.spatial);
    call(dx);
    return from_tensor<Case, Scalar>(g_.lead, g_.spatial, dx);
  }
  template <class IndexScalar>
  void indexed(const auto& operators, IndexScalar none, Values& max, Values& indices, Values& dx) {
    Tensor<IndexScalar> i = fresh<IndexScalar>(out_);
    max = output([&](auto& y) { operators.max_with_indices(y, i, x_, device_); });
    if constexpr (has_gradients<Scalar>) {
      dx = gradient([&](auto& result) { operators.max_backward(result, max_dy_, i, device_); });
    }
    indices = from_tensor<Case, IndexScalar>(g_.lead, out_, i);
    for (double& index : indices) {
      if (index == static_cast<double>(none)) index = -1;
    }
  }

  const Geometry& g_;
  const Extents& out_;
  const Inputs& inputs_;
  const Device& device_;
  Tensor<Scalar> x_;
  Tensor<Scalar> max_dy_;
};

// Every operator of `g`'s kind, in this case's layout and storage order. `out`: the output's spatial extents. `Compact`
// numbers the taps of fixed windows that it can number; the others take two bytes.
template <class Case, class Scalar, class Compact = std::uint8_t, class Device = Eigen::DefaultDevice>
Results run(const Geometry& g, const Extents& out, const Inputs& inputs, const Device& device = {}) {
  using Fixed = FixedWindows<Case>;
  using Adaptive = AdaptiveWindows<Case>;
  using Global = GlobalWindow<Case>;
  Run<Case, Scalar, Device> run(g, out, inputs, device);
  if (g.kind == oracle::Kind::adaptive) return run.template all<Adaptive, std::uint16_t>(Adaptive(g));
  if (g.kind == oracle::Kind::global) return run.template all<Global, std::uint16_t>(Global(g));
  const bool fits = oracle::product(g.kernel) <= Index{std::numeric_limits<Compact>::max()};
  return fits ? run.template all<Fixed, Compact>(Fixed(g)) : run.template all<Fixed, std::uint16_t>(Fixed(g));
}

}  // namespace harness
