// Every function of one (D, layout, storage order) that can refuse its arguments, with the arguments that it
// takes. A test spoils one argument and expects the same text, under its own name, from every function taking it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fronts.hpp"

namespace eigenpool_test {

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

template <class Tensor>
bool holds_only(const Tensor& tensor, typename Tensor::Scalar value) {
  return std::all_of(tensor.data(), tensor.data() + tensor.size(), [value](auto v) { return v == value; });
}

enum Argument : unsigned {
  window_ = 1,
  input_ = 2,
  input_shape_ = 4,
  output_ = 8,        // y of an _into
  new_indices_ = 16,  // indices of a forward _into
  gradient_ = 32,
  indices_ = 64,  // of a backward
  divisor_ = 128,
  output_size_ = 256,
  dx_ = 512,         // dx of an _into, beside the input
  dx_alone_ = 1024,  // dx of an _into that alone gives the input's shape
  any_argument = 0
};

template <class Case>
struct ErrorCalls {
  static constexpr int D = Case::D;
  static constexpr Layout layout = Case::layout;
  using F = Fronts<D>;
  using Shape = typename Case::Shape;
  using Values = typename Case::template Tensor<float>;
  using Indices = typename Case::template Tensor<std::int64_t>;
  static constexpr float sentinel = 77;

  struct Call {
    std::string function;
    unsigned takes;
    std::function<void()> run;
  };

  // Extents that differ from axis to axis: a check that looks at the wrong axis shows. Both the window and the
  // output size turn 6, 7, 9 into 3, 4, 5, so one gradient fits the fixed and the adaptive functions.
  ErrorCalls() { resize(); }
  ErrorCalls(const ErrorCalls&) = delete;

  static typename Case::Extents first_extents(const std::array<std::int64_t, 3>& extents) {
    typename Case::Extents result{};
    std::copy_n(extents.begin(), D, result.begin());
    return result;
  }
  static eigenpool::OutputSize<D> first_sizes(const std::array<std::int64_t, 3>& sizes) {
    if constexpr (D == 1)
      return {sizes[0]};
    else if constexpr (D == 2)
      return {sizes[0], sizes[1]};
    else
      return {sizes[0], sizes[1], sizes[2]};
  }

  Shape input_shape = Case::shape(2, 3, first_extents({6, 7, 9}));
  Shape output_shape = Case::shape(2, 3, first_extents({3, 4, 5}));
  eigenpool::Window<D> window{.kernel = 3, .stride = 2, .padding = 1};
  eigenpool::AvgOptions options;
  eigenpool::OutputSize<D> output_size = first_sizes({3, 4, 5});
  Values x, dy, y, dx;
  Indices indices, new_indices;

  /// Makes every tensor anew, of the shapes that input_shape and output_shape now have.
  void resize() {
    x = Values(input_shape), dx = Values(input_shape);
    dy = Values(output_shape), y = Values(output_shape);
    indices = Indices(output_shape), new_indices = Indices(output_shape);
    x.setConstant(1);
    dy.setConstant(1);
    indices.setZero();
    refill();
  }
  void refill() {
    y.setConstant(sentinel);
    dx.setConstant(sentinel);
    new_indices.setConstant(static_cast<std::int64_t>(sentinel));
  }
  void expect_untouched(const std::string& function) const {
    EXPECT_TRUE(holds_only(y, sentinel)) << function << " wrote its output";
    EXPECT_TRUE(holds_only(dx, sentinel)) << function << " wrote its output";
    EXPECT_TRUE(holds_only(new_indices, static_cast<std::int64_t>(sentinel))) << function << " wrote indices";
  }

  /// Every function that takes all of `arguments` must fail with `text`.
  void expect_error(unsigned arguments, const std::string& text) const {
    const int called = for_each_taking(arguments, [&](const Call& call) {
      EXPECT_EQ(error_of(call.run), call.function + ": " + text);
      expect_untouched(call.function);
    });
    EXPECT_GT(called, 0) << "no function takes this argument: the test tests nothing";
  }
  void expect_no_error() const {
    for_each_taking(any_argument,
                    [&](const Call& call) { EXPECT_EQ(error_of(call.run), "no error") << call.function; });
  }

 private:
  static std::string named(const std::string& stem, const std::string& suffix = "") {
    return stem + std::to_string(D) + "d" + suffix;
  }
  template <class Visit>
  int for_each_taking(unsigned arguments, const Visit& visit) const {
    int visited = 0;
    for (const Call& call : calls_) {
      if ((call.takes & arguments) != arguments) continue;
      visit(call);
      ++visited;
    }
    return visited;
  }

