// The memory of a problem, and the contenders that do its work.
#pragma once

#include "cases.hpp"

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

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
    // A whole line more than is used: XNNPACK may read (not use) up to 16 bytes past the end.
    void* memory = std::aligned_alloc(line, (bytes + 2 * line) / line * line);
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

// The input of that forward pass, for contenders that keep its maxima in another format.
Block input_of_indices(const Problem& problem);

using Run = std::function<void()>;  // one call does the whole problem once; empty: there is no such contender

Run make_eigenpool(const Problem& problem, const Buffers& buffers);
Run make_naive(const Problem& problem, const Buffers& buffers);
Run make_eigen(const Problem& problem, const Buffers& buffers);
Run make_floor(const Problem& problem, const Buffers& buffers);

// What a call left in the buffers.
struct Result {
  std::vector<unsigned char> values, indices;
};
Result result_of(const Buffers& buffers, const Run& run);

// A library of its own right has index formats and roundings to integers of its own.
enum class Check { nothing, values, values_and_indices };

// Throws std::runtime_error where a result differs from the expected one by more than rounding.
void check_equal(const Problem& problem, const std::string& who, const Result& result, const Result& expected,
                 Check check);

}  // namespace bench
