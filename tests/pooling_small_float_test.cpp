// Pooling of half and bfloat16, which the kernels compare and sum in float.
#include <Eigen/Core>

#include "pooling_scalars.hpp"

namespace harness {

using SmallFloats = testing::Types<Eigen::half, Eigen::bfloat16>;
INSTANTIATE_TYPED_TEST_SUITE_P(SmallFloats, PoolingOf, SmallFloats);

}  // namespace harness
