// The kernel for groups of rows: vectors run along the features, one group after the other. Rows whose features are not
// neighbours in memory are first turned, a strip of features at a time, so that every layout and storage order adds in
// the same order.
#pragma once

#include "groups.hpp"
#include "output.hpp"
#include "scratch_task.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The same values in the opposite order, so that a minimum is a maximum: -x, or ~x of an integer.
template <class Lane, int B>
EIGENPOOL_INLINE simd::Vec<Lane, B> opposite(const simd::Vec<Lane, B>& x) {
  return simd::subtract(simd::broadcast<Lane, B>(std::integral<Lane> ? static_cast<Lane>(-1) : Lane(0)), x);
}

/// Stores `lanes` features of group g, from feature f on.
template <class S, class Lane, int B>
EIGENPOOL_INLINE void store_features(S* y, const Rows& rows, Index g, Index f, const simd::Vec<Lane, B>& v) {
  constexpr Index lanes = simd::Vec<Lane, B>::lanes;
  S* to = y + rows.offset(g) + f * rows.inner;
  if (rows.inner == 1) return simd::store_as(to, v, lanes);
  std::array<Lane, static_cast<std::size_t>(lanes)> row;
  simd::store(row.data(), v);
  for (std::size_t i = 0; i < row.size(); ++i) to[static_cast<Index>(i) * rows.inner] = static_cast<S>(row[i]);
}

/// What becomes of a group's sum. Like the others below it has write(g, f, acc), for features f, f + 1, ...
template <class S>
struct GroupMeans {
  S* y;
  Rows rows;
  const Groups& groups;
  bool divided;  // by the group's rows

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index g, Index f, const Acc& acc) const {
    const Index divisor = divided ? std::max(groups.count(g), Index{1}) : 1;
    store_features(y, rows, g, f, mean(acc, divisor));
  }
};

template <class S, bool minimum>
struct GroupExtremes {
  S* y;
  Rows rows;

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index g, Index f, const Acc& acc) const {
    store_features(y, rows, g, f, minimum ? opposite(acc) : acc);
  }
};

template <class S, class I, bool minimum>
struct GroupExtremesAndIndices {
  S* y;
  I* indices;
  Rows rows;
  const Groups& groups;

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index g, Index f, const Acc& acc) const {
    using Number = typename decltype(acc.number)::Lane;
    store_features(y, rows, g, f, minimum ? opposite(acc.value) : acc.value);
    const Group group = groups.group(g);
    std::array<Number, static_cast<std::size_t>(decltype(acc.value)::lanes)> numbers;
    simd::store(numbers.data(), acc.number);
    I* to = indices + rows.offset(g) + f * rows.inner;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const Index number = group.count == 0 ? -1 : groups.number_of(g, group.row(static_cast<Index>(numbers[i])));
      to[static_cast<Index>(i) * rows.inner] = static_cast<I>(number);
    }
  }
};

/// R: the reducer, exact with NaN. Taps are numbered by their place in the group.
template <class R, class S, class Output, bool minimum = false>
class GroupKernel {
 public:
  using Lane = typename R::Lane;
  template <int B>
  using Acc = typename R::template Acc<B>;

  /// Few groups of many features are cut into strips, so that threads find work.
  GroupKernel(const Rows& rows, const Groups& groups, const S* x, const Output& output)
      : rows_(rows), groups_(groups), x_(x), output_(output) {
    constexpr Index enough_groups = 64, strip = 256, turned_strip = 16;
    strip_ = rows.inner > 1 ? turned_strip : groups.size() < enough_groups ? strip : std::max(rows.features, Index{1});
  }

  Index tasks() const { return ceil_div(rows_.features, strip_) * groups_.size(); }

