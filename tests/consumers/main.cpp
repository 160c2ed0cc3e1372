#include <eigenpool/eigenpool.hpp>

int main() {
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(2, 2);
  x.setValues({{-1, -2}, {-3, -4}});
  const Eigen::Tensor<float, 2, Eigen::RowMajor> y = eigenpool::max_pool2d(x, {.kernel = 2});
  return y(0, 0) == -1 ? 0 : 1;
}
