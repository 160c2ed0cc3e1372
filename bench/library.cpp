#include "library.hpp"

namespace bench {

Run make_eigenpool(const Problem& problem, const Buffers& buffers) {
  if (problem.dtype != Dtype::f32) return library_other_types(problem, buffers);
  if (problem.c.is_adaptive()) return library_adaptive(problem, buffers);
  if (problem.c.is_global()) return library_global(problem, buffers);
  return problem.c.is_max() ? library_max(problem, buffers) : library_average(problem, buffers);
}

}  // namespace bench
