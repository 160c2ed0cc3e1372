#pragma once

#include "peers.hpp"

#include "../options.hpp"

#include <vector>

namespace bench {

// Prints a line for each problem that the options ask for, then geometric means. False: our own result was wrong.
bool print_peer_table(const std::vector<Peer>& peers, const Options& options);

}  // namespace bench
