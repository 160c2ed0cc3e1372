// RoI align (He et al. 2017): roi_align, and its backward. Boxes of images, each cut into a grid of bins; a bin is the
// average, or the maximum, of the input at sampling points, interpolated between four cells.
//
// x is (N, C, H, W) or, channels_last, (N, H, W, C), of floating scalars; boxes is (K, 4): x1, y1, x2, y2 in the
// picture's coordinates, of float or double; batch_indices is (K): each box's image. The result is (K, C, bins, bins)
// in x's layout.
//
// Along an axis of n cells a box [a, b] is [a s - o, b s - o] with the spatial scale s and the offset o = 0.5 where it
// is aligned, else 0; a box that is not aligned is at least 1 long. A bin has r sampling points, one in the middle of
// each of r equal parts; r is sampling_ratio or, where that is 0, ceil(the bin's length). A point below -1 or above n
// counts as 0; one in the outer half cells has the border's value. An average divides by the number of points, a bin
// without points is 0. This is ONNX's RoiAlign (aligned: its half_pixel, otherwise output_half_pixel) and torchvision's
// roi_align.
//
// Positions and weights are computed in double. A cell of weight 0 is not read: a NaN there does no harm. A maximum is
// the first of equal points and the last of NaNs, points that count as 0 after all others.
//
// Errors, before anything is written: an output size below 1; a spatial scale that is not finite and above 0; a
// sampling ratio outside 0 to 65536; a bound that is not finite or, scaled, 2^31 or more; an aligned box that ends
// before it begins; an image that is not there; tensors of a wrong shape, overlapping memory, a spatial extent of 0,
// sizes beyond 64 bits.
#pragma once

#include "detail/roi_engine.hpp"

EIGENPOOL_BEGIN

///   output_size     bins per axis (h, w)
///   spatial_scale   cells of the input for one unit of the boxes' coordinates
///   sampling_ratio  points per bin and axis; 0: as many as the bin has cells, rounded up
///   aligned         cells are points half a cell into their squares (ONNX's half_pixel); otherwise as first published
///   mode            what a bin becomes of its points
struct RoiAlignOptions {
  Sizes<2> output_size = 0;
  double spatial_scale = 1;
  Index sampling_ratio = 0;
  bool aligned = true;
  RoiMode mode = RoiMode::average;
};

namespace detail {

inline constexpr const char* roi_align_name = "roi_align";

struct RoiAlignRule {
  const RoiAlignOptions& options;
  static constexpr bool whole_cells = false;

  RoiMode mode() const { return options.mode; }
  const Sizes<2>& output_size() const { return options.output_size; }
  double scale() const { return options.spatial_scale; }
  bool is_ordered() const { return options.aligned; }
  void require_legal(const Function& function) const {
    if (options.sampling_ratio < 0 || options.sampling_ratio > 65536)
      fail(function.name() + ": sampling_ratio is " + std::to_string(options.sampling_ratio) +
           ", must be from 0 to 65536");
  }

  void add_bin(RoiAxis& table, const Box& box, int axis, Index bin, Index cells) const {
    const auto a = static_cast<std::size_t>(axis);
    const double offset = options.aligned ? 0.5 : 0, length = box.end[a] - box.begin[a];
    const double width = (options.aligned ? length : std::max(length, 1.0)) / static_cast<double>(output_size()[axis]);
    const Index count = options.sampling_ratio > 0 ? options.sampling_ratio : static_cast<Index>(std::ceil(width));
    const double step = count > 0 ? width / static_cast<double>(count) : 0;
    add_sampled_bin(table, {box.begin[a] - offset + static_cast<double>(bin) * width, step, count, cells}, mode());
  }
};

}  // namespace detail

/// y = the bins of each box, of shape (K, C, output_size), in a new tensor.
template <Layout layout = channels_first, detail::Images X, detail::BoxTensor B, detail::BatchIndexTensor N>
auto roi_align(const X& x, const B& boxes, const N& batch_indices, const RoiAlignOptions& options) {
  detail::ResultTensor<X> y;
  detail::roi_forward<layout>({detail::roi_align_name}, x, boxes, batch_indices, detail::RoiAlignRule{options},
                              detail::new_tensor(y), Eigen::DefaultDevice());
  return y;
}

/// The same into y, on `device`.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images X, detail::BoxTensor B,
          detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, X>
