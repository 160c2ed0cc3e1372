// Unpooling, fractional pooling and RoI pooling in plain loops, as they are written without a library.
#pragma once

#include <eigenpool/window.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bench::naive {

using eigenpool::Index;
using eigenpool::Layout;

// Pictures (items, channels, height, width) in either layout.
template <typename T>
struct Pictures {
  T* data;
  Index items, channels, height, width;
  Layout layout;

  T& operator()(Index n, Index c, Index h, Index w) const {
    return layout == Layout::channels_first ? data[((n * channels + c) * height + h) * width + w]
                                            : data[((n * height + h) * width + w) * channels + c];
  }
  template <typename Visit>
  void for_each(const Visit& visit) const {
    const bool last = layout == Layout::channels_last;
    for (Index n = 0; n < items; ++n)
      for (Index outer = 0; outer < (last ? 1 : channels); ++outer)
        for (Index h = 0; h < height; ++h)
          for (Index w = 0; w < width; ++w)
            for (Index inner = 0; inner < (last ? channels : 1); ++inner) visit(n, outer + inner, h, w);
  }
};

inline void unpool(const Pictures<const float>& x, const Pictures<const std::int64_t>& indices,
                   const Pictures<float>& y) {
  y.for_each([&](Index n, Index c, Index h, Index w) { y(n, c, h, w) = 0; });
  x.for_each([&](Index n, Index c, Index h, Index w) {
    const Index cell = indices(n, c, h, w);
    y(n, c, cell / y.width, cell % y.width) = x(n, c, h, w);
  });
}

// samples: (w, h) of each picture and channel.
inline void fractional(const Pictures<const float>& x, const float* samples, Index kernel, const Pictures<float>& y) {
  const auto start = [=](float u, Index i, Index in, Index out) {
    const float alpha = static_cast<float>(in - kernel) / static_cast<float>(out - 1);
    if (i == out - 1) return in - kernel;
    return static_cast<Index>((static_cast<float>(i) + u) * alpha) - static_cast<Index>(u * alpha);
  };
  y.for_each([&](Index n, Index c, Index h, Index w) {
    const float* u = samples + (n * x.channels + c) * 2;
    const Index top = start(u[1], h, x.height, y.height), left = start(u[0], w, x.width, y.width);
    float best = x(n, c, top, left);
    for (Index i = 0; i < kernel; ++i)
      for (Index j = 0; j < kernel; ++j) best = std::max(best, x(n, c, top + i, left + j));
    y(n, c, h, w) = best;
  });
}

inline float interpolated(const Pictures<const float>& x, Index c, float h, float w) {
  if (h < -1 || h > static_cast<float>(x.height) || w < -1 || w > static_cast<float>(x.width)) return 0;
  h = std::clamp(h, 0.0F, static_cast<float>(x.height - 1)), w = std::clamp(w, 0.0F, static_cast<float>(x.width - 1));
  const auto top = static_cast<Index>(h), left = static_cast<Index>(w);
  const Index bottom = std::min(top + 1, x.height - 1), right = std::min(left + 1, x.width - 1);
  const float below = h - static_cast<float>(top), beside = w - static_cast<float>(left);
  return (1 - below) * ((1 - beside) * x(0, c, top, left) + beside * x(0, c, top, right)) +
         below * ((1 - beside) * x(0, c, bottom, left) + beside * x(0, c, bottom, right));
}

// boxes: x1, y1, x2, y2 of each, of one picture, aligned.
inline void roi_align(const Pictures<const float>& x, const float* boxes, Index ratio, const Pictures<float>& y) {
  y.for_each([&](Index k, Index c, Index h, Index w) {
    const float* box = boxes + k * 4;
    const float height = (box[3] - box[1]) / static_cast<float>(y.height);
    const float width = (box[2] - box[0]) / static_cast<float>(y.width);
    float sum = 0;
    for (Index i = 0; i < ratio; ++i)
      for (Index j = 0; j < ratio; ++j) {
        const float part = 1 / static_cast<float>(ratio), half = 0.5F;
        sum +=
            interpolated(x, c, box[1] - half + (static_cast<float>(h) + (static_cast<float>(i) + half) * part) * height,
                         box[0] - half + (static_cast<float>(w) + (static_cast<float>(j) + half) * part) * width);
      }
    y(k, c, h, w) = sum / static_cast<float>(ratio * ratio);
  });
}

inline void roi_pool(const Pictures<const float>& x, const float* boxes, const Pictures<float>& y) {
  const auto range = [](float from, float to, Index bin, Index bins, Index cells) {
    const Index first = std::lround(from), length = std::max<Index>(std::lround(to) - first + 1, 1);
    const Index begin = first + bin * length / bins, end = first + ((bin + 1) * length + bins - 1) / bins;
    return std::pair{std::clamp<Index>(begin, 0, cells), std::clamp<Index>(end, 0, cells)};
  };
  y.for_each([&](Index k, Index c, Index h, Index w) {
    const float* box = boxes + k * 4;
    const auto [top, bottom] = range(box[1], box[3], h, y.height, x.height);
    const auto [left, right] = range(box[0], box[2], w, y.width, x.width);
    float best = top < bottom && left < right ? x(0, c, top, left) : 0;
    for (Index i = top; i < bottom; ++i)
      for (Index j = left; j < right; ++j) best = std::max(best, x(0, c, i, j));
    y(k, c, h, w) = best;
  });
}

}  // namespace bench::naive
