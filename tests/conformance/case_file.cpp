#include "case_file.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

namespace conformance {
namespace {

constexpr std::int64_t largest_extent = std::int64_t{1} << 31;
constexpr std::int64_t largest_volume = std::int64_t{1} << 62;
constexpr std::int64_t largest_index = std::int64_t{1} << 53;

std::vector<std::string_view> words(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<std::string_view> result;
  for (auto begin = line.find_first_not_of(blanks); begin != line.npos;) {
    const auto end = line.find_first_of(blanks, begin);
    result.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(blanks, end);
  }
  return result;
}

std::int64_t parse_integer(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) {
    throw Malformed("'" + std::string(word) + "' is not a 64-bit integer");
  }
  return value;
}

double parse_whole(std::string_view word, std::int64_t lowest, std::int64_t highest) {
  const std::int64_t value = parse_integer(word);
  if (value < lowest || value > highest) throw Malformed("'" + std::string(word) + "' is out of range");
  return static_cast<double>(value);
}

double parse_real(std::string_view word, bool single) {
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  const std::string text(word);
  const bool decimal = text.find_first_not_of("0123456789+-.e") == text.npos;
  char* end = nullptr;
  const double value = single ? double{std::strtof(text.c_str(), &end)} : std::strtod(text.c_str(), &end);
  if (!decimal || end != text.c_str() + text.size() || !std::isfinite(value)) {
    throw Malformed("'" + text + "' is not a decimal number of its type");
  }
  return value;
}

double parse_value(std::string_view word, std::string_view dtype) {
  if (dtype == "f32") return parse_real(word, true);
  if (dtype == "f64") return parse_real(word, false);
  if (dtype == "u8") return parse_whole(word, 0, 255);
  return parse_whole(word, -largest_index, largest_index);
}

/// The cells of a tensor of these extents. Zero extents count as 1 for the limit, so that no product of extents
/// overflows later.
std::int64_t checked_cell_count(const Extents& extents) {
  std::int64_t volume = 1;
  for (const std::int64_t extent : extents) {
    if (extent < 0 || extent > largest_extent) throw Malformed("a tensor's extent is out of range");
    const std::int64_t factor = extent == 0 ? 1 : extent;
    if (volume > largest_volume / factor) throw Malformed("a tensor's extents overflow");
    volume *= factor;
  }
  return cell_count(extents);
}

class Reader {
 public:
  explicit Reader(std::string text) : lines_(std::move(text)) {}

  CaseFile read() {
    CaseFile file;
    while (next_line()) {
      if (line_.empty()) continue;
      if (line_.starts_with("tensor ")) {
        read_tensor(file);
      } else if (file.tensors.empty()) {
        read_attribute(file);
      } else {
        throw Malformed("more text after a tensor's values");
      }
    }
    return file;
  }

 private:
  bool next_line() {
    if (!std::getline(lines_, line_)) return false;
    if (line_.ends_with('\r')) line_.pop_back();
    return true;
  }

  void read_attribute(CaseFile& file) {
    const auto colon = line_.find(':');
    if (colon == 0 || colon == line_.npos) throw Malformed("'" + line_ + "' is not 'key: value'");
    const auto begin = line_.find_first_not_of(' ', colon + 1);
    const auto [entry, added] =
        file.attributes.emplace(line_.substr(0, colon), begin == line_.npos ? "" : line_.substr(begin));
    if (!added) throw Malformed("the key '" + entry->first + "' occurs twice");
  }

  void read_tensor(CaseFile& file) {
    const std::string header = line_;
    const auto fields = words(header);
    if (fields.size() < 3) throw Malformed("'" + header + "' is not 'tensor NAME DTYPE extents'");
    const std::string name(fields[1]);
    FileTensor tensor{std::string(fields[2]), {}};
    const std::string& dtype = tensor.dtype;
    if (dtype != "f32" && dtype != "f64" && dtype != "u8" && dtype != "i64") {
      throw Malformed("the tensor '" + name + "' has the unknown type '" + dtype + "'");
    }
    for (std::size_t i = 3; i < fields.size(); ++i) tensor.array.extents.push_back(parse_integer(fields[i]));
    read_values(tensor, name);
    if (!file.tensors.emplace(name, std::move(tensor)).second) {
      throw Malformed("the tensor '" + name + "' occurs twice");
    }
  }

  void read_values(FileTensor& tensor, const std::string& name) {
    const auto wanted = static_cast<std::size_t>(checked_cell_count(tensor.array.extents));
    auto& values = tensor.array.values;
    while (values.size() < wanted) {
      if (!next_line() || line_.starts_with("tensor ")) {
        throw Malformed("the tensor '" + name + "' ends after " + std::to_string(values.size()) + " of " +
                        std::to_string(wanted) + " values");
      }
      for (const auto word : words(line_)) values.push_back(parse_value(word, tensor.dtype));
    }
    if (values.size() > wanted) throw Malformed("the tensor '" + name + "' has too many values");
  }

  std::istringstream lines_;
  std::string line_;
};

}  // namespace

std::int64_t cell_count(const Extents& extents) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) count *= extent;
  return count;
}

std::string to_text(const Extents& extents) {
  std::string text;
  for (const std::int64_t extent : extents) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

const std::string& CaseFile::text(const std::string& key) const {
  const auto entry = attributes.find(key);
  if (entry == attributes.end()) throw Malformed("the key '" + key + "' is missing");
  return entry->second;
}

std::int64_t CaseFile::integer(const std::string& key) const { return parse_integer(text(key)); }

bool CaseFile::flag(const std::string& key) const {
  const std::string& value = text(key);
  if (value != "0" && value != "1") throw Malformed("the key '" + key + "' is not 0 or 1");
  return value == "1";
}

Extents CaseFile::integers(const std::string& key) const {
  Extents entries;
  if (text(key) == "none") return entries;
  for (const auto word : words(text(key))) entries.push_back(parse_integer(word));
  return entries;
}

const FileTensor& CaseFile::tensor(const std::string& name) const {
  const auto entry = tensors.find(name);
  if (entry == tensors.end()) throw Malformed("the tensor '" + name + "' is missing");
  return entry->second;
}

CaseFile read_case_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) throw Malformed("the file cannot be read, or is empty");
  CaseFile file = Reader(std::move(text).str()).read();
  if (file.text("format") != "pooling-conformance-1") throw Malformed("the format is not pooling-conformance-1");
  return file;
}

}  // namespace conformance
