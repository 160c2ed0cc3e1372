// Each forward pass on a pool of threads against the same on one.
#pragma once

#include "cases.hpp"
#include "options.hpp"

#include <vector>

namespace bench {

// Prints the cases, and tiny ones, whose name the filter finds. False: a result was wrong.
bool print_threads(const std::vector<Case>& cases, const Options& options);

}  // namespace bench