  std::vector<Call> calls_{
      {named("max_pool"), window_ | input_, [this] { F::template max_pool<layout>(x, window); }},
      {named("max_pool", "_into"), window_ | input_ | output_,
       [this] { F::template max_pool_into<layout>(y, x, window); }},
      {named("max_pool", "_with_indices"), window_ | input_,
       [this] { F::template max_pool_with_indices<layout, std::int64_t>(x, window); }},
      {named("max_pool", "_with_indices_into"), window_ | input_ | output_ | new_indices_,
       [this] { F::template max_pool_with_indices_into<layout>(y, new_indices, x, window); }},
      {named("max_pool", "_backward"), window_ | gradient_ | indices_ | input_shape_,
       [this] { F::template max_pool_backward<layout>(dy, indices, input_shape, window); }},
      {named("max_pool", "_backward_into"), window_ | gradient_ | indices_ | dx_alone_,
       [this] { F::template max_pool_backward_into<layout>(dx, dy, indices, window); }},
      {named("max_pool", "_backward_from_input"), window_ | gradient_ | input_,
       [this] { F::template max_pool_backward_from_input<layout>(dy, x, window); }},
      {named("max_pool", "_backward_from_input_into"), window_ | gradient_ | input_ | dx_,
       [this] { F::template max_pool_backward_from_input_into<layout>(dx, dy, x, window); }},
      {named("avg_pool"), window_ | input_ | divisor_, [this] { F::template avg_pool<layout>(x, window, options); }},
      {named("avg_pool", "_into"), window_ | input_ | output_ | divisor_,
       [this] { F::template avg_pool_into<layout>(y, x, window, options); }},
      {named("avg_pool", "_backward"), window_ | gradient_ | input_shape_ | divisor_,
       [this] { F::template avg_pool_backward<layout>(dy, input_shape, window, options); }},
      {named("avg_pool", "_backward_into"), window_ | gradient_ | divisor_ | dx_alone_,
       [this] { F::template avg_pool_backward_into<layout>(dx, dy, window, options); }},
      {named("adaptive_max_pool"), output_size_ | input_,
       [this] { F::template adaptive_max_pool<layout>(x, output_size); }},
      {named("adaptive_max_pool", "_into"), output_size_ | input_ | output_,
       [this] { F::template adaptive_max_pool_into<layout>(y, x, output_size); }},
      {named("adaptive_max_pool", "_with_indices"), output_size_ | input_,
       [this] { F::template adaptive_max_pool_with_indices<layout, std::int64_t>(x, output_size); }},
      {named("adaptive_max_pool", "_with_indices_into"), output_size_ | input_ | output_ | new_indices_,
       [this] { F::template adaptive_max_pool_with_indices_into<layout>(y, new_indices, x, output_size); }},
      {named("adaptive_max_pool", "_backward"), gradient_ | indices_ | input_shape_,
       [this] { F::template adaptive_max_pool_backward<layout>(dy, indices, input_shape); }},
      {named("adaptive_max_pool", "_backward_into"), gradient_ | indices_ | dx_alone_,
       [this] { F::template adaptive_max_pool_backward_into<layout>(dx, dy, indices); }},
      {named("adaptive_max_pool", "_backward_from_input"), gradient_ | input_,
       [this] { F::template adaptive_max_pool_backward_from_input<layout>(dy, x); }},
      {named("adaptive_max_pool", "_backward_from_input_into"), gradient_ | input_ | dx_,
       [this] { F::template adaptive_max_pool_backward_from_input_into<layout>(dx, dy, x); }},
      {named("adaptive_avg_pool"), output_size_ | input_,
       [this] { F::template adaptive_avg_pool<layout>(x, output_size); }},
      {named("adaptive_avg_pool", "_into"), output_size_ | input_ | output_,
       [this] { F::template adaptive_avg_pool_into<layout>(y, x, output_size); }},
      {named("adaptive_avg_pool", "_backward"), gradient_ | input_shape_,
       [this] { F::template adaptive_avg_pool_backward<layout>(dy, input_shape); }},
      {named("adaptive_avg_pool", "_backward_into"), gradient_ | dx_alone_,
       [this] { F::template adaptive_avg_pool_backward_into<layout>(dx, dy); }},
  };
};

}  // namespace eigenpool_test
