// How a bad argument is reported: std::invalid_argument or, without exceptions,
// a handler and abort.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "../config.hpp"
#include "../window.hpp"

namespace eigenpool {

/// Called with the text of an error in builds without exceptions; the process
/// aborts when it returns.
using ErrorHandler = void (*)(const char* text);

namespace process {  // outside the inline namespace: one setting for objects
                     // built with any flags
inline std::atomic<ErrorHandler> error_handler{nullptr};
}

/// Sets the handler for builds with -fno-exceptions; nullptr (the default)
/// prints the text to stderr. Returns the handler it replaces. With exceptions
/// on, the handler is never called.
inline ErrorHandler set_error_handler(ErrorHandler handler) { return process::error_handler.exchange(handler); }

}  // namespace eigenpool

EIGENPOOL_BEGIN
namespace detail {

/// The public function an error text names, joined only when there is an error
/// to report.
struct Function {
  const char* family;
  int rank = 0;  // 0: the name carries no 1d, 2d or 3d
  const char* suffix = "";

  std::string name() const { return family + (rank > 0 ? std::to_string(rank) + "d" : std::string()) + suffix; }
};

[[noreturn]] inline void fail(const std::string& text) {
#if defined(__cpp_exceptions)
  throw std::invalid_argument(text);
#else
  if (const ErrorHandler handler = process::error_handler.load())
    handler(text.c_str());
  else
    std::fprintf(stderr, "%s\n", text.c_str());
  std::abort();
#endif
}

/// "<function>: <argument>[<axis>] is <value>, <reason>". A template, for kernels.cpp to compile.
template <class Value>
[[noreturn]] void fail_axis(const Function& function, const char* argument, int axis, Value value,
                            const std::string& reason) {
  fail(function.name() + ": " + argument + "[" + std::to_string(axis) + "] is " + std::to_string(value) + ", " +
       reason);
}
EIGENPOOL_COMPILED(void fail_axis(const Function&, const char*, int, Index, const std::string&))

}  // namespace detail
EIGENPOOL_END