void roi_align_into(Y&& y, const X& x, const B& boxes, const N& batch_indices, const RoiAlignOptions& options,
                    const Device& device = {}) {
  constexpr detail::Function function{detail::roi_align_name, 0, "_into"};
  detail::roi_forward<layout>(function, x, boxes, batch_indices, detail::RoiAlignRule{options},
                              detail::given_tensor(function, y), device);
}

/// dx of averages: 0 where no box is, and the sum where several are. input_shape is the forward's x.dimensions().
template <Layout layout = channels_first, detail::Images G, detail::BoxTensor B, detail::BatchIndexTensor N,
          class Shape>
auto roi_align_backward(const G& dy, const B& boxes, const N& batch_indices, const Shape& input_shape,
                        const RoiAlignOptions& options) {
  detail::ResultTensor<G> dx;
  detail::roi_backward<layout>({detail::roi_align_name, 0, "_backward"}, "input_shape",
                               detail::extents_of<4>(input_shape), nullptr, dy, boxes, batch_indices,
                               detail::RoiAlignRule{options}, detail::new_tensor(dx), Eigen::DefaultDevice());
  return dx;
}

/// The same into dx, whose shape is the input's.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images G, detail::BoxTensor B,
          detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void roi_align_backward_into(Y&& dx, const G& dy, const B& boxes, const N& batch_indices,
                             const RoiAlignOptions& options, const Device& device = {}) {
  constexpr detail::Function function{detail::roi_align_name, 0, "_backward_into"};
  detail::roi_backward<layout>(function, "output", detail::shape_of(dx), nullptr, dy, boxes, batch_indices,
                               detail::RoiAlignRule{options}, detail::given_tensor(function, dx), device);
}

/// dx in any mode: the maxima of x are found again, by the forward's rules.
template <Layout layout = channels_first, detail::Images G, detail::SameKind<G> X, detail::BoxTensor B,
          detail::BatchIndexTensor N>
auto roi_align_backward_from_input(const G& dy, const X& x, const B& boxes, const N& batch_indices,
                                   const RoiAlignOptions& options) {
  detail::ResultTensor<G> dx;
  const detail::Operand<X> input(x, Eigen::DefaultDevice());
  detail::roi_backward<layout>({detail::roi_align_name, 0, "_backward_from_input"}, "input", input.shape(),
                               input.data(), dy, boxes, batch_indices, detail::RoiAlignRule{options},
                               detail::new_tensor(dx), Eigen::DefaultDevice());
  return dx;
}

/// The same into dx.
template <Layout layout = channels_first, detail::OutputTensor Y, detail::Images G, detail::SameKind<G> X,
          detail::BoxTensor B, detail::BatchIndexTensor N, class Device = Eigen::DefaultDevice>
  requires detail::SameKind<Y, G>
void roi_align_backward_from_input_into(Y&& dx, const G& dy, const X& x, const B& boxes, const N& batch_indices,
                                        const RoiAlignOptions& options, const Device& device = {}) {
  constexpr detail::Function function{detail::roi_align_name, 0, "_backward_from_input_into"};
  const detail::Operand<X> input(x, device);
  detail::roi_backward<layout>(function, "input", input.shape(), input.data(), dy, boxes, batch_indices,
                               detail::RoiAlignRule{options}, detail::given_tensor(function, dx), device);
}

/// For Eigen's customOp: y.device(device) = x.customOp(RoiAlign<Boxes, BatchIndices>(boxes, batch_indices, options)).
/// The tensors must outlive the object.
template <class Boxes, class BatchIndices, Layout layout = channels_first>
class RoiAlign {
 public:
  RoiAlign(const Boxes& boxes, const BatchIndices& batch_indices, const RoiAlignOptions& options)
      : boxes_(boxes), batch_indices_(batch_indices), options_(options) {}

  template <class X>
  auto dimensions(const X& x) const {
    using I = detail::DefaultIndexOf<X>;
    return detail::dimensions_of<X>(
        detail::roi_shape<layout, detail::ScalarOf<X>, I>({detail::roi_align_name}, "input", detail::shape_of(x),
                                                          detail::shape_of(boxes_)[0], detail::RoiAlignRule{options_}));
  }
  template <class X, class Y, class Device>
  void eval(const X& x, Y& y, const Device& device) const {
    roi_align_into<layout>(y, x, boxes_, batch_indices_, options_, device);
  }

 private:
  const Boxes& boxes_;
  const BatchIndices& batch_indices_;
  RoiAlignOptions options_;
};

EIGENPOOL_END
