// The conditions in the list of skips. They narrow an entry to the cases that its reason speaks of.
#pragma once

#include "case_file.hpp"

namespace conformance {

constexpr bool always(const CaseFile&) { return true; }

/// Some list does not have one entry per spatial axis.
bool has_wrong_arity(const CaseFile& file);

/// The input's rank is neither that of (N, C, spatial...) nor that of (C, spatial...).
bool has_other_rank(const CaseFile& file);

/// Each side's padding is at least 0 and smaller than its window's extent.
bool padding_is_legal(const CaseFile& file);

/// avg_pool3d with a window larger than the input but not than the padded input.
bool padded_input_has_room(const CaseFile& file);

/// Fractional windows, of which there are at most as many as places along each axis.
bool windows_have_places(const CaseFile& file);

/// The input has no channels, and no other extent that must not be 0 is 0.
bool only_channels_are_empty(const CaseFile& file);

}  // namespace conformance
