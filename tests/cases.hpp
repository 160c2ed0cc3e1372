// The table of geometries that the pooling tests run, the sweep of widths, and the fuzzer's random geometries.
// A new case is a line here; every test that walks the table then runs it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "families.hpp"
#include "oracle.hpp"

namespace cases {

using oracle::Extents;
using oracle::Geometry;
using oracle::Index;
using oracle::keep;
using oracle::Kind;
using oracle::Pad;

inline std::vector<Geometry> table() {
  return {
      // One dimension: kernels, strides, tails.
      {.name = "one_cell", .spatial = {1}, .kernel = {1}},
      {.name = "k1_s1", .lead = {2, 3}, .spatial = {19}, .kernel = {1}},
      {.name = "k1_s3", .lead = {1, 5}, .spatial = {23}, .kernel = {1}, .stride = {3}},
      {.name = "k2", .lead = {2, 8}, .spatial = {37}, .kernel = {2}},
      {.name = "k2_s1", .lead = {1, 2}, .spatial = {40}, .kernel = {2}, .stride = {1}},
      {.name = "k3", .lead = {1, 17}, .spatial = {31}, .kernel = {3}},
      {.name = "k3_s1_p1", .lead = {2, 9}, .spatial = {29}, .kernel = {3}, .stride = {1}, .begin = {1}},
      {.name = "k3_s2_p1", .lead = {1, 3}, .spatial = {33}, .kernel = {3}, .stride = {2}, .begin = {1}},
      {.name = "k4_s2", .lead = {1, 5}, .spatial = {34}, .kernel = {4}, .stride = {2}},
      {.name = "k5_s3_p2", .lead = {1, 8}, .spatial = {38}, .kernel = {5}, .stride = {3}, .begin = {2}},
      {.name = "k6_s4", .lead = {1, 1}, .spatial = {39}, .kernel = {6}, .stride = {4}},
      {.name = "k7_s1_p3", .lead = {1, 3}, .spatial = {35}, .kernel = {7}, .stride = {1}, .begin = {3}},
      {.name = "k31_s1_p15", .lead = {1, 2}, .spatial = {40}, .kernel = {31}, .stride = {1}, .begin = {15}},
      {.name = "k31_s2_almost_all_padding", .spatial = {3}, .kernel = {31}, .stride = {2}, .begin = {30}},
      {.name = "gaps_between_windows", .lead = {1, 3}, .spatial = {37}, .kernel = {2}, .stride = {4}},
      {.name = "asymmetric_1d",
       .lead = {1, 3},
       .spatial = {13},
       .kernel = {4},
       .stride = {3},
       .begin = {0},
       .end = {3}},
      {.name = "dilated_1d",
       .lead = {1, 3},
       .spatial = {29},
       .kernel = {3},
       .stride = {1},
       .begin = {3},
       .dilation = {3}},
      {.name = "dilated_s2_1d", .lead = {1, 2}, .spatial = {31}, .kernel = {4}, .stride = {2}, .dilation = {2}},
      {.name = "dilated_window_of_holes",
       .lead = {1, 2},
       .spatial = {1},
       .kernel = {3},
       .stride = {6},
       .begin = {1},
       .end = {4},
       .dilation = {2},
       .ceil = true},
      {.name = "ceil_1d", .lead = {1, 3}, .spatial = {16}, .kernel = {3}, .stride = {2}, .ceil = true},
      {.name = "ceil_clipped_1d", .lead = {1, 3}, .spatial = {2}, .kernel = {1}, .stride = {3}, .ceil = true},
      {.name = "ceil_large_end_padding",
       .lead = {1, 2},
       .spatial = {5},
       .kernel = {6},
       .stride = {2},
       .begin = {0},
       .end = {5},
       .ceil = true},
      {.name = "same_upper_1d", .lead = {1, 3}, .spatial = {17}, .kernel = {4}, .stride = {3}, .pad = Pad::same_upper},
      {.name = "same_lower_1d", .lead = {1, 3}, .spatial = {17}, .kernel = {4}, .stride = {3}, .pad = Pad::same_lower},
      {.name = "same_needs_no_padding",
       .lead = {1, 2},
       .spatial = {9},
       .kernel = {1},
       .stride = {2},
       .pad = Pad::same_upper,
       .ceil = true},
      // Two dimensions: the networks' windows, then each argument in turn.
      {.name = "resnet_stem", .lead = {2, 3}, .spatial = {17, 23}, .kernel = {3, 3}, .stride = {2, 2}, .begin = {1, 1}},
      {.name = "vgg", .lead = {1, 5}, .spatial = {12, 37}, .kernel = {2, 2}},
      {.name = "inception_average",
       .lead = {1, 9},
       .spatial = {11, 13},
       .kernel = {3, 3},
       .stride = {1, 1},
       .begin = {1, 1},
       .count_include_pad = false},
      {.name = "alexnet", .lead = {1, 8}, .spatial = {13, 27}, .kernel = {3, 3}, .stride = {2, 2}},
      {.name = "yolo_5", .lead = {1, 17}, .spatial = {13, 13}, .kernel = {5, 5}, .stride = {1, 1}, .begin = {2, 2}},
      {.name = "yolo_13", .lead = {1, 2}, .spatial = {13, 19}, .kernel = {13, 13}, .stride = {1, 1}, .begin = {6, 6}},
      {.name = "k31_2d", .lead = {1, 1}, .spatial = {33, 37}, .kernel = {31, 31}, .stride = {1, 1}, .begin = {15, 15}},
      {.name = "k3x2", .lead = {1, 3}, .spatial = {14, 21}, .kernel = {3, 2}, .stride = {2, 1}, .begin = {1, 0}},
      {.name = "k1x7", .lead = {1, 2}, .spatial = {5, 33}, .kernel = {1, 7}, .stride = {1, 2}, .begin = {0, 3}},
      {.name = "k7x1", .lead = {1, 2}, .spatial = {33, 5}, .kernel = {7, 1}, .stride = {2, 1}, .begin = {3, 0}},
      {.name = "k4x6_s3x4", .lead = {2, 2}, .spatial = {19, 29}, .kernel = {4, 6}, .stride = {3, 4}},
      {.name = "asymmetric_2d",
       .lead = {1, 3},
       .spatial = {9, 14},
       .kernel = {3, 4},
       .stride = {2, 3},
       .begin = {0, 2},
       .end = {2, 1}},
      {.name = "asymmetric_exclude",
       .lead = {1, 2},
       .spatial = {9, 14},
       .kernel = {3, 4},
       .stride = {2, 3},
       .begin = {2, 0},
       .end = {0, 3},
       .count_include_pad = false},
      {.name = "same_upper_2d",
       .lead = {1, 3},
       .spatial = {10, 17},
       .kernel = {3, 2},
       .stride = {2, 2},
       .pad = Pad::same_upper},
      {.name = "same_lower_exclude",
       .lead = {1, 3},
       .spatial = {10, 17},
       .kernel = {2, 3},
       .stride = {1, 2},
       .pad = Pad::same_lower,
       .count_include_pad = false},
      {.name = "dilated_2d",
       .lead = {1, 3},
       .spatial = {12, 19},
       .kernel = {3, 2},
       .stride = {1, 1},
       .begin = {2, 1},
       .dilation = {2, 3}},
      {.name = "dilated_exclude_ceil",
       .lead = {1, 2},
       .spatial = {11, 16},
       .kernel = {2, 3},
       .stride = {3, 2},
       .begin = {1, 2},
       .dilation = {3, 2},
       .ceil = true,
       .count_include_pad = false},
      {.name = "ceil_2d",
       .lead = {1, 3},
       .spatial = {8, 14},
       .kernel = {3, 3},
       .stride = {2, 2},
       .begin = {1, 1},
       .ceil = true},
      {.name = "ceil_exclude",
       .lead = {1, 3},
       .spatial = {7, 12},
       .kernel = {2, 3},
       .stride = {3, 2},
       .ceil = true,
       .count_include_pad = false},
      {.name = "divisor",
       .lead = {1, 3},
       .spatial = {9, 11},
       .kernel = {3, 3},
       .stride = {2, 2},
       .begin = {1, 1},
       .divisor = 7},
      {.name = "negative_divisor", .lead = {1, 2}, .spatial = {6, 9}, .kernel = {2, 3}, .ceil = true, .divisor = -3},
      {.name = "divisor_of_holes",
       .lead = {1, 2},
       .spatial = {1, 9},
       .kernel = {3, 2},
       .stride = {6, 1},
       .begin = {1, 0},
       .end = {4, 0},
       .dilation = {2, 1},
       .ceil = true,
       .divisor = 5},
      {.name = "no_batch", .lead = {0, 3}, .spatial = {5, 7}, .kernel = {2, 2}},
      {.name = "no_channels", .lead = {2, 0}, .spatial = {5, 7}, .kernel = {3, 3}, .stride = {1, 1}, .begin = {1, 1}},
      // Three dimensions.
      {.name = "k2_3d", .lead = {1, 3}, .spatial = {5, 6, 11}, .kernel = {2, 2, 2}},
      {.name = "k3_s2_p1_3d",
       .lead = {2, 2},
       .spatial = {5, 7, 9},
       .kernel = {3, 3, 3},
       .stride = {2, 2, 2},
       .begin = {1, 1, 1}},
      {.name = "k3_s1_p1_exclude_3d",
       .lead = {1, 5},
       .spatial = {4, 5, 13},
       .kernel = {3, 3, 3},
       .stride = {1, 1, 1},
       .begin = {1, 1, 1},
       .count_include_pad = false},
      {.name = "mixed_3d",
       .lead = {1, 3},
       .spatial = {7, 8, 9},
       .kernel = {1, 4, 2},
       .stride = {2, 3, 1},
       .begin = {0, 1, 1},
       .end = {0, 3, 0},
       .dilation = {1, 1, 3},
       .ceil = true},
      {.name = "same_3d",
       .lead = {1, 2},
       .spatial = {5, 6, 7},
       .kernel = {2, 3, 4},
       .stride = {2, 2, 2},
       .pad = Pad::same_lower},
      {.name = "k7_3d",
       .lead = {1, 1},
       .spatial = {7, 9, 8},
       .kernel = {7, 7, 7},
       .stride = {1, 1, 1},
       .begin = {3, 3, 3}},
      // Adaptive and global windows.
      {.name = "adaptive_1d", .lead = {1, 3}, .spatial = {10}, .kind = Kind::adaptive, .output_size = {4}},
      {.name = "adaptive_grows_1d", .lead = {1, 3}, .spatial = {3}, .kind = Kind::adaptive, .output_size = {7}},
      {.name = "adaptive_7", .lead = {2, 9}, .spatial = {13, 17}, .kind = Kind::adaptive, .output_size = {7, 7}},
      {.name = "adaptive_even", .lead = {1, 8}, .spatial = {14, 21}, .kind = Kind::adaptive, .output_size = {7, 7}},
      {.name = "adaptive_one", .lead = {1, 5}, .spatial = {7, 11}, .kind = Kind::adaptive, .output_size = {1, 1}},
      {.name = "adaptive_keep", .lead = {1, 3}, .spatial = {6, 19}, .kind = Kind::adaptive, .output_size = {keep, 5}},
      {.name = "adaptive_keep_width",
       .lead = {1, 2},
       .spatial = {9, 13},
       .kind = Kind::adaptive,
       .output_size = {4, keep}},
      {.name = "adaptive_grows_2d", .lead = {1, 2}, .spatial = {5, 7}, .kind = Kind::adaptive, .output_size = {3, 40}},
      {.name = "adaptive_empty", .lead = {1, 2}, .spatial = {5, 7}, .kind = Kind::adaptive, .output_size = {3, 0}},
      {.name = "adaptive_3d", .lead = {1, 2}, .spatial = {5, 7, 9}, .kind = Kind::adaptive, .output_size = {2, 5, 4}},
      {.name = "global_1d", .lead = {2, 17}, .spatial = {37}, .kind = Kind::global},
      {.name = "global_2d", .lead = {2, 9}, .spatial = {7, 7}, .kind = Kind::global},
      {.name = "global_planes", .lead = {1, 21}, .spatial = {19, 13}, .kind = Kind::global},
      {.name = "global_wide", .lead = {1, 3}, .spatial = {40, 41}, .kind = Kind::global},
      {.name = "global_3d", .lead = {1, 5}, .spatial = {3, 5, 7}, .kind = Kind::global},
  };
}

// One geometry per width 1 to 40 that the window fits; `channels` differ so that inner extents meet every tail.
inline std::vector<Geometry> widths(Index kernel, Index stride) {
  constexpr Index channels[] = {1, 2, 3, 5, 8, 9, 17};
  std::vector<Geometry> result;
  for (Index width = 1; width <= 40; ++width) {
    const Index pad = width % 2 == 0 ? kernel / 2 : 0;
    if (kernel > width + 2 * pad) continue;
    Geometry g{.name = "width", .lead = {1, channels[width % 7]}, .spatial = {width}, .kernel = {kernel}};
    g.stride = {stride};
    g.begin = {pad};
    result.push_back(g);
    g.lead = {1, channels[(width + 3) % 7]};
    g.spatial = {kernel + width % 3, width};
    g.kernel = {kernel, kernel};
    g.stride = {stride, stride};
    g.begin = {0, pad};
    result.push_back(g);
  }
  return result;
}

// A random geometry that the library must accept: padding below the window's extent, the window inside the padded
// input.
inline Geometry random_geometry(families::Random& random) {
  const auto rank = static_cast<std::size_t>(random.between(1, 3));
  const Index longest = rank == 1 ? 40 : (rank == 2 ? 15 : 8);
  Geometry g{.name = "fuzz", .lead = {random.between(1, 2), random.between(1, 6)}};
  for (std::size_t axis = 0; axis < rank; ++axis) g.spatial.push_back(random.between(1, longest));
  const Index kind = random.between(1, 12);
  if (kind == 1) g.kind = Kind::global;
  if (kind == 2 || kind == 3) {
    g.kind = Kind::adaptive;
    for (const Index n : g.spatial) g.output_size.push_back(random.one_in(6) ? keep : random.between(1, n + 3));
  }
  if (g.kind != Kind::window) return g;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    g.dilation.push_back(random.one_in(3) ? random.between(2, 4) : 1);
    g.kernel.push_back(random.between(1, 5));
    const Index extent = g.extent_of(axis), n = g.spatial[axis];
    g.begin.push_back(random.one_in(2) ? 0 : random.between(0, extent - 1));
    g.end.push_back(random.one_in(2) ? g.begin.back() : random.between(0, extent - 1));
    if (extent > n + g.begin.back() + g.end.back()) g.kernel.back() = 1, g.begin.back() = 0, g.end.back() = 0;
    g.stride.push_back(random.between(1, 4));
  }
  // SAME may pad less than the window needs only when it pads nothing at all, and then the window fits.
  if (random.one_in(6)) g.pad = random.one_in(2) ? Pad::same_upper : Pad::same_lower;
  g.ceil = random.one_in(3);
  g.count_include_pad = random.one_in(2);
  if (random.one_in(8)) g.divisor = random.one_in(2) ? random.between(1, 9) : -random.between(1, 9);
  return g;
}

}  // namespace cases
