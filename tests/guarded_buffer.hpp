// Memory that begins or ends exactly at a page that may not be touched: a read or write past that edge kills the
// process. POSIX only.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

enum class Edge { begin, end };

template <class T>
class GuardedBuffer {
 public:
  GuardedBuffer(std::size_t count, Edge edge) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    const std::size_t bytes = count * sizeof(T);
    usable_ = std::max<std::size_t>(1, (bytes + page_ - 1) / page_) * page_;
    void* mapped = mmap(nullptr, usable_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("mmap failed");
    mapping_ = static_cast<unsigned char*>(mapped);
    unsigned char* first = mapping_ + page_;
    if (mprotect(first, usable_, PROT_READ | PROT_WRITE) != 0) throw std::runtime_error("mprotect failed");
    std::fill(first, first + usable_, canary);
    unsigned char* place = edge == Edge::begin ? first : first + usable_ - bytes;
    data_ = reinterpret_cast<T*>(place);
    slack_ = edge == Edge::begin ? place + bytes : first;
    slack_bytes_ = usable_ - bytes;
  }
  ~GuardedBuffer() { munmap(mapping_, usable_ + 2 * page_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  T* data() const { return data_; }
  // The side away from the edge is ordinary memory, up to the page's other end; here a stray write leaves a trace.
  bool slack_is_untouched() const {
    return std::all_of(slack_, slack_ + slack_bytes_, [](unsigned char byte) { return byte == canary; });
  }

 private:
  static constexpr unsigned char canary = 0xA5;

  std::size_t page_;
  std::size_t usable_ = 0;
  unsigned char* mapping_ = nullptr;
  T* data_ = nullptr;
  unsigned char* slack_ = nullptr;
  std::size_t slack_bytes_ = 0;
};
