// Groups of rows: the steps of a sequence, the rows of a segment. Which rows a group has, and where they are in memory.
#pragma once

#include <vector>

#include "ops.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// A matrix of rows and features in memory [outer][features][inner]; row r is at outer r / inner and inner r % inner.
/// With an inner extent of 1 the features of a row are neighbours.
struct Rows {
  Index outer = 1, features = 1, inner = 1;

  static constexpr Rows of(Index rows, Index features, bool row_major) {
    return row_major ? Rows{rows, features, 1} : Rows{1, features, rows};
  }
  constexpr Index count() const { return outer * inner; }
  /// Of feature 0; the next feature is `inner` elements on.
  constexpr Index offset(Index row) const {
    return inner == 1 ? row * features : row / inner * features * inner + row % inner;
  }
};

/// One group: rows list[0], list[1], ... or, without a list, first, first + step, ...
struct Group {
  const Index* list;
  Index first, step, count;

  constexpr Index row(Index j) const { return list != nullptr ? list[j] : first + j * step; }
};

class Groups {
 public:
  /// No group has a row yet. A caller knows row r of group g by the number (r - g * origin) / step.
  Groups(Index groups, Index origin, Index step)
      : first_(static_cast<std::size_t>(groups)),
        count_(static_cast<std::size_t>(groups)),
        origin_(origin),
        step_(step) {}

  /// Group g has the rows first, first + step, ...
  void set(Index g, Index first, Index count) {
    first_[static_cast<std::size_t>(g)] = first;
    count_[static_cast<std::size_t>(g)] = count;
  }

  /// Row r is in group group_of(r), or in none where that is below 0. Rows stay in order.
  template <class GroupOf>
  void list_rows(Index rows, const GroupOf& group_of) {
    Index listed = 0;
    for (Index r = 0; r < rows; ++r)
      if (const Index g = group_of(r); g >= 0) ++count_[static_cast<std::size_t>(g)], ++listed;
    list_.resize(static_cast<std::size_t>(listed));
    Index next = 0;
    for (std::size_t g = 0; g < first_.size(); ++g) {
      first_[g] = next;
      next += count_[g];
    }
    std::vector<Index> place = first_;
    for (Index r = 0; r < rows; ++r)
      if (const Index g = group_of(r); g >= 0)
        list_[static_cast<std::size_t>(place[static_cast<std::size_t>(g)]++)] = r;
  }

  Index size() const { return static_cast<Index>(count_.size()); }
  Index count(Index g) const { return count_[static_cast<std::size_t>(g)]; }
  Index longest() const { return count_.empty() ? 0 : *std::max_element(count_.begin(), count_.end()); }
  Group group(Index g) const {
    const Index first = first_[static_cast<std::size_t>(g)];
    return {list_.empty() ? nullptr : list_.data() + first, first, step_, count(g)};
  }
  Index number_of(Index g, Index row) const { return (row - g * origin_) / step_; }
  Index row_of(Index g, Index number) const { return g * origin_ + number * step_; }

 private:
  std::vector<Index> first_, count_, list_;
  Index origin_, step_;
};

}  // namespace detail
EIGENPOOL_END
