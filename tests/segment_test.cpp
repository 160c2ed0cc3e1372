// Segment pooling against plain loops: random segments, every storage order, any number of threads, gradients, errors.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <algorithm>
#include <eigenpool/segment_pool.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unsupported/Eigen/AutoDiff>

#include "families.hpp"
#include "group_oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using namespace eigenpool;
using eigenpool::Index;
using group_oracle::Values;

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

struct Problem {
  Index rows, segments, features;
  bool sorted;
  std::vector<Index> ids;

  Problem(Index rows_, Index segments_, Index features_, bool sorted_, std::uint64_t seed)
      : rows(rows_), segments(segments_), features(features_), sorted(sorted_) {
    families::Random random(seed);
    for (Index r = 0; r < rows; ++r) ids.push_back(random.between(0, segments - 1));
    if (sorted) std::sort(ids.begin(), ids.end());
    if (sorted && rows > 0) ids.back() = segments - 1;
  }
  std::vector<Index> rows_of(Index segment) const {
    std::vector<Index> result;
    for (Index r = 0; r < rows; ++r)
      if (ids[static_cast<std::size_t>(r)] == segment) result.push_back(r);
    return result;
  }
};

template <class Scalar, int order_>
struct Case {
  using S = Scalar;
  static constexpr int order = order_;
};

template <class C>
class Segments : public testing::Test {
 protected:
  using S = typename C::S;
  using Tensor = Eigen::Tensor<S, 2, C::order>;
  using Indices = Eigen::Tensor<std::int64_t, 2, C::order>;
  using Ids = Eigen::Tensor<std::int32_t, 1, C::order>;

  // Integers by way of a wide one: no float becomes a negative number of an unsigned type.
  static S scalar(double value) {
    if constexpr (std::is_integral_v<S>)
      return static_cast<S>(static_cast<std::int64_t>(value));
    else
      return static_cast<S>(value);
  }
  static Tensor filled(Index rows, Index features, const families::Family& family, std::uint64_t seed) {
    const Values values = family.values(rows * features, seed);
    Tensor x(rows, features);
    for (Index r = 0; r < rows; ++r)
      for (Index f = 0; f < features; ++f) x(r, f) = scalar(values[static_cast<std::size_t>(r * features + f)]);
    return x;
  }
  static Ids ids_of(const Problem& p) {
    Ids ids(p.rows);
    for (Index r = 0; r < p.rows; ++r) ids(r) = static_cast<std::int32_t>(p.ids[static_cast<std::size_t>(r)]);
    return ids;
  }
  static Values column(const Tensor& x, const std::vector<Index>& rows, Index f) {
    Values values;
    for (const Index r : rows) values.push_back(static_cast<double>(x(r, f)));
    return values;
  }

  static void expect_oracle(const Problem& p, const Tensor& x) {
    const Ids ids = ids_of(p);
    const std::optional<Index> count = p.sorted ? std::nullopt : std::optional<Index>(p.segments);
    const Tensor sums = segment_sum(x, ids, count), means = segment_mean(x, ids, count);
    const Tensor maxima = segment_max(x, ids, count), minima = segment_min(x, ids, count);
    const auto [max_values, max_rows] = eigenpool::segment_max_with_indices(x, ids, count);
    const auto [min_values, min_rows] = eigenpool::segment_min_with_indices<std::int32_t>(x, ids, count);
    ASSERT_EQ(sums.dimension(0), p.segments);
    ASSERT_EQ(sums.dimension(1), p.features);
    for (Index s = 0; s < p.segments; ++s) {
      const std::vector<Index> rows = p.rows_of(s);
      const auto row_of = [&](std::int64_t place) { return place < 0 ? -1 : rows[static_cast<std::size_t>(place)]; };
      for (Index f = 0; f < p.features; ++f) {
        const Values values = column(x, rows, f);
        const auto max = group_oracle::extreme<S>(values, 1), min = group_oracle::extreme<S>(values, -1);
        const auto is = [](S got, double want) {
          return static_cast<double>(got) == want || (std::isnan(static_cast<double>(got)) && std::isnan(want));
        };
        ASSERT_TRUE(same(static_cast<double>(sums(s, f)), group_oracle::sum<S>(values, false)))
            << "sum of " << values.size() << " rows: " << static_cast<double>(sums(s, f));
        ASSERT_TRUE(same(static_cast<double>(means(s, f)), group_oracle::sum<S>(values, true)))
            << "mean of " << values.size() << " rows: " << static_cast<double>(means(s, f));
        ASSERT_TRUE(is(maxima(s, f), max.value));
        ASSERT_TRUE(is(minima(s, f), min.value));
        ASSERT_TRUE(is(max_values(s, f), max.value));
        ASSERT_TRUE(is(min_values(s, f), min.value));
        ASSERT_EQ(max_rows(s, f), row_of(max.place));
        ASSERT_EQ(min_rows(s, f), row_of(min.place));
      }
    }
  }
};

