// Runs both objects' poolings and compares them with each other and with one window worked out by hand.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

#include "pool.hpp"

namespace {

constexpr int skipped = 77;  // what CTest's SKIP_RETURN_CODE names

// Signed, and no two neighbours equal: a wrong tap shows.
std::vector<float> picture(int rows, int columns) {
  std::vector<float> cells;
  for (int i = 0; i < rows * columns; ++i) cells.push_back(static_cast<float>((i * 37) % 101 - 50) / 8.0f);
  return cells;
}

bool same(const std::vector<float>& baseline, const std::vector<float>& avx2, const char* what) {
  if (!baseline.empty() && baseline == avx2) return true;
  std::fprintf(stderr, "%s: the two objects differ\n", what);
  return false;
}

// The window whose centre is cell (2, 2) is output (1, 1) under stride 2 and padding 1.
bool matches_by_hand(const Pooled& pooled, const std::vector<float>& cells, int columns) {
  float largest = cells[static_cast<std::size_t>(columns + 1)];
  float sum = 0;
  for (int row = 1; row <= 3; ++row) {
    for (int column = 1; column <= 3; ++column) {
      const float cell = cells[static_cast<std::size_t>(row * columns + column)];
      largest = std::max(largest, cell);
      sum += cell;
    }
  }
  const auto output = static_cast<std::size_t>((columns - 1) / 2 + 1 + 1);
  const float difference = pooled.average[output] - sum / 9;
  if (pooled.max[output] == largest && difference < 1e-5f && difference > -1e-5f) return true;
  std::fprintf(stderr, "max %g, expected %g; average %g, expected %g\n", static_cast<double>(pooled.max[output]),
               static_cast<double>(largest), static_cast<double>(pooled.average[output]), static_cast<double>(sum / 9));
  return false;
}

}  // namespace

int main() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return skipped;
  constexpr int rows = 23;
  constexpr int columns = 75;  // whole vectors and a tail at every width
  const std::vector<float> cells = picture(rows, columns);
  const Pooled baseline = pool_baseline(rows, columns, cells);
  const Pooled avx2 = pool_avx2(rows, columns, cells);
  const bool max_same = same(baseline.max, avx2.max, "max_pool2d");
  const bool average_same = same(baseline.average, avx2.average, "avg_pool2d");
  return max_same && average_same && matches_by_hand(baseline, cells, columns) ? 0 : 1;
}
