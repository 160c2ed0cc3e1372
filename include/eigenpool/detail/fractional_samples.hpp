// How fractional windows are described, and the samples that place them.
#pragma once

#include <random>
#include <vector>

#include "max_engine.hpp"

EIGENPOOL_BEGIN

/// One ratio for all spatial axes, or exactly D of them, outermost first.
template <int D>
struct Ratios {
  std::array<double, D> values{};

  constexpr Ratios() = default;
  constexpr Ratios(std::floating_point auto all) { values.fill(static_cast<double>(all)); }
  template <std::floating_point... Entries>
    requires(D > 1 && sizeof...(Entries) == D)
  constexpr Ratios(Entries... entries) : values{static_cast<double>(entries)...} {}
};

/// kernel       taps per axis
/// output_size  cells of the result per axis, or else
/// output_ratio result cells for each input cell, in (0, 1): int(input * ratio), as PyTorch
template <int D>
struct FractionalWindow {
  Sizes<D> kernel;
  Sizes<D> output_size = 0;
  Ratios<D> output_ratio = 0.0;
};

/// Asks for samples drawn with std::mt19937_64: the same seed gives the same windows, whatever the layout, the storage
/// order and the machine.
struct Seed {
  std::uint64_t value;
};

namespace detail {

/// Where the samples of x's planes come from: a Seed, or a tensor of shape (leading axes..., C, D).
template <class T, class X, int D>
concept SampleSource = std::same_as<T, Seed> ||
    (TensorLike<T>&& std::floating_point<ScalarOf<T>>&& rank_of<T> == rank_of<X> - D + 1 &&
     is_row_major<T> == is_row_major<X>);

template <int D>
struct FractionalWindows {
  const FractionalWindow<D>& window;

  /// Of these axes, only the extents and the kernel count: where windows begin differs from plane to plane.
  Axes<D> axes(const Function& function, const Extents<D>& extents) const {
    require_at_least(function, "kernel", window.kernel, 1);
    const auto given = [](const auto& values) {
      return std::any_of(values.begin(), values.end(), [](auto value) { return value != 0; });
    };
    const bool sized = given(window.output_size.values);
    if (sized == given(window.output_ratio.values))
      fail(function.name() + (sized ? ": output_size and output_ratio are both given, one of them must be"
                                    : ": output_size or output_ratio must be given"));
    Axes<D> made;
    for (int a = 0; a < D; ++a) {
      const auto i = static_cast<std::size_t>(a);
      const Index input = extents[i], kernel = window.kernel[a];
      const Index output = sized ? window.output_size[a] : output_of(function, a, input);
      if (kernel > input)
        fail_axis(function, "kernel", a, kernel, "must be at most the input's extent " + std::to_string(input));
      const Index most = input - kernel + 1;
      if (output < 1 || output > most)
        fail_axis(function, sized ? "output_size" : "output_ratio's size", a, output,
                  "must be from 1 to " + std::to_string(most) + ", the places of a window");
      made[i] = Axis::affine(input, output, kernel, 1, 0, 0, 1, Axis::Counted::taps);
    }
    return made;
  }

 private:
  Index output_of(const Function& function, int a, Index input) const {
    const double ratio = window.output_ratio.values[static_cast<std::size_t>(a)];
    if (!(ratio > 0 && ratio < 1))
      fail(function.name() + ": output_ratio[" + std::to_string(a) + "] is " + std::to_string(ratio) +
           ", must be between 0 and 1");
    return static_cast<Index>(static_cast<double>(input) * ratio);
  }
};

/// What windows are placed in: PyTorch's arithmetic is that of the input's scalar, float for the small ones.
template <class S>
using SampleScalar = std::conditional_t<std::same_as<Compared<S>, float>, float, double>;

/// The samples of all planes, in the storage order of x: for each plane in memory, D numbers of [0, 1).
template <class U>
struct Samples {
  const U* data;
  Index planes, axes;
  bool row_major;

  U operator()(Index plane, Index column) const {
    return data[row_major ? plane * axes + column : column * planes + plane];
  }
};

template <class U, std::size_t R>
void require_samples(const Function& function, const U* samples, const std::array<Index, R>& shape, bool row_major) {
  for (Index i = 0, count = elements(shape); i < count; ++i)
    if (!(samples[i] >= 0 && samples[i] < 1))
      fail(function.name() + ": samples" + coordinates(i, shape, row_major) + " is " + std::to_string(samples[i]) +
           ", must be at least 0 and below 1");
}

/// Samples of the given shape, drawn in logical row-major order.
template <class U, std::size_t R>
std::vector<U> drawn_samples(Seed seed, const std::array<Index, R>& shape, bool row_major) {
  std::mt19937_64 random(seed.value);
  std::vector<U> samples(static_cast<std::size_t>(elements(shape)));
  std::array<Index, R> at{};
  for (std::size_t drawn = 0; drawn < samples.size(); ++drawn) {
    Index place = 0;
    for (std::size_t i = 0; i < R; ++i) {
      const std::size_t a = row_major ? i : R - 1 - i;
      place = place * shape[a] + at[a];
    }
    constexpr int bits = std::numeric_limits<U>::digits;
    samples[static_cast<std::size_t>(place)] = std::ldexp(static_cast<U>(random() >> (64 - bits)), -bits);
    for (std::size_t a = R; a-- > 0 && ++at[a] == shape[a];) at[a] = 0;
  }
  return samples;
}

/// The samples of a call: the caller's, checked, or drawn.
template <class Source, class S, std::size_t Q>
class SampleSet {
 public:
  using Scalar = ScalarOf<Source>;

  template <class Device>
  SampleSet(const Function& function, const Source& source, const std::array<Index, Q>& shape, bool row_major,
            const Device& device)
      : samples_(source, device) {
    require_shape(function, "samples", samples_.shape(), shape);
    require_samples(function, samples_.data(), shape, row_major);
  }
  const Scalar* data() const { return samples_.data(); }
  Bytes bytes() const { return {samples_.data(), elements(samples_.shape())}; }

 private:
  Operand<Source> samples_;
};
template <class S, std::size_t Q>
class SampleSet<Seed, S, Q> {
 public:
  using Scalar = SampleScalar<S>;

  template <class Device>
  SampleSet(const Function&, Seed seed, const std::array<Index, Q>& shape, bool row_major, const Device&)
      : samples_(drawn_samples<Scalar>(seed, shape, row_major)) {}
  const Scalar* data() const { return samples_.data(); }
  Bytes bytes() const { return {samples_.data(), 0}; }

 private:
  std::vector<Scalar> samples_;
};

/// (leading axes..., C, D) for a tensor x of the given shape.
template <Layout layout, int D, std::size_t R>
auto samples_shape(const Extents<R>& shape) {
  constexpr std::size_t Q = R - static_cast<std::size_t>(D) + 1;
  Extents<Q> result{};
  std::copy_n(shape.begin(), first_spatial<layout>(static_cast<int>(R), D), result.begin());
  if constexpr (layout == channels_last) result[Q - 2] = shape[R - 1];
  result[Q - 1] = D;
  return result;
}

}  // namespace detail
EIGENPOOL_END
