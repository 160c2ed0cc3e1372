#include "options.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

int count_from(std::string_view argument, std::string_view text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 1) {
    throw std::invalid_argument(std::string(argument) + ": not a number of at least 1");
  }
  return count;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.cases = EIGENPOOL_BENCH_CASES;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto starts = [&](std::string_view flag) { return argument.starts_with(flag); };
    const std::string_view value = argument.substr(argument.find('=') + 1);
    if (starts("--benchmark_filter=")) options.filter = value;
    if (starts("--cases=")) {
      options.cases = value;
    } else if (starts("--tsv=")) {
      options.tsv = value;
    } else if (starts("--rounds=")) {
      options.rounds = count_from(argument, value);
    } else if (starts("--threads=")) {
      options.threads = count_from(argument, value);
    } else if (argument == "--table") {
      options.table = true;
    } else if (argument == "--sweep") {
      options.sweep = true;
    } else if (argument == "--placed") {
      options.placed = true;
    } else {
      options.for_benchmark.push_back(argv[i]);
    }
  }
  return options;
}

}  // namespace bench
