// OpenCV: the pooling layer of its dnn module, channels first, one layer without a net around it.
#include "peers.hpp"

#include <opencv2/dnn.hpp>
#include <opencv2/dnn/all_layers.hpp>

namespace bench {
namespace {

cv::dnn::DictValue last_axes(const Case::Extents& extents, int axes) {
  std::vector<int> values;
  for (auto axis = extents.end() - axes; axis != extents.end(); ++axis) values.push_back(static_cast<int>(*axis));
  return cv::dnn::DictValue::arrayInt(values.data(), axes);
}

// Its global pooling takes the generic path; a window as large as the input is the same.
cv::Ptr<cv::dnn::Layer> layer_of(const Case& c) {
  const PlainWindow window = plain_window(c);
  cv::dnn::LayerParams parameters;
  parameters.type = "Pooling";
  parameters.set("pool", c.is_max() ? "max" : "ave");
  parameters.set("kernel_size", last_axes(window.kernel, c.axes));
  parameters.set("stride", last_axes(window.stride, c.axes));
  parameters.set("pad", last_axes(window.padding, c.axes));
  parameters.set("ceil_mode", c.ceil_mode);
  parameters.set("ave_pool_padded_area", c.count_include_pad);
  return cv::dnn::PoolingLayer::create(parameters);
}

cv::Mat tensor(const Block& block, const Case& c, const Case::Extents& extents) {
  std::vector<int> shape{static_cast<int>(c.n), static_cast<int>(c.c)};
  for (auto axis = extents.end() - c.axes; axis != extents.end(); ++axis) shape.push_back(static_cast<int>(*axis));
  return {shape, CV_32F, block.as<void>()};
}

// With a second output the layer finds indices, too (as floats).
Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (problem.layout != Layout::channels_first || problem.dtype != Dtype::f32 || problem.is_backward()) return {};
  if (!plain_window(c).exists || (!c.is_max() && has_overhang(c))) return {};
  std::vector<cv::Mat> inputs{tensor(buffers.source, c, c.in)}, outputs{tensor(buffers.result, c, c.out)}, internals;
  if (problem.index_bytes() != 0) outputs.emplace_back(outputs[0].dims, outputs[0].size.p, CV_32F);
  const cv::Ptr<cv::dnn::Layer> layer = layer_of(c);
  layer->finalize(cv::InputArrayOfArrays(inputs), cv::OutputArrayOfArrays(outputs));
  return [=]() mutable { layer->forward(cv::InputArrayOfArrays(inputs), outputs, internals); };
}

}  // namespace

Peer opencv_peer() {
  cv::setNumThreads(1);
  return {peer_kind("OpenCV", &make), CV_VERSION};
}

}  // namespace bench
