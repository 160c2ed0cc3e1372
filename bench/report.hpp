// A table of results: aligned on the standard output, and as tab-separated values where a file is named.
#pragma once

#include "cases.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace bench {

class Report {
 public:
  struct Column {
    std::string name;
    int width;  // negative: to the left
  };

  // `remarks` become comment lines above the rows. Throws std::runtime_error where the file cannot be written.
  Report(std::vector<Column> columns, const std::string& tsv, const std::vector<std::string>& remarks);

  // As many cells as there are columns.
  void row(const std::vector<std::string>& cells);

 private:
  std::vector<Column> columns_;
  std::ofstream tsv_;
};

// With so many digits after the point.
std::string number(double value, int digits);

// The columns that name a problem: case, layout, direction, type.
std::vector<Report::Column> with_problem_columns(const std::vector<Report::Column>& others);
std::vector<std::string> with_problem_cells(const Problem& problem, const std::vector<std::string>& others);

// Compiler, its flags, processor, vector width, rounds.
std::vector<std::string> remarks_on_this_run(int rounds);

class GeometricMean {
 public:
  void add(double value) {
    log_sum_ += std::log(value);
    ++count_;
  }
  double value() const { return std::exp(log_sum_ / count_); }
  int count() const { return count_; }

 private:
  double log_sum_ = 0;
  int count_ = 0;
};

// The problems that belong into one mean: "forward, f32, channels_first".
std::string mean_name(const Problem& problem);

}  // namespace bench
