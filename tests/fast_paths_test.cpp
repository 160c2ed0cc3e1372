// Which kernel and which way through it a problem takes: one test for each fast path, on the functions that choose.
// That all paths give the same bits is tested by pooling_bits_test.
#include <gtest/gtest.h>

#include <eigenpool/eigenpool.hpp>

namespace {

using namespace eigenpool;
using detail::Axis;
using detail::Doubling;
using Index = Eigen::Index;
using detail::KernelChoice;
using detail::Problem;
using detail::RowPlan;

constexpr detail::Function function{"fast_paths", 2};

template <Layout layout = channels_first, std::size_t N, class Windows>
Problem problem_of(const std::array<Index, N>& shape, const Windows& windows, bool row_major = true) {
  return detail::make_plan<layout, 2>(function, "input", shape, windows, row_major).problem;
}
template <Layout layout = channels_first, std::size_t N>
Problem fixed(const std::array<Index, N>& shape, const Window<2>& window) {
  return problem_of<layout>(shape, detail::FixedWindows<2>{window});
}
Problem adaptive(const std::array<Index, 4>& shape, Index size) {
  const OutputSize<2> output_size{size, size};
  return problem_of(shape, detail::AdaptiveWindows<2>{output_size});
}

KernelChoice max_kernel(const Problem& problem) {
  return detail::kernel_for<detail::Extremum<float, detail::Larger>, float, detail::Values<float>>(problem, {});
}
KernelChoice mean_kernel(const Problem& problem) {
  return detail::kernel_for<detail::Sum<float>, float, detail::Means<float>>(problem, {});
}

KernelChoice compact_index_kernel(const Problem& problem) {
  using Lanes = detail::ArgExtremum<float, float, std::int32_t, detail::Larger>;
  return detail::kernel_for<Lanes, float, detail::ValuesAndIndices<float, std::uint8_t>>(
      problem, detail::Numbering::compact(problem));
}

RowPlan row_plan(const Window<2>& window, Index width, Index unit = 1, bool alike = true) {
  return RowPlan(fixed(std::array<Index, 3>{1, width, width}, window).axes[2], unit, Doubling::Steps::fours, alike);
}

TEST(KernelChoice, ChannelsLastRunsAlongChannels) {
  EXPECT_EQ(max_kernel(fixed<channels_last>(std::array<Index, 4>{1, 28, 28, 64}, {.kernel = 3})), KernelChoice::inner);
  EXPECT_EQ(mean_kernel(fixed<channels_last>(std::array<Index, 4>{1, 28, 28, 64}, {.kernel = 3})), KernelChoice::inner);
}

template <class R>
bool sweeps(const Problem& problem) {
  return detail::ColumnSweep<R, float>::suits(problem);
}

TEST(ColumnSweep, ThreeColumnsThatOverlapAreReducedOnce) {
  using Max = detail::Extremum<float, detail::Larger>;
  using Sum = detail::Sum<float>;
  const std::array<Index, 4> shape{1, 28, 28, 64};
  for (const Index stride : {1, 2}) {
    EXPECT_TRUE(sweeps<Max>(fixed<channels_last>(shape, {.kernel = 3, .stride = stride, .padding = 1})));
    EXPECT_TRUE(sweeps<Sum>(fixed<channels_last>(shape, {.kernel = 3, .stride = stride, .padding = 1})));
  }
  EXPECT_FALSE(sweeps<Max>(fixed<channels_last>(shape, {.kernel = 3})));
  EXPECT_FALSE(sweeps<Max>(fixed<channels_last>(shape, {.kernel = 2, .stride = 1})));
  EXPECT_FALSE(sweeps<Max>(fixed<channels_last>(shape, {.kernel = 3, .stride = 1, .dilation = 2})));
  EXPECT_FALSE(sweeps<Max>(fixed<channels_last>(shape, {.kernel = {1, 3}, .stride = {1, 1}}))) << "of one tap each";
}

TEST(KernelChoice, ColumnsOfFewVectorsAreReducedOneVectorAtATime) {
  const auto narrow = []<class S>(Index width, Index channels, S) {
    return detail::is_narrow<S, 32, S>(
        fixed<channels_last>(std::array<Index, 4>{1, width, width, channels}, {.kernel = 2}));
  };
  EXPECT_TRUE(narrow(28, 32, 0.0F));
  EXPECT_FALSE(narrow(28, 33, 0.0F));
  EXPECT_TRUE(narrow(28, 16, 0.0));
  EXPECT_FALSE(narrow(112, 32, 0.0F)) << "far from the processor";
  EXPECT_TRUE(narrow(112, 16, 0.0F));
}

TEST(ColumnSweep, ColumnsFromMemoryAreFetchedEarly) {
  using Max = detail::Extremum<float, detail::Larger>;
  const auto fetches = [](Index pictures, Index channels, Index stride) {
    const Problem problem =
        fixed<channels_last>(std::array<Index, 4>{pictures, 56, 56, channels}, {.kernel = 3, .stride = stride});
    return detail::ColumnSweep<Max, float>(problem, {}).fetches();
  };
  EXPECT_TRUE(fetches(8, 256, 2));
  EXPECT_FALSE(fetches(1, 256, 2)) << "held by a cache";
  EXPECT_FALSE(fetches(8, 256, 1)) << "one new row a window";
}

TEST(KernelChoice, PairsOfColumnsFromMemoryAreFetchedEarly) {
  using Max = detail::Extremum<float, detail::Larger>;
  const auto fetches = [](Index pictures, Index kernel) {
    const Problem problem = fixed<channels_last>(std::array<Index, 4>{pictures, 56, 56, 256}, {.kernel = kernel});
    const detail::Values<float> output(nullptr);
    return detail::InnerKernel<Max, float, detail::Values<float>>(problem, nullptr, output).fetches();
  };
  EXPECT_TRUE(fetches(8, 2));
  EXPECT_FALSE(fetches(1, 2)) << "held by a cache";
  EXPECT_FALSE(fetches(8, 3));
}

TEST(ColumnSweep, SumsKeepTheirTree) {
  using Sum = detail::Sum<float>;
  const std::array<Index, 4> shape{1, 28, 28, 64};
  EXPECT_FALSE(sweeps<Sum>(fixed<channels_last>(shape, {.kernel = {4, 3}, .stride = 1})));
  const Window<2> window{.kernel = 3, .stride = 1};
  const detail::FixedWindows<2> windows{window};
  EXPECT_FALSE(sweeps<Sum>(problem_of<channels_first>(std::array<Index, 4>{64, 1, 28, 28}, windows, false)));
}

TEST(LongSums, OfFewVectorsAreMadeOfRuns) {
  const auto runs = [](Index count, Index lead, Index length) {
    detail::TapLoops taps;
    taps.loop[1].count = 4;
    taps.loop[2] = {.count = count, .offset = 16, .lead = lead};
    return detail::sums_runs<detail::Sum<float>, 32>(taps, length);
  };
  EXPECT_TRUE(runs(4, 0, 16));
  EXPECT_TRUE(runs(8, 0, 32));
  EXPECT_FALSE(runs(9, 0, 16));
  EXPECT_FALSE(runs(4, 1, 16)) << "begins with padding";
  EXPECT_FALSE(runs(4, 0, 33));
}

TEST(LongSums, OfOneLoopOfNearTapsAreMadeInRegisters) {
  const auto near = [](Index count, Index offset, Index lead = 0) {
    detail::TapLoops taps;
    taps.loop[2] = {.count = count, .offset = offset, .lead = lead};
    return detail::is_near_run<float>(taps);
  };
  EXPECT_TRUE(near(64, 60));
  EXPECT_FALSE(near(65, 60));
  EXPECT_FALSE(near(64, 4096)) << "far apart";
  EXPECT_FALSE(near(10, 60, 1)) << "begins with padding";
}

TEST(LongSums, OfOneLoopAddUpInTheCanonicalOrder) {
  using Sum = detail::Sum<float>;
  constexpr Index offset = 4;
  std::vector<float> values(64 * offset);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1 / (static_cast<float>(i) + 3);
  for (Index count = 1; count <= 64; ++count) {
    detail::TapLoops taps;
    taps.loop[2] = {.count = count, .offset = offset};
    const auto sums = detail::sum_to_sixty_four<Sum, 16>(values.data(), offset, count);
    for (Index lane = 0; lane < offset; ++lane)
      EXPECT_EQ(sums.raw[lane], detail::reduce_element<Sum>(values.data() + lane, taps).raw[0]) << count << " taps";
  }
}

TEST(KernelChoice, LongRowsAreBuffered) {
  EXPECT_EQ(max_kernel(fixed(std::array<Index, 4>{1, 64, 112, 112}, {.kernel = 3, .stride = 2})), KernelChoice::rows);
  EXPECT_EQ(max_kernel(fixed<channels_last>(std::array<Index, 4>{1, 64, 64, 3}, {.kernel = 3})), KernelChoice::rows);
}

TEST(KernelChoice, LongWindowsTakeRowsInEveryLayout) {
  const Window<2> long_window{.kernel = 9, .stride = 1};
  EXPECT_EQ(max_kernel(fixed<channels_last>(std::array<Index, 4>{1, 28, 28, 64}, long_window)), KernelChoice::rows);
  EXPECT_EQ(mean_kernel(fixed<channels_last>(std::array<Index, 4>{1, 28, 28, 64}, long_window)), KernelChoice::rows);
}

TEST(KernelChoice, TallWindowsOfManyTapsTakeRowsInEveryLayout) {
  const auto choice = [](const Sizes<2>& kernel, Index stride = 1) {
    const Window<2> window{.kernel = kernel, .stride = stride, .padding = {kernel[0] / 2, kernel[1] / 2}};
    return max_kernel(fixed<channels_last>(std::array<Index, 4>{1, 28, 28, 64}, window));
  };
  EXPECT_EQ(choice({15, 1}), KernelChoice::rows);
  EXPECT_EQ(choice({5, 3}), KernelChoice::rows);
  EXPECT_EQ(choice({9, 1}), KernelChoice::inner);
  EXPECT_EQ(choice({9, 3}, 2), KernelChoice::rows) << "columns of nine taps, every second one shared";
  EXPECT_EQ(choice({7, 3}, 2), KernelChoice::inner);
}

TEST(KernelChoice, WindowsOverChannelsTakeRowsIfColumnsAreSharedOften) {
  const auto problem = [](Index kernel, Index stride, Index channels) {
    const Window<2> window{.kernel = kernel, .stride = stride, .padding = kernel / 2};
    return fixed<channels_last>(std::array<Index, 4>{1, 56, 56, channels}, window);
  };
  EXPECT_EQ(max_kernel(problem(3, 1, 16)), KernelChoice::inner);
  EXPECT_EQ(max_kernel(problem(4, 2, 16)), KernelChoice::inner);
  EXPECT_EQ(mean_kernel(problem(4, 2, 16)), KernelChoice::rows) << "a long sum";
  EXPECT_EQ(max_kernel(problem(6, 2, 64)), KernelChoice::rows);
  EXPECT_EQ(max_kernel(problem(6, 2, 256)), KernelChoice::inner) << "rows no near cache holds";
  EXPECT_EQ(max_kernel(problem(12, 4, 256)), KernelChoice::rows);
  EXPECT_EQ(mean_kernel(problem(4, 1, 256)), KernelChoice::rows) << "sixteen taps, of which neighbours share twelve";
}

// How many rows an InnerKernel reduces at once from row `row` on.
template <class Windows>
Index rows_together(const std::array<Index, 4>& shape, const Windows& window, Index row) {
  using Max = detail::Extremum<float, detail::Larger>;
  const Problem problem = fixed<channels_last>(shape, window);
  const detail::Values<float> output(nullptr);
  const detail::InnerKernel<Max, float, detail::Values<float>> kernel(problem, nullptr, output);
  return kernel.rows_together(detail::Cell{0, {0, row, 0}});
}

TEST(KernelChoice, RowsOverFewChannelsAreReducedTogether) {
  const Window<2> window{.kernel = 3, .stride = 2, .padding = 1};
  EXPECT_EQ(rows_together({1, 28, 28, 8}, window, 0), 1) << "begins in the padding";
  EXPECT_EQ(rows_together({1, 28, 28, 8}, window, 1), 13) << "all that are alike";
  EXPECT_EQ(rows_together({1, 28, 28, 8}, window, 10), 4);
  EXPECT_EQ(rows_together({1, 112, 112, 8}, window, 1), 4) << "what the cache holds";
  EXPECT_EQ(rows_together({1, 112, 112, 64}, window, 1), 1);
}

TEST(KernelChoice, CellsOfFewChannelsAreReducedInPartsThatTheCacheHolds) {
  using Max = detail::Extremum<float, detail::Larger>;
  const Problem problem = fixed<channels_last>(std::array<Index, 4>{1, 224, 224, 16}, {.kernel = 3, .stride = 2});
  const detail::Values<float> output(nullptr);
  EXPECT_EQ((detail::InnerKernel<Max, float, detail::Values<float>>(problem, nullptr, output).columns_together()), 64);
}

TEST(KernelChoice, BackwardOfWindowsThatOverlapOftenTakesRows) {
  const auto choice = [](Index kernel) {
    const Window<2> window{.kernel = kernel, .stride = 2, .padding = kernel / 2};
    return mean_kernel(fixed<channels_last>(std::array<Index, 4>{1, 56, 56, 64}, window).transposed());
  };
  EXPECT_EQ(choice(3), KernelChoice::inner);
  EXPECT_EQ(choice(9), KernelChoice::rows);
}

TEST(KernelChoice, SmallPlanesAreLaidSideBySide) {
  const auto choice = [](Index planes, Index height, Index width, const Window<2>& window) {
    return max_kernel(fixed(std::array<Index, 4>{1, planes, height, width}, window));
  };
  const Window<2> sliding{.kernel = 3, .stride = 1, .padding = 1};
  EXPECT_EQ(choice(64, 3, 3, sliding), KernelChoice::planes);
  EXPECT_EQ(choice(64, 16, 16, sliding), KernelChoice::rows) << "rows fill vectors";
  EXPECT_EQ(choice(64, 13, 13, {.kernel = 5, .stride = 1, .padding = 2}), KernelChoice::rows);
  EXPECT_EQ(choice(64, 5, 5, {.kernel = 5, .stride = 1, .padding = 2}), KernelChoice::planes)
      << "rows would be padding";
  EXPECT_EQ(choice(2, 3, 3, sliding), KernelChoice::rows) << "too few planes for a vector";
  EXPECT_EQ(choice(64, 3, 800, sliding), KernelChoice::rows);
}

TEST(KernelChoice, CompactIndicesTakeRowsWithADilationToo) {
  const std::array<Index, 4> shape{1, 16, 96, 96};
  EXPECT_EQ(compact_index_kernel(fixed(shape, {.kernel = 3, .stride = 1, .dilation = 2})), KernelChoice::rows);
  EXPECT_EQ(compact_index_kernel(fixed(shape, {.kernel = 9, .stride = 1, .dilation = {3, 2}})),
            KernelChoice::keyed_rows);
}

TEST(KernelChoice, IndicesOfLongWindowsBecomeKeys) {
  const std::array<Index, 4> shape{1, 3, 40, 40};
  for (const Sizes<2> kernel : {Sizes<2>{5, 5}, Sizes<2>{5, 1}, Sizes<2>{1, 5}})
    EXPECT_EQ(compact_index_kernel(fixed(shape, {.kernel = kernel, .stride = 1})), KernelChoice::keyed_rows);
  EXPECT_EQ(compact_index_kernel(fixed(shape, {.kernel = 3, .stride = 1})), KernelChoice::rows);
  EXPECT_EQ(compact_index_kernel(fixed(shape, {.kernel = 5, .stride = 4})), KernelChoice::rows);
  EXPECT_EQ(max_kernel(fixed(shape, {.kernel = 5, .stride = 1})), KernelChoice::rows);
}

TEST(KernelChoice, PlanesOfUnevenAdaptiveWindowsAreLaidSideBySide) {
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 14, 14}, 6)), KernelChoice::planes);
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 30, 30}, 7)), KernelChoice::planes);
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 13, 13}, 6)), KernelChoice::rows) << "3 x 3 with a stride of 2";
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 300, 300}, 7)), KernelChoice::rows) << "a tile would not fit the cache";
  EXPECT_EQ(compact_index_kernel(adaptive({1, 256, 13, 13}, 6)), KernelChoice::planes);
  EXPECT_EQ(compact_index_kernel(adaptive({1, 256, 300, 300}, 7)), KernelChoice::scalar)
      << "windows differ along a row";
}

