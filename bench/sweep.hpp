// How time grows with the window, and cases beside neighbours that should cost about the same.
#pragma once

#include "options.hpp"

namespace bench {

// Prints windows of 3 to 63, the neighbours, and what a call costs that has almost nothing to do. False: a result was
// wrong.
bool print_sweep(const Options& options);

}  // namespace bench
