// Channels last, there is an axis more: the channels.
#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
constexpr int rank = 3;
#else
constexpr int rank = 2;
#endif

void pool(const Eigen::Tensor<float, rank, Eigen::RowMajor>& x) {
  eigenpool::max_pool2d<eigenpool::channels_last>(x, {.kernel = 2});
}
