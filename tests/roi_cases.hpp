// RoI poolings in plain numbers, and what a bin is, told by loops over sampling points and cells.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "compare.hpp"
#include "families.hpp"
#include "harness.hpp"
#include "sharing_pool.hpp"

namespace roi {

using eigenpool::RoiMode;
using families::Random;
using harness::Values;
using oracle::Extents;
using oracle::Index;

struct Box {
  Index image;
  double x1, y1, x2, y2;
};

/// N, C; H, W; the bins; and what both operators' options say.
struct Problem {
  Extents lead, spatial, bins;
  std::vector<Box> boxes;
  Values x;
  double scale = 1;
  Index ratio = 0;
  bool aligned = false;
  RoiMode mode = RoiMode::average;

  Extents result_lead() const { return {static_cast<Index>(boxes.size()), lead[1]}; }
  Index results() const { return oracle::product(result_lead()) * oracle::product(bins); }
  double cell(Index image, Index channel, Index h, Index w) const {
    return x[static_cast<std::size_t>(((image * lead[1] + channel) * spatial[0] + h) * spatial[1] + w)];
  }
};

/// Boxes inside, partly outside, far away, empty; those that end before they begin only where `inverted`.
inline Problem random_problem(std::uint64_t seed, bool inverted) {
  Random random(seed);
  Problem p;
  p.lead = {random.between(1, 3), random.one_in(4) ? random.between(60, 70) : random.between(1, 5)};
  p.spatial = {random.between(1, 9), random.between(1, 12)};
  p.bins = {random.between(1, 4), random.between(1, 5)};
  p.scale = random.one_in(2) ? 1 : 0.25;
  p.ratio = random.between(0, 3);
  p.aligned = random.one_in(2);
  const auto coordinate = [&](Index extent) {
    const double low = -4, high = static_cast<double>(extent) + 4;
    return (low + (high - low) * static_cast<double>(random.between(0, 1000)) / 1000) / p.scale;
  };
  for (Index count = random.between(0, 5); count > 0; --count) {
    Box box{random.between(0, p.lead[0] - 1), coordinate(p.spatial[1]), coordinate(p.spatial[0]),
            coordinate(p.spatial[1]), coordinate(p.spatial[0])};
    if (random.one_in(6)) box.x2 = box.x1;
    if (random.one_in(8)) box.y1 += 1000, box.y2 += 1000;
    if (!inverted && box.x2 < box.x1) std::swap(box.x1, box.x2);
    if (!inverted && box.y2 < box.y1) std::swap(box.y1, box.y2);
    for (double* bound : {&box.x1, &box.y1, &box.x2, &box.y2}) *bound = static_cast<double>(static_cast<float>(*bound));
    p.boxes.push_back(box);
  }
  p.x = families::signed_values.values(oracle::product(p.lead) * oracle::product(p.spatial), seed + 100);
  return p;
}

/// The values that a sampling point's four corners have, each times its weight; all 0 out of reach.
inline std::array<double, 4> corners(const Problem& p, Index image, Index channel, double y, double x) {
  const double height = static_cast<double>(p.spatial[0]), width = static_cast<double>(p.spatial[1]);
  if (y < -1 || y > height || x < -1 || x > width) return {};
  y = std::clamp(y, 0.0, height - 1);
  x = std::clamp(x, 0.0, width - 1);
  std::array<double, 4> values{};
  for (std::size_t corner = 0; corner < 4; ++corner) {
    const double h = std::floor(y) + (corner >= 2), w = std::floor(x) + (corner % 2 == 1);
    const double weight = (1 - std::abs(y - h)) * (1 - std::abs(x - w));
    if (weight > 0) values[corner] = weight * p.cell(image, channel, static_cast<Index>(h), static_cast<Index>(w));
  }
  return values;
}

/// Calls visit(y, x) for each sampling point of a bin.
template <class Visit>
void for_each_point(const Problem& p, const Box& box, Index ph, Index pw, const Visit& visit) {
  const double offset = p.aligned ? 0.5 : 0;
  double height = (box.y2 - box.y1) * p.scale, width = (box.x2 - box.x1) * p.scale;
  if (!p.aligned) height = std::max(height, 1.0), width = std::max(width, 1.0);
  const double bin_height = height / static_cast<double>(p.bins[0]), bin_width = width / static_cast<double>(p.bins[1]);
  const Index rows = p.ratio > 0 ? p.ratio : static_cast<Index>(std::ceil(bin_height));
  const Index columns = p.ratio > 0 ? p.ratio : static_cast<Index>(std::ceil(bin_width));
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j)
      visit(box.y1 * p.scale - offset + bin_height * static_cast<double>(ph) +
                (static_cast<double>(i) + 0.5) * bin_height / static_cast<double>(rows),
            box.x1 * p.scale - offset + bin_width * static_cast<double>(pw) +
                (static_cast<double>(j) + 0.5) * bin_width / static_cast<double>(columns));
}

