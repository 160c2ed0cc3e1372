#include "pool_case.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <map>

namespace conformance {
namespace {

template <class Value>
Value choice(const CaseFile& file, const std::string& key, const std::map<std::string, Value>& values) {
  const auto entry = values.find(file.text(key));
  if (entry == values.end()) throw Malformed("the key '" + key + "' has the unknown value '" + file.text(key) + "'");
  return entry->second;
}

Extents per_axis(const CaseFile& file, const std::string& key, int spatial_rank) {
  Extents entries = file.integers(key);
  if (entries.size() != static_cast<std::size_t>(spatial_rank)) {
    throw Malformed("the key '" + key + "' does not have one entry per spatial axis");
  }
  return entries;
}

bool read_batched(const CaseFile& file, int spatial_rank) {
  const std::string& layout = file.text("layout");
  const std::string spatial = std::string("DHW").substr(static_cast<std::size_t>(3 - spatial_rank));
  if (layout != "NC" + spatial && layout != "C" + spatial) {
    throw Malformed("the layout '" + layout + "' does not fit the spatial rank");
  }
  return layout.front() == 'N';
}

double number(const CaseFile& file, const std::string& key) {
  const std::string& text = file.text(key);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw Malformed("the key '" + key + "' is not a number");
  return value;
}

WindowAttributes read_window(const CaseFile& file, int spatial_rank) {
  WindowAttributes window;
  window.kernel = per_axis(file, "kernel", spatial_rank);
  window.stride = per_axis(file, "stride", spatial_rank);
  window.dilation = per_axis(file, "dilation", spatial_rank);
  window.pad_begin = per_axis(file, "pad_begin", spatial_rank);
  window.pad_end = per_axis(file, "pad_end", spatial_rank);
  window.auto_pad = choice<AutoPad>(
      file, "auto_pad",
      {{"NOTSET", AutoPad::none}, {"SAME_UPPER", AutoPad::same_upper}, {"SAME_LOWER", AutoPad::same_lower}});
  window.ceil_mode = file.flag("ceil_mode");
  return window;
}

/// Those that fractional windows and unpoolings have; the rest stays as if it were not there.
WindowAttributes read_plain_window(const CaseFile& file, int spatial_rank, bool fractional) {
  const auto axes = static_cast<std::size_t>(spatial_rank);
  WindowAttributes window;
  window.kernel = per_axis(file, "kernel", spatial_rank);
  window.dilation.assign(axes, 1);
  window.stride = fractional ? Extents(axes, 1) : per_axis(file, "stride", spatial_rank);
  window.pad_begin = fractional ? Extents(axes, 0) : per_axis(file, "pad_begin", spatial_rank);
  window.pad_end = fractional ? Extents(axes, 0) : per_axis(file, "pad_end", spatial_rank);
  return window;
}

RoiAttributes read_roi(const CaseFile& file) {
  return {.is_max = choice<bool>(file, "mode", {{"avg", false}, {"max", true}}),
          .half_pixel = choice<bool>(file, "coordinate_transformation_mode",
                                     {{"output_half_pixel", false}, {"half_pixel", true}}),
          .sampling_ratio = file.integer("sampling_ratio"),
          .spatial_scale = number(file, "spatial_scale")};
}

void read_attributes(PoolCase& result, const CaseFile& file) {
  if (has_window(result.op)) {
    result.window = read_window(file, result.spatial_rank);
  }
  if (result.op == Operator::avg_pool) {
    result.count_include_pad = file.flag("count_include_pad");
    if (file.text("divisor_override") != "none") result.divisor_override = file.integer("divisor_override");
  }
  if (result.op == Operator::lp_pool) {
    result.p = number(file, "p");
    result.signed_power = file.text("source_op").starts_with("torch");
  }
  if (result.op == Operator::adaptive_max_pool || result.op == Operator::adaptive_avg_pool) {
    result.output_size = per_axis(file, "output_size", result.spatial_rank);
  }
  if (result.op == Operator::fractional_max_pool) {
    result.window = read_plain_window(file, result.spatial_rank, true);
    result.output_size = per_axis(file, "output_size", result.spatial_rank);
  }
  if (result.op == Operator::max_unpool) {
    result.window = read_plain_window(file, result.spatial_rank, false);
    if (file.flag("output_size_given")) result.output_size = per_axis(file, "output_size", result.spatial_rank);
  }
  if (result.op == Operator::roi_align) {
    result.roi = read_roi(file);
    result.output_size = per_axis(file, "output_size", result.spatial_rank);
  }
}

/// The tensor with its batch axis, which is added where the layout has none.
Array read_tensor(const CaseFile& file, const std::string& name, const std::string& dtype, const PoolCase& of) {
  const FileTensor& tensor = file.tensor(name);
  if (tensor.dtype != dtype) throw Malformed("the tensor '" + name + "' is not of type " + dtype);
  Array array = tensor.array;
  if (!of.batched) array.extents.insert(array.extents.begin(), 1);
  const auto rank = static_cast<std::size_t>(of.spatial_rank) + 2;
  const bool global = of.op == Operator::global_max_pool || of.op == Operator::global_avg_pool;
  if (global && name != "input" && array.extents.size() == 2) array.extents.resize(rank, 1);
  if (array.extents.size() != rank) throw Malformed("the tensor '" + name + "' does not have the layout's axes");
  return array;
}

/// The row-major position of the cell at column-major position `position` of a plane.
std::int64_t row_major_position(std::int64_t position, const Extents& plane) {
  std::int64_t result = 0;
  std::int64_t weight = cell_count(plane);
  for (const std::int64_t extent : plane) {  // the first axis is the fastest of a column-major position
    weight /= extent;
    result += position % extent * weight;
    position /= extent;
  }
  return result;
}

/// From offsets in the whole tensor to row-major positions in the plane.
void make_spatial(Array& indices, const Array& input, bool column_major) {
  const Extents plane = spatial(input.extents);
  const std::int64_t plane_cells = cell_count(plane);
  const std::int64_t windows = cell_count(spatial(indices.extents));
  for (std::size_t i = 0; i < indices.values.size(); ++i) {
    const std::int64_t first = static_cast<std::int64_t>(i) / windows * plane_cells;
    const std::int64_t position = static_cast<std::int64_t>(indices.values[i]) - first;
    if (position < 0 || position >= plane_cells) throw Malformed("an index lies outside its plane");
    indices.values[i] = static_cast<double>(column_major ? row_major_position(position, plane) : position);
  }
}

Array read_indices(const CaseFile& file, const PoolCase& of) {
  enum class Convention { spatial_flat, tensor_flat, tensor_flat_colmajor };
  const auto convention = choice<Convention>(file, "index_convention",
                                             {{"spatial_flat", Convention::spatial_flat},
                                              {"tensor_flat", Convention::tensor_flat},
                                              {"tensor_flat_colmajor", Convention::tensor_flat_colmajor}});
  Array indices = read_tensor(file, "indices", "i64", of);
  if (convention != Convention::spatial_flat) {
    make_spatial(indices, of.input, convention == Convention::tensor_flat_colmajor);
  }
  return indices;
}

/// ONNX's indices are flat in a tensor of the extents that the windows give; here they are flat in the output's planes.
void place_in_output(Array& indices, const PoolCase& of) {
  const Extents from = unpooled(of), to = of.output_size.empty() ? from : of.output_size;
  const std::int64_t values = cell_count(spatial(indices.extents)), cells = cell_count(from);
  for (std::size_t i = 0; i < indices.values.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(indices.values[i]) - static_cast<std::int64_t>(i) / values * cells;
    if (rest < 0 || rest >= cells) throw Malformed("an index lies outside its plane");
    std::int64_t position = 0, weight = 1;
    for (std::size_t axis = from.size(); axis-- > 0; rest /= from[axis], weight *= to[axis])
      position += rest % from[axis] * weight;
    indices.values[i] = static_cast<double>(position);
  }
}

Array read_unpool_indices(const CaseFile& file, const PoolCase& of) {
  Array indices = read_tensor(file, "indices", "i64", of);
  if (choice<bool>(file, "index_convention", {{"spatial_flat", false}, {"tensor_flat", true}}))
    place_in_output(indices, of);
  return indices;
}

/// (N, C, spatial rank), with the columns that PyTorch's have.
Array read_samples(const CaseFile& file, const PoolCase& of) {
  const char* columns = of.spatial_rank == 2 ? "w h" : "d h w";
  if (!of.expects_error && file.text("random_samples_axes") != columns)
    throw Malformed("the samples' columns are not PyTorch's");
  const FileTensor& tensor = file.tensor("random_samples");
  if (tensor.dtype != file.text("dtype")) throw Malformed("the samples are not of the input's type");
  if (tensor.array.extents.size() != 3) throw Malformed("the samples do not have three axes");
  return tensor.array;
}

Array plain_tensor(const CaseFile& file, const std::string& name, const std::string& dtype, std::size_t rank) {
  const FileTensor& tensor = file.tensor(name);
  if (tensor.dtype != dtype || tensor.array.extents.size() != rank)
    throw Malformed("the tensor '" + name + "' is not of its type and rank");
  return tensor.array;
}

void read_tensors(PoolCase& result, const CaseFile& file) {
  const std::string& dtype = file.text("dtype");
  result.input = read_tensor(file, "input", dtype, result);
  if (result.backward) result.grad_output = read_tensor(file, "grad_output", dtype, result);
  if (!result.expects_error) {
    (result.backward ? result.grad_input : result.output) =
        read_tensor(file, result.backward ? "grad_input" : "output", dtype, result);
  }
  if (is_max(result.op) && file.tensors.contains("indices")) result.indices = read_indices(file, result);
  if (result.op == Operator::max_unpool) result.indices = read_unpool_indices(file, result);
  if (result.op == Operator::fractional_max_pool) result.samples = read_samples(file, result);
  if (result.op == Operator::roi_align) {
    result.boxes = plain_tensor(file, "rois", dtype, 2);
    result.batch_indices = plain_tensor(file, "batch_indices", "i64", 1);
  }
}

/// Maxima are exact, the rest is relative to the numbers that are summed: the input's of a forward, the gradient's of a
/// backward.
Tolerance make_tolerance(const PoolCase& of, const CaseFile& file) {
  if (file.has("precision") && choice<bool>(file, "precision", {{"full", false}, {"rounded_4_decimals", true}})) {
    return {.absolute = 1.1e-4};
  }
  if ((is_max(of.op) || of.op == Operator::max_unpool) && !of.backward) return {};
  double scale = 1;
  for (const double value : (of.backward ? of.grad_output : of.input).values) {
    if (std::isfinite(value)) scale = std::max(scale, std::abs(value));
  }
  const double exact = of.op == Operator::lp_pool ? 1e-12 : 1e-13;  // of doubles
  return {.relative = of.dtype == Dtype::f64 ? exact : 1e-6, .scale = scale};
}

}  // namespace

bool is_max(Operator op) {
  return op == Operator::max_pool || op == Operator::adaptive_max_pool || op == Operator::global_max_pool ||
         op == Operator::fractional_max_pool;
}

Extents unpooled(const PoolCase& of) {
  constexpr std::int64_t largest = std::int64_t{1} << 31;
  const WindowAttributes& w = of.window;
  Extents extents = spatial(of.input.extents);
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    for (const Extents* list : {&w.kernel, &w.stride, &w.pad_begin, &w.pad_end})
      if ((*list)[axis] < 0 || (*list)[axis] > largest) throw Malformed("an attribute is out of the runner's range");
    extents[axis] = (extents[axis] - 1) * w.stride[axis] + w.kernel[axis] - w.pad_begin[axis] - w.pad_end[axis];
    if (extents[axis] < 1) throw Malformed("the windows give no output");
  }
  return extents;
}

