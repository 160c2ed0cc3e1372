// A case as a pooling call: the attributes typed and checked against each other, the tensors brought to the axes
// (N, C, spatial...), the indices to flat positions in the plane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "case_file.hpp"

namespace conformance {

enum class Operator {
  max_pool,
  avg_pool,
  lp_pool,
  adaptive_max_pool,
  adaptive_avg_pool,
  global_max_pool,
  global_avg_pool,
  fractional_max_pool,
  max_unpool,
  roi_align
};
enum class Dtype { f32, f64, u8 };
enum class AutoPad { none, same_upper, same_lower };

/// The window attributes of max_pool, avg_pool, lp_pool and max_unpool, one entry per spatial axis.
struct WindowAttributes {
  Extents kernel;
  Extents stride;
  Extents dilation;
  Extents pad_begin;
  Extents pad_end;
  AutoPad auto_pad = AutoPad::none;
  bool ceil_mode = false;
};

/// The attributes of roi_align.
struct RoiAttributes {
  bool is_max = false;
  bool half_pixel = false;
  std::int64_t sampling_ratio = 0;
  double spatial_scale = 1;
};

/// A got value passes within relative * (|want| + scale) + absolute of the wanted one.
struct Tolerance {
  double relative = 0;
  double scale = 0;
  double absolute = 0;
};

struct PoolCase {
  Operator op{};
  bool backward = false;
  bool expects_error = false;
  int spatial_rank = 0;
  Dtype dtype{};
  bool batched = true;  // Otherwise the tensors lack the batch axis; here they have one of 1.

  WindowAttributes window;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override;
  double p = 2;               // lp_pool
  bool signed_power = false;  // PyTorch's lp_pool
  Extents output_size;        // of max_unpool: empty where the windows give it
  RoiAttributes roi;

  Array input;
  Array output;                  // forward, where values are expected
  Array grad_output;             // backward
  Array grad_input;              // backward, where values are expected
  std::optional<Array> indices;  // of max_unpool: what the call is given
  Array samples;                 // fractional_max_pool: (N, C, spatial rank)
  Array boxes;                   // roi_align
  Array batch_indices;           // roi_align
  Tolerance tolerance;           // of `output` or `grad_input`
};

/// The spatial ones of the extents (N, C, spatial...).
inline Extents spatial(const Extents& extents) { return {extents.begin() + 2, extents.end()}; }

bool is_max(Operator op);
bool has_window(Operator op);

/// The output's spatial extents that an unpooling's windows give. Throws Malformed.
Extents unpooled(const PoolCase& of);

/// Throws Malformed.
PoolCase make_pool_case(const CaseFile& file);

}  // namespace conformance