inline double aligned_bin(const Problem& p, const Box& box, Index channel, Index ph, Index pw) {
  std::vector<double> values;
  for_each_point(p, box, ph, pw, [&](double y, double x) {
    const auto corner = corners(p, box.image, channel, y, x);
    if (p.mode == RoiMode::max_of_corners)
      values.insert(values.end(), corner.begin(), corner.end());
    else
      values.push_back(corner[0] + corner[1] + corner[2] + corner[3]);
  });
  if (values.empty()) return 0;
  if (p.mode != RoiMode::average) return *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Whether cell i of a box from `begin` to `end` (both included) belongs to the bin: an edge of the grid may cut it.
inline bool in_bin(Index cell, double begin, double end, Index bin, Index bins) {
  const Index first = static_cast<Index>(std::round(begin)), last = static_cast<Index>(std::round(end));
  const Index length = std::max<Index>(last - first + 1, 1), i = cell - first;
  return (i + 1) * bins > bin * length && i * bins < (bin + 1) * length;
}

inline double pooled_bin(const Problem& p, const Box& box, Index channel, Index ph, Index pw) {
  double sum = 0, best = -std::numeric_limits<double>::infinity();
  Index count = 0;
  for (Index h = 0; h < p.spatial[0]; ++h)
    for (Index w = 0; w < p.spatial[1]; ++w) {
      if (!in_bin(h, box.y1 * p.scale, box.y2 * p.scale, ph, p.bins[0])) continue;
      if (!in_bin(w, box.x1 * p.scale, box.x2 * p.scale, pw, p.bins[1])) continue;
      const double value = p.cell(box.image, channel, h, w);
      sum += value, best = std::max(best, value), ++count;
    }
  if (count == 0) return 0;
  return p.mode == RoiMode::average ? sum / static_cast<double>(count) : best;
}

/// All results, in the order K, C, bins.
template <class Bin>
Values all_bins(const Problem& p, const Bin& bin) {
  Values values;
  for (const Box& box : p.boxes)
    for (Index c = 0; c < p.lead[1]; ++c)
      for (Index ph = 0; ph < p.bins[0]; ++ph)
        for (Index pw = 0; pw < p.bins[1]; ++pw) values.push_back(bin(p, box, c, ph, pw));
  return values;
}

template <class B, int order = Eigen::RowMajor>
Eigen::Tensor<B, 2, order> boxes_of(const Problem& p) {
  Eigen::Tensor<B, 2, order> boxes(static_cast<Index>(p.boxes.size()), 4);
  for (Index k = 0; k < boxes.dimension(0); ++k) {
    const Box& box = p.boxes[static_cast<std::size_t>(k)];
    const std::array<double, 4> bounds{box.x1, box.y1, box.x2, box.y2};
    for (Index j = 0; j < 4; ++j) boxes(k, j) = static_cast<B>(bounds[static_cast<std::size_t>(j)]);
  }
  return boxes;
}

inline Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor> images_of(const Problem& p) {
  Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor> images(static_cast<Index>(p.boxes.size()));
  for (std::size_t k = 0; k < p.boxes.size(); ++k) images(static_cast<Index>(k)) = p.boxes[k].image;
  return images;
}

/// What one operator gives in one layout and storage order: Op wraps it.
template <class Case, class S, class Op>
struct Runs {
  const Problem& p;
  Op op{p};

  auto input() const { return harness::to_tensor<Case, S>(p.lead, p.spatial, p.x); }
  Values forward() const {
    return result(op.template forward<Case::layout>(input(), boxes_of<float>(p), images_of(p)));
  }
  template <class Device>
  Values forward_into(const Device& device) const {
    auto y = harness::to_tensor<Case, S>(p.result_lead(), p.bins, Values(static_cast<std::size_t>(p.results()), 77.0));
    op.template forward_into<Case::layout>(y, input(), boxes_of<double, Eigen::ColMajor>(p), images_of(p), device);
    return result(y);
  }
  auto gradient(const Values& dy) const { return harness::to_tensor<Case, S>(p.result_lead(), p.bins, dy); }
  Values backward(const Values& dy) const {
    return image(
        op.template backward<Case::layout>(gradient(dy), boxes_of<float>(p), images_of(p), input().dimensions()));
  }
  Values backward_from_input(const Values& dy) const {
    return image(
        op.template backward_from_input<Case::layout>(gradient(dy), input(), boxes_of<float>(p), images_of(p)));
  }
  template <class Device>
  Values backward_into(const Values& dy, const Device& device) const {
    auto dx = input();
    dx.setConstant(S(77));
    if (p.mode == RoiMode::average)
      op.template backward_into<Case::layout>(dx, gradient(dy), boxes_of<float>(p), images_of(p), device);
    else
      op.template backward_from_input_into<Case::layout>(dx, gradient(dy), input(), boxes_of<float>(p), images_of(p),
                                                         device);
    return image(dx);
  }

 private:
  Values result(const auto& y) const { return harness::from_tensor<Case, S>(p.result_lead(), p.bins, y); }
  Values image(const auto& x) const { return harness::from_tensor<Case, S>(p.lead, p.spatial, x); }
};

inline testing::AssertionResult near(const Values& got, const Values& want, double tolerance) {
  return harness::all_agree(got, want, [&](double a, double b, std::size_t) { return std::abs(a - b) <= tolerance; });
}

/// Every function against the loops' numbers, threads against one, and a backward against central differences.
template <class Case, class S, class Op>
void expect_numbers(const Problem& p, const Values& want, double tolerance) {
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  const Runs<Case, S, Op> runs{p};
  const Runs<eigenpool_test::PoolingCase<2, eigenpool::channels_first>, S, Op> plain{p};
  const Values y = runs.forward();
  EXPECT_TRUE(near(y, want, tolerance));
  EXPECT_TRUE(harness::all_same_bits(y, plain.forward())) << "layouts differ";
  EXPECT_TRUE(harness::all_same_bits(y, runs.forward_into(Eigen::DefaultDevice()))) << "into";
  EXPECT_TRUE(harness::all_same_bits(y, runs.forward_into(threads))) << "threads";
  const Values dy = families::signed_values.values(p.results(), 9);
  const Values dx = runs.backward_from_input(dy);
  if (p.mode == RoiMode::average) {
    EXPECT_TRUE(harness::all_same_bits(dx, runs.backward(dy))) << "without the input";
  }
  EXPECT_TRUE(harness::all_same_bits(dx, plain.backward_from_input(dy))) << "layouts differ in backward";
  EXPECT_TRUE(harness::all_same_bits(dx, runs.backward_into(dy, Eigen::DefaultDevice()))) << "backward into";
  EXPECT_TRUE(harness::all_same_bits(dx, runs.backward_into(dy, threads))) << "backward on threads";
}

template <class Op>
void expect_central_differences(Problem p) {
  using Double = Runs<eigenpool_test::PoolingCase<2, eigenpool::channels_first>, double, Op>;
  constexpr double step = 1e-5;
  const Values dy = families::signed_values.values(p.results(), 9);
  const auto loss = [&](const Problem& at) {
    const Values y = Double{at}.forward();
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
    return sum;
  };
  const Values dx = Double{p}.backward_from_input(dy);
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    Problem above = p, below = p;
    above.x[i] += step, below.x[i] -= step;
    EXPECT_NEAR(dx[i], (loss(above) - loss(below)) / (2 * step), 1e-7) << "element " << i;
  }
}

}  // namespace roi
