// Sequence pooling against plain loops: random lengths and masks, every layout and storage order, any number of
// threads, padding full of NaN, gradients, errors.
#define EIGEN_USE_THREADS
#include <gtest/gtest.h>

#include <array>
#include <eigenpool/sequence_pool.hpp>
#include <functional>
#include <stdexcept>
#include <string>

#include "families.hpp"
#include "group_oracle.hpp"
#include "sharing_pool.hpp"

namespace {

using namespace eigenpool;
using eigenpool::Index;
using group_oracle::Values;

template <class Scalar, Layout layout_, int order_>
struct Case {
  using S = Scalar;
  static constexpr Layout layout = layout_;
  static constexpr int order = order_;
  using X = Eigen::Tensor<S, 4, order>;
  using Y = Eigen::Tensor<S, 3, order>;
  using Indices = Eigen::Tensor<std::int64_t, 3, order>;
  using Mask = Eigen::Tensor<bool, 2, order>;
  using Lengths = Eigen::Tensor<std::int32_t, 1>;

  // Step t of sequence n, features (f, g).
  static auto& at(auto& x, Index n, Index t, Index f, Index g) {
    if constexpr (layout == channels_last)
      return x(n, t, f, g);
    else
      return x(n, f, g, t);
  }
  static X make(Index n, Index t, Index f, Index g) {
    if constexpr (layout == channels_last)
      return X(n, t, f, g);
    else
      return X(n, f, g, t);
  }
};

/// Random sequences: features (f, g), and which steps are valid, by a mask and, where the mask is a prefix, by lengths.
template <class C>
struct Problem {
  using S = typename C::S;
  Index n, t, f, g;
  typename C::X x;
  typename C::Mask mask;
  typename C::Lengths lengths;

