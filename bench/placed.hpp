// Operators whose windows are placed by data: unpooling, fractional windows, boxes.
#pragma once

#include "options.hpp"

namespace bench {

// Prints each beside plain loops and the floor. False: a result was wrong.
bool print_placed(const Options& options);

}  // namespace bench
