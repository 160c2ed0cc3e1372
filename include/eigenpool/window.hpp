// How a user describes windows: Sizes, Padding, Window, OutputSize, AvgOptions and Layout.
// Plain values; nothing here is checked until a pooling function is called with it.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>

#include "config.hpp"

EIGENPOOL_BEGIN

/// Every size, extent, stride and index: signed, 64 bits, in elements.
using Index = std::int64_t;

/// Where a tensor keeps its channels: channels_first is (N, C, spatial...), channels_last is (N, spatial..., C).
/// This is the order of the tensor's axes; RowMajor or ColMajor storage is a separate matter.
enum class Layout { channels_first, channels_last };
inline constexpr Layout channels_first = Layout::channels_first;
inline constexpr Layout channels_last = Layout::channels_last;

/// One number per spatial axis, outermost first: `3` for all axes, or exactly D numbers `{3, 2}`.
template <int D>
struct Sizes {
  std::array<Index, D> values{};

  constexpr Sizes() = default;
  constexpr Sizes(std::integral auto all) { values.fill(static_cast<Index>(all)); }
  template <std::integral... Entries>
    requires(D > 1 && sizeof...(Entries) == D)
  constexpr Sizes(Entries... entries) : values{static_cast<Index>(entries)...} {}

  constexpr Index operator[](int axis) const { return values[static_cast<std::size_t>(axis)]; }
  constexpr Index& operator[](int axis) { return values[static_cast<std::size_t>(axis)]; }
};

/// Padding chosen so that the output has ceil(input / stride) cells per axis (TensorFlow's and ONNX's SAME);
/// where the total is odd, the extra cell goes to the end (upper) or to the beginning (lower).
enum class SamePadding { upper, lower };
inline constexpr SamePadding same_upper = SamePadding::upper;
inline constexpr SamePadding same_lower = SamePadding::lower;

/// Cells that a window may overlap outside the input, per axis and side. Padding is never a candidate of a
/// maximum and adds 0 to an average. Written as one number, one per axis, two Sizes {begin, end}, or
/// same_upper / same_lower. Each side must be smaller than the window's extent dilation * (kernel - 1) + 1.
template <int D>
struct Padding {
  Sizes<D> begin = 0;
  Sizes<D> end = 0;
  std::optional<SamePadding> same = std::nullopt;

  constexpr Padding() = default;
  constexpr Padding(std::integral auto all) : begin(all), end(all) {}
  template <std::integral... Entries>
    requires(D > 1 && sizeof...(Entries) == D)
  constexpr Padding(Entries... entries) : begin(entries...), end(entries...) {}
  constexpr Padding(Sizes<D> at_begin, Sizes<D> at_end) : begin(at_begin), end(at_end) {}
  constexpr Padding(SamePadding mode) : same(mode) {}
};

/// The windows of a pooling, with PyTorch's names and defaults:
///   kernel     taps per axis
///   stride     cells between the first taps of neighbouring windows; the kernel when not given
///   padding    see Padding
///   dilation   cells between neighbouring taps of one window
///   ceil_mode  round the output size up instead of down; a window must still start inside the input or
///              the leading padding
template <int D>
struct Window {
  Sizes<D> kernel;
  Sizes<D> stride = kernel;
  Padding<D> padding = 0;
  Sizes<D> dilation = 1;
  bool ceil_mode = false;
};

/// What an average divides by. count_include_pad: padding counts as cells of value 0 (never the overhang
/// that ceil_mode makes); otherwise only cells of the input count. divisor_override replaces either by a
/// number, which may be negative and must not be 0.
struct AvgOptions {
  bool count_include_pad = true;
  std::optional<Index> divisor_override = std::nullopt;
};

/// In an OutputSize: this axis keeps the input's extent.
struct Keep {};
inline constexpr Keep keep{};

/// The output extents of an adaptive pooling: one entry for all axes or exactly D entries, each a number
/// of cells or `keep`.
template <int D>
struct OutputSize {
  using Entry = std::optional<Index>;
  std::array<Entry, D> values{};

  constexpr OutputSize(std::integral auto all) { values.fill(static_cast<Index>(all)); }
  constexpr OutputSize(Keep) {}
  template <class... Entries>
    requires(D > 1 && sizeof...(Entries) == D && ((std::integral<Entries> || std::same_as<Entries, Keep>)&&...))
  constexpr OutputSize(Entries... entries) : values{entry(entries)...} {}

  constexpr const Entry& operator[](int axis) const { return values[static_cast<std::size_t>(axis)]; }

 private:
  static constexpr Entry entry(std::integral auto extent) { return static_cast<Index>(extent); }
  static constexpr Entry entry(Keep) { return std::nullopt; }
};

/// Asks a global pooling for a result of the input's rank, with spatial extents of 1.
struct KeepDims {};
inline constexpr KeepDims keep_dims{};

/// What a blur takes for the cells outside the input: the mirror image in the outermost cell (which is not repeated),
/// the outermost cell, or 0.
enum class BlurPadding { reflect, replicate, zero };

/// An anti-aliasing blur:
///   kernel   taps per axis, 1 to 7; their weights are binomial, 1 2 1 over 4, 1 3 3 1 over 8, ...
///   stride   cells between neighbouring outputs
///   padding  of (kernel - 1) / 2 cells before and kernel / 2 cells after the input, both rounded down
template <int D>
struct Blur {
  Sizes<D> kernel = 3;
  Sizes<D> stride = 2;
  BlurPadding padding = BlurPadding::reflect;
};

/// The windows of a maximum at every cell, with stride 1: see Window.
template <int D>
struct DenseWindow {
  Sizes<D> kernel = 2;
  Padding<D> padding = 0;
};

/// What a sequence without a valid step becomes: an error, unless `empty` gives the value.
struct SequenceOptions {
  std::optional<double> empty = std::nullopt;
};

EIGENPOOL_END
