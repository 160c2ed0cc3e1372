// Eigen's tensors, maps and expressions as pointers and extents, and back.
#pragma once

#if __has_include(<unsupported/Eigen/CXX11/Tensor>)
#include <unsupported/Eigen/CXX11/Tensor>
#else
#include <Eigen/CXX11/Tensor>
#endif

#include <functional>
#include <type_traits>

#include "geometry.hpp"

EIGENPOOL_BEGIN
namespace detail {

template <class X>
using TraitsOf = Eigen::internal::traits<std::remove_cvref_t<X>>;
template <class X>
using ScalarOf = std::remove_const_t<typename TraitsOf<X>::Scalar>;
template <class X>
inline constexpr int rank_of = TraitsOf<X>::NumDimensions;
template <class X>
inline constexpr bool is_row_major = static_cast<int>(TraitsOf<X>::Layout) == static_cast<int>(Eigen::RowMajor);

/// Anything Eigen can evaluate to a tensor.
template <class X>
concept TensorLike =
    std::is_base_of_v<Eigen::TensorBase<std::remove_cvref_t<X>, Eigen::ReadOnlyAccessors>, std::remove_cvref_t<X>> ||
    std::is_base_of_v<Eigen::TensorBase<std::remove_cvref_t<X>>, std::remove_cvref_t<X>>;

/// A tensor whose elements lie in memory in its own storage order.
template <class X>
struct IsDirect : std::false_type {};
template <class S, int R, int Options, class I>
struct IsDirect<Eigen::Tensor<S, R, Options, I>> : std::true_type {};
template <class S, class Dims, int Options, class I>
struct IsDirect<Eigen::TensorFixedSize<S, Dims, Options, I>> : std::true_type {};
template <class Plain, int Options, template <class> class Pointer>
struct IsDirect<Eigen::TensorMap<Plain, Options, Pointer>> : std::true_type {};
template <class X>
concept DirectTensor = IsDirect<std::remove_cvref_t<X>>::value;

/// A tensor whose elements a function may write.
template <class Y>
concept OutputTensor = DirectTensor<Y> && !std::is_const_v<std::remove_reference_t<Y>> && requires(Y & y) {
  {*y.data() = *y.data()};
};

template <class X, int rank = rank_of<X>, class Scalar = ScalarOf<X>>
using ResultTensor = Eigen::Tensor<Scalar, rank, static_cast<int>(TraitsOf<X>::Layout), typename TraitsOf<X>::Index>;

template <int R, class Dimensions>
Extents<R> extents_of(const Dimensions& dimensions) {
  Extents<R> extents{};
  for (std::size_t a = 0; a < static_cast<std::size_t>(R); ++a) {
    if constexpr (requires { dimensions.data(); })
      extents[a] = static_cast<Index>(dimensions[a]);
    else  // Eigen::Sizes counts in signed numbers
      extents[a] = static_cast<Index>(dimensions[static_cast<std::ptrdiff_t>(a)]);
  }
  return extents;
}

template <DirectTensor X>
Extents<rank_of<X>> shape_of(const X& x) {
  return extents_of<rank_of<X>>(x.dimensions());
}
template <TensorLike X>
  requires(!DirectTensor<X>)
Extents<rank_of<X>> shape_of(const X& x) {
  const Eigen::DefaultDevice device;
  return extents_of<rank_of<X>>(Eigen::TensorEvaluator<const X, Eigen::DefaultDevice>(x, device).dimensions());
}

/// Extents as Eigen's dimensions, in the index type of X.
template <class X, std::size_t R>
auto dimensions_of(const std::array<Index, R>& extents) {
  using I = typename TraitsOf<X>::Index;
  Eigen::DSizes<I, static_cast<int>(R)> dimensions;
  for (std::size_t a = 0; a < R; ++a) dimensions[a] = static_cast<I>(extents[a]);
  return dimensions;
}

/// An uninitialised tensor of the given extents.
template <class T, std::size_t R>
T make_tensor(const std::array<Index, R>& extents) {
  return T(dimensions_of<T>(extents));
}

/// The elements of an argument: its own memory or, for an expression, a tensor
/// it is evaluated into once.
template <class X>
class Operand {
 public:
  static constexpr int rank = rank_of<X>;
  using Scalar = ScalarOf<X>;

  template <class Device>
  Operand(const X& x, const Device& device) : shape_(shape_of(x)) {
    if constexpr (DirectTensor<X>) {
      data_ = x.data();
    } else {
      evaluated_ = make_tensor<ResultTensor<X>>(shape_);
      if (evaluated_.size() > 0) evaluated_.device(device) = x;
      data_ = evaluated_.data();
    }
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  const Scalar* data() const { return data_; }
  const Extents<rank>& shape() const { return shape_; }

 private:
  struct Nothing {};
  Extents<rank> shape_;
  std::conditional_t<DirectTensor<X>, Nothing, ResultTensor<X>> evaluated_;
  const Scalar* data_ = nullptr;
};

/// A shape handed in by a caller: x.dimensions(), a std::array, an Eigen::array
/// or Eigen::Sizes.
template <class Shape>
inline constexpr int shape_rank = static_cast<int>(Eigen::internal::array_size<std::remove_cvref_t<Shape>>::value);

template <std::size_t R>
Index elements(const std::array<Index, R>& extents) {
  Index count = 1;
  for (const Index extent : extents) count *= extent;
  return count;
}

/// Fails unless the bytes of a tensor of these extents can be counted in 64
/// bits, and its extents in I.
template <class I, std::size_t R>
void require_countable(const Function& function, const char* argument, const std::array<Index, R>& extents,
                       std::size_t element_bytes) {
  Index bytes = static_cast<Index>(element_bytes);
  for (std::size_t a = 0; a < R; ++a) {
    if (extents[a] == 0) continue;
    if (!multiply(bytes, extents[a], bytes) || extents[a] > static_cast<Index>(std::numeric_limits<I>::max()))
      fail_axis(function, argument, static_cast<int>(a), extents[a], "the tensor's size overflows its index type");
  }
}

template <std::size_t R>
void require_shape(const Function& function, const char* argument, const std::array<Index, R>& shape,
                   const std::array<Index, R>& expected) {
  for (std::size_t a = 0; a < R; ++a)
    if (shape[a] != expected[a])
      fail_axis(function, argument, static_cast<int>(a), shape[a], "expected " + std::to_string(expected[a]));
}

/// A tensor's memory, for telling whether two of them overlap.
struct Bytes {
  const char* begin;
  const char* end;

  template <class S>
  Bytes(const S* data, Index count)
      : begin(reinterpret_cast<const char*>(data)), end(reinterpret_cast<const char*>(data + count)) {}
};

inline void require_apart(const Function& function, const char* output, const Bytes& a, const char* input,
                          const Bytes& b) {
  const std::less<const char*> before;
  if (a.begin != a.end && b.begin != b.end && before(a.begin, b.end) && before(b.begin, a.end))
    fail(function.name() + ": " + output + " overlaps " + input);
}

}  // namespace detail
EIGENPOOL_END
