// An average of integers is rounded, so it has no gradient.
#include <array>
#include <cstdint>

#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
using Scalar = float;
#else
using Scalar = std::int32_t;
#endif

void pool(const Eigen::Tensor<Scalar, 4, Eigen::RowMajor>& dy, const std::array<std::int64_t, 4>& input_shape) {
  eigenpool::avg_pool2d_backward(dy, input_shape, {.kernel = 2});
}
