// The printed table: one line for each problem.
#pragma once

#include "cases.hpp"
#include "options.hpp"

#include <vector>

namespace bench {

// Prints the problems whose name the filter finds, then geometric means. False: a result was wrong.
bool print_table(const std::vector<Case>& cases, const Options& options);

}  // namespace bench
