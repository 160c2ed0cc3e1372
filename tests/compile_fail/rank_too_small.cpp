// A 2-D pooling needs two spatial axes.
#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
constexpr int rank = 2;
#else
constexpr int rank = 1;
#endif

void pool(const Eigen::Tensor<float, rank, Eigen::RowMajor>& x) { eigenpool::max_pool2d(x, {.kernel = 2}); }
