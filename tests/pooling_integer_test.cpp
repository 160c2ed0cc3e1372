// Pooling of integers: maxima compare in wider lanes, averages are summed in 64 bits and rounded to the nearest even.
#include <cstdint>

#include "pooling_scalars.hpp"

namespace harness {

using Integers = testing::Types<std::int8_t, std::uint8_t, std::int64_t>;
INSTANTIATE_TYPED_TEST_SUITE_P(Integers, PoolingOf, Integers);

}  // namespace harness
