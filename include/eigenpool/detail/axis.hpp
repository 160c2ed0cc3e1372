// The table of one axis: which inputs each output position reads, and what that
// contributes to a divisor.
//
// Rows are computed when asked for, so a table takes no memory and has no size
// limit. Fixed windows, padding, ceil mode, dilation, adaptive and global
// pooling differ only in the Axis that is made; the backward of an average uses
// transposed(): the table of the outputs that cover each input.
#pragma once

#include <algorithm>

#include "integer.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// One row: `count` taps at first, first + step, ...; those numbered
/// [real_begin, real_end) lie in the source.
struct Taps {
  Index first, step, count, real_begin, real_end;
  constexpr Index real() const { return real_end - real_begin; }
  constexpr bool is_whole() const { return real_begin == 0 && real_end == count; }
  constexpr Index position(Index tap) const { return first + tap * step; }
};

/// A half-open range of positions, which may reach outside the source.
struct Span {
  Index begin, end;
  constexpr bool holds(Index i) const { return i >= begin && i < end; }
};

class Axis {
 public:
  enum class Kind {
    affine,    // windows of `kernel` taps, `dilation` apart, every `stride` cells
               // from -padding on
    adaptive,  // window i is [floor(i n / o), ceil((i + 1) n / o)); neighbours
               // may overlap or differ by a cell
    covering,  // the transposed table of an affine one with a stride above 1
  };

  /// What an affine axis contributes to an average's divisor.
  enum class Counted { taps, real_taps };

  constexpr Axis() = default;  // the identity on an axis of extent 1

  static constexpr Axis affine(Index source, Index result, Index kernel, Index stride, Index padding_begin,
                               Index padding_end, Index dilation, Counted counted) {
    Axis axis;
    axis.source_ = source, axis.result_ = result;
    axis.kernel_ = kernel, axis.stride_ = stride, axis.padding_ = padding_begin, axis.dilation_ = dilation;
    axis.counted_end_ = counted == Counted::taps ? source + padding_end : source;
    axis.counted_ = counted;
    return axis;
  }

  static constexpr Axis identity(Index extent) { return affine(extent, extent, 1, 1, 0, 0, 1, Counted::real_taps); }

  static constexpr Axis adaptive(Index source, Index result) {
    if (result > 0) {
      const Index stride = source / result, rest = source % result;
      if (rest <= std::min(stride, Index{1}))  // all windows are alike; with one cell left, neighbours share one
        return affine(source, result, stride + rest, std::max(stride, Index{1}), 0, 0, 1, Counted::real_taps);
    }
    Axis axis;
    axis.kind_ = Kind::adaptive;
    axis.source_ = source, axis.result_ = result;
    return axis;
  }

  constexpr Index source() const { return source_; }
  constexpr Index result() const { return result_; }
  constexpr Index kernel() const { return kernel_; }
  constexpr Index stride() const { return stride_; }
  constexpr Index dilation() const { return dilation_; }
  constexpr Index padding() const { return padding_; }
  constexpr bool is_affine() const { return kind_ == Kind::affine; }
  constexpr bool is_covering() const { return kind_ == Kind::covering; }
  constexpr bool is_identity() const {
    return is_affine() && kernel_ == 1 && stride_ == 1 && padding_ == 0 && source_ == result_;
  }

  /// Whether a window reaches over more than two strides (which may be so long
  /// that two of them are no number).
  constexpr bool overlaps_twice() const { return (kernel_ - 1) / 2 >= stride_; }

  /// Whether windows are so long, and overlap so often, that what they share should be made once.
  constexpr bool is_long() const { return is_affine() && kernel_ >= 5 && overlaps_twice(); }

  /// Whether windows cover the source without overlap, padding or rest.
  constexpr bool tiles() const {
    return is_affine() && padding_ == 0 && source_ == result_ * stride_ && (kernel_ - 1) * dilation_ < stride_;
  }
  /// Whether windows lie side by side from the first cell on, all of them inside; cells may remain at the end.
  constexpr bool partitions() const {
    return is_affine() && padding_ == 0 && kernel_ == stride_ && dilation_ == 1 && result_ * stride_ <= source_;
  }
  /// `times` of a tiling axis, one after the other.
  constexpr Axis repeated(Index times) const {
    return affine(source_ * times, result_ * times, kernel_, stride_, 0, 0, dilation_, counted_);
  }

