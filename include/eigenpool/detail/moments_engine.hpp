// The mean and the variance of planes. The variance is the mean of the squares
// of what is left when the mean is taken away: it loses nothing to a large mean,
// and both are sums of the kernels.
#pragma once

#include "elements.hpp"
#include "parts.hpp"
#include "viewed.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// left = x - mean, for planes of `inner` interleaved cells; for simd::dispatch.
template <class S>
struct TakeAwayMeans {
  using Lane = Compared<S>;
  const S* x;
  const Lane* means;
  Lane* left;
  Index planes, plane, inner;

  template <int B>
  EIGENPOOL_INLINE void run() const {
    constexpr int single = static_cast<int>(sizeof(Lane));
    for (Index p = 0; p < planes; ++p) {
      const S* from = x + p * plane * inner;
      Lane* to = left + p * plane * inner;
      if (inner == 1) {
        const Lane mean = means[p];
        row<B>(from, to, plane,
               [&](auto bytes, Index) EIGENPOOL_LAMBDA { return simd::broadcast<Lane, decltype(bytes)::value>(mean); });
      } else {
        for (Index i = 0; i < plane; ++i)
          row<B>(from + i * inner, to + i * inner, inner, [&](auto bytes, Index c) EIGENPOOL_LAMBDA {
            return simd::load<Lane, decltype(bytes)::value>(means + p * inner + c);
          });
      }
    }
    static_assert(single <= B);
  }

 private:
  template <int B, class Mean>
  EIGENPOOL_INLINE static void row(const S* from, Lane* to, Index length, const Mean& mean) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    constexpr int single = static_cast<int>(sizeof(Lane));
    Index i = 0;
    for (; i + lanes <= length; i += lanes)
      simd::store(to + i, simd::subtract(simd::load_as<Lane, B>(from + i), mean(std::integral_constant<int, B>(), i)));
    for (; i < length; ++i)
      simd::store(to + i, simd::subtract(simd::load_as<Lane, single>(from + i),
                                         mean(std::integral_constant<int, single>(), i)));
  }
};

/// The means in lanes, and the variances divided by `divisor`; planes are one window each.
template <class S, class P>
void moments(const Problem& problem, const S* x, S* mean, S* variance, Index divisor, const P& parallel) {
  using Lane = Compared<S>;
  if (problem.cells() == 0 || problem.inner == 0) return;
  const Index plane = problem.plane(), inner = problem.inner;
  const auto part_moments = [&](const Part& part, const auto& within) {
    const Index results = part.problem.outer * inner;
    std::vector<Lane> means(static_cast<std::size_t>(results)), left(static_cast<std::size_t>(results * plane));
    mean_windows(part.problem, x + part.source, means.data(), std::nullopt, within);
    within(part.problem.outer, static_cast<double>(plane * inner) * sizeof(S), [&](Index begin, Index end) {
      simd::dispatch(TakeAwayMeans<S>{x + part.source + begin * plane * inner, means.data() + begin * inner,
                                      left.data() + begin * plane * inner, end - begin, plane, inner});
    });
    LaneResult<S> sums(variance + part.result, results);
    mean_windows(part.problem, viewed<Square>(left.data()), sums.data(), divisor, within);
    for (Index i = 0; i < results; ++i) {
      mean[part.result + i] = static_cast<S>(means[static_cast<std::size_t>(i)]);
      variance[part.result + i] = static_cast<S>(sums.data()[i]);
    }
  };
  const Parts parts(problem, sizeof(Lane), problem.outer);
  if (parts.count() == 1) return part_moments(parts.part(0), parallel);
  for_each_part(parts, static_cast<double>(sources(problem) * static_cast<Index>(sizeof(S))), parallel,
                [&](const Part& part) { part_moments(part, Serial()); });
}

/// dx = dmean / n + dvariance * 2 (x - mean) / divisor.
template <class S, class P>
void moments_backward(const Problem& problem, const S* dmean, const S* dvariance, const S* x, S* dx, Index divisor,
                      const P& parallel) {
  using Lane = Compared<S>;
  if (problem.cells() == 0 || problem.inner == 0) return;
  const Index plane = problem.plane(), inner = problem.inner;
  std::vector<Lane> means(static_cast<std::size_t>(problem.outer * inner));
  mean_windows(problem, x, means.data(), std::nullopt, parallel);
  parallel(problem.outer, static_cast<double>(plane * inner) * sizeof(S), [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p)
      for (Index i = 0; i < plane; ++i)
        for (Index c = 0; c < inner; ++c) {
          const Index at = (p * plane + i) * inner + c, w = p * inner + c;
          const Lane left = static_cast<Lane>(x[at]) - means[static_cast<std::size_t>(w)];
          const Lane slope = static_cast<Lane>(dvariance[w]) * (2 * left / static_cast<Lane>(divisor));
          dx[at] = static_cast<S>(static_cast<Lane>(dmean[w]) / static_cast<Lane>(plane) + slope);
        }
  });
}

}  // namespace detail
EIGENPOOL_END