  Problem(Index n_, Index t_, Index f_, Index g_, bool prefix, const families::Family& family, std::uint64_t seed)
      : n(n_), t(t_), f(f_), g(g_), x(C::make(n_, t_, f_, g_)), mask(n_, t_), lengths(n_) {
    families::Random random(seed);
    for (Index i = 0; i < n; ++i) {
      lengths(i) = static_cast<std::int32_t>(random.one_in(4) ? t : random.between(0, t));
      for (Index j = 0; j < t; ++j) mask(i, j) = prefix ? j < lengths(i) : random.one_in(2);
      for (Index j = 0; j < t; ++j)
        for (Index a = 0; a < f; ++a)
          for (Index b = 0; b < g; ++b)
            C::at(x, i, j, a, b) = mask(i, j) ? static_cast<S>(family.value(random)) : padding();
    }
  }
  static S padding() {
    if constexpr (std::integral<S>)
      return std::numeric_limits<S>::max();
    else
      return static_cast<S>(std::numeric_limits<float>::quiet_NaN());
  }
  std::vector<Index> steps(Index i) const {
    std::vector<Index> result;
    for (Index j = 0; j < t; ++j)
      if (mask(i, j)) result.push_back(j);
    return result;
  }
  Values values(Index i, Index a, Index b) const {
    Values result;
    for (const Index j : steps(i)) result.push_back(static_cast<double>(C::at(x, i, j, a, b)));
    return result;
  }
};

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class C, class Valid>
void expect_oracle(const Problem<C>& p, const Valid& valid) {
  using S = typename C::S;
  constexpr Layout layout = C::layout;
  const SequenceOptions options{.empty = -3};
  const typename C::Y mean = sequence_avg_pool<layout>(p.x, valid, options);
  const typename C::Y sum = sequence_sum_pool<layout>(p.x, valid, options);
  const typename C::Y max = sequence_max_pool<layout>(p.x, valid, options);
  const auto [value, step] = sequence_max_pool_with_indices<layout>(p.x, valid, options);
  const auto step32 = sequence_max_pool_with_indices<layout, std::int32_t>(p.x, valid, options).indices;
  ASSERT_EQ(mean.dimensions(), (Eigen::DSizes<Index, 3>(p.n, p.f, p.g)));
  for (Index i = 0; i < p.n; ++i) {
    const std::vector<Index> steps = p.steps(i);
    for (Index a = 0; a < p.f; ++a)
      for (Index b = 0; b < p.g; ++b) {
        const Values values = p.values(i, a, b);
        const bool empty = values.empty();
        const auto extreme = group_oracle::extreme<S>(values, 1);
        const double largest = empty ? -3 : extreme.value;
        const Index where = empty ? -1 : steps[static_cast<std::size_t>(extreme.place)];
        const auto is = [](S got, double want) {
          return static_cast<double>(got) == want || (std::isnan(static_cast<double>(got)) && std::isnan(want));
        };
        ASSERT_TRUE(same(static_cast<double>(mean(i, a, b)), empty ? -3 : group_oracle::sum<S>(values, true)))
            << values.size() << " steps";
        ASSERT_TRUE(same(static_cast<double>(sum(i, a, b)), empty ? -3 : group_oracle::sum<S>(values, false)))
            << values.size() << " steps";
        ASSERT_TRUE(is(max(i, a, b), largest));
        ASSERT_TRUE(is(value(i, a, b), largest));
        ASSERT_EQ(step(i, a, b), where);
        ASSERT_EQ(step32(i, a, b), where);
      }
  }
}

template <class C>
class Sequences : public testing::Test {};
using Cases =
    testing::Types<Case<float, channels_last, Eigen::RowMajor>, Case<float, channels_last, Eigen::ColMajor>,
                   Case<float, channels_first, Eigen::RowMajor>, Case<float, channels_first, Eigen::ColMajor>,
                   Case<double, channels_last, Eigen::RowMajor>, Case<std::int8_t, channels_last, Eigen::RowMajor>,
                   Case<std::int64_t, channels_first, Eigen::RowMajor>,
                   Case<Eigen::half, channels_last, Eigen::RowMajor>>;
TYPED_TEST_SUITE(Sequences, Cases);

TYPED_TEST(Sequences, EqualPlainLoops) {
  using Scalar = typename TypeParam::S;
  families::Random random(3);
  for (int round = 0; round < 40; ++round) {
    const bool prefix = random.one_in(2);
    const families::Family family = std::integral<Scalar> ? families::integers
                                    : round % 3 == 0      ? families::nans
                                    : round % 3 == 1      ? families::ties
                                                          : families::signed_values;
    const Index n = random.between(0, 5), t = random.between(1, round % 8 == 0 ? 150 : 20);
    const Problem<TypeParam> p(n, t, random.between(0, 12), random.between(1, 5), prefix, family, random.bits());
    SCOPED_TRACE(std::string(family.name) + (prefix ? ", prefix" : ", mask") + ", steps " + std::to_string(t));
    expect_oracle(p, p.mask);
    if (prefix) expect_oracle(p, p.lengths);
    if (testing::Test::HasFatalFailure()) return;
  }
}

template <class A, class B>
void expect_equal(const A& a, const B& b) {
  ASSERT_EQ(a.size(), b.size());
  for (Index i = 0; i < a.size(); ++i) ASSERT_EQ(a.data()[i], b.data()[i]) << "element " << i;
}

TYPED_TEST(Sequences, SameBitsOnThreads) {
  constexpr Layout layout = TypeParam::layout;
  harness::SharingPool pool(3);
  const Eigen::ThreadPoolDevice threads(&pool, 3);
  const Problem<TypeParam> p(37, 61, 5, 7, true, families::integers, 4);
  const SequenceOptions options{.empty = 1};
  typename TypeParam::Y y(37, 5, 7);
  typename TypeParam::Indices steps(37, 5, 7);
  sequence_avg_pool_into<layout>(y, p.x, p.lengths, options, threads);
  expect_equal(y, sequence_avg_pool<layout>(p.x, p.mask, options));
  sequence_sum_pool_into<layout>(y, p.x, p.lengths, options, threads);
  expect_equal(y, sequence_sum_pool<layout>(p.x, p.mask, options));
  sequence_max_pool_into<layout>(y, p.x, p.mask, options, threads);
  const auto max = sequence_max_pool_with_indices<layout>(p.x, p.lengths, options);
  expect_equal(y, max.output);
  sequence_max_pool_with_indices_into<layout>(y, steps, p.x, p.mask, options, threads);
  expect_equal(y, max.output), expect_equal(steps, max.indices);
  if constexpr (!std::integral<typename TypeParam::S>) {
    typename TypeParam::X dx = p.x;
    sequence_avg_pool_backward_into<layout>(dx, y, p.mask, options, threads);
    expect_equal(dx, sequence_avg_pool_backward<layout>(y, p.lengths, dx.dimensions(), options));
    sequence_sum_pool_backward_into<layout>(dx, y, p.lengths, options, threads);
    expect_equal(dx, sequence_sum_pool_backward<layout>(y, p.mask, dx.dimensions(), options));
    sequence_max_pool_backward_into<layout>(dx, y, steps, threads);
    expect_equal(dx, sequence_max_pool_backward<layout>(y, steps, dx.dimensions()));
  }
}

// Central differences of <dy, pool(x)>.
template <class C, class Forward>
void expect_derivative(const Forward& forward, const typename C::X& x, const typename C::Y& dy,
                       const typename C::X& dx) {
  const auto dot = [&](const typename C::X& at) {
    const typename C::Y y = forward(at);
    double sum = 0;
    for (Index i = 0; i < y.size(); ++i) sum += y.data()[i] * dy.data()[i];
    return sum;
  };
  for (Index i = 0; i < x.size(); ++i) {
    typename C::X above = x, below = x;
    above.data()[i] += 1e-4;
    below.data()[i] -= 1e-4;
    ASSERT_NEAR((dot(above) - dot(below)) / 2e-4, dx.data()[i], 1e-7) << "element " << i;
  }
}

template <class C>
void expect_gradients() {
  constexpr Layout layout = C::layout;
  const SequenceOptions options{.empty = 0.5};
  Problem<C> p(4, 5, 2, 3, false, families::integers, 9);
  for (Index j = 0; j < 5; ++j) p.mask(2, j) = false;
  for (Index i = 0; i < p.x.size(); ++i) p.x.data()[i] = static_cast<double>((i * 17) % 127) - 60;
  typename C::Y dy(4, 2, 3);
  for (Index i = 0; i < dy.size(); ++i) dy.data()[i] = static_cast<double>((i * 7) % 11) - 4.5;
  const auto shape = p.x.dimensions();
  expect_derivative<C>([&](const auto& x) { return sequence_avg_pool<layout>(x, p.mask, options); }, p.x, dy,
                       sequence_avg_pool_backward<layout>(dy, p.mask, shape, options));
  expect_derivative<C>([&](const auto& x) { return sequence_sum_pool<layout>(x, p.lengths, options); }, p.x, dy,
                       sequence_sum_pool_backward<layout>(dy, p.lengths, shape, options));
  const auto indices = sequence_max_pool_with_indices<layout>(p.x, p.mask, options).indices;
  expect_derivative<C>([&](const auto& x) { return sequence_max_pool<layout>(x, p.mask, options); }, p.x, dy,
                       sequence_max_pool_backward<layout>(dy, indices, shape));
}

TEST(SequenceGradients, EqualCentralDifferences) {
  expect_gradients<Case<double, channels_last, Eigen::RowMajor>>();
  expect_gradients<Case<double, channels_last, Eigen::ColMajor>>();
  expect_gradients<Case<double, channels_first, Eigen::RowMajor>>();
  expect_gradients<Case<double, channels_first, Eigen::ColMajor>>();
}

TEST(SequencePadding, DoesNotChangeABit) {
  Eigen::Tensor<float, 3, Eigen::RowMajor> x(1, 37, 5), padded(1, 50, 5);
  padded.setConstant(std::numeric_limits<float>::infinity());
  Eigen::Tensor<bool, 2, Eigen::RowMajor> left(1, 50);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(1.0 / static_cast<double>(i + 1));
  for (Index t = 0; t < 50; ++t) left(0, t) = t >= 13;
  Eigen::Tensor<int, 1> lengths(1);
  lengths.setConstant(37);
  std::copy_n(x.data(), x.size(), padded.data());
  const auto alone = sequence_avg_pool(x, lengths);
  expect_equal(sequence_avg_pool(padded, lengths), alone);
  padded.setConstant(std::numeric_limits<float>::infinity());
  std::copy_n(x.data(), x.size(), padded.data() + 13 * 5);
  expect_equal(sequence_avg_pool(padded, left), alone);
}

TEST(SequenceCorners, NoFeatureAxesAndExpressions) {
  Eigen::Tensor<float, 2> x(2, 3);
  x.setValues({{1, 2, 30}, {4, 5, 6}});
  Eigen::Tensor<std::int64_t, 1> lengths(2);
  lengths.setValues({2, 3});
  const Eigen::Tensor<float, 1> y = sequence_avg_pool(x + x, lengths);
  EXPECT_EQ(y(0), 3);
  EXPECT_EQ(y(1), 10);
  const Eigen::Tensor<float, 1> z = sequence_max_pool(x, x < x.constant(5));
  EXPECT_EQ(z(0), 2);
  EXPECT_EQ(z(1), 4);
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

class SequenceErrors : public testing::Test {
 protected:
  SequenceErrors() {
    x.setConstant(1), y.setConstant(77), dx.setConstant(77), indices.setZero(), lengths.setConstant(2);
    mask.setConstant(true);
  }
  void TearDown() override {
    for (Index i = 0; i < y.size(); ++i) EXPECT_EQ(y.data()[i], 77);
    for (Index i = 0; i < dx.size(); ++i) EXPECT_EQ(dx.data()[i], 77);
  }
  // From every function that takes lengths or a mask.
  template <class Valid>
  void expect_errors(const Valid& valid, const std::string& text, const SequenceOptions& options = {}) {
    EXPECT_EQ(error_of([&] { sequence_avg_pool(x, valid, options); }), "sequence_avg_pool: " + text);
    EXPECT_EQ(error_of([&] { sequence_max_pool(x, valid, options); }), "sequence_max_pool: " + text);
    EXPECT_EQ(error_of([&] { sequence_sum_pool(x, valid, options); }), "sequence_sum_pool: " + text);
    EXPECT_EQ(error_of([&] { sequence_avg_pool_into(y, x, valid, options); }), "sequence_avg_pool_into: " + text);
    EXPECT_EQ(error_of([&] { sequence_max_pool_into(y, x, valid, options); }), "sequence_max_pool_into: " + text);
    EXPECT_EQ(error_of([&] { sequence_sum_pool_into(y, x, valid, options); }), "sequence_sum_pool_into: " + text);
    EXPECT_EQ(error_of([&] { sequence_max_pool_with_indices(x, valid, options); }),
              "sequence_max_pool_with_indices: " + text);
    EXPECT_EQ(error_of([&] { sequence_max_pool_with_indices_into(y, indices, x, valid, options); }),
              "sequence_max_pool_with_indices_into: " + text);
    EXPECT_EQ(error_of([&] { sequence_avg_pool_backward_into(dx, y, valid, options); }),
              "sequence_avg_pool_backward_into: " + text);
  }
  Eigen::Tensor<float, 3> x{2, 4, 3}, dx{2, 4, 3};
  Eigen::Tensor<float, 2> y{2, 3};
  Eigen::Tensor<std::int64_t, 2> indices{2, 3};
  Eigen::Tensor<std::int64_t, 1> lengths{2};
  Eigen::Tensor<bool, 2> mask{2, 4};
};

TEST_F(SequenceErrors, Lengths) {
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{5}, std::numeric_limits<std::int64_t>::min()}) {
    lengths(1) = bad;
    expect_errors(lengths,
                  "lengths(1) is " + std::to_string(bad) + ", must be at least 0 and at most the input's 4 steps");
  }
  lengths(1) = 0;
  expect_errors(lengths, "lengths of sequence 1 leaves 0 steps, must leave at least 1 unless options.empty is given");
  EXPECT_EQ(error_of([&] { sequence_sum_pool_backward(y, lengths, x.dimensions()); }),
            "sequence_sum_pool_backward: lengths of sequence 1 leaves 0 steps, must leave at least 1 unless "
            "options.empty is given");
  const Eigen::Tensor<int, 1> three(3);
  expect_errors(three, "lengths has 3 entries, expected one for each of the 2 sequences");
}

