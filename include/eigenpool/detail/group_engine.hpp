// Sums, means and extremes of groups of rows, and their backward: what sequence and segment pooling share.
#pragma once

#include <cmath>

#include "indices.hpp"
#include "kernel_groups.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// Lanes for the sum of any number of rows: bytes need 64 bits as well.
template <class S>
using GroupSum = Sum<std::conditional_t<std::integral<S>, std::uint64_t, Added<S>>>;

/// y = the sum of each group or, divided, its mean; 0 for a group without rows.
struct SumOfGroups {
  bool divided;
  template <class S, class P>
  void operator()(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y,
                  const P& parallel) const {
    reduce_groups<GroupSum<S>>(x_rows, groups, x, GroupMeans<S>{y, y_rows, groups, divided}, parallel);
  }
};

/// y = what wins in each group in an Order, feature by feature.
template <class Order>
struct ExtremeOfGroups {
  template <class S, class P>
  void operator()(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y,
                  const P& parallel) const {
    reduce_groups<Extremum<Compared<S>, Order, true>>(x_rows, groups, x, GroupExtremes<S>{y, y_rows}, parallel);
  }
};

/// The same with the number of the row that each extreme is in, -1 for a group without rows.
template <class Order, class S, class I, class P>
void extreme_groups_with_indices(const Rows& x_rows, const Groups& groups, const S* x, const Rows& y_rows, S* y,
                                 I* indices, const P& parallel) {
  const GroupExtremesAndIndices<S, I> output{y, indices, y_rows, groups};
  if constexpr (!is_custom<S>) {
    using Lanes = ArgExtremum<S, Numbered<S>, simd::Signed<Numbered<S>>, Order, true>;
    if (groups.longest() < std::numeric_limits<typename Lanes::Number>::max())
      return reduce_groups<Lanes>(x_rows, groups, x, output, parallel);
  }
  using Single = ArgExtremum<S, Compared<S>, std::int64_t, Order, true>;
  const GroupKernel<Single, S, GroupExtremesAndIndices<S, I>> kernel(x_rows, groups, x, output);
  parallel(kernel.tasks(), 64.0, [&](Index begin, Index end) {
    auto scratch = kernel.scratch();
    kernel.template run<static_cast<int>(sizeof(Compared<S>))>(begin, end, scratch);
  });
}

/// Groups without rows become `value`.
template <class S>
void fill_empty_groups(const Groups& groups, const Rows& y_rows, S* y, const S& value) {
  for (Index g = 0; g < groups.size(); ++g)
    if (groups.count(g) == 0)
      for (Index f = 0; f < y_rows.features; ++f) y[y_rows.offset(g) + f * y_rows.inner] = value;
}

/// dx = dy of the row's group or, divided, its share; 0 in rows of no group.
template <class S, class P>
void spread_groups(const Rows& y_rows, const Groups& groups, const S* dy, const Rows& x_rows, S* dx, bool divided,
                   const P& parallel) {
  constexpr int single = static_cast<int>(sizeof(Added<S>));
  const Index features = x_rows.features, inner = x_rows.inner;
  std::vector<Index> owner(static_cast<std::size_t>(x_rows.count()), -1);
  for (Index g = 0; g < groups.size(); ++g)
    for (Index j = 0; j < groups.count(g); ++j) owner[static_cast<std::size_t>(groups.group(g).row(j))] = g;
  std::vector<S> shares;  // [group][feature]
  for (Index g = 0; g < groups.size(); ++g) {
    const Index divisor = divided ? std::max(groups.count(g), Index{1}) : 1;
    for (Index f = 0; f < features; ++f) {
      S share(0);
      simd::store_as(&share, mean(simd::load_as<Added<S>, single>(dy + y_rows.offset(g) + f * y_rows.inner), divisor),
                     1);
      shares.push_back(share);
    }
  }
  const auto run = [&](Index begin, Index end) {
    for (Index line = begin; line < end; ++line) {
      S* to = dx + line * (inner == 1 ? features : inner);
      if (inner == 1) {
        const Index g = owner[static_cast<std::size_t>(line)];
        if (g < 0)
          std::fill_n(to, features, S(0));
        else
          std::copy_n(shares.data() + g * features, features, to);
        continue;
      }
      const Index* owners = owner.data() + line / features * inner;
      const S* feature = shares.data() + line % features;
      for (Index i = 0; i < inner; ++i) to[i] = owners[i] < 0 ? S(0) : feature[owners[i] * features];
    }
  };
  const Index lines = inner == 1 ? x_rows.outer : x_rows.outer * features, length = inner == 1 ? features : inner;
  if (lines > 0 && length > 0) parallel(lines, static_cast<double>(length) * sizeof(S), run);
}

