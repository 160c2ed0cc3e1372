// The rules of "Comparing" in data/conformance/README.md.
#pragma once

#include <optional>
#include <string>

#include "pool_case.hpp"

namespace conformance {

/// What differs first, or nothing: the default tolerance is none. NaN equals NaN, and -0 equals +0.
std::optional<std::string> difference(const Array& got, const Array& want, const Tolerance& tolerance = {});

}  // namespace conformance
