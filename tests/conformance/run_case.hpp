// One case file, from its path to its verdict. Never throws, whatever the file holds.
#pragma once

#include <filesystem>
#include <string>

namespace conformance {

struct Verdict {
  enum class Kind { passed, failed, skipped };
  Kind kind = Kind::passed;
  std::string text;  // failed: the reason; skipped: the entry of the list
};

Verdict run_case(const std::filesystem::path& path);

}  // namespace conformance
