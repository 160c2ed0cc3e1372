// The one list of what is not run, and why.
#pragma once

#include <array>

#include "skip_conditions.hpp"

namespace conformance {

/// Skips the cases whose attribute begins with the text, where the condition holds too.
struct Skip {
  const char* attribute;
  const char* text;
  const char* reason;
  bool (*condition)(const CaseFile&);
};

inline constexpr std::array skips{
    Skip{"error_kind", "param_arity", "does not compile: a window has one entry per spatial axis", has_wrong_arity},
    Skip{"error_kind", "unpool_output_size", "does not compile: an output size has one entry per spatial axis",
         has_wrong_arity},
    Skip{"error_kind", "input_rank", "ruled out by the tensor's type, or legal with any leading axes", has_other_rank},
    Skip{"error_kind", "pad_exceeds_half_kernel", "PyTorch's limit; ours is the window's extent", padding_is_legal},
    Skip{"error_kind", "torch_only_", "PyTorch's avg_pool3d wants input >= kernel before padding",
         padded_input_has_room},
    Skip{"error_kind", "torch_only_", "PyTorch's 3D fractional windows may not take every place", windows_have_places},
    Skip{"error_kind", "empty_", "zero channels are an error in PyTorch, an empty result here",
         only_channels_are_empty},
};

}  // namespace conformance
