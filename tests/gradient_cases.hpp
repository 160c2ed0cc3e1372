// Small geometries for the tests of gradients: every way windows can lie, in each rank. None holds an empty window,
// whose maximum has no gradient.
#pragma once

#include <vector>

#include "geometry.hpp"

namespace cases {

inline std::vector<oracle::Geometry> gradients() {
  using oracle::keep;
  using oracle::Kind;
  using oracle::Pad;
  return {
      {.name = "overlapping_1d", .lead = {2, 3}, .spatial = {11}, .kernel = {4}, .stride = {2}},
      {.name = "dilated_1d", .lead = {1, 2}, .spatial = {12}, .kernel = {3}, .stride = {1}, .dilation = {3}},
      {.name = "padded_1d", .lead = {1, 3}, .spatial = {9}, .kernel = {5}, .stride = {2}, .begin = {4}, .end = {2}},
      {.name = "ceil_1d", .lead = {1, 2}, .spatial = {10}, .kernel = {3}, .ceil = true},
      {.name = "adaptive_1d", .lead = {1, 2}, .spatial = {7}, .kind = Kind::adaptive, .output_size = {3}},
      {.name = "global_1d", .lead = {2, 3}, .spatial = {7}, .kind = Kind::global},
      {.name = "overlapping_2d", .lead = {1, 3}, .spatial = {6, 7}, .kernel = {3, 3}, .stride = {2, 1}},
      {.name = "gaps_2d", .lead = {1, 2}, .spatial = {7, 8}, .kernel = {2, 1}, .stride = {3, 2}},
      {.name = "dilated_2d", .lead = {1, 2}, .spatial = {7, 8}, .kernel = {2, 3}, .stride = {1, 2}, .dilation = {3, 2}},
      {.name = "padded_2d",
       .lead = {1, 3},
       .spatial = {5, 6},
       .kernel = {3, 2},
       .stride = {1, 2},
       .begin = {1, 0},
       .end = {2, 1},
       .count_include_pad = false},
      {.name = "same_2d",
       .lead = {1, 2},
       .spatial = {5, 7},
       .kernel = {2, 4},
       .stride = {2, 3},
       .pad = Pad::same_lower},
      {.name = "ceil_2d",
       .lead = {2, 1},
       .spatial = {6, 8},
       .kernel = {3, 3},
       .stride = {2, 2},
       .begin = {1, 1},
       .ceil = true},
      {.name = "divisor_2d", .lead = {1, 2}, .spatial = {4, 6}, .kernel = {2, 3}, .divisor = -5},
      {.name = "adaptive_2d", .lead = {1, 3}, .spatial = {5, 7}, .kind = Kind::adaptive, .output_size = {3, 4}},
      {.name = "adaptive_grows_2d",
       .lead = {1, 2},
       .spatial = {3, 4},
       .kind = Kind::adaptive,
       .output_size = {keep, 9}},
      {.name = "global_2d", .lead = {2, 3}, .spatial = {4, 5}, .kind = Kind::global},
      {.name = "overlapping_3d",
       .lead = {1, 2},
       .spatial = {4, 5, 5},
       .kernel = {2, 3, 2},
       .stride = {1, 2, 1},
       .begin = {1, 1, 0}},
      {.name = "dilated_ceil_3d",
       .lead = {1, 1},
       .spatial = {5, 4, 6},
       .kernel = {2, 2, 3},
       .stride = {2, 1, 2},
       .dilation = {2, 1, 2},
       .ceil = true},
      {.name = "adaptive_3d", .lead = {1, 2}, .spatial = {3, 4, 5}, .kind = Kind::adaptive, .output_size = {2, 3, 2}},
      {.name = "global_3d", .lead = {1, 3}, .spatial = {2, 3, 4}, .kind = Kind::global},
  };
}

}  // namespace cases