  /// Outputs [begin, end) of an affine axis; its source begins where real_span()
  /// of them does.
  constexpr Axis part(Index begin, Index end) const {
    Axis axis = *this;
    const Span span = real_span(begin, end);
    axis.source_ = span.end - span.begin, axis.result_ = end - begin;
    axis.padding_ = padding_ - begin * stride_ + span.begin;
    axis.counted_end_ = counted_end_ - span.begin;
    return axis;
  }

  constexpr Taps taps(Index i) const {
    switch (kind_) {
      case Kind::affine:
        return clipped(i * stride_ - padding_, dilation_, kernel_);
      case Kind::adaptive: {
        const Index begin = scaled(i, source_, result_);
        return clipped(begin, 1, 1 + last_scaled(i) - begin);
      }
      case Kind::covering:
        return covering_taps(i);
    }
    return {};
  }

  /// What of span() is in the source.
  constexpr Span real_span(Index begin, Index end) const {
    const Span all = span(begin, end);
    const Index first = std::clamp(all.begin, Index{0}, source_);
    return {first, std::clamp(all.end, first, source_)};
  }

  /// What this axis multiplies an average's divisor by; 1 where a window holds
  /// nothing, since its sum is 0.
  constexpr Index divisor(Index i) const { return divisor(taps(i)); }
  constexpr Index divisor(const Taps& taps) const {
    if (is_affine() && counted_ == Counted::taps) {
      const Index room = counted_end_ - taps.first;
      if (room > (kernel_ - 1) * dilation_) return kernel_;
      return std::clamp(ceil_div(room, dilation_), Index{1}, kernel_);
    }
    return std::max(taps.real(), Index{1});
  }

  /// The outputs [begin, end) whose windows have all of their taps in the source; empty for adaptive axes. Of those
  /// period() apart, windows are alike: they lie shift() cells apart.
  constexpr Span whole() const {
    if (kind_ == Kind::adaptive) return {0, 0};
    const Index reach = (kernel_ - 1) * dilation_;
    if (kind_ == Kind::covering) {
      const Index begin = std::max(reach - padding_, Index{0});
      const Wide end = Wide{source_} * stride_ - padding_;
      return {begin, static_cast<Index>(std::clamp<Wide>(end, begin, std::max(begin, result_)))};
    }
    const Index begin = ceil_div(padding_, stride_);
    const Index last = source_ + padding_ - reach - 1;
    return {begin, last < 0 ? begin : std::clamp(last / stride_ + 1, begin, std::max(begin, result_))};
  }
  constexpr Index period() const { return is_covering() ? stride_ : 1; }
  constexpr Index shift() const { return is_covering() ? 1 : stride_; }

  /// Calls f(i) for the outputs before and after those.
  template <class F>
  constexpr void for_ends(const F& f) const {
    const auto [begin, end] = whole();
    for (Index i = 0; i < std::min(begin, result_); ++i) f(i);
    for (Index i = end; i < result_; ++i) f(i);
  }

  constexpr bool divisor_is_uniform() const {
    if (result_ == 0) return true;
    return is_affine() && divisor(0) == divisor(result_ - 1) && (result_ < 3 || divisor(0) == kernel_);
  }

  /// Positions that hold every tap of the outputs [begin, end).
  constexpr Span span(Index begin, Index end) const {
    if (begin >= end) return {0, 0};
    switch (kind_) {
      case Kind::affine:
        return {begin * stride_ - padding_, (end - 1) * stride_ - padding_ + (kernel_ - 1) * dilation_ + 1};
      case Kind::adaptive:
        return {scaled(begin, source_, result_), 1 + last_scaled(end - 1)};
      case Kind::covering:
        return {ceil_div(begin + padding_ - (kernel_ - 1) * dilation_, stride_),
                floor_div(end - 1 + padding_, stride_) + 1};
    }
    return {};
  }