TEST(KernelChoice, SmallPlanesThatOneWindowCoversAreReducedTogether) {
  const Window<2> seven{.kernel = 7};
  EXPECT_EQ(mean_kernel(fixed(std::array<Index, 4>{1, 256, 7, 7}, seven)), KernelChoice::whole_planes);
  EXPECT_EQ(max_kernel(fixed(std::array<Index, 4>{1, 256, 7, 7}, seven)), KernelChoice::whole_planes);
  EXPECT_EQ(max_kernel(fixed(std::array<Index, 4>{1, 256, 70, 7}, seven)), KernelChoice::whole_planes);
  EXPECT_NE(max_kernel(fixed(std::array<Index, 4>{1, 256, 7, 14}, seven)), KernelChoice::whole_planes);
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 14, 8}, 1)), KernelChoice::whole_planes);
  EXPECT_EQ(mean_kernel(adaptive({1, 256, 112, 112}, 1)), KernelChoice::rows) << "rows of many vectors";
  EXPECT_NE(mean_kernel(adaptive({1, 3, 14, 14}, 1)), KernelChoice::whole_planes) << "too few planes";
}

TEST(KernelChoice, ScalarForTheTinyAndTheForced) {
  EXPECT_EQ(max_kernel(fixed(std::array<Index, 2>{4, 4}, {.kernel = 2})), KernelChoice::scalar);
  const Problem problem = fixed(std::array<Index, 4>{1, 64, 112, 112}, {.kernel = 3, .stride = 2});
  detail::set_force_scalar_kernel(true);
  EXPECT_EQ(max_kernel(problem), KernelChoice::scalar);
  detail::set_force_scalar_kernel(false);
}

