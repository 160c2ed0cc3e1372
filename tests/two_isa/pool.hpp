// What each object computes: a max and an average pooling of the same picture.
#pragma once

#include <vector>

struct Pooled {
  std::vector<float> max;
  std::vector<float> average;
};

Pooled pool_baseline(int rows, int columns, const std::vector<float>& cells);
Pooled pool_avx2(int rows, int columns, const std::vector<float>& cells);
