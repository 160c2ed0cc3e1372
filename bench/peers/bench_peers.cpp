// The library beside other libraries, each in the layout as it is: one line for each problem.
//   bench_peers [--cases=FILE] [--benchmark_filter=REGEX] [--rounds=N] [--tsv=FILE]
#include "peers.hpp"
#include "peer_table.hpp"

#include "../options.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>

namespace {

std::vector<bench::Peer> found_peers() {
  std::vector<bench::Peer> peers{bench::eigen_maps_peer()};
#if defined(EIGENPOOL_BENCH_ONEDNN)
  peers.push_back(bench::onednn_peer());
#endif
#if defined(EIGENPOOL_BENCH_XNNPACK)
  peers.push_back(bench::xnnpack_peer());
#endif
#if defined(EIGENPOOL_BENCH_TORCH)
  peers.push_back(bench::torch_peer());
#endif
#if defined(EIGENPOOL_BENCH_OPENCV)
  peers.push_back(bench::opencv_peer());
#endif
  return peers;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const bench::Options options = bench::parse_options(argc, argv);
    const bool stray = options.table || options.sweep || options.threads > 0;
    for (std::size_t i = 1; i < options.for_benchmark.size(); ++i) {
      const std::string argument = options.for_benchmark[i];
      if (!argument.starts_with("--benchmark_filter=")) throw std::invalid_argument(argument + ": unknown");
    }
    if (stray) throw std::invalid_argument("--table, --sweep and --threads are bench_pooling's");
    return bench::print_peer_table(found_peers(), options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_peers: %s\n", error.what());
    return 1;
  }
}
