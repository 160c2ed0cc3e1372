// The command line that the benchmark programs share.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Options {
  std::string cases;                 // the table's file
  std::string filter;                // --benchmark_filter: a regular expression on the problem's name
  std::string tsv;                   // where the table's rows are written, too
  int rounds = 31;                   // samples of each contender
  bool table = false;                // one line for each problem
  bool sweep = false;                // windows that grow, and cases beside their neighbours
  bool placed = false;               // operators whose windows are placed by data
  int threads = 0;                   // the library alone against itself on so many threads
  std::vector<char*> for_benchmark;  // the program's name and everything that is not ours
};

// Throws std::invalid_argument that names the argument.
Options parse_options(int argc, char** argv);

}  // namespace bench
