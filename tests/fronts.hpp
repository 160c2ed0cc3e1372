// The public functions carry their number of spatial axes in their names. Fronts<D> makes it a template
// parameter, so that one test covers 1d, 2d and 3d, and PoolingCase names a (D, layout, storage order).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <eigenpool/eigenpool.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace eigenpool_test {

using eigenpool::Layout;

template <int D>
struct Fronts;

#define EIGENPOOL_TEST_FRONT(name, function)                         \
  template <Layout layout, class... Args>                            \
  static auto name(Args&&... args) {                                 \
    return eigenpool::function<layout>(std::forward<Args>(args)...); \
  }
#define EIGENPOOL_TEST_INDEXED_FRONT(name, function)                        \
  template <Layout layout, class Index, class... Args>                      \
  static auto name(Args&&... args) {                                        \
    return eigenpool::function<layout, Index>(std::forward<Args>(args)...); \
  }
#define EIGENPOOL_TEST_FRONTS(D)                                                                                       \
  template <>                                                                                                          \
  struct Fronts<D> {                                                                                                   \
    EIGENPOOL_TEST_FRONT(max_pool, max_pool##D##d)                                                                     \
    EIGENPOOL_TEST_FRONT(max_pool_into, max_pool##D##d_into)                                                           \
    EIGENPOOL_TEST_INDEXED_FRONT(max_pool_with_indices, max_pool##D##d_with_indices)                                   \
    EIGENPOOL_TEST_FRONT(max_pool_with_indices_into, max_pool##D##d_with_indices_into)                                 \
    EIGENPOOL_TEST_FRONT(max_pool_backward, max_pool##D##d_backward)                                                   \
    EIGENPOOL_TEST_FRONT(max_pool_backward_into, max_pool##D##d_backward_into)                                         \
    EIGENPOOL_TEST_FRONT(max_pool_backward_from_input, max_pool##D##d_backward_from_input)                             \
    EIGENPOOL_TEST_FRONT(max_pool_backward_from_input_into, max_pool##D##d_backward_from_input_into)                   \
    EIGENPOOL_TEST_FRONT(min_pool, min_pool##D##d)                                                                     \
    EIGENPOOL_TEST_FRONT(min_pool_into, min_pool##D##d_into)                                                           \
    EIGENPOOL_TEST_INDEXED_FRONT(min_pool_with_indices, min_pool##D##d_with_indices)                                   \
    EIGENPOOL_TEST_FRONT(min_pool_with_indices_into, min_pool##D##d_with_indices_into)                                 \
    EIGENPOOL_TEST_FRONT(min_pool_backward, min_pool##D##d_backward)                                                   \
    EIGENPOOL_TEST_FRONT(min_pool_backward_into, min_pool##D##d_backward_into)                                         \
    EIGENPOOL_TEST_FRONT(min_pool_backward_from_input, min_pool##D##d_backward_from_input)                             \
    EIGENPOOL_TEST_FRONT(min_pool_backward_from_input_into, min_pool##D##d_backward_from_input_into)                   \
    EIGENPOOL_TEST_FRONT(avg_pool, avg_pool##D##d)                                                                     \
    EIGENPOOL_TEST_FRONT(avg_pool_into, avg_pool##D##d_into)                                                           \
    EIGENPOOL_TEST_FRONT(avg_pool_backward, avg_pool##D##d_backward)                                                   \
    EIGENPOOL_TEST_FRONT(avg_pool_backward_into, avg_pool##D##d_backward_into)                                         \
    EIGENPOOL_TEST_FRONT(lp_pool, lp_pool##D##d)                                                                       \
    EIGENPOOL_TEST_FRONT(lp_pool_into, lp_pool##D##d_into)                                                             \
    EIGENPOOL_TEST_FRONT(lp_pool_backward, lp_pool##D##d_backward)                                                     \
    EIGENPOOL_TEST_FRONT(lp_pool_backward_into, lp_pool##D##d_backward_into)                                           \
    EIGENPOOL_TEST_FRONT(avg_max_pool, avg_max_pool##D##d)                                                             \
    EIGENPOOL_TEST_FRONT(avg_max_pool_into, avg_max_pool##D##d_into)                                                   \
    EIGENPOOL_TEST_FRONT(avg_max_pool_backward, avg_max_pool##D##d_backward)                                           \
    EIGENPOOL_TEST_FRONT(avg_max_pool_backward_into, avg_max_pool##D##d_backward_into)                                 \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool, adaptive_max_pool##D##d)                                                   \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_into, adaptive_max_pool##D##d_into)                                         \
    EIGENPOOL_TEST_INDEXED_FRONT(adaptive_max_pool_with_indices, adaptive_max_pool##D##d_with_indices)                 \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_with_indices_into, adaptive_max_pool##D##d_with_indices_into)               \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_backward, adaptive_max_pool##D##d_backward)                                 \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_backward_into, adaptive_max_pool##D##d_backward_into)                       \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_backward_from_input, adaptive_max_pool##D##d_backward_from_input)           \
    EIGENPOOL_TEST_FRONT(adaptive_max_pool_backward_from_input_into, adaptive_max_pool##D##d_backward_from_input_into) \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool, adaptive_min_pool##D##d)                                                   \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_into, adaptive_min_pool##D##d_into)                                         \
    EIGENPOOL_TEST_INDEXED_FRONT(adaptive_min_pool_with_indices, adaptive_min_pool##D##d_with_indices)                 \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_with_indices_into, adaptive_min_pool##D##d_with_indices_into)               \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_backward, adaptive_min_pool##D##d_backward)                                 \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_backward_into, adaptive_min_pool##D##d_backward_into)                       \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_backward_from_input, adaptive_min_pool##D##d_backward_from_input)           \
    EIGENPOOL_TEST_FRONT(adaptive_min_pool_backward_from_input_into, adaptive_min_pool##D##d_backward_from_input_into) \
    EIGENPOOL_TEST_FRONT(max_unpool, max_unpool##D##d)                                                                 \
    EIGENPOOL_TEST_FRONT(max_unpool_into, max_unpool##D##d_into)                                                       \
    EIGENPOOL_TEST_FRONT(max_unpool_backward, max_unpool##D##d_backward)                                               \
    EIGENPOOL_TEST_FRONT(max_unpool_backward_into, max_unpool##D##d_backward_into)                                     \
    EIGENPOOL_TEST_FRONT(adaptive_avg_pool, adaptive_avg_pool##D##d)                                                   \
    EIGENPOOL_TEST_FRONT(adaptive_avg_pool_into, adaptive_avg_pool##D##d_into)                                         \
    EIGENPOOL_TEST_FRONT(adaptive_avg_pool_backward, adaptive_avg_pool##D##d_backward)                                 \
    EIGENPOOL_TEST_FRONT(adaptive_avg_pool_backward_into, adaptive_avg_pool##D##d_backward_into)                       \
  };
EIGENPOOL_TEST_FRONTS(1)
EIGENPOOL_TEST_FRONTS(2)
EIGENPOOL_TEST_FRONTS(3)
#undef EIGENPOOL_TEST_FRONTS
#undef EIGENPOOL_TEST_INDEXED_FRONT
#undef EIGENPOOL_TEST_FRONT

template <int D_, Layout layout_, int order_ = Eigen::RowMajor>
struct PoolingCase {
  static constexpr int D = D_;
  static constexpr Layout layout = layout_;
  static constexpr int order = order_;
  static constexpr int rank = D + 2;
  static constexpr int first_spatial = layout == Layout::channels_first ? 2 : 1;
  static constexpr int channel_axis = layout == Layout::channels_first ? 1 : rank - 1;

  using Extents = std::array<std::int64_t, static_cast<std::size_t>(D)>;
  using Shape = std::array<Eigen::Index, static_cast<std::size_t>(rank)>;
  template <class Scalar>
  using Tensor = Eigen::Tensor<Scalar, rank, order>;

  static Shape shape(Eigen::Index batch, Eigen::Index channels, const Extents& spatial) {
    Shape result{};
    result[0] = batch;
    result[static_cast<std::size_t>(channel_axis)] = channels;
    for (std::size_t a = 0; a < spatial.size(); ++a) result[a + std::size_t{first_spatial}] = spatial[a];
    return result;
  }
};

/// The name that a test's list of types gets: 2d_channels_last_row_major.
struct PoolingCaseName {
  template <class Case>
  static std::string GetName(int) {
    return std::to_string(Case::D) + (Case::layout == Layout::channels_first ? "d_channels_first" : "d_channels_last") +
           (Case::order == Eigen::RowMajor ? "_row_major" : "_col_major");
  }
};

}  // namespace eigenpool_test