TEST(KernelChoice, SumsThatBeginAlongRowsAreMadeRowByRow) {
  const auto column_major = []<Layout layout>(const std::array<Index, 4>& shape, const Window<2>& window) {
    return problem_of<layout>(shape, detail::FixedWindows<2>{window}, false);
  };
  const auto picture = [&](Index size, const Window<2>& window) {
    return column_major.operator()<channels_last>({1, size, size, 256}, window);
  };
  const auto columns = [&](const Window<2>& window) {
    return column_major.operator()<channels_first>({1, 64, 28, 28}, window);
  };
  EXPECT_EQ(mean_kernel(picture(64, {.kernel = 3})), KernelChoice::rows_first);
  EXPECT_EQ(mean_kernel(picture(64, {.kernel = 64})), KernelChoice::rows_first);
  EXPECT_EQ(mean_kernel(picture(64, {.kernel = {1, 3}})), KernelChoice::rows) << "of a single row or column";
  EXPECT_EQ(max_kernel(picture(64, {.kernel = 3})), KernelChoice::rows);
  EXPECT_EQ(mean_kernel(picture(7, {.kernel = 3, .stride = 1})), KernelChoice::planes);
  EXPECT_EQ(mean_kernel(picture(16, {.kernel = 5, .stride = 1})), KernelChoice::rows_first);
  EXPECT_EQ(mean_kernel(columns({.kernel = 3, .stride = 1})), KernelChoice::inner);
  EXPECT_EQ(mean_kernel(columns({.kernel = 5, .stride = 1})), KernelChoice::rows_first);
}

