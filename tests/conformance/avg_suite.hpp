// What an average pooling must do with a case, in one memory form. Pooling wraps one operator's functions and
// binds its parameters.
#pragma once

#include <optional>

#include "suite.hpp"
#include "tensors.hpp"

namespace conformance {

template <class Scalar, class Form, class Pooling>
class AvgSuite {
 public:
  /// `first` keeps the first result of the case: every other one must have the same bits.
  AvgSuite(const PoolCase& of, const Pooling& pooling, Findings& findings, std::optional<Array>& first)
      : of_(of),
        pooling_(pooling),
        suite_(of, Form::memory(), pooling.name(), findings),
        first_(first),
        x_(to_tensor<Scalar, Form>(of.input)) {}

  void forward() const {
    suite_.attempt("", [&] { check("", pooling_.template forward<Form::layout>(x_)); });
    if constexpr (Form::batched) suite_.attempt("_into", [&] { forward_into(); });
  }

  void backward() const {
    const auto dy = to_tensor<Scalar, Form>(of_.grad_output);
    suite_.attempt("_backward",
                   [&] { check("_backward", pooling_.template backward<Form::layout>(dy, x_.dimensions())); });
    if constexpr (Form::batched) suite_.attempt("_backward_into", [&] { backward_into(dy); });
  }

  void forward_error() const {
    suite_.refuse("", [&] { pooling_.template forward<Form::layout>(x_); });
  }

  void backward_error() const {
    const auto dy = to_tensor<Scalar, Form>(of_.grad_output);
    suite_.refuse("_backward", [&] { pooling_.template backward<Form::layout>(dy, x_.dimensions()); });
  }

 private:
  using Tensor = typename Form::template Tensor<Scalar>;

  void check(const char* suffix, const Tensor& result) const {
    const Array got = to_array<Form>(result);
    suite_.check(suffix, got);
    suite_.check_bits(suffix, got, first_);
  }

  void forward_into() const {
    auto y = filled_tensor<Scalar, Form>(of_.output.extents);
    pooling_.template forward_into<Form::layout>(y, x_, two_threads());
    check("_into", y);
  }

  void backward_into(const Tensor& dy) const {
    auto dx = filled_tensor<Scalar, Form>(of_.input.extents);
    pooling_.template backward_into<Form::layout>(dx, dy, two_threads());
    check("_backward_into", dx);
  }

  const PoolCase& of_;
  const Pooling& pooling_;
  Suite suite_;
  std::optional<Array>& first_;
  Tensor x_;
};

/// Runs the case in every form.
template <int D, class Scalar, bool may_lack_batch = true, class Pooling>
void run_avg_suite(const PoolCase& of, const Pooling& pooling, Findings& findings) {
  std::optional<Array> first;
  in_every_form<D, may_lack_batch>(of, [&]<class Form>() {
    const AvgSuite<Scalar, Form, Pooling> suite(of, pooling, findings, first);
    if (of.backward) return of.expects_error ? suite.backward_error() : suite.backward();
    return of.expects_error ? suite.forward_error() : suite.forward();
  });
}

}  // namespace conformance
