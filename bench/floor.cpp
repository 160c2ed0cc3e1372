// The floor: a pass that reads the bytes which a pooling must read once, and writes those that it must write once.
// It uses vectors as wide as the library's, so that EIGENPOOL_MAX_VECTOR_BYTES=32 measures as a machine without
// AVX-512.
#include "contender.hpp"

#include <eigenpool/simd/dispatch.hpp>

#include <cstdint>
#include <cstring>

namespace bench {
namespace {

struct Span {
  unsigned char* data;
  std::size_t bytes;
};

template <int vector_bytes>
struct Vector {
  typedef std::uint64_t type __attribute__((vector_size(vector_bytes)));
};

// Eight independent chains: no load waits for the one before it.
template <int vector_bytes>
[[gnu::always_inline]] inline std::uint64_t read(const Span& span) {
  using V = typename Vector<vector_bytes>::type;
  constexpr std::size_t chains = 8, block = chains * sizeof(V);
  V seen[chains] = {};
  std::size_t at = 0;
  for (; at + block <= span.bytes; at += block) {
    for (std::size_t k = 0; k < chains; ++k) {
      V loaded;
      std::memcpy(&loaded, span.data + at + k * sizeof(V), sizeof(V));
      seen[k] ^= loaded;
    }
  }
  std::uint64_t rest = 0;
  for (; at < span.bytes; ++at) rest ^= span.data[at];
  for (std::size_t k = 1; k < chains; ++k) seen[0] ^= seen[k];
  for (std::size_t lane = 0; lane < sizeof(V) / sizeof(std::uint64_t); ++lane) rest ^= seen[0][lane];
  return rest;
}

template <int vector_bytes>
[[gnu::always_inline]] inline void write(const Span& span, std::uint64_t value) {
  using V = typename Vector<vector_bytes>::type;
  const V filled = V{} + value;
  std::size_t at = 0;
  for (; at + sizeof(V) <= span.bytes; at += sizeof(V)) std::memcpy(span.data + at, &filled, sizeof(V));
  std::memcpy(span.data + at, &filled, span.bytes - at);
}

// What is written depends on everything that was read, so no compiler can leave the reading out.
template <int vector_bytes>
[[gnu::always_inline]] inline void pass(const Span (&reads)[2], const Span (&writes)[2]) {
  const std::uint64_t value = read<vector_bytes>(reads[0]) ^ read<vector_bytes>(reads[1]);
  write<vector_bytes>(writes[0], value);
  write<vector_bytes>(writes[1], value);
}

using Spans = const Span (&)[2];

[[gnu::noinline]] void pass_16(Spans reads, Spans writes) { pass<16>(reads, writes); }
#if defined(__x86_64__)
[[gnu::noinline, gnu::target("avx2")]] void pass_32(Spans reads, Spans writes) { pass<32>(reads, writes); }
[[gnu::noinline, gnu::target("avx512f")]] void pass_64(Spans reads, Spans writes) { pass<64>(reads, writes); }
#endif

using Pass = void (*)(Spans, Spans);

Pass pass_of_the_library() {
#if defined(__x86_64__)
  if (eigenpool::simd::vector_bytes() == 64) return &pass_64;
  if (eigenpool::simd::vector_bytes() == 32) return &pass_32;
#endif
  return &pass_16;
}

}  // namespace

Run make_floor(const Problem& problem, const Buffers& buffers) {
  const auto span = [](const Block& block) { return Span{block.as<unsigned char>(), block.bytes()}; };
  const Span source = span(buffers.source), result = span(buffers.result), indices = span(buffers.indices);
  const Span nothing{result.data, 0};
  return [=, run = pass_of_the_library(), indices_are_read = problem.is_backward()] {
    run({source, indices_are_read ? indices : nothing}, {result, indices_are_read ? nothing : indices});
  };
}

}  // namespace bench
