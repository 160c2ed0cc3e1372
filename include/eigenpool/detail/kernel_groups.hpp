// The kernel for groups of rows: vectors run along the features, one group after the other. Rows whose features are not
// neighbours in memory are first turned, a strip of features at a time, so that every layout and storage order adds in
// the same order.
#pragma once

#include "groups.hpp"
#include "means.hpp"
#include "scratch_task.hpp"
#include "tree.hpp"

EIGENPOOL_BEGIN
namespace detail {

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

template <class S>
struct GroupExtremes {
  S* y;
  Rows rows;

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index g, Index f, const Acc& acc) const {
    store_features(y, rows, g, f, acc);
  }
};

template <class S, class I>
struct GroupExtremesAndIndices {
  S* y;
  I* indices;
  Rows rows;
  const Groups& groups;

  template <int B, class Acc>
  EIGENPOOL_INLINE void write(Index g, Index f, const Acc& acc) const {
    using Number = typename decltype(acc.number)::Lane;
    store_features(y, rows, g, f, acc.value);
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

/// R: the reducer, exact with NaN. Taps are numbered by their place in the group. Eight rows at a time are reduced in
/// registers, along a strip of features; rows of accumulators hold what comes of them.
template <class R, class S, class Output>
class GroupKernel {
 public:
  using Lane = typename R::Lane;
  template <int B>
  using Acc = typename R::template Acc<B>;

  /// Few groups of many features are cut into shorter strips, so that threads find work.
  GroupKernel(const Rows& rows, const Groups& groups, const S* x, const Output& output)
      : rows_(rows), groups_(groups), x_(x), output_(output), longest_(groups.longest()) {
    constexpr Index enough_groups = 64, strip = 1024, short_strip = 256, turned_strip = 16;
    const Index most = rows.inner > 1 ? turned_strip : groups.size() < enough_groups ? short_strip : strip;
    strip_ = std::clamp(rows.features, Index{1}, most);
  }

  Index tasks() const { return ceil_div(rows_.features, strip_) * groups_.size(); }

  /// What a run works in: a turned group, and the rows of accumulators.
  struct Scratch {
    std::vector<S> turned;
    std::vector<Lane> values;
    std::vector<std::int64_t> numbers;  // as the reducer's own, of 32 or 64 bits
    Index pitch;

    EIGENPOOL_INLINE typename R::Row row(int d) {
      Lane* at = values.data() + d * pitch;
      if constexpr (R::numbered)
        return {at, reinterpret_cast<typename R::Number*>(numbers.data() + d * pitch)};
      else
        return {at};
    }
  };
  Scratch scratch() const {
    constexpr Index slack = 64;  // lanes of a vector, at most
    const Index pitch = strip_ + slack, rows = R::ordered_sum ? bit_width(longest_) + 1 : 1;
    const auto elements = static_cast<std::size_t>(longest_ > group_rows ? rows * pitch : 0);
    return {std::vector<S>(static_cast<std::size_t>(rows_.inner > 1 ? longest_ * strip_ : 0)),
            std::vector<Lane>(elements), std::vector<std::int64_t>(R::numbered ? elements : 0), pitch};
  }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end, Scratch& scratch) const {
    for (Index task = begin; task < end; ++task) {
      const Index g = task % groups_.size(), f = task / groups_.size() * strip_;
      const Index length = std::min(strip_, rows_.features - f);
      const Group group = groups_.group(g);
      const Sink sink{&output_, g, f};
      const bool turned = rows_.inner > 1;
      const Lines lines =
          turned ? Lines{turn(group, f, length, scratch.turned.data()), length, {nullptr, 0, 1, group.count}}
                 : Lines{x_ + f, rows_.features, group};
      if (group.count == 0)
        for (Index i = 0; i < length; ++i) sink.template put<single>(i, R::template identity<single>());
      else if constexpr (R::ordered_sum)
        sum<B>(lines, length, sink, scratch);
      else
        fold<B>(lines, length, sink, scratch.row(0));
    }
  }

 private:
  static constexpr int single = static_cast<int>(sizeof(Lane));
  static constexpr Index group_rows = 8;

  /// The rows of a group, from some feature on.
  struct Lines {
    const S* p;
    Index pitch;
    Group group;
  };
  /// Eight of them, or the last.
  using EightLines = std::array<const S*, static_cast<std::size_t>(group_rows)>;

  /// Where accumulators go in the end.
  struct Sink {
    const Output* output;
    Index g, f;
    template <int B>
    EIGENPOOL_INLINE void put(Index i, const Acc<B>& acc) const {
      output->template write<B>(g, f + i, acc);
    }
  };
  /// Or on the way.
  struct RowSink {
    typename R::Row row;
    template <int B>
    EIGENPOOL_INLINE void put(Index i, const Acc<B>& acc) const {
      row.template store<B>(i, acc);
    }
  };

  const S* turn(const Group& group, Index f, Index length, S* turned) const {
    S* to = turned;
    for (Index j = 0; j < group.count; ++j) {
      const S* from = x_ + rows_.offset(group.row(j)) + f * rows_.inner;
      for (Index i = 0; i < length; ++i) *to++ = from[i * rows_.inner];
    }
    return turned;
  }

  /// Rows j to j + 7, or as many as there are, beside what `before` holds of those before them.
  template <int B, class To>
  EIGENPOOL_INLINE static void reduce_eight(const Lines& lines, Index j, Index length, const typename R::Row* before,
                                            const To& to) {
    EightLines p{};
    const Index count = std::min(lines.group.count - j, group_rows);
    for (Index r = 0; r < count; ++r) p[static_cast<std::size_t>(r)] = lines.p + lines.group.row(j + r) * lines.pitch;
    lanes_apart<Lane, B>([=]() EIGENPOOL_LAMBDA {
      for_lanes<Lane, B>(length, [&](Index i, auto width) EIGENPOOL_LAMBDA {
        constexpr int bytes = decltype(width)::value;
        if constexpr (R::ordered_sum)
          to.template put<bytes>(i, add<bytes>(p, count, i));
        else
          to.template put<bytes>(i, fold_lines<bytes>(p, count, j, i, before));
      });
    });
  }

  /// The canonical sum of up to eight lines at i.
  template <int B>
  EIGENPOOL_INLINE static Acc<B> add(const EightLines& p, Index count, Index i) {
    const auto line = [&](std::size_t r) EIGENPOOL_LAMBDA { return simd::load_as<Lane, B>(p[r] + i); };
    const auto pair = [&](std::size_t r) EIGENPOOL_LAMBDA { return simd::add(line(r), line(r + 1)); };
    if (count == 8) return simd::add(simd::add(pair(0), pair(2)), simd::add(pair(4), pair(6)));
    if (count < 4) return count == 1 ? line(0) : count == 2 ? pair(0) : simd::add(pair(0), line(2));
    const auto four = simd::add(pair(0), pair(2));
    if (count == 4) return four;
    return simd::add(four, count == 5 ? line(4) : count == 6 ? pair(4) : simd::add(pair(4), line(6)));
  }

  template <int B>
  EIGENPOOL_INLINE static Acc<B> fold_lines(const EightLines& p, Index count, Index j, Index i,
                                            const typename R::Row* before) {
    Acc<B> acc =
        before != nullptr ? before->template load<B>(i) : R::template first<B>(simd::load_as<Lane, B>(p[0] + i), j);
    for (Index r = before != nullptr ? 0 : 1; r < count; ++r)
      R::template fold<B>(acc, simd::load_as<Lane, B>(p[static_cast<std::size_t>(r)] + i), j + r);
    return acc;
  }

  template <int B>
  EIGENPOOL_INLINE static void fold(const Lines& lines, Index length, const Sink& sink, const typename R::Row& row) {
    const Index last = (lines.group.count - 1) / group_rows * group_rows;
    for (Index j = 0; j < last; j += group_rows)
      reduce_eight<B>(lines, j, length, j > 0 ? &row : nullptr, RowSink{row});
    reduce_eight<B>(lines, last, length, last > 0 ? &row : nullptr, sink);
  }

  /// Partial sums, for a Tree.
  template <int B>
  struct Stack {
    Scratch& scratch;
    Index length;
    EIGENPOOL_INLINE void clear(int) {}  // no group starts with padding
    EIGENPOOL_INLINE void merge(int d) {
      const auto into = scratch.row(d), from = scratch.row(d + 1);
      for (Index i = 0; i < length; i += simd::Vec<Lane, B>::lanes) {
        auto acc = into.template load<B>(i);
        R::template merge<B>(acc, from.template load<B>(i));
        into.template store<B>(i, acc);
      }
    }
  };

  template <int B>
  EIGENPOOL_INLINE void sum(const Lines& lines, Index length, const Sink& sink, Scratch& scratch) const {
    if (lines.group.count <= group_rows) return reduce_eight<B>(lines, 0, length, nullptr, sink);
    Stack<B> stack{scratch, length};
    Tree<Stack<B>> tree(stack);
    const int base = tree.start(0);
    for (Index j = 0; j < lines.group.count; j += group_rows) {
      reduce_eight<B>(lines, j, length, nullptr, RowSink{scratch.row(tree.push())});
      if (j + group_rows <= lines.group.count) tree.carry(j / group_rows);
    }
    tree.finish(base);
    const auto row = scratch.row(0);
    for_lanes<Lane, B>(length, [&](Index i, auto width) EIGENPOOL_LAMBDA {
      constexpr int bytes = decltype(width)::value;
      sink.template put<bytes>(i, row.template load<bytes>(i));
    });
  }

  const Rows& rows_;
  const Groups& groups_;
  const S* x_;
  const Output& output_;
  Index longest_, strip_ = 1;
};

/// Reduces every group of x's rows with R into `output`.
template <class R, class S, class Output, class P>
void reduce_groups(const Rows& rows, const Groups& groups, const S* x, const Output& output, const P& parallel) {
  using Kernel = GroupKernel<R, S, Output>;
  if (groups.size() == 0 || rows.features == 0) return;
  const Kernel kernel(rows, groups, x, output);
  const double elements = static_cast<double>(rows.count() + groups.size()) * static_cast<double>(rows.features);
  parallel(kernel.tasks(), elements * sizeof(S) / static_cast<double>(kernel.tasks()),
           [&](Index begin, Index end) { run_in_scratch(kernel, begin, end); });
}

}  // namespace detail
EIGENPOOL_END
