// Scratch rows of accumulators, private to a task: on the stack, unless a
// window is so large that its row does not fit there.
#pragma once

#include <memory>

#include "reducers.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Hands out rows. Each has room for some vectors more, since kernels work in
/// whole vectors, and in two or three of them at a time.
template <class R>
class Scratch {
 public:
  using Lane = typename R::Lane;
  static constexpr Index slack = 196;  // elements; a vector holds at most 64
  static constexpr Index element_bytes = [] {
    if constexpr (R::numbered)
      return sizeof(Lane) + sizeof(typename R::Number);
    else
      return sizeof(Lane);
  }();

  /// What rows of this many elements take, in elements.
  static constexpr Index padded(Index elements) { return (elements + slack + 63) / 64 * 64; }

  /// All that fits on the stack (Eigen's own limit for such use), and what a
  /// task should work in, with what it reads, to stay in the nearest cache.
  static constexpr Index capacity = 120 * 1024 / element_bytes;
  static constexpr Index near_capacity = 40 * 1024 / element_bytes;
  /// What it may take from the heap without leaving the caches.
  static constexpr Index far_capacity = 1536 * 1024 / element_bytes;

  explicit Scratch(Index elements) {
    next_ = inline_;
    if (elements > capacity) {
      heap_ = std::make_unique_for_overwrite<Block[]>(static_cast<std::size_t>((elements * element_bytes + 63) / 64));
      next_ = heap_[0].bytes;
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  typename R::Row row(Index elements) { return rows(1, elements); }

  /// `count` rows, one every padded(elements).
  typename R::Row rows(Index count, Index elements) {
    const Index all = count * padded(elements);
    return R::Row::at(take(all * element_bytes), all);
  }

 private:
  struct alignas(64) Block {
    unsigned char bytes[64];
  };

  unsigned char* take(Index bytes) {
    unsigned char* taken = next_;
    next_ += bytes;
    return taken;
  }

  alignas(64) unsigned char inline_[static_cast<std::size_t>(capacity * element_bytes)];
  std::unique_ptr<Block[]> heap_;
  unsigned char* next_;
};

}  // namespace detail
EIGENPOOL_END