// Rows of the source that part i reads, on the axis that is cut.
Index rows_read(const detail::Parts& parts, Index i) {
  const Problem part = parts.part(i).problem;
  return part.outer * part.axes[1].source();
}

TEST(Parts, ReadNoMoreRowsThanTheySayAndMakeAllResults) {
  for (const Index size : {1, 7, 30, 100})
    for (const Index kernel : {1, 3, 8})
      for (const Index stride : {1, 3, 20})
        for (const Index room : {0, 5, 40, 1000}) {
          if (kernel > size) continue;
          const Window<2> window{.kernel = {kernel, 2}, .stride = {stride, 2}, .padding = {kernel / 2, 0}};
          const Problem problem = fixed(std::array<Index, 3>{3, size, 6}, window);
          const detail::Parts parts(problem, room);
          Index results = 0;
          for (Index i = 0; i < parts.count(); ++i) {
            EXPECT_EQ(parts.part(i).result, results);
            EXPECT_LE(rows_read(parts, i), parts.most_rows()) << size << ' ' << kernel << ' ' << stride << ' ' << room;
            results += parts.part(i).problem.cells();
          }
          EXPECT_EQ(results, problem.cells());
          EXPECT_LE(parts.most_rows(), std::max({room, 2 * kernel, size}));
        }
}

