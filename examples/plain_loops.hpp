// Pooling as anybody would write it without a library: the yardstick of digits.cpp.
#pragma once

#include "picture.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace plain {

// The rows (or columns) of the picture that one output row (or column) looks at.
struct Range {
  Eigen::Index begin, end;
};
using Ranges = std::vector<Range>;

inline Ranges windows(Eigen::Index extent, Eigen::Index kernel, Eigen::Index stride, Eigen::Index padding) {
  Ranges ranges;
  for (Eigen::Index begin = -padding; begin + kernel <= extent + padding; begin += stride) {
    ranges.push_back({std::max<Eigen::Index>(begin, 0), std::min(begin + kernel, extent)});
  }
  return ranges;
}

// The whole extent cut into `parts` parts; neighbours overlap where it does not divide.
inline Ranges parts(Eigen::Index extent, Eigen::Index count) {
  Ranges ranges;
  for (Eigen::Index i = 0; i < count; ++i) {
    ranges.push_back({i * extent / count, ((i + 1) * extent + count - 1) / count});
  }
  return ranges;
}

inline void max_pool(Picture& y, const Picture& x, const Ranges& rows, const Ranges& columns) {
  const Eigen::Index height = x.dimension(2), width = x.dimension(3);
  float* out = y.data();
  for (Eigen::Index c = 0; c < x.dimension(1); ++c) {
    const float* plane = x.data() + c * height * width;
    for (const Range& row : rows) {
      for (const Range& column : columns) {
        float largest = -std::numeric_limits<float>::infinity();
        for (Eigen::Index i = row.begin; i < row.end; ++i) {
          for (Eigen::Index j = column.begin; j < column.end; ++j) largest = std::max(largest, plane[i * width + j]);
        }
        *out++ = largest;
      }
    }
  }
}

// The sum is a double, since a float would lose the last of a large picture's values.
inline void avg_pool(Picture& y, const Picture& x, const Ranges& rows, const Ranges& columns) {
  const Eigen::Index height = x.dimension(2), width = x.dimension(3);
  float* out = y.data();
  for (Eigen::Index c = 0; c < x.dimension(1); ++c) {
    const float* plane = x.data() + c * height * width;
    for (const Range& row : rows) {
      for (const Range& column : columns) {
        double sum = 0;
        for (Eigen::Index i = row.begin; i < row.end; ++i) {
          for (Eigen::Index j = column.begin; j < column.end; ++j) sum += plane[i * width + j];
        }
        *out++ = static_cast<float>(sum / static_cast<double>((row.end - row.begin) * (column.end - column.begin)));
      }
    }
  }
}

}  // namespace plain
