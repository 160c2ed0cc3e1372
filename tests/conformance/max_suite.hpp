// What a max pooling must do with a case, in one memory form. Pooling wraps one operator's functions and binds
// its parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "suite.hpp"
#include "tensors.hpp"

namespace conformance {

template <class Scalar, class Form, class Pooling>
class MaxSuite {
 public:
  MaxSuite(const PoolCase& of, const Pooling& pooling, Findings& findings)
      : of_(of),
        pooling_(pooling),
        suite_(of, Form::memory(), pooling.name(), findings),
        x_(to_tensor<Scalar, Form>(of.input)) {}

  void forward(const ExpectedIndices& expected) const {
    suite_.attempt("", [&] { check("", pooling_.template forward<Form::layout>(x_)); });
    forward_with_indices<std::int64_t>(expected, "_with_indices");
    if constexpr (Form::batched) {
      suite_.attempt("_into", [&] { forward_into(); });
      suite_.attempt("_with_indices_into", [&] { forward_with_indices_into(expected); });
      if (expected.geometry.byte_numbers_taps()) {
        forward_with_indices<std::uint8_t>(expected, "_with_indices<uint8>");
      }
    }
    if constexpr (Form::plain) forward_with_indices<std::int32_t>(expected, "_with_indices<int32>");
  }

  void backward(const ExpectedIndices& expected) const {
    const auto dy = to_tensor<Scalar, Form>(of_.grad_output);
    const auto indices = to_tensor<std::int64_t, Form>(expected.flat);
    suite_.attempt("_backward",
                   [&] { check("_backward", pooling_.template backward<Form::layout>(dy, indices, x_.dimensions())); });
    suite_.attempt("_backward_from_input",
                   [&] { check("_backward_from_input", pooling_.template backward_from_input<Form::layout>(dy, x_)); });
    backward_from_own_indices<std::int64_t>(dy, expected, "_backward<int64>");
    if constexpr (Form::batched) {
      suite_.attempt("_backward_into", [&] { backward_into(dy, indices); });
      suite_.attempt("_backward_from_input_into", [&] { backward_from_input_into(dy); });
      if (expected.geometry.byte_numbers_taps()) {
        backward_from_own_indices<std::uint8_t>(dy, expected, "_backward<uint8>");
      }
    }
    if constexpr (Form::plain) backward_from_own_indices<std::int32_t>(dy, expected, "_backward<int32>");
  }

  void forward_error() const {
    suite_.refuse("", [&] { pooling_.template forward<Form::layout>(x_); });
    suite_.refuse("_with_indices", [&] { pooling_.template with_indices<Form::layout, std::int64_t>(x_); });
  }

  void backward_error() const {
    const auto dy = to_tensor<Scalar, Form>(of_.grad_output);
    suite_.refuse("_backward", [&] {
      const auto indices = of_.indices ? to_tensor<std::int64_t, Form>(*of_.indices)
                                       : filled_tensor<std::int64_t, Form>(of_.grad_output.extents);
      pooling_.template backward<Form::layout>(dy, indices, x_.dimensions());
    });
    if (only_indices_are_wrong(of_)) return;
    suite_.refuse("_backward_from_input", [&] { pooling_.template backward_from_input<Form::layout>(dy, x_); });
  }

 private:
  using Tensor = typename Form::template Tensor<Scalar>;
  using Flat = typename Form::template Tensor<std::int64_t>;

  void check(const char* suffix, const Tensor& result) const { suite_.check(suffix, to_array<Form>(result)); }

  template <class Indices>
  void check_indices(const char* suffix, const Indices& indices, const ExpectedIndices& expected) const {
    if constexpr (std::is_unsigned_v<typename Indices::Scalar>) {
      suite_.check_compact_indices(suffix, to_array<Form>(indices), expected);
    } else {
      suite_.check_flat_indices(suffix, to_array<Form>(indices), expected);
    }
  }

  template <class Index>
  void forward_with_indices(const ExpectedIndices& expected, const char* suffix) const {
    suite_.attempt(suffix, [&] {
      const auto result = pooling_.template with_indices<Form::layout, Index>(x_);
      check(suffix, result.output);
      check_indices(suffix, result.indices, expected);
    });
  }

  void forward_into() const {
    auto y = filled_tensor<Scalar, Form>(of_.output.extents);
    pooling_.template forward_into<Form::layout>(y, x_, two_threads());
    check("_into", y);
  }

  void forward_with_indices_into(const ExpectedIndices& expected) const {
    auto y = filled_tensor<Scalar, Form>(of_.output.extents);
    auto indices = filled_tensor<std::int64_t, Form>(of_.output.extents);
    pooling_.template with_indices_into<Form::layout>(y, indices, x_, two_threads());
    check("_with_indices_into", y);
    check_indices("_with_indices_into", indices, expected);
  }

  template <class Index>
  void backward_from_own_indices(const Tensor& dy, const ExpectedIndices& expected, const char* suffix) const {
    suite_.attempt(suffix, [&] {
      const auto own = pooling_.template with_indices<Form::layout, Index>(x_);
      check_indices(suffix, own.indices, expected);
      check(suffix, pooling_.template backward<Form::layout>(dy, own.indices, x_.dimensions()));
    });
  }

  void backward_into(const Tensor& dy, const Flat& indices) const {
    auto dx = filled_tensor<Scalar, Form>(of_.input.extents);
    pooling_.template backward_into<Form::layout>(dx, dy, indices, two_threads());
    check("_backward_into", dx);
  }

  void backward_from_input_into(const Tensor& dy) const {
    auto dx = filled_tensor<Scalar, Form>(of_.input.extents);
    pooling_.template backward_from_input_into<Form::layout>(dx, dy, x_, two_threads());
    check("_backward_from_input_into", dx);
  }

  const PoolCase& of_;
  const Pooling& pooling_;
  Suite suite_;
  Tensor x_;
};

/// Runs the case in every form.
template <int D, class Scalar, bool may_lack_batch = true, class Pooling>
void run_max_suite(const PoolCase& of, const Pooling& pooling, Findings& findings) {
  const auto expected = of.expects_error ? std::optional<ExpectedIndices>() : ExpectedIndices(of);
  in_every_form<D, may_lack_batch>(of, [&]<class Form>() {
    const MaxSuite<Scalar, Form, Pooling> suite(of, pooling, findings);
    if constexpr (std::is_floating_point_v<Scalar>) {
      if (of.backward) return expected ? suite.backward(*expected) : suite.backward_error();
    }
    return expected ? suite.forward(*expected) : suite.forward_error();
  });
}

}  // namespace conformance
