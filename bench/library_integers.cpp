#include "library_other_types.hpp"

namespace bench {

Run library_integers(const Problem& problem, const Buffers& buffers) {
  return problem.dtype == Dtype::u8 ? other_types::make<std::uint8_t>(problem, buffers)
                                    : other_types::make<std::int8_t>(problem, buffers);
}

}  // namespace bench
