// A user's reducer must say how two groups of taps merge.
#include <cstdint>

#include <eigenpool/eigenpool.hpp>

struct Sum {
  using State = float;
  State identity() const { return 0; }
  State take(float x) const { return x; }
#ifdef MENDED
  State merge(State a, State b) const { return a + b; }
#endif
  float finish(State sum, std::int64_t) const { return sum; }
};

void pool(const Eigen::Tensor<float, 4, Eigen::RowMajor>& x) {
  eigenpool::pool(x, eigenpool::Window<2>{.kernel = 2}, Sum());
}
