// The backward of RoI pooling: strips of channels of images are tasks.
#pragma once

#include "roi_forward.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// dx: a task is a strip of an image, to which its boxes add one after the other, bins in row-major order. x is read by
/// the maxima alone.
template <class S, class Rule>
class RoiBackward : RoiBase<S, Rule> {
  using Base = RoiBase<S, Rule>;
  using typename Base::Lane;

 public:
  RoiBackward(const Rule& rule, const std::vector<Box>& boxes, const ImageView<const S>& x,
              const ImageView<const S>& dy, const ImageView<S>& dx)
      : Base(rule, boxes),
        x_(x),
        dy_(dy),
        dx_(dx),
        strip_(Base::strip_of(dx, 16)),
        strips_(ceil_div(dx.extents[1], strip_)) {}

  Index tasks() const { return dx_.extents[0] * strips_; }

  template <int B>
  EIGENPOOL_INLINE void run(Index begin, Index end) const {
    RoiTables tables;
    RoiScratch<Lane> scratch;
    std::vector<Lane> plane;
    for (Index task = begin; task < end; ++task) {
      const Index image = task / strips_, channel = task % strips_ * strip_;
      const Index channels = std::min(strip_, dx_.extents[1] - channel);
      plane.assign(static_cast<std::size_t>(dx_.extents[2] * dx_.extents[3] * channels), Lane(0));
      for (std::size_t box = 0; box < Base::boxes_.size(); ++box) {
        if (Base::boxes_[box].image != image) continue;
        Base::make_tables(tables, box, dx_.extents);
        const RoiStrip<S, B> strip(tables, scratch, channels);
        const S* dy = dy_.plane(static_cast<Index>(box), channel);
        if (Base::is_average())
          add_averages(strip, tables, scratch, dy, plane.data());
        else
          add_maxima(strip, tables, scratch, dy, x_.plane(image, channel), plane.data());
      }
      write(image, channel, channels, plane.data());
    }
  }

 private:
  Lane gradient(const S* dy, std::size_t ph, std::size_t pw, Index c) const {
    return static_cast<Lane>(
        dy[static_cast<Index>(ph) * dy_.stride[2] + static_cast<Index>(pw) * dy_.stride[3] + c * dy_.stride[1]]);
  }

  // A row of gradients for each row of bins, which then goes to the rows of cells.
  template <int B>
  EIGENPOOL_INLINE void add_averages(const RoiStrip<S, B>& strip, const RoiTables& tables, RoiScratch<Lane>& scratch,
                                     const S* dy, Lane* plane) const {
    const Index channels = strip.channels(), length = strip.width() * channels;
    scratch.product.resize(static_cast<std::size_t>(std::max(length, channels)));
    Lane* product = scratch.product.data();
    for (std::size_t ph = 0; ph < static_cast<std::size_t>(Base::bins(0)); ++ph) {
      scratch.gradient.assign(static_cast<std::size_t>(length), Lane(0));
      Lane* row = scratch.gradient.data();
      for (std::size_t pw = 0; pw < static_cast<std::size_t>(Base::bins(1)); ++pw) {
        const Lane divisor = static_cast<Lane>(tables.rows.divisor(ph) * tables.columns.divisor(pw));
        const auto [begin, end] = tables.columns.taps(pw);
        for (std::size_t t = begin; t < end; ++t) {
          const RoiTap& tap = tables.columns.tap(t);
          const Lane weight = static_cast<Lane>(tap.weight);
          for (Index c = 0; c < channels; ++c) product[c] = weight * (gradient(dy, ph, pw, c) / divisor);
          add<B>(product, row + (tap.cell - tables.span.begin) * channels, channels);
        }
      }
      const auto [begin, end] = tables.rows.taps(ph);
      for (std::size_t t = begin; t < end; ++t) {
        const RoiTap& tap = tables.rows.tap(t);
        const Lane weight = static_cast<Lane>(tap.weight);
        for_row<B>(ScaleRow<Lane>{weight}, row, product, length);
        add<B>(product, plane + (tap.cell * dx_.extents[3] + tables.span.begin) * channels, length);
      }
    }
  }

  template <int B>
  EIGENPOOL_INLINE void add_maxima(const RoiStrip<S, B>& strip, const RoiTables& tables, RoiScratch<Lane>& scratch,
                                   const S* dy, const S* x, Lane* plane) const {
    const Index channels = strip.channels();
    for (std::size_t ph = 0; ph < static_cast<std::size_t>(Base::bins(0)); ++ph) {
      Base::find_maxima(strip, x_, x, ph, scratch);
      for (std::size_t pw = 0; pw < static_cast<std::size_t>(Base::bins(1)); ++pw)
        for (Index c = 0; c < channels; ++c) {
          const std::size_t at = pw * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c);
          if (scratch.row_entry[at] == Base::none) continue;
          const auto rows = tables.rows.taps(scratch.row_entry[at]);
          const auto columns = tables.columns.taps(scratch.column_entry[at]);
          for (std::size_t r = rows.begin; r < rows.end; ++r)
            for (std::size_t k = columns.begin; k < columns.end; ++k) {
              const RoiTap &row = tables.rows.tap(r), &column = tables.columns.tap(k);
              const Lane share =
                  static_cast<Lane>(row.weight) * (static_cast<Lane>(column.weight) * gradient(dy, ph, pw, c));
              add<B>(&share, plane + (row.cell * dx_.extents[3] + column.cell) * channels + c, 1);
            }
        }
    }
  }

  template <int B>
  EIGENPOOL_INLINE static void add(const Lane* from, Lane* to, Index length) {
    for_row<B>(AddRow<Lane>(), from, to, length);
  }

  void write(Index image, Index channel, Index channels, const Lane* plane) const {
    S* dx = dx_.plane(image, channel);
    for (Index h = 0; h < dx_.extents[2]; ++h)
      for (Index w = 0; w < dx_.extents[3]; ++w)
        for (Index c = 0; c < channels; ++c)
          dx[h * dx_.stride[2] + w * dx_.stride[3] + c * dx_.stride[1]] = static_cast<S>(*plane++);
  }

  const ImageView<const S> x_, dy_;
  const ImageView<S> dx_;
  Index strip_, strips_;
};

}  // namespace detail
EIGENPOOL_END
