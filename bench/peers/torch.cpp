// PyTorch's ATen: the functions that write into memory of ours, inference mode, contiguous or channels_last tensors.
#include "peers.hpp"

#include <eigenpool/simd/dispatch.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cstdlib>

namespace bench {
namespace {

std::optional<at::ScalarType> scalar_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return at::kFloat;
    case Dtype::f64:
      return at::kDouble;
    case Dtype::f16:
      return at::kHalf;
    case Dtype::bf16:
      return at::kBFloat16;
    case Dtype::u8:
      return at::kByte;
    case Dtype::s8:
      return at::kChar;
  }
  return std::nullopt;
}

// It knows channels_last for two and three spatial axes; one axis is two, of which the first has extent 1.
int axes_of(const Case& c) { return c.axes == 3 ? 3 : 2; }

std::vector<int64_t> last_axes(const Case::Extents& extents, const Case& c) {
  return {extents.end() - axes_of(c), extents.end()};
}

at::Tensor tensor(void* data, const Problem& problem, const Case::Extents& extents, at::ScalarType type) {
  std::vector<int64_t> in_memory{problem.c.n};
  const std::vector<int64_t> spatial = last_axes(extents, problem.c);
  const bool last = problem.layout == Layout::channels_last;
  if (!last) in_memory.push_back(problem.c.c);
  in_memory.insert(in_memory.end(), spatial.begin(), spatial.end());
  if (last) in_memory.push_back(problem.c.c);
  const at::Tensor whole = at::from_blob(data, in_memory, type);
  return last ? whole.movedim(-1, 1) : whole;
}

// A problem's tensors and window in PyTorch's words. Memory that is PyTorch's own is made here, before any timing.
struct Call {
  Case c;
  bool is_backward, wants_indices;
  at::Tensor source, result, indices, input;  // input: of the forward pass that a backward belongs to
  at::Tensor divisor, fresh;                  // fresh: the result of a function that does not write into given memory
  std::vector<int64_t> kernel, stride, padding, out;

  Call(const Problem& problem, const Buffers& buffers)
      : c(problem.c), is_backward(problem.is_backward()), wants_indices(problem.index_bytes() != 0) {
    const at::ScalarType type = *scalar_type(problem.dtype);
    source = tensor(buffers.source.as<void>(), problem, is_backward ? c.out : c.in, type);
    result = tensor(buffers.result.as<void>(), problem, is_backward ? c.in : c.out, type);
    indices = at::empty_like(is_backward ? source : result, at::kLong);
    const PlainWindow window = plain_window(c);
    kernel = last_axes(window.kernel, c), stride = last_axes(window.stride, c);
    padding = last_axes(window.padding, c), out = last_axes(c.out, c);
    divisor = at::scalar_tensor(static_cast<double>(c.taps()), type);
    if (is_backward) find_indices(problem);
  }

  void find_indices(const Problem& problem) {
    const Block block = input_of_indices(problem);
    input = tensor(block.as<void>(), problem, c.in, at::kFloat).clone();
    at::Tensor maxima = at::empty_like(source);
    if (c.is_max()) max_forward(maxima, input);
  }

  std::vector<int64_t> spatial_axes() const {
    return axes_of(c) == 2 ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{2, 3, 4};
  }

  void max_forward(at::Tensor& y, const at::Tensor& x) {
    if (c.op == Op::adaptive_max) {
      at::adaptive_max_pool2d_out(y, indices, x, out);
    } else if (axes_of(c) == 2) {
      at::max_pool2d_with_indices_out(y, indices, x, kernel, stride, padding, 1, c.ceil_mode);
    } else {
      at::max_pool3d_with_indices_out(y, indices, x, kernel, stride, padding, 1, c.ceil_mode);
    }
  }

  void average_forward() {
    if (c.is_global()) {
      at::mean_out(result, source, spatial_axes(), true);
    } else if (c.is_adaptive()) {
      at::adaptive_avg_pool2d_out(result, source, out);
    } else if (axes_of(c) == 2) {
      at::avg_pool2d_out(result, source, kernel, stride, padding, c.ceil_mode, c.count_include_pad);
    } else {
      at::avg_pool3d_out(result, source, kernel, stride, padding, c.ceil_mode, c.count_include_pad);
    }
  }

  void forward() {
    if (!c.is_max()) return average_forward();
    if (c.is_global() && !wants_indices) {
      at::amax_out(result, source, spatial_axes(), true);
    } else if (c.axes == 1 && !wants_indices && result.is_contiguous()) {  // the one that finds no indices on the way
      fresh = at::max_pool1d(source.select(2, 0), kernel[1], stride[1], padding[1], 1, c.ceil_mode).unsqueeze(2);
    } else {
      max_forward(result, source);
    }
  }

  void backward() {
    if (c.op == Op::adaptive_max) {
      at::adaptive_max_pool2d_backward_out(result, source, input, indices);
    } else if (c.is_max()) {
      at::max_pool2d_with_indices_backward_out(result, source, input, kernel, stride, padding, 1, c.ceil_mode, indices);
    } else if (c.is_global()) {
      at::div_out(result, source.expand_as(result), divisor);
    } else if (c.is_adaptive()) {
      fresh = at::_adaptive_avg_pool2d_backward(source, input);
    } else {
      at::avg_pool2d_backward_out(result, source, input, kernel, stride, padding, c.ceil_mode, c.count_include_pad, {});
    }
  }

  void operator()() {
    const at::InferenceMode guard;
    const bool first = !fresh.defined();
    is_backward ? backward() : forward();
    if (first && fresh.defined()) result.copy_(fresh);  // for the check, not in the calls that are timed
  }
};

Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (!scalar_type(problem.dtype) || (problem.is_backward() && axes_of(c) == 3)) return {};
  // Its poolings of three axes write channels first, whatever the strides say.
  if (c.axes == 3 && (c.is_adaptive() || problem.layout == Layout::channels_last)) return {};
  try {
    const at::InferenceMode guard;
    const Call call(problem, buffers);
    Call trial = call;
    trial();
    return call;
  } catch (const c10::Error&) {  // not for this type, or with more padding than it allows
    return {};
  }
}

}  // namespace

Peer torch_peer() {
  const int bytes = eigenpool::simd::vector_bytes();
  if (bytes < 64) setenv("ATEN_CPU_CAPABILITY", bytes < 32 ? "default" : "avx2", 1);
  at::set_num_threads(1);
  return {peer_kind("PyTorch", &make), TORCH_VERSION};
}

}  // namespace bench
