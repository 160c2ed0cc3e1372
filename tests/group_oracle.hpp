// What a group of values becomes, in plain loops: the oracle of sequence and segment pooling. No code is shared with
// include/.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace group_oracle {

using Values = std::vector<double>;

template <class Scalar>
inline constexpr bool is_small = std::is_same_v<Scalar, Eigen::half> || std::is_same_v<Scalar, Eigen::bfloat16>;

/// What sums are made in.
template <class Scalar>
using Lane =
    std::conditional_t<std::integral<Scalar>, std::int64_t, std::conditional_t<is_small<Scalar>, float, Scalar>>;

/// The sum of values[begin, end): both parts beside the largest power of two below the length are summed so, and added.
template <class L>
L pairwise(const Values& values, std::size_t begin, std::size_t end) {
  if (end == begin) return L(0);
  if (end - begin == 1) return static_cast<L>(values[begin]);
  std::size_t half = 1;
  while (2 * half < end - begin) half *= 2;
  return static_cast<L>(pairwise<L>(values, begin, begin + half) + pairwise<L>(values, begin + half, end));
}

/// As the scalar holds it: the sum of a group or, divided, the mean.
template <class Scalar>
double sum(const Values& values, bool divided) {
  const auto total = static_cast<Lane<Scalar>>(pairwise<Lane<Scalar>>(values, 0, values.size()) + Lane<Scalar>(0));
  if (!divided || values.empty()) return static_cast<double>(static_cast<Scalar>(total));
  const auto count = static_cast<Lane<Scalar>>(values.size());
  if constexpr (std::integral<Scalar>)
    return std::nearbyint(static_cast<double>(total) / static_cast<double>(count)) + 0.0;  // an integer has no -0
  else
    return static_cast<double>(static_cast<Scalar>(total / count));
}

struct Extreme {
  double value;
  std::int64_t place;  // in the group; -1 in an empty one
};

/// sign is 1 for a maximum, -1 for a minimum. The first of equal values, the last of NaNs.
template <class Scalar>
Extreme extreme(const Values& values, double sign) {
  using Limits = std::numeric_limits<Scalar>;
  const double last = std::numeric_limits<double>::infinity();
  Extreme best{-sign * last, -1};
  if (std::integral<Scalar>) best.value = static_cast<double>(sign > 0 ? Limits::lowest() : Limits::max());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (best.place < 0 || std::isnan(values[i]) || sign * values[i] > sign * best.value)
      if (!(std::isnan(best.value) && !std::isnan(values[i]))) best = {values[i], static_cast<std::int64_t>(i)};
  return best;
}

}  // namespace group_oracle
