#include "compare.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace conformance {
namespace {

std::string digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

/// "[0, 1, 3]": the place of the row-major position `flat`.
std::string place(const Extents& extents, std::size_t flat) {
  std::string text = "]";
  auto rest = static_cast<std::int64_t>(flat);
  for (std::size_t axis = extents.size(); axis-- > 0; rest /= extents[axis]) {
    text = (axis == 0 ? "[" : ", ") + std::to_string(rest % extents[axis]) + text;
  }
  return text;
}

bool agree(double got, double want, const Tolerance& tolerance) {
  if (!std::isfinite(got) || !std::isfinite(want)) return got == want || (std::isnan(got) && std::isnan(want));
  const double relative = tolerance.relative * std::abs(want) + tolerance.relative * tolerance.scale;
  return std::abs(got - want) <= relative + tolerance.absolute;
}

}  // namespace

std::optional<std::string> difference(const Array& got, const Array& want, const Tolerance& tolerance) {
  if (got.extents != want.extents) {
    return " has the shape " + to_text(got.extents) + ", expected " + to_text(want.extents);
  }
  for (std::size_t i = 0; i < want.values.size(); ++i) {
    if (agree(got.values[i], want.values[i], tolerance)) continue;
    return place(want.extents, i) + " is " + digits(got.values[i]) + ", expected " + digits(want.values[i]);
  }
  return std::nullopt;
}

}  // namespace conformance
