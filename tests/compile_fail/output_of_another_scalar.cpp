// An output has the input's scalar type.
#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
using OutputScalar = float;
#else
using OutputScalar = double;
#endif

void pool(Eigen::Tensor<OutputScalar, 4, Eigen::RowMajor>& y, const Eigen::Tensor<float, 4, Eigen::RowMajor>& x) {
  eigenpool::max_pool2d_into(y, x, {.kernel = 2});
}
