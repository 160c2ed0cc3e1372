// Blurs: their windows and checks, forward and backward, alone and after a dense maximum.
#pragma once

#include "kernel_blur.hpp"
#include "max_engine.hpp"

EIGENPOOL_BEGIN
namespace detail {

/// The windows of a Blur.
template <int D>
struct BlurWindows {
  const Blur<D>& blur;
  bool is_second = false;  // beside a window with a kernel of its own

  Axes<D> axes(const Function& function, const Extents<D>& extents) const {
    const char* kernel_name = is_second ? "blur.kernel" : "kernel";
    require_at_least(function, kernel_name, blur.kernel, 1);
    require_at_least(function, is_second ? "blur.stride" : "stride", blur.stride, 1);
    Axes<D> made;
    for (int a = 0; a < D; ++a) {
      const Index n = extents[static_cast<std::size_t>(a)], k = blur.kernel[a], stride = blur.stride[a];
      if (k > most_blur_taps) fail_axis(function, kernel_name, a, k, "must be at most 7");
      if (blur.padding == BlurPadding::reflect && k / 2 >= n)
        fail_axis(
            function, kernel_name, a, k,
            "its reflected padding of " + std::to_string(k / 2) + " takes an extent of more than " + std::to_string(n));
      made[static_cast<std::size_t>(a)] =
          Axis::affine(n, (n - 1) / stride + 1, k, stride, (k - 1) / 2, k / 2, 1, Axis::Counted::taps);
    }
    return made;
  }
};

/// Runs all rows of a kernel.
template <class Kernel, class P>
void blur_rows(const Kernel& kernel, double bytes, const P& parallel) {
  if (kernel.tasks() == 0) return;
  parallel(kernel.tasks(), bytes / static_cast<double>(kernel.tasks()),
           [&](Index begin, Index end) { run_in_scratch(kernel, begin, end); });
}

/// A blur, for pooled() and pool_into().
struct BlurReduction {
  BlurPadding padding;

