// Pooling with a reducer of one's own: from the average to the maximum by the sharpness of a log-sum-exp, and its
// gradient.
#include <cstdio>

#include <eigenpool/eigenpool.hpp>

#include "log_sum_exp.hpp"

int main() {
  using Picture = Eigen::Tensor<float, 2, Eigen::RowMajor>;
  Picture x(2, 4);
  x.setValues({{1, 2, 0, 0}, {3, 4, 0, 8}});
  const eigenpool::Window<2> window{.kernel = 2};
  for (const double sharpness : {0.01, 1.0, 100.0}) {
    const Picture y = eigenpool::pool(x, window, LogSumExp{sharpness});
    std::printf("sharpness %g: %.2f %.2f\n", sharpness, y(0), y(1));
  }
  Picture dy(1, 2);
  dy.setConstant(1);
  const Picture dx = eigenpool::pool_backward(dy, x, window, LogSumExp{1.0});
  std::printf("gradient: %.3f %.3f %.3f %.3f\n", dx(0, 0), dx(0, 1), dx(1, 0), dx(1, 1));
}
