// Runs the case files of directories (with their subdirectories), or single case files:
//
//   conformance PATH...
//
// Prints one line per failure, one per reason to skip, and last `N passed, N failed, N skipped`. The exit code is 1
// if a case failed or if there was none.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance/run_case.hpp"

namespace {

namespace fs = std::filesystem;

bool is_case_file(const fs::directory_entry& entry) {
  return entry.is_regular_file() && entry.path().extension() == ".txt" && entry.path().filename() != "INDEX.txt";
}

/// Throws std::filesystem::filesystem_error where nothing can be found.
std::vector<fs::path> case_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (is_case_file(entry)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Summary {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::map<std::string, std::size_t> skips;

  void fail(const std::string& path, const std::string& reason) {
    ++failed;
    std::printf("failed %s: %s\n", path.c_str(), reason.c_str());
    std::fflush(stdout);
  }

  void add(const fs::path& path, const conformance::Verdict& verdict) {
    using Kind = conformance::Verdict::Kind;
    if (verdict.kind == Kind::failed) return fail(path.string(), verdict.text);
    if (verdict.kind == Kind::passed) {
      ++passed;
      return;
    }
    ++skipped;
    ++skips[verdict.text];
  }

  void print() const {
    for (const auto& [reason, count] : skips) std::printf("skipped %zu: %s\n", count, reason.c_str());
    std::printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
  }
};

}  // namespace

int main(int count, char** arguments) {
  Summary summary;
  for (int i = 1; i < count; ++i) {
    try {
      for (const fs::path& path : case_files(arguments[i])) summary.add(path, conformance::run_case(path));
    } catch (const fs::filesystem_error& error) {
      summary.fail(arguments[i], error.code().message());
    }
  }
  if (count < 2) std::fputs("usage: conformance PATH...   directories of case files, or case files\n", stderr);
  summary.print();
  const bool none = summary.passed + summary.failed + summary.skipped == 0;
  return summary.failed > 0 || none ? 1 : 0;
}
