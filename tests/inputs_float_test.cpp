// Floating-point scalars against the oracle.
#include "scalar_cases.hpp"

namespace eigenpool_test {

using Floats = testing::Types<float, double, Eigen::half, Eigen::bfloat16>;
INSTANTIATE_TYPED_TEST_SUITE_P(Float, Scalars, Floats);

}  // namespace eigenpool_test