TEST(Parts, OfWholeRowsAreNeverCutAlongThem) {
  const Window<2> window{.kernel = {3, 3}, .stride = {1, 4}, .padding = {1, 1}};
  const Problem problem = fixed(std::array<Index, 3>{1, 1, 5000}, window);
  EXPECT_EQ(detail::Parts(problem, 10).count(), 1);
  EXPECT_GT(detail::Parts(problem, sizeof(double) * 1000, 1).count(), 1);
}

// How often each tap of a window is in one of its terms.
std::vector<int> taps_taken(const Doubling& doubling, Index kernel) {
  std::vector<int> taken(static_cast<std::size_t>(kernel));
  for (int t = 0; t < doubling.count(); ++t)
    for (Index i = 0; i < doubling.window(doubling.term(t).level); ++i)
      ++taken.at(static_cast<std::size_t>(doubling.term(t).tap + i));
  return taken;
}

TEST(Doubling, TermsTakeEveryTapOfAWindow) {
  for (Index kernel = 1; kernel < 300; ++kernel) {
    for (const int times : taps_taken(Doubling(kernel, Doubling::Steps::canonical), kernel)) EXPECT_EQ(times, 1);
    for (const auto steps : {Doubling::Steps::pairs, Doubling::Steps::fours}) {
      const Doubling doubling(kernel, steps);
      for (const int times : taps_taken(doubling, kernel)) EXPECT_GE(times, 1) << "kernel " << kernel;
      EXPECT_TRUE(doubling.count() <= 2 || (steps == Doubling::Steps::fours && doubling.count() == 4));
    }
  }
}

TEST(Doubling, FoursTakeHalfTheLevels) {
  EXPECT_EQ(Doubling(63, Doubling::Steps::pairs).levels(), 5);
  EXPECT_EQ(Doubling(63, Doubling::Steps::fours).levels(), 2);
}

TEST(RowWay, NeighboursAtStrideOne) {
  const RowPlan plan = row_plan({.kernel = 5, .stride = 1}, 64);
  EXPECT_EQ(plan.way, RowPlan::Way::neighbours);
  EXPECT_EQ(plan.doubling.levels(), 1) << "in steps of four";
  EXPECT_FALSE(plan.wraps);
}

TEST(RowWay, WindowsThatKeepTheAxisWrap) {
  EXPECT_TRUE(row_plan({.kernel = 3, .stride = 1, .padding = 1}, 28).wraps);
  EXPECT_FALSE(row_plan({.kernel = 2, .stride = 1, .padding = same_upper}, 28).wraps);
  EXPECT_FALSE(row_plan({.kernel = 3, .stride = 1, .padding = 0}, 28).wraps);
  EXPECT_FALSE(row_plan({.kernel = 3, .stride = 1, .padding = 1}, 28, 1, false).wraps);
  EXPECT_FALSE(row_plan({.kernel = 3, .stride = 1, .padding = 1}, 4000).wraps);
}

