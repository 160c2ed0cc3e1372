#include "library_other_types.hpp"

namespace bench {

Run library_floats(const Problem& problem, const Buffers& buffers) {
  switch (problem.dtype) {
    case Dtype::f64:
      return other_types::make<double>(problem, buffers);
    case Dtype::f16:
      return other_types::make<Eigen::half>(problem, buffers);
    default:
      return other_types::make<Eigen::bfloat16>(problem, buffers);
  }
}

}  // namespace bench
