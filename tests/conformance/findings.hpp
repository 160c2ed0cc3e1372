// What a case's calls did wrong.
#pragma once

#include <cstddef>
#include <string>

namespace conformance {

class Findings {
 public:
  void add(const std::string& where, const std::string& what) {
    if (count_++ == 0) first_ = where + ": " + what;
  }

  bool empty() const { return count_ == 0; }
  /// The first finding and how many more there are.
  std::string summary() const {
    return count_ < 2 ? first_ : first_ + " (and " + std::to_string(count_ - 1) + " more)";
  }

 private:
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace conformance
