#include "naive.hpp"

#include "contender.hpp"
#include "dispatch.hpp"

#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

namespace bench {
namespace {

template <typename T, Layout layout>
Run forward(const Problem& problem, const T* x, T* y) {
  return [c = problem.c, x, y] {
    c.is_max() ? naive::max_forward<T, layout>(c, x, y) : naive::avg_forward<T, layout>(c, x, y);
  };
}

template <Layout layout, typename I>
Run with_indices(const Problem& problem, const Buffers& buffers, I* indices) {
  const auto* source = buffers.source.as<float>();
  auto* result = buffers.result.as<float>();
  if (problem.is_backward()) {
    return [=, c = problem.c] { naive::max_backward<float, layout>(c, source, indices, result); };
  }
  return [=, c = problem.c] { naive::max_forward_with_indices<float, layout>(c, source, result, indices); };
}

template <Layout layout>
Run make_naive_in(const Problem& problem, const Buffers& buffers) {
  if (problem.direction == Direction::forward) {
    return with_scalar(problem.dtype, [&](auto scalar) {
      using T = decltype(scalar);
      return forward<T, layout>(problem, buffers.source.as<T>(), buffers.result.as<T>());
    });
  }
  if (problem.index_bytes() != 0) {
    return with_index(problem, [&](auto index) {
      return with_indices<layout>(problem, buffers, buffers.indices.as<decltype(index)>());
    });
  }
  return [c = problem.c, dy = buffers.source.as<float>(), dx = buffers.result.as<float>()] {
    naive::avg_backward<float, layout>(c, dy, dx);
  };
}

// Signed: a max that took its padding for zeros, or an average that lost a sign, would not pass the check.
template <typename T>
void fill_random(const Block& block) {
  std::mt19937 generator(20240229);
  const std::size_t count = block.bytes() / sizeof(T);
  if constexpr (std::is_integral_v<T>) {
    std::uniform_int_distribution<int> values(std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    std::generate_n(block.as<T>(), count, [&] { return static_cast<T>(values(generator)); });
  } else {
    std::uniform_real_distribution<float> values(-1, 1);
    std::generate_n(block.as<T>(), count, [&] { return static_cast<T>(values(generator)); });
  }
}

// A max backward needs the indices that a forward pass over some input gives.
void fill_indices(const Problem& problem, const Buffers& buffers) {
  Problem forward_problem = problem;
  forward_problem.direction = problem.direction == Direction::backward ? Direction::indices : Direction::indices_int64;
  const auto outputs = static_cast<std::size_t>(problem.c.outputs());
  const Block input = input_of_indices(problem), maxima(outputs * sizeof(float));
  with_index(problem, [&](auto index) {
    using I = decltype(index);
    with_layout(problem.layout, [&](auto layout) {
      const Case& c = problem.c;
      naive::max_forward_with_indices<float, layout.value>(c, input.as<float>(), maxima.as<float>(),
                                                           buffers.indices.as<I>());
      return 0;
    });
    return 0;
  });
}

std::vector<unsigned char> copy_of(const Block& block) {
  const auto* first = block.as<unsigned char>();
  return {first, first + block.bytes()};
}

// Sums in another order differ by rounding; the narrow types also by their own last place.
// A peer may round halves the other way.
double tolerance(const Problem& problem, Check check) {
  if (!problem.is_backward() && problem.c.is_max()) return 0;
  switch (problem.dtype) {
    case Dtype::f64:
      return 1e-12;
    case Dtype::f16:
      return 2e-3;
    case Dtype::bf16:
      return 2e-2;
    case Dtype::f32:
      return 2e-5;
    default:
      return check == Check::values ? 1 : 0;
  }
}

template <typename T>
void compare(const Problem& problem, const std::string& who, const Result& result, const Result& expected,
             double most) {
  const T* found = reinterpret_cast<const T*>(result.values.data());
  const T* wanted = reinterpret_cast<const T*>(expected.values.data());
  for (std::size_t i = 0; i < expected.values.size() / sizeof(T); ++i) {
    const double a = static_cast<double>(found[i]), b = static_cast<double>(wanted[i]);
    if (std::abs(a - b) <= most) continue;  // also false for NaN
    throw std::runtime_error(problem.name() + ": result " + std::to_string(i) + " of " + who + " is " +
                             std::to_string(a) + ", the naive loops' is " + std::to_string(b));
  }
}

}  // namespace

Buffers make_buffers(const Problem& problem) {
  const auto in = static_cast<std::size_t>(problem.c.inputs()), out = static_cast<std::size_t>(problem.c.outputs());
  const std::size_t scalar = bytes_of(problem.dtype);
  const auto [source, result] = problem.is_backward() ? std::pair{out, in} : std::pair{in, out};
  Buffers buffers{Block(source * scalar), Block(result * scalar), Block(out * problem.index_bytes())};
  with_scalar(problem.dtype, [&](auto value) {
    fill_random<decltype(value)>(buffers.source);
    return 0;
  });
  if (problem.is_backward() && problem.c.is_max()) fill_indices(problem, buffers);
  return buffers;
}

Block input_of_indices(const Problem& problem) {
  Block input(static_cast<std::size_t>(problem.c.inputs()) * sizeof(float));
  fill_random<float>(input);
  return input;
}

Run make_naive(const Problem& problem, const Buffers& buffers) {
  return with_layout(problem.layout, [&](auto layout) { return make_naive_in<layout.value>(problem, buffers); });
}

Result result_of(const Buffers& buffers, const Run& run) {
  std::memset(buffers.result.as<unsigned char>(), 0xa5, buffers.result.bytes());  // no earlier result may pass for this
  run();
  return {copy_of(buffers.result), copy_of(buffers.indices)};
}

void check_equal(const Problem& problem, const std::string& who, const Result& result, const Result& expected,
                 Check check) {
  if (check == Check::nothing) return;
  with_scalar(problem.dtype, [&](auto value) {
    compare<decltype(value)>(problem, who, result, expected, tolerance(problem, check));
    return 0;
  });
  if (check == Check::values_and_indices && result.indices != expected.indices) {
    throw std::runtime_error(problem.name() + ": the indices of " + who + " differ from the naive loops'");
  }
}

}  // namespace bench
