#include "families.hpp"
#include "suite.hpp"
#include "tensors.hpp"

namespace conformance {
namespace {

eigenpool::RoiAlignOptions options_of(const PoolCase& of) {
  return {.output_size = {of.output_size[0], of.output_size[1]},
          .spatial_scale = of.roi.spatial_scale,
          .sampling_ratio = of.roi.sampling_ratio,
          .aligned = of.roi.half_pixel,
          .mode = of.roi.is_max ? eigenpool::RoiMode::max_of_corners : eigenpool::RoiMode::average};
}

template <class Scalar, int rank>
auto plain_tensor(const Array& array) {
  std::array<Eigen::Index, static_cast<std::size_t>(rank)> dimensions{};
  std::copy(array.extents.begin(), array.extents.end(), dimensions.begin());
  Eigen::Tensor<Scalar, rank, Eigen::RowMajor> tensor(dimensions);
  for (std::size_t i = 0; i < array.values.size(); ++i) tensor.data()[i] = static_cast<Scalar>(array.values[i]);
  return tensor;
}

template <class Scalar, class Form>
void run(const PoolCase& of, Findings& findings, std::optional<Array>& first) {
  const Suite suite(of, Form::memory(), "roi_align", findings);
  const auto x = to_tensor<Scalar, Form>(of.input);
  const auto boxes = plain_tensor<Scalar, 2>(of.boxes);
  const auto images = plain_tensor<std::int64_t, 1>(of.batch_indices);
  const auto options = options_of(of);
  const auto call = [&] { return eigenpool::roi_align<Form::layout>(x, boxes, images, options); };
  if (of.expects_error) return suite.refuse("", call);
  suite.attempt("", [&] {
    const Array got = to_array<Form>(call());
    suite.check("", got);
    suite.check_bits("", got, first);
  });
  suite.attempt("_into", [&] {
    auto y = filled_tensor<Scalar, Form>(of.output.extents);
    eigenpool::roi_align_into<Form::layout>(y, x, boxes, images, options, two_threads());
    suite.check_bits("_into", to_array<Form>(y), first);
  });
}

}  // namespace

void run_roi_align(const PoolCase& of, Findings& findings) {
  if (of.backward || !of.batched || of.spatial_rank != 2) throw Malformed("not a forward of RoiAlign");
  std::optional<Array> first;
  with_rank_and_type<float, double>(of, [&]<int D, class Scalar>() {
    if constexpr (D == 2) in_every_form<D, false>(of, [&]<class Form>() { run<Scalar, Form>(of, findings, first); });
  });
}

}  // namespace conformance
