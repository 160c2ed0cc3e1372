#include "avg_suite.hpp"
#include "families.hpp"

#include "global_rank2.hpp"

namespace conformance {
namespace {

/// The functions whose results keep the input's rank, as the other operators' do.
struct GlobalAvgPool {
  static std::string name() { return "global_avg_pool"; }

  template <Layout layout>
  auto forward(const auto& x) const {
    return eigenpool::global_avg_pool<layout>(x, eigenpool::keep_dims);
  }
  template <Layout layout>
  void forward_into(auto& y, const auto& x, const auto& device) const {
    eigenpool::global_avg_pool_into<layout>(y, x, device);
  }
  template <Layout layout>
  auto backward(const auto& dy, const auto& shape) const {
    return eigenpool::global_avg_pool_backward<layout>(dy, shape);
  }
  template <Layout layout>
  void backward_into(auto& dx, const auto& dy, const auto& device) const {
    eigenpool::global_avg_pool_backward_into<layout>(dx, dy, device);
  }
};

/// The functions whose results, or whose gradients, have the axes (N, C) alone.
template <class Scalar, class Form>
void run_rank2(const PoolCase& of, Findings& findings) {
  const Suite suite(of, Form::memory(), "global_avg_pool", findings);
  const auto x = to_tensor<Scalar, Form>(of.input);
  suite.attempt(" of rank 2", [&] {
    if (!of.backward) return suite.check(" of rank 2", from_rank2<Form>(eigenpool::global_avg_pool<Form::layout>(x)));
    const auto dy = to_rank2<Scalar, Form>(of.grad_output);
    const auto dx = eigenpool::global_avg_pool_backward<Form::layout>(dy, x.dimensions());
    suite.check("_backward of rank 2", to_array<Form>(dx));
  });
}

}  // namespace

void run_global_avg_pool(const PoolCase& of, Findings& findings) {
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    run_avg_suite<D, Scalar, false>(of, GlobalAvgPool{}, findings);
    in_rank2_forms<D>(of, [&]<class Form>() { run_rank2<Scalar, Form>(of, findings); });
  });
}

}  // namespace conformance