bool has_window(Operator op) { return op == Operator::max_pool || op == Operator::avg_pool || op == Operator::lp_pool; }

PoolCase make_pool_case(const CaseFile& file) {
  PoolCase result;
  result.op = choice<Operator>(file, "op",
                               {{"max_pool", Operator::max_pool},
                                {"avg_pool", Operator::avg_pool},
                                {"lp_pool", Operator::lp_pool},
                                {"adaptive_max_pool", Operator::adaptive_max_pool},
                                {"adaptive_avg_pool", Operator::adaptive_avg_pool},
                                {"global_max_pool", Operator::global_max_pool},
                                {"global_avg_pool", Operator::global_avg_pool},
                                {"fractional_max_pool", Operator::fractional_max_pool},
                                {"max_unpool", Operator::max_unpool},
                                {"roi_align", Operator::roi_align}});
  result.backward = choice<bool>(file, "direction", {{"forward", false}, {"backward", true}});
  result.expects_error = choice<bool>(file, "expect", {{"values", false}, {"error", true}});
  result.spatial_rank = choice<int>(file, "spatial_rank", {{"1", 1}, {"2", 2}, {"3", 3}});
  result.dtype = choice<Dtype>(file, "dtype", {{"f32", Dtype::f32}, {"f64", Dtype::f64}, {"u8", Dtype::u8}});
  if (result.dtype == Dtype::u8 && (result.backward || !is_max(result.op))) {
    throw Malformed("u8 has neither averages nor gradients");
  }
  result.batched = read_batched(file, result.spatial_rank);
  read_attributes(result, file);
  read_tensors(result, file);
  result.tolerance = make_tolerance(result, file);
  return result;
}

}  // namespace conformance
