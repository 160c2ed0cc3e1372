// The printed table: one line for each problem.
#pragma once

#include "cases.hpp"

#include <string>
#include <vector>

namespace bench {

// Prints the problems whose name the regular expression finds, then geometric means. False: a result was wrong.
bool print_table(const std::vector<Case>& cases, const std::string& filter, int rounds);

}  // namespace bench
