// Built twice, as POOL=pool_baseline and POOL=pool_avx2.
#include "pool.hpp"

#include <eigenpool/eigenpool.hpp>

Pooled POOL(int rows, int columns, const std::vector<float>& cells) {
  const Eigen::TensorMap<const Eigen::Tensor<float, 2, Eigen::RowMajor>> x(cells.data(), rows, columns);
  const Eigen::Tensor<float, 2, Eigen::RowMajor> max =
      eigenpool::max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
  const Eigen::Tensor<float, 2, Eigen::RowMajor> average =
      eigenpool::avg_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
  return {{max.data(), max.data() + max.size()}, {average.data(), average.data() + average.size()}};
}
