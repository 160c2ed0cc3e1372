#include "placed.hpp"

#include "dispatch.hpp"
#include "library.hpp"
#include "measure.hpp"
#include "placed_naive.hpp"
#include "report.hpp"

#include <cstdio>
#include <random>
#include <regex>
#include <stdexcept>

namespace bench {
namespace {

// A problem: what it reads and writes, which is what the floor is about, and who does it.
struct Placed {
  std::string name;
  Buffers buffers;
  Block placement;  // samples or boxes
  Run library, plain;
};

using Extents = std::array<Index, 4>;  // items, channels, height, width

Block block_of(const Extents& e, std::size_t bytes) {
  return Block(static_cast<std::size_t>(e[0] * e[1] * e[2] * e[3]) * bytes);
}
template <typename T>
naive::Pictures<T> pictures(const Block& block, const Extents& e, Layout layout) {
  return {block.as<std::remove_const_t<T>>(), e[0], e[1], e[2], e[3], layout};
}
template <typename T>
Map<T, 4> map(const Block& block, const Extents& e, Layout layout) {
  if (layout == Layout::channels_first) return {block.as<T>(), e[0], e[1], e[2], e[3]};
  return {block.as<T>(), e[0], e[2], e[3], e[1]};
}

Block random_floats(std::size_t count, float low, float high) {
  Block block(count * sizeof(float));
  std::mt19937 generator(20240229);
  std::uniform_real_distribution<float> values(low, high);
  std::generate_n(block.as<float>(), count, [&] { return values(generator); });
  return block;
}
Block random_floats(const Extents& e) {
  return random_floats(static_cast<std::size_t>(e[0] * e[1] * e[2] * e[3]), -1, 1);
}

// SegNet: 2 x 2 maxima go back to where they were.
template <Layout layout>
Placed unpooling() {
  const Extents out{1, 64, 112, 112}, in{1, 64, 56, 56};
  Buffers buffers{random_floats(in), block_of(out, 4), block_of(in, 8)};
  const eigenpool::Window<2> window{.kernel = 2};
  const Block picture = random_floats(out);
  auto x = map<float>(buffers.source, in, layout), y = map<float>(buffers.result, out, layout);
  auto indices = map<std::int64_t>(buffers.indices, in, layout);
  eigenpool::max_pool2d_with_indices_into<layout>(x, indices, map<float>(picture, out, layout), window);
  const auto from = pictures<const float>(buffers.source, in, layout);
  const auto at = pictures<const std::int64_t>(buffers.indices, in, layout);
  const auto to = pictures<float>(buffers.result, out, layout);
  return {"max_unpool/segnet",
          std::move(buffers),
          {},
          [=]() mutable { eigenpool::max_unpool2d_into<layout>(y, x, indices, window); },
          [=] { naive::unpool(from, at, to); }};
}

// Graham's networks: a factor of about 1.4.
template <Layout layout>
Placed fractional() {
  const Extents in{1, 64, 112, 112}, out{1, 64, 79, 79};
  Buffers buffers{random_floats(in), block_of(out, 4), {}};
  Block samples = random_floats(64 * 2, 0, 0.999F);
  const Map<float, 3> u(samples.as<float>(), 1, 64, 2);
  auto x = map<float>(buffers.source, in, layout), y = map<float>(buffers.result, out, layout);
  const eigenpool::FractionalWindow<2> window{.kernel = 2, .output_size = 79};
  const auto from = pictures<const float>(buffers.source, in, layout);
  const auto to = pictures<float>(buffers.result, out, layout);
  return {"fractional_max_pool/graham", std::move(buffers), std::move(samples),
          [=]() mutable { eigenpool::fractional_max_pool2d_into<layout>(y, x, window, u); },
          [=] { naive::fractional(from, u.data(), 2, to); }};
}

// Boxes of a quarter to a half of the picture's sides, all inside.
Block random_boxes(Index count, Index height, Index width) {
  Block boxes = random_floats(static_cast<std::size_t>(count) * 4, 0, 0.5F);
  for (Index k = 0; k < count; ++k) {
    float* box = boxes.as<float>() + 4 * k;
    for (int j = 0; j < 2; ++j) {
      const float cells = static_cast<float>(j == 0 ? width : height);
      box[j] *= cells;
      box[j + 2] = box[j] + (0.25F + box[j + 2] / 2) * cells;
    }
  }
  return boxes;
}

// Mask R-CNN's (ResNet, stride 16) and Fast R-CNN's (VGG) heads.
template <Layout layout>
Placed boxes(bool align) {
  constexpr Index count = 128;
  const Extents in{1, 256, 50, 68}, out{count, 256, 7, 7};
  Buffers buffers{random_floats(in), block_of(out, 4), {}};
  Block bounds = random_boxes(count, in[2], in[3]);
  Eigen::Tensor<std::int64_t, 1, Eigen::RowMajor> images(count);
  images.setZero();
  auto x = map<float>(buffers.source, in, layout), y = map<float>(buffers.result, out, layout);
  const Map<float, 2> box(bounds.as<float>(), count, 4);
  const auto library = [=]() mutable {
    if (align)
      eigenpool::roi_align_into<layout>(y, x, box, images, {.output_size = 7, .sampling_ratio = 2});
    else
      eigenpool::roi_pool_into<layout>(y, x, box, images, {.output_size = 7});
  };
  const auto from = pictures<const float>(buffers.source, in, layout);
  const auto to = pictures<float>(buffers.result, out, layout);
  const auto plain = [=] { align ? naive::roi_align(from, box.data(), 2, to) : naive::roi_pool(from, box.data(), to); };
  return {align ? "roi_align/mask_rcnn" : "roi_pool/fast_rcnn", std::move(buffers), std::move(bounds), library, plain};
}

void require_equal(const Placed& placed) {
  const Result found = result_of(placed.buffers, placed.library), wanted = result_of(placed.buffers, placed.plain);
  const auto* a = reinterpret_cast<const float*>(found.values.data());
  const auto* b = reinterpret_cast<const float*>(wanted.values.data());
  for (std::size_t i = 0; i < wanted.values.size() / sizeof(float); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-4F))
      throw std::runtime_error("result " + std::to_string(i) + " is " + std::to_string(a[i]) +
                               ", the plain loops' is " + std::to_string(b[i]));
}

Contender contender(const Run& run, bool may_stop_early) {
  Kind kind;
  kind.may_stop_early = may_stop_early;
  return {kind, run};
}

void print_row(const Placed& placed, Layout layout, int rounds, Report& report) {
  require_equal(placed);
  Problem reads_all{};  // the floor reads the indices, too
  reads_all.direction = placed.buffers.indices.bytes() > 0 ? Direction::backward_int64 : Direction::forward;
  std::vector<Contender> contenders{contender(placed.library, false),
                                    contender(make_floor(reads_all, placed.buffers), false),
                                    contender(placed.plain, true)};
  take_turns(contenders, rounds);
  const double seconds = contenders[0].median();
  report.row({placed.name, name_of(layout), number(1e6 * seconds, 1), number(seconds / contenders[1].median(), 2),
              number(contenders[2].median() / seconds, 1)});
}

}  // namespace

bool print_placed(const Options& options) {
  const std::regex wanted(options.filter);
  Report report({{"operator", -28}, {"layout", -15}, {"us", 10}, {"x_floor", 9}, {"naive/us", 10}}, options.tsv,
                remarks_on_this_run(options.rounds));
  bool all_right = true;
  for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
    const auto all = with_layout(layout, [](auto tag) {
      constexpr Layout in = tag.value;
      std::vector<Placed> made;
      made.push_back(unpooling<in>());
      made.push_back(fractional<in>());
      made.push_back(boxes<in>(true));
      made.push_back(boxes<in>(false));
      return made;
    });
    for (const Placed& placed : all) {
      if (!std::regex_search(placed.name, wanted)) continue;
      try {
        print_row(placed, layout, options.rounds, report);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", placed.name.c_str(), error.what());
        all_right = false;
      }
    }
  }
  return all_right;
}

}  // namespace bench
