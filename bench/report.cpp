#include "report.hpp"

#include <eigenpool/simd/dispatch.hpp>

#include <cstdio>
#include <stdexcept>

namespace bench {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string compiler() {
#if defined(__clang__)
  return "clang++ " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

Report::Report(std::vector<Column> columns, const std::string& tsv, const std::vector<std::string>& remarks)
    : columns_(std::move(columns)) {
  if (!tsv.empty()) {
    tsv_.open(tsv);
    if (!tsv_) throw std::runtime_error(tsv + ": cannot be written");
    for (const std::string& remark : remarks) tsv_ << "# " << remark << '\n';
  }
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  row(names);
}

void Report::row(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::printf("%s%*s", i == 0 ? "" : " ", columns_[i].width, cells[i].c_str());
    if (tsv_.is_open()) tsv_ << (i == 0 ? "" : "\t") << cells[i];
  }
  std::printf("\n");
  std::fflush(stdout);
  if (tsv_.is_open()) tsv_ << std::endl;
}

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::vector<Report::Column> with_problem_columns(const std::vector<Report::Column>& others) {
  std::vector<Report::Column> columns{{"case", -22}, {"layout", -14}, {"direction", -14}, {"type", -4}};
  columns.insert(columns.end(), others.begin(), others.end());
  return columns;
}

std::vector<std::string> with_problem_cells(const Problem& problem, const std::vector<std::string>& others) {
  std::vector<std::string> cells{problem.c.id, name_of(problem.layout), name_of(problem.direction),
                                 name_of(problem.dtype)};
  cells.insert(cells.end(), others.begin(), others.end());
  return cells;
}

std::vector<std::string> remarks_on_this_run(int rounds) {
  return {"processor: " + processor(), "compiler: " + compiler() + " " EIGENPOOL_BENCH_FLAGS,
          "vector bytes: " + std::to_string(eigenpool::simd::vector_bytes()), "rounds: " + std::to_string(rounds)};
}

std::string mean_name(const Problem& p) {
  return std::string(name_of(p.direction)) + ", " + name_of(p.dtype) + ", " + name_of(p.layout);
}

}  // namespace bench
