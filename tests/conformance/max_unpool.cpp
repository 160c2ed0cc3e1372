#include "families.hpp"
#include "suite.hpp"
#include "tensors.hpp"

#include <set>

#include "../fronts.hpp"

namespace conformance {
namespace {

template <int D>
eigenpool::Sizes<D> sizes_of(const Extents& extents) {
  eigenpool::Sizes<D> sizes;
  for (int axis = 0; axis < D; ++axis) sizes[axis] = extents[static_cast<std::size_t>(axis)];
  return sizes;
}

bool has_duplicates(const PoolCase& of) {
  const auto values = static_cast<std::size_t>(cell_count(spatial(of.indices->extents)));
  std::set<std::pair<std::size_t, double>> seen;
  for (std::size_t i = 0; i < of.indices->values.size(); ++i)
    if (!seen.emplace(i / values, of.indices->values[i]).second) return true;
  return false;
}

template <int D, class Scalar, class Form>
class UnpoolSuite {
  using Fronts = eigenpool_test::Fronts<D>;
  static constexpr Layout layout = Form::layout;

 public:
  UnpoolSuite(const PoolCase& of, Findings& findings)
      : of_(of),
        suite_(of, Form::memory(), "max_unpool" + std::to_string(D) + "d", findings),
        window_(make_window<D>(of.window)),
        indices_(to_tensor<std::int64_t, Form>(*of.indices)) {}

  void run() const {
    if (of_.expects_error) return suite_.refuse(of_.backward ? "_backward" : "", [&] { call(); });
    of_.backward ? backward() : forward();
  }

 private:
  using Tensor = typename Form::template Tensor<Scalar>;

  void call() const { of_.backward ? unpool_backward({}) : unpool(indices_); }
  Tensor unpool(const auto& indices) const {
    const auto x = to_tensor<Scalar, Form>(of_.input);
    if (of_.output_size.empty()) return Fronts::template max_unpool<layout>(x, indices, window_);
    return Fronts::template max_unpool<layout>(x, indices, window_, sizes_of<D>(of_.output_size));
  }
  Tensor unpool_backward(const eigenpool::UnpoolOptions& options) const {
    return Fronts::template max_unpool_backward<layout>(to_tensor<Scalar, Form>(of_.grad_output), indices_, window_,
                                                        options);
  }
  void check(const char* suffix, const Tensor& got) const { suite_.check(suffix, to_array<Form>(got)); }

  void forward() const {
    suite_.attempt("", [&] { check("", unpool(indices_)); });
    suite_.attempt("<int32>", [&] { check("<int32>", unpool(to_tensor<std::int32_t, Form>(*of_.indices))); });
    suite_.attempt("_into", [&] {
      auto y = filled_tensor<Scalar, Form>(of_.output.extents);
      Fronts::template max_unpool_into<layout>(y, to_tensor<Scalar, Form>(of_.input), indices_, window_, two_threads());
      check("_into", y);
    });
  }

  // PyTorch's gradient goes to all duplicates; where there are none, ours is the same.
  void backward() const {
    const eigenpool::UnpoolOptions to_all{.gradient_to_all = true};
    suite_.attempt("_backward", [&] { check("_backward to all", unpool_backward(to_all)); });
    if (!has_duplicates(of_)) suite_.attempt("_backward", [&] { check("_backward", unpool_backward({})); });
    suite_.attempt("_backward_into", [&] {
      auto dx = filled_tensor<Scalar, Form>(of_.input.extents);
      Fronts::template max_unpool_backward_into<layout>(dx, to_tensor<Scalar, Form>(of_.grad_output), indices_, window_,
                                                        to_all, two_threads());
      check("_backward_into", dx);
    });
  }

  const PoolCase& of_;
  Suite suite_;
  eigenpool::Window<D> window_;
  typename Form::template Tensor<std::int64_t> indices_;
};

}  // namespace

void run_max_unpool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    in_every_form<D, true>(of, [&]<class Form>() { UnpoolSuite<D, Scalar, Form>(of, findings).run(); });
  });
}

}  // namespace conformance
