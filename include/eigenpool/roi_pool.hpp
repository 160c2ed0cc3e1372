// RoI pooling (Girshick 2015): roi_pool, and its backward. Boxes of images, rounded to whole cells, each cut into a
// grid of bins; a bin is the maximum, or the average, of its cells.
//
// x, boxes, batch_indices and the result are as in roi_align.hpp. Along an axis, a box [a, b] covers the cells round(a
// s) to round(b s), both included, at least one; halves are rounded away from 0. Of its m cells, bin i of o has those
// from floor(i m / o) up to, not including, ceil((i + 1) m / o), in exact integers, so that neighbours may share a
// cell; cells outside of the input do not count. A bin without cells is 0. This is ONNX's MaxRoiPool and torchvision's
// roi_pool, whose bounds are those of a float quotient.
//
// A maximum is the first of equal cells and the last of NaNs; an average divides by the bin's cells in the input.
// Errors: those of roi_align.hpp, but a box may end before it begins: it covers one cell.
#pragma once

#include "detail/roi_engine.hpp"

EIGENPOOL_BEGIN

///   output_size    bins per axis (h, w)
///   spatial_scale  cells of the input for one unit of the boxes' coordinates
///   mode           max, or average
struct RoiPoolOptions {
  Sizes<2> output_size = 0;
  double spatial_scale = 1;
  RoiMode mode = RoiMode::max;
};

namespace detail {

inline constexpr const char* roi_pool_name = "roi_pool";

struct RoiPoolRule {
  const RoiPoolOptions& options;
  static constexpr bool whole_cells = true;

  RoiMode mode() const { return options.mode; }
  const Sizes<2>& output_size() const { return options.output_size; }
  double scale() const { return options.spatial_scale; }
  bool is_ordered() const { return false; }
  void require_legal(const Function& function) const {
    if (mode() == RoiMode::max_of_corners) fail(function.name() + ": mode is max_of_corners, which only roi_align has");
  }

  void add_bin(RoiAxis& table, const Box& box, int axis, Index bin, Index cells) const {
    const auto a = static_cast<std::size_t>(axis);
    const Index begin = std::llround(box.begin[a]), end = std::llround(box.end[a]);
    const Taps taps = Axis::adaptive(std::max(end - begin + 1, Index{1}), output_size()[axis]).taps(bin);
    const Index first = std::clamp(begin + taps.first, Index{0}, cells);
    add_whole_bin(table, {first, std::clamp(begin + taps.first + taps.count, first, cells)}, mode());
  }
};

}  // namespace detail

/// y = the bins of each box, of shape (K, C, output_size), in a new tensor.
template <Layout layout = channels_first, detail::Images X, detail::BoxTensor B, detail::BatchIndexTensor N>
auto roi_pool(const X& x, const B& boxes, const N& batch_indices, const RoiPoolOptions& options) {
  detail::ResultTensor<X> y;
  detail::roi_forward<layout>({detail::roi_pool_name}, x, boxes, batch_indices, detail::RoiPoolRule{options},
                              detail::new_tensor(y), Eigen::DefaultDevice());
  return y;
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images X, detail::BoxTensor B,
          detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void roi_pool_into(Y&& y, const X& x, const B& boxes, const N& batch_indices, const RoiPoolOptions& options,
                   const Device& device = {}) {
  constexpr detail::Function function{detail::roi_pool_name, 0, "_into"};
  detail::roi_forward<layout>(function, x, boxes, batch_indices, detail::RoiPoolRule{options},
                              detail::given_tensor(function, y), device);
}

/// dx of averages: 0 where no box is, and the sum where several are. input_shape is the forward's x.dimensions().
template <Layout layout = channels_first, detail::Images G, detail::BoxTensor B, detail::BatchIndexTensor N,
          class Shape>
auto roi_pool_backward(const G& dy, const B& boxes, const N& batch_indices, const Shape& input_shape,
                       const RoiPoolOptions& options) {
  detail::ResultTensor<G> dx;
  detail::roi_backward<layout>({detail::roi_pool_name, 0, "_backward"}, "input_shape",
                               detail::extents_of<4>(input_shape), nullptr, dy, boxes, batch_indices,
                               detail::RoiPoolRule{options}, detail::new_tensor(dx), Eigen::DefaultDevice());
  return dx;
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images G, detail::BoxTensor B,
          detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void roi_pool_backward_into(Y&& dx, const G& dy, const B& boxes, const N& batch_indices, const RoiPoolOptions& options,
                            const Device& device = {}) {
  constexpr detail::Function function{detail::roi_pool_name, 0, "_backward_into"};
  detail::roi_backward<layout>(function, "output", detail::shape_of(dx), nullptr, dy, boxes, batch_indices,
                               detail::RoiPoolRule{options}, detail::given_tensor(function, dx), device);
}

/// dx in any mode: the maxima of x are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Images G, detail::SameKind<G> X, detail::BoxTensor B,
          detail::BatchIndexTensor N>
auto roi_pool_backward_from_input(const G& dy, const X& x, const B& boxes, const N& batch_indices,
                                  const RoiPoolOptions& options) {
  detail::ResultTensor<G> dx;
  const detail::Operand<X> input(x, Eigen::DefaultDevice());
  detail::roi_backward<layout>({detail::roi_pool_name, 0, "_backward_from_input"}, "input", input.shape(), input.data(),
                               dy, boxes, batch_indices, detail::RoiPoolRule{options}, detail::new_tensor(dx),
                               Eigen::DefaultDevice());
  return dx;
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images G, detail::SameKind<G> X,
          detail::BoxTensor B, detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void roi_pool_backward_from_input_into(Y&& dx, const G& dy, const X& x, const B& boxes, const N& batch_indices,
                                       const RoiPoolOptions& options, const Device& device = {}) {
  constexpr detail::Function function{detail::roi_pool_name, 0, "_backward_from_input_into"};
  const detail::Operand<X> input(x, device);
  detail::roi_backward<layout>(function, "input", input.shape(), input.data(), dy, boxes, batch_indices,
                               detail::RoiPoolRule{options}, detail::given_tensor(function, dx), device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(RoiPool<Boxes, BatchIndices>(boxes, batch_indices, options)).
/// The tensors must outlive the object.
template <class Boxes, class BatchIndices, Layout layout = channels_first>
class RoiPool {
 public:
  RoiPool(const Boxes& boxes, const BatchIndices& batch_indices, const RoiPoolOptions& options)
      : boxes_(boxes), batch_indices_(batch_indices), options_(options) {}

  template <class X>
  auto dimensions(const X& x) const {
    using I = detail::DefaultIndexOf<X>;
    return detail::dimensions_of<X>(
        detail::roi_shape<layout, detail::ScalarOf<X>, I>({detail::roi_pool_name}, "input", detail::shape_of(x),
                                                          detail::shape_of(boxes_)[0], detail::RoiPoolRule{options_}));
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    roi_pool_into<layout>(y, x, boxes_, batch_indices_, options_, device);
  }

 private:
  const Boxes& boxes_;
  const BatchIndices& batch_indices_;
  RoiPoolOptions options_;
};

EIGENPOOL_END
