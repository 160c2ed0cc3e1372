// Integer scalars against the oracle.
#include <cstdint>

#include "scalar_cases.hpp"

namespace eigenpool_test {

using Integers = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::int32_t, std::int64_t>;
INSTANTIATE_TYPED_TEST_SUITE_P(Integer, Scalars, Integers);

}  // namespace eigenpool_test