TEST_F(SequenceErrors, Mask) {
  for (Index t = 0; t < 4; ++t) mask(0, t) = false;
  expect_errors(mask, "mask of sequence 0 leaves 0 steps, must leave at least 1 unless options.empty is given");
  const Eigen::Tensor<bool, 2> wrong(2, 3);
  expect_errors(wrong, "mask[1] is 3, expected 4");
}

TEST_F(SequenceErrors, EmptyOfIntegers) {
  const Eigen::Tensor<std::int8_t, 3> bytes(2, 4, 3);
  const std::string text = ", not a value of the output's scalar";
  EXPECT_EQ(error_of([&] { sequence_sum_pool(bytes, lengths, {.empty = 128}); }),
            "sequence_sum_pool: options.empty is 128.000000" + text);
  EXPECT_EQ(error_of([&] { sequence_sum_pool(bytes, lengths, {.empty = 0.5}); }),
            "sequence_sum_pool: options.empty is 0.500000" + text);
  EXPECT_EQ(error_of([&] { sequence_max_pool(bytes, lengths, {.empty = std::nan("")}); }),
            "sequence_max_pool: options.empty is nan" + text);
  EXPECT_EQ(error_of([&] { sequence_max_pool(bytes, lengths, {.empty = -128}); }), "no error");
}

