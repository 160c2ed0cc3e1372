#include "suite.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "compare.hpp"

namespace conformance {

Suite::Suite(const PoolCase& of, const MemoryForm& form, std::string function, Findings& findings)
    : of_(of), form_(form), function_(std::move(function)), findings_(findings) {}

void Suite::attempt(const char* suffix, Call call) const {
  try {
    call();
  } catch (const std::exception& error) {
    add(suffix, std::string("throws '") + error.what() + "'");
  }
}

void Suite::refuse(const char* suffix, Call call) const {
  try {
    call();
    add(suffix, "accepts the arguments");
  } catch (const std::invalid_argument& error) {
    if (std::string(error.what()).starts_with(function_ + suffix + ": ")) return;
    add(suffix, std::string("throws '") + error.what() + "', which does not begin with its name");
  } catch (const std::exception& error) {
    add(suffix, std::string("throws '") + error.what() + "', not std::invalid_argument");
  }
}

void Suite::check(const char* suffix, const Array& got) const {
  const auto what = difference(got, of_.backward ? of_.grad_input : of_.output, of_.tolerance);
  if (what) add(suffix, (of_.backward ? "gradient" : "output") + *what);
}

void Suite::check_bits(const char* suffix, const Array& got, std::optional<Array>& first) const {
  if (!first) first = got;
  const auto what = difference(got, *first);
  if (what) add(suffix, "differs from another form or function: result" + *what);
}

void Suite::check_indices(const char* suffix, const Array& got, const Array& expected) const {
  const auto what = difference(got, expected);
  if (what) add(suffix, "indices" + *what);
}

void Suite::check_flat_indices(const char* suffix, const Array& got, const ExpectedIndices& expected) const {
  check_indices(suffix, got, expected.flat);
}

void Suite::check_compact_indices(const char* suffix, const Array& got, const ExpectedIndices& expected) const {
  const bool right_shape = got.extents == expected.flat.extents;
  check_flat_indices(suffix, right_shape ? expected.geometry.decoded(got) : got, expected);
}

void Suite::add(const char* suffix, const std::string& what) const {
  findings_.add(form_.name() + " " + function_ + suffix, what);
}

}  // namespace conformance
