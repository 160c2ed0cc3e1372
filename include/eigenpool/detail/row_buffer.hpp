// Scratch rows of accumulators, private to a task: on the stack while they are
// short.
#pragma once

#include <memory>

#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Hands out rows of a common length, each with room for a vector more, since
/// kernels work in whole vectors.
template <class R, int inline_bytes = 48 * 1024>
class RowBuffer {
 public:
  using Lane = typename R::Lane;
  static constexpr Index slack = 64;  // elements: the most that one vector of any width holds
  static constexpr Index element_bytes = [] {
    if constexpr (R::numbered)
      return sizeof(Lane) + sizeof(typename R::Number);
    else
      return sizeof(Lane);
  }();

  /// The longest row of which `rows` fit on the stack.
  static constexpr Index stack_elements(Index rows) { return inline_bytes / (element_bytes * rows) - slack; }

  RowBuffer(Index rows, Index elements) : row_elements_((elements + 2 * slack - 1) / slack * slack) {
    const Index bytes = rows * row_elements_ * element_bytes;
    if (bytes <= inline_bytes) {
      next_ = inline_;
    } else {
      heap_ = std::make_unique<Block[]>(static_cast<std::size_t>((bytes + 63) / 64));
      next_ = heap_[0].bytes;
    }
  }
  RowBuffer(const RowBuffer&) = delete;
  RowBuffer& operator=(const RowBuffer&) = delete;

  typename R::Row row() {
    auto* values = reinterpret_cast<Lane*>(take(sizeof(Lane)));
    if constexpr (R::numbered)
      return {values, reinterpret_cast<typename R::Number*>(take(sizeof(typename R::Number)))};
    else
      return {values};
  }

 private:
  struct alignas(64) Block {
    unsigned char bytes[64];
  };

  unsigned char* take(std::size_t size) {
    unsigned char* taken = next_;
    next_ += static_cast<std::size_t>(row_elements_) * size;
    return taken;
  }

  alignas(64) unsigned char inline_[inline_bytes];
  std::unique_ptr<Block[]> heap_;
  unsigned char* next_;
  Index row_elements_;
};

}  // namespace detail
EIGENPOOL_END