TEST(RowSizes, RowsWithNothingAboveThemAreReadInPlace) {
  using Sizes = detail::RowSizes<detail::Sum<float>>;
  const auto in_place = [](const Window<2>& window) {
    return Sizes(fixed(std::array<Index, 3>{4, 8, 4000}, window), false).is_in_place();
  };
  EXPECT_TRUE(in_place({.kernel = {1, 4}}));
  EXPECT_FALSE(in_place({.kernel = 4}));
  EXPECT_FALSE(Sizes(fixed(std::array<Index, 3>{4, 8, 41}, {.kernel = {1, 2}}), false).is_in_place())
      << "no window takes the last column of a row";
}

TEST(RowSizes, LongWindowsTakeSeveralRowsAtATime) {
  using Sizes = detail::RowSizes<detail::Extremum<float, detail::Larger>>;
  const Window<2> window{.kernel = 9, .stride = 1, .padding = 4};
  const Problem small = fixed(std::array<Index, 3>{4, 56, 56}, window);
  const Sizes whole(small, false);  // which refers to the problem
  EXPECT_EQ(whole.joined(), 56);
  EXPECT_LE(whole.needed(), detail::Scratch<detail::Sum<float>>::capacity) << "on the stack";
  EXPECT_GE(Sizes(fixed(std::array<Index, 3>{4, 128, 128}, window), false).joined(), 8);
}

TEST(RowBlock, TheSameRowsOfPlanesAreOneGroup) {
  const Problem problem = fixed(std::array<Index, 3>{8, 28, 28}, {.kernel = 3, .stride = 1, .padding = 1});
  const detail::RowSizes<detail::Extremum<float, detail::Larger>> sizes(problem, false);
  EXPECT_GT(sizes.joined(), 28);
  EXPECT_EQ(sizes.joined() % 28, 0) << "whole planes";
  detail::RowBlock block(problem, sizes, 0, 0);
  block.rows = 3 * 28 + 5;
  const auto alike = [](const detail::Cell& cell) { return Index{cell.at[1] == 0 || cell.at[1] == 27 ? 1 : 26}; };
  const auto groups = [&](bool together) {
    std::vector<std::array<Index, 3>> all;
    block.for_groups(problem, together, alike, [&](const detail::RowGroup& group) {
      all.push_back({group.first, group.rows, group.planes});
    });
    return all;
  };
  const std::vector<std::array<Index, 3>> of_three_planes{{0, 1, 3}, {1, 26, 3}, {27, 1, 3}, {84, 1, 1}, {85, 4, 1}};
  EXPECT_EQ(groups(true), of_three_planes);
  EXPECT_EQ(groups(false).size(), 11U);
}

TEST(RowWay, StrideTwoIsUnzipped) {
  EXPECT_EQ(row_plan({.kernel = 2, .stride = 2}, 64).way, RowPlan::Way::unzipped);
  EXPECT_EQ(row_plan({.kernel = 3, .stride = 2}, 64).way, RowPlan::Way::unzipped);
  EXPECT_EQ(row_plan({.kernel = 3, .stride = 2}, 64, 3).way, RowPlan::Way::picked) << "three elements to a column";
}

TEST(RowWay, EvenStridesAreHalved) {
  const RowPlan plan = row_plan({.kernel = 4, .stride = 4}, 64);
  EXPECT_EQ(plan.halvings, 1);
  EXPECT_EQ(plan.way, RowPlan::Way::unzipped);
}

TEST(RowWay, ThreeColumnsThreeApartAreThirds) {
  EXPECT_EQ(row_plan({.kernel = 3, .stride = 3}, 63).way, RowPlan::Way::thirds);
  EXPECT_EQ(row_plan({.kernel = 3, .stride = 3}, 63, 3).way, RowPlan::Way::picked) << "three elements to a column";
}

TEST(RowWay, OtherStridesArePicked) {
  EXPECT_EQ(row_plan({.kernel = 2, .stride = 3}, 63).way, RowPlan::Way::picked);
  EXPECT_EQ(row_plan({.kernel = 3, .stride = 5}, 63).way, RowPlan::Way::picked);
}

TEST(RowWay, TransposedStridesInterleave) {
  const Axis axis = fixed(std::array<Index, 3>{1, 64, 64}, {.kernel = 3, .stride = 2}).axes[2].transposed();
  EXPECT_EQ(RowPlan(axis, 1, Doubling::Steps::canonical, true).way, RowPlan::Way::interleaved);
}

