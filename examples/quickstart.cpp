// Max and average pooling of a small tensor: the program on the README's first screen.
#include <eigenpool/eigenpool.hpp>

#include <iostream>

int main() {
  Eigen::Tensor<float, 2, Eigen::RowMajor> x(4, 6);
  x.setValues({{1, 2, 0, 0, 5, 5},  //
               {3, 4, 0, 8, 5, 5},
               {9, 1, 2, 2, -1, -2},
               {1, 1, 2, 2, -3, -4}});

  std::cout << "max:\n" << eigenpool::max_pool2d(x, {.kernel = 2}) << '\n';
  std::cout << "average:\n" << eigenpool::avg_pool2d(x, {.kernel = 2}) << '\n';
}
