// A callable behind one type, so that what takes it is compiled once.
#pragma once

#include <concepts>
#include <type_traits>

#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class Signature>
class FunctionRef;

/// Refers to a callable, and must not outlive it.
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class F>
    requires(!std::same_as<F, FunctionRef>)
  FunctionRef(const F& f)
      : callable_(&f), call_([](const void* callable, Args... args) -> Result {
          return (*static_cast<const F*>(callable))(args...);
        }) {}

  Result operator()(Args... args) const { return call_(callable_, args...); }

 private:
  const void* callable_;
  Result (*call_)(const void*, Args...);
};

/// Runs a call's tasks [begin, end).
using RunTasks = FunctionRef<void(Index begin, Index end)>;

/// Parallel, whatever its device: calls run(begin, end) on ranges that make up [0, tasks), from any thread; a task
/// moves about `bytes` bytes, and `grain` of them are best done together.
using AnyParallel = FunctionRef<void(Index tasks, double bytes, const RunTasks& run, Index grain)>;

}  // namespace detail
EIGENPOOL_END
