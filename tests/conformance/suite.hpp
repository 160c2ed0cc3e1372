// What every operator's suite does with a call, told without templates: those around it are instantiated for each
// operator, rank, type, layout and storage order, and this is compiled once.
#pragma once

#include <optional>
#include <string>

#include "findings.hpp"
#include "geometry.hpp"
#include "memory_form.hpp"
#include "pool_case.hpp"

namespace conformance {

/// What the file, or where it says nothing the contract, expects of the indices.
struct ExpectedIndices {
  explicit ExpectedIndices(const PoolCase& of)
      : geometry(of), flat(of.indices ? geometry.expected_indices(*of.indices) : geometry.maxima(of.input)) {}

  Geometry geometry;
  Array flat;
};

/// A reference to something callable.
class Call {
 public:
  template <class Function>
  Call(const Function& function)
      : function_(&function), invoke_([](const void* of) { (*static_cast<const Function*>(of))(); }) {}

  void operator()() const { invoke_(function_); }

 private:
  const void* function_;
  void (*invoke_)(const void*);
};

class Suite {
 public:
  Suite(const PoolCase& of, const MemoryForm& form, std::string function, Findings& findings);

  /// The call must not throw. The suffix completes the function's name.
  void attempt(const char* suffix, Call call) const;
  /// The call must throw std::invalid_argument whose text begins with the function's name.
  void refuse(const char* suffix, Call call) const;

  /// Compares a result of the case's direction with the file's.
  void check(const char* suffix, const Array& got) const;
  /// Compares a result with an earlier one of the same problem: every bit.
  void check_bits(const char* suffix, const Array& got, std::optional<Array>& first) const;
  void check_indices(const char* suffix, const Array& got, const Array& expected) const;
  void check_flat_indices(const char* suffix, const Array& got, const ExpectedIndices& expected) const;
  void check_compact_indices(const char* suffix, const Array& got, const ExpectedIndices& expected) const;

 private:
  void add(const char* suffix, const std::string& what) const;

  const PoolCase& of_;
  MemoryForm form_;
  std::string function_;
  Findings& findings_;
};

}  // namespace conformance