/// dx = 0, then dx[index] += dy, group after group.
template <class S, class I, class P>
void scatter_groups(const Rows& y_rows, const Groups& groups, const S* dy, const I* indices, const Rows& x_rows, S* dx,
                    const P& parallel) {
  constexpr Index strip = 64;
  const auto run = [&](Index begin, Index end) {
    const Index first = begin * strip, last = std::min(end * strip, x_rows.features);
    for (Index o = 0; o < x_rows.outer; ++o)
      std::fill_n(dx + (o * x_rows.features + first) * x_rows.inner, (last - first) * x_rows.inner, S(0));
    for (Index g = 0; g < groups.size(); ++g)
      for (Index f = first; f < last; ++f) {
        const Index at = y_rows.offset(g) + f * y_rows.inner;
        if (indices[at] < 0) continue;
        S& sum = dx[x_rows.offset(groups.row_of(g, static_cast<Index>(indices[at]))) + f * x_rows.inner];
        sum = static_cast<S>(sum + dy[at]);
      }
  };
  const Index strips = ceil_div(x_rows.features, strip);
  if (strips > 0) parallel(strips, static_cast<double>(x_rows.count() * strip) * sizeof(S), run);
}

/// Fails unless every index is -1 or below `rows`, which are called `what`.
template <class I, std::size_t R>
void require_row_indices(const Function& function, const I* indices, const std::array<Index, R>& shape, Index rows,
                         const char* what, bool row_major) {
  const Index count = elements(shape);
  if (!any_beyond(indices, count, rows)) return;
  for (Index at = 0; at < count; ++at)
    if (indices[at] < -1 || static_cast<Index>(indices[at]) >= rows)
      fail(function.name() + ": indices" + coordinates(at, shape, row_major) + " is " + std::to_string(indices[at]) +
           ", must be -1 or below the " + std::to_string(rows) + " " + what);
}

/// Fails unless an index of scalar I can number `rows` rows.
template <FlatIndex I>
void require_rows_numberable(const Function& function, Index rows, const char* what) {
  constexpr I last = std::numeric_limits<I>::max();
  if (rows - 1 > static_cast<Index>(last))
    fail(function.name() + ": input has " + std::to_string(rows) + " " + what + ", more than a " +
         std::to_string(sizeof(I)) + "-byte index can reach (0 to " + std::to_string(last) + ")");
}

/// Fails for an extent below 0 or a size that does not fit.
template <class X, std::size_t R>
void require_extents(const Function& function, const char* argument, const std::array<Index, R>& shape) {
  for (std::size_t a = 0; a < R; ++a)
    if (shape[a] < 0) fail_axis(function, argument, static_cast<int>(a), shape[a], "must be at least 0");
  require_countable<DefaultIndexOf<X>>(function, argument, shape, sizeof(ScalarOf<X>));
}

/// A number of 32 or 64 bits: a segment's id, or a sequence's length.
template <class I>
concept RowNumber = std::signed_integral<I> && sizeof(I) >= 4;
template <class T>
concept RowNumbers = TensorLike<T> && RowNumber<ScalarOf<T>> && rank_of<T>
== 1;

}  // namespace detail
EIGENPOOL_END