  template <class S, class P>
  void operator()(const Problem& problem, const S* x, S* y, const P& parallel) const {
    if (problem.inner > 0) blur_rows(BlurForward<S>(BlurPlane{problem, padding}, x, y), problem.bytes<S>(), parallel);
  }
};

/// dx of a blur; `output()` gives the tensor to write, as for max_backward.
template <Layout layout, int D, std::size_t R, class G, class Output, PoolingDevice Device>
void blur_backward(const Function& function, const char* argument, const Extents<R>& shape, const G& dy,
                   const Blur<D>& blur, const Output& output, const Device& device) {
  using S = ScalarOf<G>;
  const Operand<G> gradient(dy, device);
  const auto plan = backward_plan<layout, D>(function, argument, shape, gradient, BlurWindows<D>{blur});
  auto& dx = output();
  require_apart(function, "output", Bytes(dx.data(), dx.size()), "gradient",
                Bytes(gradient.data(), elements(gradient.shape())));
  if (plan.problem.inner == 0) return;
  blur_rows(BlurBackward<S>(BlurPlane{plan.problem, blur.padding}, gradient.data(), dx.data()),
            plan.problem.template bytes<S>(), Parallel<Device>(device));
}

/// The plans of a dense maximum and of the blur of it.
template <std::size_t R>
struct MaxBlurPlan {
  Plan<R> dense, blur;
};

template <Layout layout, int D, class X>
auto max_blur_plan(const Function& function, const Extents<rank_of<X>>& shape, const DenseWindow<D>& dense,
                   const Blur<D>& blur) {
  const Window<D> window{.kernel = dense.kernel, .stride = 1, .padding = dense.padding};
  const auto maximum = make_plan<layout, D>(function, "input", shape, FixedWindows<D>{window}, is_row_major<X>);
  const auto& maxima = maximum.result_shape;
  require_countable<DefaultIndexOf<X>>(function, "dense maximum", maxima, sizeof(ScalarOf<X>));
  return MaxBlurPlan<static_cast<std::size_t>(rank_of<X>)>{
      maximum, make_plan<layout, D>(function, "dense maximum", maxima, BlurWindows<D>{blur, true}, is_row_major<X>)};
}

/// y = the blur of the maxima of x. Where there are planes for all threads, each is blurred while its maxima are in the
/// cache.
template <class S, class P>
void max_blur(Problem dense, Problem blur, BlurPadding padding, const S* x, S* y, const P& parallel) {
  constexpr Index enough_planes = 16;
  const auto both = [&](Index planes, const S* from, S* to, const auto& parts) {
    dense.outer = planes, blur.outer = planes;
    std::vector<S> maxima(static_cast<std::size_t>(dense.cells() * dense.inner));
    extreme_windows<Larger>(dense, from, maxima.data(), parts);
    BlurReduction{padding}(blur, maxima.data(), to, parts);
  };
  if (dense.outer < enough_planes) return both(dense.outer, x, y, parallel);
  const Index source = dense.plane() * dense.inner, result = blur.result_plane() * blur.inner;
  const Index planes = dense.outer;
  dense.outer = 1, blur.outer = 1;
  parallel(planes, dense.bytes<S>() + blur.bytes<S>(), [=](Index begin, Index end) {
    const Eigen::DefaultDevice here;
    std::vector<S> maxima(static_cast<std::size_t>(dense.cells() * dense.inner));
    for (Index p = begin; p < end; ++p) {
      extreme_windows<Larger>(dense, x + p * source, maxima.data(), Parallel(here));
      BlurReduction{padding}(blur, maxima.data(), y + p * result, Parallel(here));
    }
  });
}

template <class Y, class X, std::size_t R, PoolingDevice Device>
void max_blur_into(const Function& function, Y& y, const Operand<X>& x, const MaxBlurPlan<R>& plan, BlurPadding padding,
                   const Device& device) {
  require_shape(function, "output", shape_of(y), plan.blur.result_shape);
  require_apart(function, "output", Bytes(y.data(), y.size()), "input", Bytes(x.data(), elements(x.shape())));
  if (elements(plan.blur.result_shape) == 0) return;
  max_blur(plan.dense.problem, plan.blur.problem, padding, x.data(), y.data(), Parallel<Device>(device));
}

/// dx of a blur after a dense maximum, whose places are found again.
template <Layout layout, int D, class G, class X, class Output, PoolingDevice Device>
void max_blur_backward(const Function& function, const G& dy, const X& x, const DenseWindow<D>& dense,
                       const Blur<D>& blur, const Output& output, const Device& device) {
  using S = ScalarOf<X>;
  const Operand<G> gradient(dy, device);
  const Operand<X> input(x, device);
  const auto plan = max_blur_plan<layout, D, X>(function, input.shape(), dense, blur);
  require_shape(function, "gradient", gradient.shape(), plan.blur.result_shape);
  auto& dx = output();
  const Bytes written(dx.data(), dx.size());
  require_apart(function, "output", written, "gradient", Bytes(gradient.data(), elements(gradient.shape())));
  require_apart(function, "output", written, "input", Bytes(input.data(), elements(input.shape())));
  if (elements(gradient.shape()) == 0) return;
  const auto count = static_cast<std::size_t>(elements(plan.dense.result_shape));
  std::vector<S> maxima(count), share(count);
  std::vector<std::int64_t> indices(count);
  const Parallel<Device> parallel(device);
  max_indexed<Larger>(plan.dense.problem, input.data(), maxima.data(), indices.data(), parallel);
  blur_rows(BlurBackward<S>(BlurPlane{plan.blur.problem, blur.padding}, gradient.data(), share.data()),
            plan.blur.problem.template bytes<S>(), parallel);
  scatter(plan.dense.problem, share.data(), indices.data(), dx.data(), parallel);
}

}  // namespace detail
EIGENPOOL_END
