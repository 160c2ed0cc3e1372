// Tensors taken element by element, beside the kernels that take them window by
// window.
#pragma once

#include <vector>

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// A tensor of real floating-point numbers.
template <class X>
concept RealTensor = TensorLike<X> &&(std::floating_point<ScalarOf<X>> || is_small_float<ScalarOf<X>>);

/// f(begin, end) for ranges that make up [0, count), on the device.
template <class S, class P, class F>
void for_each_block(Index count, const P& parallel, const F& f) {
  constexpr Index block = 1024;
  if (count > 0)
    parallel(ceil_div(count, block), static_cast<double>(block * sizeof(S)),
             [&](Index begin, Index end) { f(begin * block, std::min(end * block, count)); });
}

/// f(i) for i in [0, count), on the device.
template <class S, class P, class F>
void for_each_element(Index count, const P& parallel, const F& f) {
  for_each_block<S>(count, parallel, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) f(i);
  });
}

/// Elements of the source and of the result.
constexpr Index sources(const Problem& problem) { return problem.outer * problem.plane() * problem.inner; }
constexpr Index results(const Problem& problem) { return problem.cells() * problem.inner; }

template <class S>
using LaneVector = std::vector<Compared<S>>;

/// f(x), element by element.
template <class S, class P, class F>
LaneVector<S> mapped(const S* x, Index count, const P& parallel, const F& f) {
  LaneVector<S> made(static_cast<std::size_t>(count));
  for_each_element<S>(count, parallel,
                      [&](Index i) { made[static_cast<std::size_t>(i)] = f(static_cast<Compared<S>>(x[i])); });
  return made;
}

/// Room for sums in lanes: the result's own memory where that is of lanes.
template <class S>
class LaneResult {
 public:
  LaneResult(S* y, Index count) {
    if constexpr (std::is_same_v<S, Compared<S>>)
      lanes_ = y;
    else
      made_.resize(static_cast<std::size_t>(count)), lanes_ = made_.data();
  }
  Compared<S>* data() { return lanes_; }

 private:
  LaneVector<S> made_;
  Compared<S>* lanes_;
};

}  // namespace detail
EIGENPOOL_END