using Cases = testing::Types<Case<float, Eigen::RowMajor>, Case<float, Eigen::ColMajor>, Case<double, Eigen::RowMajor>,
                             Case<std::int8_t, Eigen::RowMajor>, Case<std::uint8_t, Eigen::ColMajor>,
                             Case<std::int32_t, Eigen::RowMajor>, Case<Eigen::bfloat16, Eigen::RowMajor>>;
struct CaseName {
  template <class C>
  static std::string GetName(int i) {
    return std::to_string(i) + (C::order == Eigen::RowMajor ? "_RowMajor" : "_ColMajor");
  }
};
TYPED_TEST_SUITE(Segments, Cases, CaseName);

TYPED_TEST(Segments, EqualPlainLoops) {
  using Scalar = typename TypeParam::S;
  families::Random random(11);
  for (int round = 0; round < 40; ++round) {
    const Index rows = random.between(0, round % 5 == 0 ? 300 : 30);
    const bool sorted = random.one_in(2);
    const Index segments = rows == 0 && sorted ? 0 : random.between(1, 9);
    const Problem p(rows, segments, random.between(0, 3) * 16 + random.between(0, 9), sorted, random.bits());
    const families::Family family = std::integral<Scalar> ? families::integers
                                    : round % 3 == 0      ? families::nans
                                    : round % 3 == 1      ? families::ties
                                                          : families::signed_values;
    SCOPED_TRACE(std::string(family.name) + ", rows " + std::to_string(p.rows) + ", features " +
                 std::to_string(p.features) + (sorted ? ", sorted" : ", in any order"));
    Eigen::Tensor<Scalar, 2, TypeParam::order> x = TestFixture::filled(p.rows, p.features, family, random.bits());
    if constexpr (std::is_same_v<Scalar, std::uint8_t>)
      for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(i * 37);
    TestFixture::expect_oracle(p, x);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TYPED_TEST(Segments, SameBitsOnThreads) {
  using Fixture = TestFixture;
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  const Problem p(3000, 90, 37, false, 5);
  const auto x = Fixture::filled(p.rows, p.features, families::integers, 6);
  const auto ids = Fixture::ids_of(p);
  const auto [y, rows] = eigenpool::segment_max_with_indices(x, ids, p.segments);
  const auto sums = segment_sum(x, ids, p.segments), means = segment_mean(x, ids, p.segments);
  const auto minima = segment_min(x, ids, p.segments);
  typename Fixture::Tensor got(p.segments, p.features), none(p.segments, p.features);
  typename Fixture::Indices got_rows(p.segments, p.features);
  const auto expect_equal = [](const auto& a, const auto& b) {
    for (Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]);
  };
  segment_sum_into(got, x, ids, threads), expect_equal(got, sums);
  segment_mean_into(got, x, ids, threads), expect_equal(got, means);
  segment_max_into(got, x, ids, threads), expect_equal(got, y);
  segment_min_into(got, x, ids, threads), expect_equal(got, minima);
  got.device(threads) = x.customOp(eigenpool::SegmentSum(ids, p.segments)), expect_equal(got, sums);
  got.device(threads) = x.customOp(eigenpool::SegmentMean(ids, p.segments)), expect_equal(got, means);
  got.device(threads) = x.customOp(eigenpool::SegmentMax(ids, p.segments)), expect_equal(got, y);
  got.device(threads) = x.customOp(eigenpool::SegmentMin(ids, p.segments)), expect_equal(got, minima);
  segment_max_with_indices_into(got, got_rows, x, ids, threads);
  expect_equal(got, y), expect_equal(got_rows, rows);
  segment_min_with_indices_into(got, got_rows, x, ids, threads);
  expect_equal(got, minima);
  if constexpr (!std::integral<typename TypeParam::S>) {
    typename Fixture::Tensor dx(p.rows, p.features);
    segment_mean_backward_into(dx, y, ids, threads), expect_equal(dx, segment_mean_backward(y, ids));
    segment_sum_backward_into(dx, y, ids, threads), expect_equal(dx, segment_sum_backward(y, ids));
    segment_max_backward_into(dx, y, rows, threads), expect_equal(dx, segment_max_backward(y, rows, x.dimensions()));
    segment_min_backward_into(dx, y, rows, threads), expect_equal(dx, segment_min_backward(y, rows, x.dimensions()));
  }
}

TEST(SegmentWidths, SameBitsForEveryVectorWidth) {
  const Problem p(200, 7, 53, false, 5);
  using Fixture = Segments<Case<float, Eigen::RowMajor>>;
  struct Wide : Fixture {
    using Fixture::filled;
    using Fixture::ids_of;
    void TestBody() override {}
  };
  const auto x = Wide::filled(p.rows, p.features, families::signed_values, 6);
  const auto ids = Wide::ids_of(p);
  const auto wide = segment_mean(x, ids, p.segments);
  eigenpool::simd::set_max_vector_bytes(16);
  const auto narrow = segment_mean(x, ids, p.segments);
  eigenpool::simd::set_max_vector_bytes(64);
  for (Index i = 0; i < wide.size(); ++i) ASSERT_EQ(wide.data()[i], narrow.data()[i]);
}

// Central differences of <dy, pool(x)> in double.
template <int order>
void expect_derivative(
    const std::function<Eigen::Tensor<double, 3, order>(const Eigen::Tensor<double, 3, order>&)>& forward,
    const Eigen::Tensor<double, 3, order>& x, const Eigen::Tensor<double, 3, order>& dy,
    const Eigen::Tensor<double, 3, order>& dx) {
  const auto dot = [&](const Eigen::Tensor<double, 3, order>& at) {
    const Eigen::Tensor<double, 3, order> y = forward(at);
    double sum = 0;
    for (Index i = 0; i < y.size(); ++i)
      if (std::isfinite(y.data()[i])) sum += y.data()[i] * dy.data()[i];
    return sum;
  };
  for (Index i = 0; i < x.size(); ++i) {
    Eigen::Tensor<double, 3, order> above = x, below = x;
    above.data()[i] += 1e-4;
    below.data()[i] -= 1e-4;
    ASSERT_NEAR((dot(above) - dot(below)) / 2e-4, dx.data()[i], 1e-7) << "element " << i;
  }
}

template <int order>
void expect_gradients() {
  using Tensor = Eigen::Tensor<double, 3, order>;
  Eigen::Tensor<std::int64_t, 1> ids(7);
  ids.setValues({2, 0, 2, 4, 0, 2, 4});
  Tensor x(7, 2, 3), dy(5, 2, 3);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<double>((i * 17) % 43) - 20;
  for (Index i = 0; i < dy.size(); ++i) dy.data()[i] = static_cast<double>((i * 7) % 11) - 4.5;
  expect_derivative<order>([&](const Tensor& at) { return segment_sum(at, ids, 5); }, x, dy,
                           segment_sum_backward(dy, ids));
  expect_derivative<order>([&](const Tensor& at) { return segment_mean(at, ids, 5); }, x, dy,
                           segment_mean_backward(dy, ids));
  const auto max = eigenpool::segment_max_with_indices(x, ids, 5), min = eigenpool::segment_min_with_indices(x, ids, 5);
  expect_derivative<order>([&](const Tensor& at) { return segment_max(at, ids, 5); }, x, dy,
                           segment_max_backward(dy, max.indices, x.dimensions()));
  expect_derivative<order>([&](const Tensor& at) { return segment_min(at, ids, 5); }, x, dy,
                           segment_min_backward(dy, min.indices, x.dimensions()));
}

TEST(SegmentGradients, EqualCentralDifferences) {
  expect_gradients<Eigen::RowMajor>();
  expect_gradients<Eigen::ColMajor>();
}

TEST(SegmentCorners, RowsWithoutFeaturesAndExpressions) {
  Eigen::Tensor<float, 1, Eigen::RowMajor> x(4);
  x.setValues({1, 2, 3, 4});
  Eigen::Tensor<int, 1> ids(4);
  ids.setValues({0, 0, 2, 2});
  const auto y = segment_sum(x + x, ids);
  EXPECT_EQ(y.dimension(0), 3);
  EXPECT_EQ(y(0), 6);
  EXPECT_EQ(y(1), 0);
  EXPECT_EQ(y(2), 14);
  EXPECT_EQ(segment_max(x, ids)(1), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(segment_min(x, ids)(1), std::numeric_limits<float>::infinity());
  EXPECT_EQ(eigenpool::segment_min_with_indices(x, ids).indices(1), -1);
  const Eigen::Tensor<float, 1, Eigen::RowMajor> none(0);
  const Eigen::Tensor<int, 1> no_ids(0);
  EXPECT_EQ(segment_mean(none, no_ids).size(), 0);
  EXPECT_EQ(segment_mean(none, no_ids, 2)(1), 0);
}

// Custom scalars are taken one by one; more rows than the kernel takes at a time.
TEST(SegmentCorners, DerivativesThroughACustomScalar) {
  using Number = Eigen::AutoDiffScalar<Eigen::Vector2d>;
  Eigen::Tensor<Number, 2, Eigen::RowMajor> x(20, 3);
  Eigen::Tensor<int, 1> ids(20);
  for (Index r = 0; r < 20; ++r) {
    ids(r) = r < 19 ? 1 : 0;
    for (Index f = 0; f < 3; ++f) x(r, f) = Number(static_cast<double>((r * 7 + f) % 19), 2, static_cast<int>(f) % 2);
  }
  const auto mean = segment_mean(x, ids, 2), max = segment_max(x, ids, 2), min = segment_min(x, ids, 2);
  EXPECT_DOUBLE_EQ(mean(1, 0).value(), 9);
  EXPECT_DOUBLE_EQ(mean(1, 1).derivatives()(1), 1);
  EXPECT_EQ(max(1, 2).value(), 18);
  EXPECT_EQ(max(1, 2).derivatives()(0), 1);
  EXPECT_EQ(min(1, 1).value(), 0);
  EXPECT_EQ(eigenpool::segment_max_with_indices(x, ids, 2).indices(1, 0), 8);  // 56 modulo 19 is 18
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

class SegmentErrors : public testing::Test {
 protected:
  SegmentErrors() {
    x.setConstant(1);
    y.setConstant(77);
    dx.setConstant(77);
    indices.setZero();
    ids.setValues({0, 0, 1, 2});
  }
  void TearDown() override {
    for (Index i = 0; i < y.size(); ++i) EXPECT_EQ(y.data()[i], 77);
    for (Index i = 0; i < dx.size(); ++i) EXPECT_EQ(dx.data()[i], 77);
  }
  Eigen::Tensor<float, 2> x{4, 2}, y{3, 2}, dx{4, 2};
  Eigen::Tensor<std::int64_t, 2> indices{3, 2};
  Eigen::Tensor<std::int64_t, 1> ids{4};
};

TEST_F(SegmentErrors, Ids) {
  ids(2) = -1;
  const std::string sorted = "segment_sum: ids(2) is -1, must be at least 0";
  EXPECT_EQ(error_of([&] { segment_sum(x, ids); }), sorted);
  const std::string text = ": ids(2) is -1, must be at least 0 and below the 3 segments";
  EXPECT_EQ(error_of([&] { segment_mean(x, ids, 3); }), "segment_mean" + text);
  EXPECT_EQ(error_of([&] { segment_max_into(y, x, ids); }), "segment_max_into" + text);
  EXPECT_EQ(error_of([&] { segment_max_with_indices_into(y, indices, x, ids); }),
            "segment_max_with_indices_into" + text);
  EXPECT_EQ(error_of([&] { segment_sum_backward(y, ids); }), "segment_sum_backward" + text);
  EXPECT_EQ(error_of([&] { segment_mean_backward_into(dx, y, ids); }), "segment_mean_backward_into" + text);
  ids(2) = 3;
  EXPECT_EQ(error_of([&] { segment_min_into(y, x, ids); }),
            "segment_min_into: ids(2) is 3, must be at least 0 and below the 3 segments");
  EXPECT_EQ(error_of([&] { segment_min(x, ids); }),
            "segment_min: ids(3) is 2, less than the one before it: ids in any order need the number of segments");
  EXPECT_EQ(error_of([&] { segment_min(x, ids, -4); }), "segment_min: segments is -4, must be at least 0");
  ids.setConstant(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(error_of([&] { segment_sum(x, ids); }),
            "segment_sum: ids(3) is 9223372036854775807, the number of segments overflows 64 bits");
  ids.setConstant(std::numeric_limits<std::int64_t>::max() / 8);
  EXPECT_EQ(error_of([&] { segment_sum(x, ids); }),
            "segment_sum: output[1] is 2, the tensor's size overflows its index type");
}

TEST_F(SegmentErrors, Shapes) {
  const Eigen::Tensor<int, 1> three(3);
  const std::string text = ": ids has 3 entries, expected one for each of the 4 rows";
  EXPECT_EQ(error_of([&] { segment_sum(x, three); }), "segment_sum" + text);
  EXPECT_EQ(error_of([&] { segment_max_with_indices(x, three, 4); }), "segment_max_with_indices" + text);
  EXPECT_EQ(error_of([&] { segment_mean_into(y, x, three); }), "segment_mean_into" + text);
  Eigen::Tensor<float, 2> wide(3, 5);
  EXPECT_EQ(error_of([&] { segment_mean_into(wide, x, ids); }), "segment_mean_into: output[1] is 5, expected 2");
  const Eigen::Tensor<std::int64_t, 2> other(3, 1);
  EXPECT_EQ(error_of([&] { segment_max_backward_into(dx, y, other); }),
            "segment_max_backward_into: indices[1] is 1, expected 2");
  EXPECT_EQ(error_of([&] { segment_max_backward(wide, indices, x.dimensions()); }),
            "segment_max_backward: gradient[1] is 5, expected 2");
  EXPECT_EQ(error_of([&] {
              segment_max_backward(y, indices, std::array<Index, 2>{-4, 2});
            }),
            "segment_max_backward: input_shape[0] is -4, must be at least 0");
  EXPECT_EQ(error_of([&] { segment_sum_backward_into(wide, y, ids); }),
            "segment_sum_backward_into: output[0] is 3, expected 4");
}

TEST_F(SegmentErrors, Indices) {
  indices(2, 1) = 4;
  EXPECT_EQ(error_of([&] { segment_max_backward(y, indices, x.dimensions()); }),
            "segment_max_backward: indices(2, 1) is 4, must be -1 or below the 4 rows");
  indices(2, 1) = -2;
  EXPECT_EQ(error_of([&] { segment_min_backward_into(dx, y, indices); }),
            "segment_min_backward_into: indices(2, 1) is -2, must be -1 or below the 4 rows");
}

TEST_F(SegmentErrors, Overlap) {
  Eigen::TensorMap<Eigen::Tensor<float, 2>> inside(x.data() + 1, 3, 2), over(y.data(), 4, 2);
  EXPECT_EQ(error_of([&] { segment_sum_into(inside, x, ids); }), "segment_sum_into: output overlaps input");
  EXPECT_EQ(error_of([&] { segment_max_with_indices_into(inside, indices, x, ids); }),
            "segment_max_with_indices_into: output overlaps input");
  EXPECT_EQ(error_of([&] { segment_sum_backward_into(over, y, ids); }),
            "segment_sum_backward_into: output overlaps gradient");
}

TEST(SegmentOps, CountSortedSegmentsAndRefuseOtherIds) {
  Eigen::Tensor<float, 2> x(3, 2);
  x.setConstant(2);
  Eigen::Tensor<std::int32_t, 1> ids(3);
  ids.setValues({0, 2, 2});
  const Eigen::Tensor<float, 2> sums = (x + x).customOp(eigenpool::SegmentSum(ids));
  ASSERT_EQ(sums.dimension(0), 3);
  EXPECT_EQ(sums(0, 1), 4);
  EXPECT_EQ(sums(1, 1), 0);
  EXPECT_EQ(sums(2, 1), 8);
  Eigen::Tensor<float, 2> y;
  EXPECT_EQ(error_of([&] { y = x.customOp(eigenpool::SegmentMax(ids, 2)); }),
            "segment_max: ids(1) is 2, must be at least 0 and below the 2 segments");
  EXPECT_EQ(error_of([&] { y = x.customOp(eigenpool::SegmentMax(ids, -1)); }),
            "segment_max: segments is -1, must be at least 0");
  ids.setValues({1, 0, 2});
  EXPECT_EQ(error_of([&] { y = x.customOp(eigenpool::SegmentMin(ids)); }),
            "segment_min: ids(1) is 0, less than the one before it: ids in any order need the number of segments");
}

}  // namespace
