// The library's forward passes of float on a ThreadPoolDevice.
#pragma once

#include "contender.hpp"

namespace bench {

// Of the pool that calls from now on run on.
void set_threads(int count);

Run make_eigenpool_on_threads(const Problem& problem, const Buffers& buffers);

}  // namespace bench
