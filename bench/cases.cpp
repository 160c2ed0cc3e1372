#include "cases.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace bench {
namespace {

using Row = std::map<std::string, std::string>;  // column name -> text

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

Index number(const std::string& text) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    throw std::invalid_argument("'" + text + "' is not a number of at least 0");
  }
  return value;
}

// "3x3" as {1, 3, 3} when missing axes count as 1.
Case::Extents extents(const std::string& text, Index missing) {
  const std::vector<std::string> parts = split(text, 'x');
  if (parts.empty() || parts.size() > 3) throw std::invalid_argument("'" + text + "' is not one to three extents");
  Case::Extents values{missing, missing, missing};
  std::transform(parts.begin(), parts.end(), values.end() - static_cast<std::ptrdiff_t>(parts.size()), number);
  return values;
}

std::optional<Op> op_from(const std::string& name) {
  const std::map<std::string, Op> ops{{"max", Op::max},           {"avg", Op::average},
                                      {"gmax", Op::global_max},   {"gavg", Op::global_average},
                                      {"amax", Op::adaptive_max}, {"aavg", Op::adaptive_average}};
  const auto found = ops.find(name);
  return found == ops.end() ? std::nullopt : std::optional<Op>(found->second);
}

std::vector<Dtype> dtypes_from(const std::string& names) {
  constexpr std::array all{Dtype::f32, Dtype::f64, Dtype::f16, Dtype::bf16, Dtype::u8, Dtype::s8};
  std::vector<Dtype> dtypes;
  for (const std::string& name : split(names, ',')) {
    const auto* found = std::find_if(all.begin(), all.end(), [&](Dtype d) { return name == name_of(d); });
    if (found == all.end()) throw std::invalid_argument("'" + name + "' is not a type that is measured");
    dtypes.push_back(*found);
  }
  return dtypes;
}

Case case_from(const Row& row, Op op) {
  Case c;
  c.id = row.at("id");
  c.op = op;
  c.axes = static_cast<int>(split(row.at("in"), 'x').size());
  c.n = number(row.at("n"));
  c.c = number(row.at("c"));
  c.in = extents(row.at("in"), 1);
  c.kernel = extents(row.at("k"), 1);
  c.stride = extents(row.at("s"), 1);
  c.padding = extents(row.at("p"), 0);
  c.out = extents(row.at("out"), 1);
  c.ceil_mode = number(row.at("ceil")) != 0;
  c.count_include_pad = number(row.at("incl")) != 0;
  c.dtypes = dtypes_from(row.at("dtypes"));
  c.backward = number(row.at("bwd")) != 0;
  return c;
}

// Every column that is read, so that a table which lacks one is refused at its first line.
void check_columns(const std::vector<std::string>& names) {
  for (const char* name : {"id", "op", "n", "c", "in", "k", "s", "p", "ceil", "incl", "out", "dtypes", "bwd"}) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw std::invalid_argument("no column '" + std::string(name) + "'");
    }
  }
}

Row named_columns(const std::vector<std::string>& names, const std::string& line) {
  const std::vector<std::string> values = split(line, '\t');
  if (values.size() != names.size()) throw std::invalid_argument("not as many columns as the first line has");
  Row row;
  for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = values[i];
  return row;
}

}  // namespace

CaseTable read_cases(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  CaseTable table;
  std::vector<std::string> names;
  int line_number = 0;
  for (std::string line; std::getline(file, line);) {
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    try {
      if (names.empty()) {
        names = split(line, '\t');
        check_columns(names);
        continue;
      }
      const Row row = named_columns(names, line);
      const std::optional<Op> op = op_from(row.at("op"));
      if (op) table.cases.push_back(case_from(row, *op));
      if (!op) table.skipped.push_back(row.at("id") + " (" + row.at("op") + ")");
    } catch (const std::logic_error& error) {
      throw std::runtime_error(path + ":" + std::to_string(line_number) + ": " + error.what());
    }
  }
  if (table.cases.empty() && table.skipped.empty()) throw std::runtime_error(path + ": holds no cases");
  return table;
}

Index Case::taps() const {
  Index product = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    // An adaptive window that does not divide covers parts of two more cells than one that does, at most.
    product *= is_adaptive() ? (in[axis] % out[axis] == 0 ? in[axis] / out[axis] : in[axis] / out[axis] + 2)
               : is_global() ? in[axis]
                             : kernel[axis];
  }
  return product;
}

bool Case::tiles() const {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool whole = out[axis] > 0 && in[axis] % out[axis] == 0;
    const bool side_by_side =
        kernel[axis] == stride[axis] && kernel[axis] * out[axis] == in[axis] && padding[axis] == 0;
    if (!(is_global() || (is_adaptive() && whole) || (!is_adaptive() && side_by_side))) return false;
  }
  return true;
}

bool Problem::is_backward() const { return direction == Direction::backward || direction == Direction::backward_int64; }

std::size_t Problem::index_bytes() const {
  if (!c.is_max() || direction == Direction::forward) return 0;
  if (direction == Direction::indices_int64 || direction == Direction::backward_int64) return 8;
  return c.taps() <= 255 ? 1 : 2;
}

std::string Problem::name() const {
  std::string text = std::string(name_of(c.op)) + "/" + c.id + "/" + name_of(layout) + "/" + name_of(direction);
  if (dtype != Dtype::f32) text += std::string("/") + name_of(dtype);
  return text;
}

std::vector<Problem> problems_of(const Case& c) {
  std::vector<Direction> directions{Direction::forward};
  if (c.is_max()) directions.insert(directions.end(), {Direction::indices, Direction::indices_int64});
  if (c.backward) directions.push_back(Direction::backward);
  if (c.backward && c.is_max()) directions.push_back(Direction::backward_int64);

  std::vector<Problem> problems;
  for (const Dtype dtype : c.dtypes) {
    for (const Direction direction : directions) {
      if (dtype != Dtype::f32 && direction != Direction::forward) continue;
      for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
        problems.push_back({c, layout, direction, dtype});
      }
    }
  }
  return problems;
}

const char* name_of(Op op) {
  constexpr std::array names{"max", "avg", "global_max", "global_avg", "adaptive_max", "adaptive_avg"};
  return names[static_cast<std::size_t>(op)];
}

const char* name_of(Dtype dtype) {
  constexpr std::array names{"f32", "f64", "f16", "bf16", "u8", "s8"};
  return names[static_cast<std::size_t>(dtype)];
}

const char* name_of(Layout layout) { return layout == Layout::channels_first ? "channels_first" : "channels_last"; }

const char* name_of(Direction direction) {
  constexpr std::array names{"forward", "indices", "indices_int64", "backward", "backward_int64"};
  return names[static_cast<std::size_t>(direction)];
}

std::size_t bytes_of(Dtype dtype) {
  constexpr std::array<std::size_t, 6> bytes{4, 8, 2, 2, 1, 1};
  return bytes[static_cast<std::size_t>(dtype)];
}

}  // namespace bench