  /// An upper bound on the length of span() over `outputs` neighbours.
  constexpr Index reach(Index outputs) const {
    switch (kind_) {
      case Kind::affine:
        return (outputs - 1) * stride_ + (kernel_ - 1) * dilation_ + 1;
      case Kind::adaptive:
        return scaled(outputs, source_, result_) + 2;
      case Kind::covering:
        return (outputs + (kernel_ - 1) * dilation_) / stride_ + 2;
    }
    return 0;
  }

  /// The most taps any row has; the largest tap number is one less.
  constexpr Index max_count() const {
    switch (kind_) {
      case Kind::affine:
        return kernel_;
      case Kind::adaptive:
        return result_ == 0 ? 0 : std::min(source_, source_ / result_ + 2);
      case Kind::covering:
        return ceil_div(kernel_, stride_ / common_);
    }
    return 0;
  }

  /// The table of the outputs that cover each input: the sum over it is the
  /// adjoint of the sum over this.
  constexpr Axis transposed() const {
    if (kind_ == Kind::adaptive) return adaptive(result_, source_);
    if (stride_ == 1)
      return affine(result_, source_, kernel_, 1, (kernel_ - 1) * dilation_ - padding_, 0, dilation_,
                    Counted::real_taps);
    Axis axis = *this;
    axis.kind_ = Kind::covering;
    std::swap(axis.source_, axis.result_);
    axis.common_ = greatest_common_divisor(stride_, dilation_);
    axis.inverse_ = stride_ == axis.common_ ? 0 : modular_inverse(dilation_ / axis.common_, stride_ / axis.common_);
    return axis;
  }

 private:
  // floor(((i + 1) source - 1) / result), the last input of window i
  constexpr Index last_scaled(Index i) const {
    Index product = 0;
    if (multiply(i + 1, source_, product)) return (product - 1) / result_;
    return static_cast<Index>((Wide{i + 1} * source_ - 1) / result_);
  }

  constexpr Taps clipped(Index first, Index step, Index count) const {
    if (first >= 0 && first + (count - 1) * step < source_) return {first, step, count, 0, count};
    const auto steps = [step](Index cells) { return step == 1 ? cells : ceil_div(cells, step); };
    const Index begin = first >= 0 ? 0 : std::min(steps(-first), count);
    const Index end = first >= source_ ? 0 : std::min(steps(source_ - first), count);
    return {first, step, count, begin, std::max(begin, end)};
  }

  // Output i covers input x where i * stride + j * dilation == x + padding for
  // a tap j. With the common divisor g of stride and dilation, j runs over one
  // residue modulo stride / g, and i falls as j grows.
  constexpr Taps covering_taps(Index x) const {
    const Index reached = x + padding_;
    if (dilation_ == 1) {  // mostly, and with fewer divisions
      const Index last = reached / stride_, residue = reached - last * stride_;
      if (residue >= kernel_) return {0, 1, 0, 0, 0};
      const Index count = (kernel_ - 1 - residue) / stride_ + 1;
      return clipped(last - (count - 1), 1, count);
    }
    const Index period = stride_ / common_;
    if (reached % common_ != 0) return {0, 1, 0, 0, 0};
    const Index j = static_cast<Index>(Wide{(reached / common_) % period} * inverse_ % period);
    if (j >= kernel_) return {0, 1, 0, 0, 0};
    const Index count = (kernel_ - 1 - j) / period + 1;
    const Index last_tap = j + (count - 1) * period;
    return clipped((reached - last_tap * dilation_) / stride_, dilation_ / common_, count);
  }

  Kind kind_ = Kind::affine;
  Counted counted_ = Counted::real_taps;
  Index source_ = 1, result_ = 1;
  Index kernel_ = 1, stride_ = 1, padding_ = 0, dilation_ = 1;
  Index counted_end_ = 1;
  // Of a covering axis: the greatest common divisor of stride and dilation; and the inverse of what it leaves of the
  // dilation modulo what it leaves of the stride.
  Index common_ = 1, inverse_ = 0;
};

}  // namespace detail
EIGENPOOL_END
