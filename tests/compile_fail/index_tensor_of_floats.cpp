// Indices are integers: a float has no room for a large plane's numbers.
#include <array>
#include <cstdint>

#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
using IndexScalar = std::int64_t;
#else
using IndexScalar = float;
#endif

void pool(const Eigen::Tensor<float, 4, Eigen::RowMajor>& dy,
          const Eigen::Tensor<IndexScalar, 4, Eigen::RowMajor>& indices,
          const std::array<std::int64_t, 4>& input_shape) {
  eigenpool::max_pool2d_backward(dy, indices, input_shape, {.kernel = 2});
}