// What kernels rely on that reduce many rows, or cells, at once.
TEST(Axis, WholeWindowsAPeriodApartAreAlike) {
  Index pairs = 0;
  for (const Index kernel : {1, 2, 3, 5})
    for (const Index stride : {1, 2, 3, 4})
      for (const Index padding : {0, 1, 2})
        for (const Index dilation : {1, 2, 3})
          for (const bool transposed : {false, true}) {
            if (padding > kernel / 2) continue;
            const Axis forward = Axis::affine(23, (23 + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1, kernel,
                                              stride, padding, padding, dilation, Axis::Counted::taps);
            const Axis axis = transposed ? forward.transposed() : forward;
            const auto [begin, end] = axis.whole();
            for (Index i = begin; i < end; ++i) EXPECT_TRUE(axis.taps(i).is_whole());
            for (Index i = begin; i + axis.period() < end; ++i, ++pairs) {
              const detail::Taps taps = axis.taps(i), next = axis.taps(i + axis.period());
              EXPECT_EQ(next.count, taps.count);
              EXPECT_TRUE(taps.count == 0 || next.first == taps.first + axis.shift());
            }
          }
  EXPECT_GT(pairs, 2000) << "whole spans that are almost all of an axis";
}

// Nothing may multiply a period; the sanitizers tell.
TEST(Axis, APeriodMayBeAnyNumber) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> x(1, 7, 7, 64);
  x.setConstant(1);
  const Window<2> window{.kernel = 2, .stride = Index{1} << 61};
  const auto y = avg_pool2d<channels_last>(x, window);
  ASSERT_EQ(y.size(), 64);
  const auto dx = avg_pool2d_backward<channels_last>(y, x.dimensions(), window);
  EXPECT_EQ(dx(0, 1, 1, 63), 0.25F);
  EXPECT_EQ(dx(0, 2, 1, 63), 0);
  EXPECT_EQ(dx(0, 1, 2, 63), 0);
}

TEST(Axis, AdaptiveWindowsThatAreAlikeAreFixed) {
  const Axis sharing = Axis::adaptive(13, 6);
  EXPECT_TRUE(sharing.is_affine());
  EXPECT_EQ(sharing.kernel(), 3);
  EXPECT_EQ(sharing.stride(), 2);
  EXPECT_FALSE(Axis::adaptive(14, 6).is_affine());
  EXPECT_FALSE(Axis::adaptive(1, 6).is_affine());
}

TEST(RowWay, UnevenWindowsGoOneByOne) {
  EXPECT_EQ(RowPlan(Axis::adaptive(14, 6), 1, Doubling::Steps::canonical, true).way, RowPlan::Way::each);
}

TEST(SlidingRows, LongWindowsSlideDownAPlane) {
  using detail::Doubling;
  const auto axis = [](Index height, Index kernel, Index stride = 1) {
    return fixed(std::array<Index, 3>{1, height, 20}, {.kernel = kernel, .stride = stride}).axes[1];
  };
  const auto keeps_plane = [](const detail::Axis& rows) {
    return detail::PlanePlan(rows, Doubling::Steps::fours, 20, 7000).pays();
  };
  EXPECT_TRUE(keeps_plane(axis(20, 9)));
  EXPECT_FALSE(keeps_plane(axis(20, 9, 2)));
  EXPECT_FALSE(keeps_plane(axis(500, 9))) << "too large";
  EXPECT_FALSE(keeps_plane(axis(20, 3))) << "too short";
  EXPECT_TRUE(detail::RingPlan(axis(500, 9)).pays());
  EXPECT_TRUE(detail::ScanPlan(axis(500, 9)).pays());
  EXPECT_TRUE(detail::RingPlan(axis(500, 12, 2)).pays());
  EXPECT_TRUE(detail::ScanPlan(axis(500, 12, 2)).pays());
  EXPECT_FALSE(detail::RingPlan(axis(500, 9, 2)).pays()) << "windows share little";
  EXPECT_FALSE(detail::ScanPlan(axis(500, 9, 2)).pays());
  EXPECT_FALSE(detail::RingPlan(axis(500, 5)).pays()) << "too short";
  EXPECT_FALSE(detail::ScanPlan(axis(500, 5)).pays());
}

TEST(SlidingRows, NotForSumsThatRegistersHold) {
  const auto slides = [](Index width, Index kernel, const auto& reducer) {
    const Problem problem = fixed(std::array<Index, 3>{1, 200, width}, {.kernel = kernel, .stride = 1});
    return detail::RowSizes<std::decay_t<decltype(reducer)>>(problem, false).slides();
  };
  EXPECT_FALSE(slides(200, 8, detail::Sum<float>()));
  EXPECT_TRUE(slides(200, 9, detail::Sum<float>()));
  EXPECT_TRUE(slides(200, 8, detail::Extremum<float, detail::Larger>()));
  const auto keeps_plane = [](Index width) {
    const Problem problem = fixed(std::array<Index, 3>{1, 20, width}, {.kernel = 7, .stride = 1});
    return detail::RowSizes<detail::Sum<float>>(problem, false).plane().pays();
  };
  EXPECT_TRUE(keeps_plane(20)) << "short rows";
  EXPECT_FALSE(keeps_plane(80));
}