TEST_F(SequenceErrors, Shapes) {
  Eigen::Tensor<float, 2> wide(2, 5);
  Eigen::Tensor<std::int64_t, 2> wide_indices(2, 5);
  EXPECT_EQ(error_of([&] { sequence_avg_pool_into(wide, x, lengths); }),
            "sequence_avg_pool_into: output[1] is 5, expected 3");
  EXPECT_EQ(error_of([&] { sequence_max_pool_with_indices_into(y, wide_indices, x, lengths); }),
            "sequence_max_pool_with_indices_into: indices[1] is 5, expected 3");
  EXPECT_EQ(error_of([&] { sequence_sum_pool_backward(wide, lengths, x.dimensions()); }),
            "sequence_sum_pool_backward: gradient[1] is 5, expected 3");
  EXPECT_EQ(error_of([&] { sequence_max_pool_backward_into(dx, wide, wide_indices); }),
            "sequence_max_pool_backward_into: gradient[1] is 5, expected 3");
  const Eigen::Tensor<float, 3> no_steps(2, 0, 3);
  EXPECT_EQ(error_of([&] { sequence_max_pool(no_steps, lengths); }),
            "sequence_max_pool: input[1] is 0, a sequence must have at least 1 step");
  EXPECT_EQ(error_of([&] {
              sequence_avg_pool_backward(y, lengths, std::array<Index, 3>{2, -4, 3});
            }),
            "sequence_avg_pool_backward: input_shape[1] is -4, must be at least 0");
  EXPECT_EQ(error_of([&] {
              sequence_avg_pool_backward(y, lengths, std::array<Index, 3>{2, Index{1} << 61, 3});
            }),
            "sequence_avg_pool_backward: input_shape[1] is 2305843009213693952, the tensor's size overflows its index "
            "type");
}

TEST_F(SequenceErrors, IndicesAndOverlap) {
  indices(1, 2) = 4;
  const std::string text = ": indices(1, 2) is 4, must be -1 or below the 4 steps";
  EXPECT_EQ(error_of([&] { sequence_max_pool_backward(y, indices, x.dimensions()); }),
            "sequence_max_pool_backward" + text);
  EXPECT_EQ(error_of([&] { sequence_max_pool_backward_into(dx, y, indices); }),
            "sequence_max_pool_backward_into" + text);
  Eigen::TensorMap<Eigen::Tensor<float, 2>> inside(x.data() + 3, 2, 3);
  EXPECT_EQ(error_of([&] { sequence_avg_pool_into(inside, x, lengths); }),
            "sequence_avg_pool_into: output overlaps input");
}

}  // namespace
