// The forward of RoI pooling: strips of channels of boxes are tasks. A Rule says what boxes mean: its bins' entries,
// what a bin becomes, and what its options and boxes may be; and whether the entries of maxima
// are whole cells, so that rows may be compared before columns.
#pragma once

#include "roi_kernel.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// What both directions share.
template <class S, class Rule>
class RoiBase {
 protected:
  using Lane = Added<S>;

  RoiBase(const Rule& rule, const std::vector<Box>& boxes) : rule_(rule), boxes_(boxes) {}

  /// As many channels as lie beside each other in memory, up to `most`.
  template <class T>
  static Index strip_of(const ImageView<T>& view, Index most) {
    return view.stride[1] == 1 ? std::min(most, view.extents[1]) : 1;
  }

  void make_tables(RoiTables& tables, std::size_t box, const Extents<4>& extents) const {
    tables.rows.clear();
    tables.columns.clear();
    for (Index b = 0; b < bins(0); ++b) rule_.add_bin(tables.rows, boxes_[box], 0, b, extents[2]);
    for (Index b = 0; b < bins(1); ++b) rule_.add_bin(tables.columns, boxes_[box], 1, b, extents[3]);
    tables.span = tables.columns.cells();
  }

  Index bins(int axis) const { return rule_.output_size()[axis]; }
  bool is_average() const { return rule_.mode() == RoiMode::average; }

  /// For each column bin and channel the largest value, and which entries made it: the first of equal ones, the last of
  /// NaNs.
  template <int B>
  EIGENPOOL_INLINE void find_maxima(const RoiStrip<S, B>& strip, const ImageView<const S>& image, const S* x,
                                    std::size_t ph, RoiScratch<Lane>& scratch) const {
    const auto count = static_cast<std::size_t>(bins(1) * strip.channels());
    scratch.best.assign(count, Lane(0));  // of a bin without entries
    scratch.row_entry.assign(count, none);
    scratch.column_entry.assign(count, none);
    const auto channels = static_cast<std::size_t>(strip.channels());
    strip.for_each_value(image, x, ph, static_cast<std::size_t>(bins(1)),
                         [&](std::size_t e, std::size_t pw, std::size_t f, const Lane* values) EIGENPOOL_LAMBDA {
                           for (std::size_t c = 0; c < channels; ++c) {
                             const std::size_t at = pw * channels + c;
                             const Lane value = values[c];
                             const bool first = scratch.row_entry[at] == none;
                             if (!first && !(value > scratch.best[at]) && !(value != value)) continue;
                             scratch.best[at] = value;
                             scratch.row_entry[at] = e;
                             scratch.column_entry[at] = f;
                           }
                         });
  }
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  const Rule& rule_;
  const std::vector<Box>& boxes_;
};

/// y = the bins of every box. A task is a strip of a box.
template <class S, class Rule>
class RoiForward : RoiBase<S, Rule> {
  using Base = RoiBase<S, Rule>;
  using typename Base::Lane;

 public:
  RoiForward(const Rule& rule, const std::vector<Box>& boxes, const ImageView<const S>& x, const ImageView<S>& y)
      : Base(rule, boxes), x_(x), y_(y), strip_(Base::strip_of(x, 64)), strips_(ceil_div(x.extents[1], strip_)) {}

  Index tasks() const { return y_.extents[0] * strips_; }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    RoiTables tables;
    RoiScratch<Lane> scratch;
    for (Index task = begin; task < end; ++task) {
      const Index box = task / strips_, channel = task % strips_ * strip_;
      if (task == begin || channel == 0) Base::make_tables(tables, static_cast<std::size_t>(box), x_.extents);
      const RoiStrip<S, B> strip(tables, scratch, std::min(strip_, x_.extents[1] - channel));
      pool(strip, tables, scratch, box, channel);
    }
  }

 private:
  template <int B>
  EIGENPOOL_INLINE void pool(const RoiStrip<S, B>& strip, const RoiTables& tables, RoiScratch<Lane>& scratch, Index box,
                             Index channel) const {
    const S* x = x_.plane(Base::boxes_[static_cast<std::size_t>(box)].image, channel);
    S* y = y_.plane(box, channel);
    const auto write = [&](std::size_t ph, std::size_t pw, Index c, const Lane& value) EIGENPOOL_LAMBDA {
      y[static_cast<Index>(ph) * y_.stride[2] + static_cast<Index>(pw) * y_.stride[3] + c * y_.stride[1]] =
          static_cast<S>(value);
    };
    const auto bins = static_cast<std::size_t>(Base::bins(1));
    for (std::size_t ph = 0; ph < static_cast<std::size_t>(Base::bins(0)); ++ph) {
      if (Base::is_average()) {
        strip.for_each_value(
            x_, x, ph, bins, [&](std::size_t, std::size_t pw, std::size_t, const Lane* values) EIGENPOOL_LAMBDA {
              const Lane divisor = static_cast<Lane>(tables.rows.divisor(ph) * tables.columns.divisor(pw));
              for (Index c = 0; c < strip.channels(); ++c) write(ph, pw, c, values[c] / divisor);
            });
      } else if constexpr (Rule::whole_cells) {
        for (std::size_t pw = 0; pw < bins; ++pw)  // of bins without cells
          for (Index c = 0; c < strip.channels(); ++c) write(ph, pw, c, Lane(0));
        strip.for_each_largest(x_, x, ph, bins, [&](std::size_t pw, const Lane* values) EIGENPOOL_LAMBDA {
          for (Index c = 0; c < strip.channels(); ++c) write(ph, pw, c, values[c]);
        });
      } else {
        Base::find_maxima(strip, x_, x, ph, scratch);
        for (std::size_t pw = 0; pw < bins; ++pw)
          for (Index c = 0; c < strip.channels(); ++c)
            write(ph, pw, c,
                  scratch.best[pw * static_cast<std::size_t>(strip.channels()) + static_cast<std::size_t>(c)]);
      }
    }
  }

  const ImageView<const S> x_;
  const ImageView<S> y_;
  Index strip_, strips_;
};

}  // namespace detail
EIGENPOOL_END
