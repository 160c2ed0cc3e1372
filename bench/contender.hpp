// The memory of a problem, and the four contenders that do its work.
#pragma once

#include "cases.hpp"

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>

namespace bench {

// Memory that starts at a cache line, as Eigen's own.
class Block {
 public:
  Block() = default;
  explicit Block(std::size_t bytes) : bytes_(bytes), data_(allocate(bytes), &std::free) {}

  template <typename T>
  T* as() const {
    return static_cast<T*>(data_.get());
  }
  std::size_t bytes() const { return bytes_; }

 private:
  static void* allocate(std::size_t bytes) {
    constexpr std::size_t line = 64;
    void* memory = std::aligned_alloc(line, (bytes + line) / line * line);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }

  std::size_t bytes_ = 0;
  std::unique_ptr<void, void (*)(void*)> data_{nullptr, &std::free};
};

// Forward: source is x, result is y. Backward: source is dy, result is dx, and the indices are read.
// All contenders share them, so all find them equally warm.
struct Buffers {
  Block source, result, indices;
};

// Random signed data, and for a max backward the indices of a real forward pass.
Buffers make_buffers(const Problem& problem);

using Run = std::function<void()>;  // one call does the whole problem once; empty: there is no such contender

Run make_eigenpool(const Problem& problem, const Buffers& buffers);
Run make_naive(const Problem& problem, const Buffers& buffers);
Run make_eigen(const Problem& problem, const Buffers& buffers);
Run make_floor(const Problem& problem, const Buffers& buffers);

// Runs both on the same buffers and throws std::runtime_error where the results differ by more than rounding.
void check_equal(const Problem& problem, const Buffers& buffers, const std::string& who, const Run& run,
                 const Run& expected);

}  // namespace bench
