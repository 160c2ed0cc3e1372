#include "families.hpp"
#include "max_suite.hpp"

#include "global_rank2.hpp"

namespace conformance {
namespace {

/// The functions whose results keep the input's rank, as the other operators' do.
struct GlobalMaxPool {
  static std::string name() { return "global_max_pool"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return eigenpool::global_max_pool<layout>(x, eigenpool::keep_dims);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    eigenpool::global_max_pool_into<layout>(y, x, device);
  }
  template <Layout layout, class Index>
  auto with_indices(const auto& x) const {
    return eigenpool::global_max_pool_with_indices<layout, Index>(x, eigenpool::keep_dims);
  }
  template <Layout layout>
  void with_indices_into(auto& y, auto& indices, const auto& x, const auto& device) const {
    eigenpool::global_max_pool_with_indices_into<layout>(y, indices, x, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto& indices, const auto& shape) const {
    return eigenpool::global_max_pool_backward<layout>(dy, indices, shape);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& indices, const auto& device) const {
    eigenpool::global_max_pool_backward_into<layout>(dx, dy, indices, device);
  }
  template <Layout layout>
  auto backward_from_input(const auto& dy, const auto& x) const {
    return eigenpool::global_max_pool_backward_from_input<layout>(dy, x);
  }
  template <Layout layout>
  void backward_from_input_into(auto& dx, const auto& dy, const auto& x, const auto& device) const {
    eigenpool::global_max_pool_backward_from_input_into<layout>(dx, dy, x, device);
  }
};

/// The functions whose results, or whose gradients, have the axes (N, C) alone.
template <class Scalar, class Form>
void run_rank2(const PoolCase& of, Findings& findings) {
  const Suite suite(of, Form::memory(), "global_max_pool", findings);
  const auto x = to_tensor<Scalar, Form>(of.input);
  suite.attempt(" of rank 2", [&] {
    const auto [y, indices] = eigenpool::global_max_pool_with_indices<Form::layout>(x);
    suite.check_flat_indices(" of rank 2", from_rank2<Form>(indices), ExpectedIndices(of));
    if (!of.backward) {
      suite.check(" of rank 2", from_rank2<Form>(y));
      suite.check(" of rank 2", from_rank2<Form>(eigenpool::global_max_pool<Form::layout>(x)));
      return;
    }
    if constexpr (std::is_floating_point_v<Scalar>) {
      const auto dy = to_rank2<Scalar, Form>(of.grad_output);
      const auto dx = eigenpool::global_max_pool_backward<Form::layout>(dy, indices, x.dimensions());
      suite.check("_backward of rank 2", to_array<Form>(dx));
    }
  });
}

}  // namespace

void run_global_max_pool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double, std::uint8_t>(of, [&]<int D, class Scalar>() {
    run_max_suite<D, Scalar, false>(of, GlobalMaxPool{}, findings);
    in_rank2_forms<D>(of, [&]<class Form>() { run_rank2<Scalar, Form>(of, findings); });
  });
}

}  // namespace conformance