  /// What a run needs to turn a group in.
  Index scratch() const { return rows_.inner > 1 ? groups_.longest() * strip_ : 0; }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, S* scratch) const {
    for (Index task = begin; task < end; ++task) {
      const Index g = task % groups_.size(), f = task / groups_.size() * strip_;
      const Index length = std::min(strip_, rows_.features - f);
      const Group group = groups_.group(g);
      if (rows_.inner == 1) {
        reduce_strip<B>({x_ + f, rows_.features, group}, g, f, length);
      } else {
        turn(group, f, length, scratch);
        reduce_strip<B>({scratch, length, {nullptr, 0, 1, group.count}}, g, f, length);
      }
    }
  }

 private:
  /// The rows of a group, from some feature on.
  struct Lines {
    const S* p;
    Index pitch;
    Group group;
    EIGENPOOL_INLINE const S* line(Index j) const { return p + group.row(j) * pitch; }
  };

  /// The sums of `width` vectors, for a Tree.
  template <int B, int width>
  struct Stack {
    EIGENPOOL_INLINE void clear(int d) {
      for (auto& acc : entries[d]) acc = R::template identity<B>();
    }
    EIGENPOOL_INLINE void merge(int d) {
      for (int u = 0; u < width; ++u) R::template merge<B>(entries[d][u], entries[d + 1][u]);
    }
    Acc<B> entries[64][width];
  };

  void turn(const Group& group, Index f, Index length, S* to) const {
    for (Index j = 0; j < group.count; ++j) {
      const S* from = x_ + rows_.offset(group.row(j)) + f * rows_.inner;
      for (Index i = 0; i < length; ++i) *to++ = from[i * rows_.inner];
    }
  }

  template <int B>
  EIGENPOOL_INLINE void reduce_strip(const Lines& lines, Index g, Index f, Index length) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes, width = 4;
    constexpr int single = static_cast<int>(sizeof(Lane));
    Index i = 0;
    for (; i + width * lanes <= length; i += width * lanes) reduce<B, width>(lines, g, f, i);
    for (; i + lanes <= length; i += lanes) reduce<B, 1>(lines, g, f, i);
    for (; i < length; ++i) reduce<single, 1>(lines, g, f, i);
  }

  template <int B, int width>
  EIGENPOOL_INLINE void reduce(const Lines& lines, Index g, Index f, Index i) const {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    Acc<B> acc[width];
    if (lines.group.count == 0)
      for (auto& a : acc) a = R::template identity<B>();
    else if constexpr (R::ordered_sum)
      sum<B, width>(lines, i, acc);
    else
      fold<B, width>(lines, i, acc);
    for (int u = 0; u < width; ++u) output_.template write<B>(g, f + i + u * lanes, acc[u]);
  }

  template <int B>
  EIGENPOOL_INLINE static simd::Vec<Lane, B> load(const S* p) {
    const auto x = simd::load_as<Lane, B>(p);
    return minimum ? opposite(x) : x;
  }

  template <int B, int width>
  EIGENPOOL_INLINE static void fold(const Lines& lines, Index i, Acc<B> (&acc)[width]) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes;
    const S* first = lines.line(0) + i;
    for (int u = 0; u < width; ++u) acc[u] = R::template first<B>(load<B>(first + u * lanes), 0);
    for (Index j = 1; j < lines.group.count; ++j) {
      const S* p = lines.line(j) + i;
      for (int u = 0; u < width; ++u) R::template fold<B>(acc[u], load<B>(p + u * lanes), j);
    }
  }

  // Along the canonical tree: eight rows at a time in registers, the rest one by one.
  template <int B, int width>
  EIGENPOOL_INLINE static void sum(const Lines& lines, Index i, Acc<B> (&acc)[width]) {
    constexpr Index lanes = simd::Vec<Lane, B>::lanes, eight = 8;
    Stack<B, width> stack;
    Tree<Stack<B, width>> tree(stack);
    const int base = tree.start(0);
    Index j = 0;
    for (; j + eight <= lines.group.count; j += eight) {
      std::array<const S*, 8> p;
      for (std::size_t r = 0; r < 8; ++r) p[r] = lines.line(j + static_cast<Index>(r)) + i;
      auto& entry = stack.entries[tree.push()];
      for (int u = 0; u < width; ++u) {
        const auto pair = [&](std::size_t r) EIGENPOOL_LAMBDA {
          return simd::add(load<B>(p[r] + u * lanes), load<B>(p[r + 1] + u * lanes));
        };
        entry[u] = simd::add(simd::add(pair(0), pair(2)), simd::add(pair(4), pair(6)));
      }
      tree.carry(j / eight);
    }
    if (j < lines.group.count) {
      const int rest = tree.start(0);
      for (Index t = 0; j < lines.group.count; ++j, ++t) {
        const S* p = lines.line(j) + i;
        auto& entry = stack.entries[tree.push()];
        for (int u = 0; u < width; ++u) entry[u] = load<B>(p + u * lanes);
        tree.carry(t);
      }
      tree.finish(rest);
    }
    tree.finish(base);
    for (int u = 0; u < width; ++u) acc[u] = stack.entries[0][u];
  }

  const Rows& rows_;
  const Groups& groups_;
  const S* x_;
  const Output& output_;
  Index strip_;
};

/// Reduces every group of x's rows with R into `output`.
template <class R, bool minimum, class S, class Output, class P>
void reduce_groups(const Rows& rows, const Groups& groups, const S* x, const Output& output, const P& parallel) {
  using Kernel = GroupKernel<R, S, Output, minimum>;
  if (groups.size() == 0 || rows.features == 0) return;
  const Kernel kernel(rows, groups, x, output);
  const double elements = static_cast<double>(rows.count() + groups.size()) * static_cast<double>(rows.features);
  parallel(kernel.tasks(), elements * sizeof(S) / static_cast<double>(kernel.tasks()),
           [&](Index begin, Index end) { run_in_scratch<typename R::Lane, S>(kernel, begin, end); });
}

}  // namespace detail
EIGENPOOL_END
