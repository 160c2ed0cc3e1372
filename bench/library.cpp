#include "library.hpp"

namespace bench {
namespace {

Run other_types(const Problem& problem, const Buffers& buffers) {
  const Op op = problem.c.op;
  const bool built = op == Op::max || op == Op::average || op == Op::global_average;
  if (!built || problem.c.axes != 2 || problem.direction != Direction::forward) return {};
  const bool integer = problem.dtype == Dtype::u8 || problem.dtype == Dtype::s8;
  return integer ? library_integers(problem, buffers) : library_floats(problem, buffers);
}

}  // namespace

Run make_eigenpool(const Problem& problem, const Buffers& buffers) {
  if (problem.dtype != Dtype::f32) return other_types(problem, buffers);
  if (problem.c.is_adaptive()) return library_adaptive(problem, buffers);
  if (problem.c.is_global()) return library_global(problem, buffers);
  return problem.c.is_max() ? library_max(problem, buffers) : library_average(problem, buffers);
}

}  // namespace bench
