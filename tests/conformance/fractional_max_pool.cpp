#include "families.hpp"
#include "suite.hpp"
#include "tensors.hpp"

namespace conformance {
namespace {

/// The functions of D axes under one name.
template <int D, Layout layout, class Index>
auto with_indices(const auto&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d_with_indices<layout, Index>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d_with_indices<layout, Index>(args...);
}
template <int D, Layout layout>
auto values(const auto&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d<layout>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d<layout>(args...);
}
template <int D, Layout layout>
void values_into(auto& y, const auto&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_into<layout>(y, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_into<layout>(y, args...);
}
template <int D, Layout layout>
void with_indices_into(auto& y, auto& indices, const auto&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_with_indices_into<layout>(y, indices, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_with_indices_into<layout>(y, indices, args...);
}
template <int D, Layout layout>
auto backward(const auto&... args) {
  if constexpr (D == 2) return eigenpool::fractional_max_pool2d_backward<layout>(args...);
  if constexpr (D == 3) return eigenpool::fractional_max_pool3d_backward<layout>(args...);
}
template <int D, Layout layout>
void backward_into(auto& dx, const auto&... args) {
  if constexpr (D == 2) eigenpool::fractional_max_pool2d_backward_into<layout>(dx, args...);
  if constexpr (D == 3) eigenpool::fractional_max_pool3d_backward_into<layout>(dx, args...);
}

/// The samples in the form's storage order, without the batch axis where the form has none.
template <int D, class Scalar, class Form>
auto samples_tensor(const Array& samples) {
  constexpr int rank = Form::rank - D + 1;
  Extents extents = samples.extents;
  if (!Form::batched) extents.erase(extents.begin());
  std::array<Eigen::Index, static_cast<std::size_t>(rank)> dimensions{};
  std::copy(extents.begin(), extents.end(), dimensions.begin());
  Eigen::Tensor<Scalar, rank, Eigen::RowMajor> plain(dimensions);
  for (std::size_t i = 0; i < samples.values.size(); ++i) plain.data()[i] = static_cast<Scalar>(samples.values[i]);
  if constexpr (Form::order == Eigen::RowMajor) {
    return plain;
  } else {
    std::array<int, static_cast<std::size_t>(rank)> reversed{};
    for (int a = 0; a < rank; ++a) reversed[static_cast<std::size_t>(a)] = rank - 1 - a;
    return Eigen::Tensor<Scalar, rank, Eigen::ColMajor>(plain.swap_layout().shuffle(reversed));
  }
}

template <int D, class Scalar, class Form>
class FractionalSuite {
  static constexpr Layout layout = Form::layout;

 public:
  FractionalSuite(const PoolCase& of, Findings& findings)
      : of_(of),
        suite_(of, Form::memory(), "fractional_max_pool" + std::to_string(D) + "d", findings),
        x_(to_tensor<Scalar, Form>(of.input)),
        samples_(samples_tensor<D, Scalar, Form>(of.samples)) {
    for (int a = 0; a < D; ++a) {
      window_.kernel[a] = of.window.kernel[static_cast<std::size_t>(a)];
      window_.output_size[a] = of.output_size[static_cast<std::size_t>(a)];
    }
  }

  void run() const {
    if (of_.expects_error) {
      suite_.refuse("", [&] { values<D, layout>(x_, window_, samples_); });
      return suite_.refuse("_with_indices", [&] { with_indices<D, layout, std::int64_t>(x_, window_, samples_); });
    }
    of_.backward ? gradients() : maxima();
  }

 private:
  using Tensor = typename Form::template Tensor<Scalar>;

  void check(const char* suffix, const Tensor& got) const { suite_.check(suffix, to_array<Form>(got)); }
  void check_indices(const char* suffix, const auto& got) const {
    if (of_.indices) suite_.check_indices(suffix, to_array<Form>(got), *of_.indices);
  }

  template <class Index>
  void indexed(const char* suffix) const {
    suite_.attempt(suffix, [&] {
      const auto result = with_indices<D, layout, Index>(x_, window_, samples_);
      check(suffix, result.output);
      check_indices(suffix, result.indices);
    });
  }

  void maxima() const {
    suite_.attempt("", [&] { check("", values<D, layout>(x_, window_, samples_)); });
    indexed<std::int64_t>("_with_indices");
    indexed<std::int32_t>("_with_indices<int32>");
    suite_.attempt("_into", [&] {
      auto y = filled_tensor<Scalar, Form>(of_.output.extents);
      values_into<D, layout>(y, x_, window_, samples_, two_threads());
      check("_into", y);
    });
    suite_.attempt("_with_indices_into", [&] {
      auto y = filled_tensor<Scalar, Form>(of_.output.extents);
      auto indices = filled_tensor<std::int64_t, Form>(of_.output.extents);
      with_indices_into<D, layout>(y, indices, x_, window_, samples_, two_threads());
      check("_with_indices_into", y);
      check_indices("_with_indices_into", indices);
    });
  }

  void gradients() const {
    const auto dy = to_tensor<Scalar, Form>(of_.grad_output);
    suite_.attempt("_backward", [&] {
      const auto own = with_indices<D, layout, std::int64_t>(x_, window_, samples_);
      check_indices("_with_indices", own.indices);
      check("_backward", backward<D, layout>(dy, own.indices, x_.dimensions()));
      auto dx = filled_tensor<Scalar, Form>(of_.input.extents);
      backward_into<D, layout>(dx, dy, own.indices, two_threads());
      check("_backward_into", dx);
    });
  }

  const PoolCase& of_;
  Suite suite_;
  Tensor x_;
  decltype(samples_tensor<D, Scalar, Form>(Array{})) samples_;
  eigenpool::FractionalWindow<D> window_{.kernel = 1};
};

}  // namespace

void run_fractional_max_pool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    if constexpr (D > 1)
      in_every_form<D, true>(of, [&]<class Form>() { FractionalSuite<D, Scalar, Form>(of, findings).run(); });
  });
}

}  // namespace conformance