TEST(RowWay, SumsOfFewColumnsAreMadeAtOnce) {
  const Problem problem = fixed(std::array<Index, 3>{1, 64, 64}, {.kernel = 5, .stride = 1});
  const auto at_once = [&](Index kernel, Index unit, const auto& reducer) {
    const RowPlan plan(problem.axes[2], unit, Doubling::Steps::canonical, false);
    return detail::Horizontal<std::decay_t<decltype(reducer)>, 16>(problem.axes[2], plan, unit).sums_at_once(kernel);
  };
  EXPECT_FALSE(at_once(3, 4, detail::Sum<float>()));
  EXPECT_TRUE(at_once(4, 4, detail::Sum<float>()));
  EXPECT_TRUE(at_once(8, 4, detail::Sum<float>()));
  EXPECT_FALSE(at_once(9, 4, detail::Sum<float>()));
  EXPECT_TRUE(at_once(5, 1, detail::Sum<float>()));
  EXPECT_FALSE(at_once(6, 1, detail::Sum<float>())) << "neighbours are in the same vectors";
  EXPECT_FALSE(at_once(5, 4, detail::Extremum<float, detail::Larger>()));
}

TEST(Backward, SmallCompactIndicesAreLookedUp) {
  const auto looks_up = [](const Window<2>& window) {
    const Problem problem = fixed(std::array<Index, 3>{1, 64, 64}, window);
    return detail::IndexReader<std::uint16_t>(problem).looks_up();
  };
  EXPECT_TRUE(looks_up({.kernel = {15, 17}}));
  EXPECT_FALSE(looks_up({.kernel = 16}));
  EXPECT_FALSE(detail::IndexReader<std::uint8_t>(adaptive({1, 4, 14, 14}, 6)).looks_up());
}

TEST(Backward, FlatIndicesOfMemorysOrderAreLookedUp) {
  const Window<2> window{.kernel = 3};
  const detail::FixedWindows<2> windows{window};
  const std::array<Index, 3> shape{1, 64, 64};
  EXPECT_TRUE(detail::IndexReader<std::int64_t>(problem_of(shape, windows)).looks_up());
  EXPECT_FALSE(detail::IndexReader<std::int64_t>(problem_of(shape, windows, false)).looks_up());
}

TEST(Backward, SmallWindowsOverChannelsAreAsked) {
  const auto asks = [](Index channels, const Window<2>& window) {
    const Problem problem = fixed<channels_last>(std::array<Index, 4>{1, 28, 28, channels}, window);
    return detail::GatherKernel<float, std::uint8_t>::suits(problem);
  };
  EXPECT_EQ(asks(32, {.kernel = 3}), simd::vector_bytes() >= 32);
  EXPECT_FALSE(asks(31, {.kernel = 3})) << "no whole vector of indices";
  EXPECT_FALSE(asks(32, {.kernel = 5})) << "too many taps";
  using detail::GatherKernel;
  static_assert(!GatherKernel<float, std::int64_t>::is_known, "flat indices may name inputs outside their window");
  static_assert(GatherKernel<Eigen::half, std::uint16_t>::is_known);
}

TEST(Backward, SharesOfAPartitionAreSpread) {
  EXPECT_TRUE(detail::is_partition(fixed(std::array<Index, 3>{4, 28, 28}, {.kernel = 2})));
  EXPECT_TRUE(detail::is_partition(fixed(std::array<Index, 3>{4, 29, 28}, {.kernel = 2}))) << "with a row to spare";
  EXPECT_FALSE(detail::is_partition(fixed(std::array<Index, 3>{4, 29, 28}, {.kernel = 2, .ceil_mode = true})));
  EXPECT_FALSE(detail::is_partition(fixed(std::array<Index, 3>{4, 28, 28}, {.kernel = 2, .padding = 1})));
  EXPECT_FALSE(detail::is_partition(fixed(std::array<Index, 3>{4, 28, 28}, {.kernel = 2, .stride = 3})));
}

TEST(NanGuard, SeesEachRunOnce) {
  using Guarded = detail::NanGuard<detail::Extremum<float, detail::Larger>, float>;
  static_assert(Guarded::needed && !detail::NanGuard<detail::Sum<float>, float>::needed);
  std::array<float, 64> row{};
  row[50] = std::numeric_limits<float>::quiet_NaN();
  Guarded guard;
  EXPECT_TRUE(guard.is_clean<16>(row.data(), row.data() + 50));
  EXPECT_FALSE(guard.is_clean<16>(row.data() + 20, row.data() + 51));
  row[50] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(guard.is_clean<16>(row.data() + 20, row.data() + 51));
  row[10] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(guard.is_clean<16>(row.data() + 20, row.data() + 64)) << "what was clean is not read again";
}

}  // namespace
