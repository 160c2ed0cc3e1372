// A case file as text: `key: value` lines, then tensors (format pooling-conformance-1, see
// data/conformance/README.md). Nothing here knows what a key means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace conformance {

using Extents = std::vector<std::int64_t>;

/// Numbers in logical row-major order. A double holds every f32, f64 and u8 and every index a file may name.
struct Array {
  Extents extents;
  std::vector<double> values;
};

/// The product of the extents; 1 when there are none.
std::int64_t cell_count(const Extents& extents);

/// "2x3x4".
std::string to_text(const Extents& extents);

/// The file breaks its own format, or says something that no pooling call can be made of.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct FileTensor {
  std::string dtype;
  Array array;
};

struct CaseFile {
  std::map<std::string, std::string> attributes;
  std::map<std::string, FileTensor> tensors;

  bool has(const std::string& key) const { return attributes.contains(key); }
  const std::string& text(const std::string& key) const;
  std::int64_t integer(const std::string& key) const;
  bool flag(const std::string& key) const;
  /// The entries of a list; `none` is the empty list.
  Extents integers(const std::string& key) const;
  const FileTensor& tensor(const std::string& name) const;
};

/// Throws Malformed.
CaseFile read_case_file(const std::filesystem::path& path);

}  // namespace conformance
