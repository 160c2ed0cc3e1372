// oneDNN: plain layouts (abcd, acdb), primitives made beforehand, workspaces for a maximum's indices.
#include "peers.hpp"

#include <eigenpool/simd/dispatch.hpp>

#include <oneapi/dnnl/dnnl.hpp>
#include <omp.h>

#include <optional>
#include <unordered_map>

namespace bench {
namespace {

using dnnl::memory;
using Forward = dnnl::pooling_forward;
using Backward = dnnl::pooling_backward;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

std::optional<memory::data_type> data_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return memory::data_type::f32;
    case Dtype::f16:
      return memory::data_type::f16;
    case Dtype::bf16:
      return memory::data_type::bf16;
    case Dtype::u8:
      return memory::data_type::u8;
    case Dtype::s8:
      return memory::data_type::s8;
    default:
      return std::nullopt;
  }
}

memory::format_tag tag(int axes, Layout layout) {
  using Tag = memory::format_tag;
  const bool last = layout == Layout::channels_last;
  if (axes == 1) return last ? Tag::acb : Tag::abc;
  if (axes == 2) return last ? Tag::acdb : Tag::abcd;
  return last ? Tag::acdeb : Tag::abcde;
}

memory::dims last_axes(const Case::Extents& extents, int axes) { return {extents.end() - axes, extents.end()}; }

memory::desc tensor(const Problem& problem, const Case::Extents& extents) {
  memory::dims shape{problem.c.n, problem.c.c};
  for (const Index extent : last_axes(extents, problem.c.axes)) shape.push_back(extent);
  return {shape, *data_type(problem.dtype), tag(problem.c.axes, problem.layout)};
}

dnnl::algorithm algorithm(const Case& c) {
  if (c.is_max()) return dnnl::algorithm::pooling_max;
  return c.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                             : dnnl::algorithm::pooling_avg_exclude_padding;
}

Forward::primitive_desc forward_of(const Problem& problem, dnnl::prop_kind prop) {
  const Case& c = problem.c;
  const PlainWindow window = plain_window(c);
  const auto axes = [&](const Case::Extents& extents) { return last_axes(extents, c.axes); };
  return {{prop, algorithm(c), tensor(problem, c.in), tensor(problem, c.out), axes(window.stride), axes(window.kernel),
           axes(window.padding), axes(window.padding_after)},
          engine()};
}

using Arguments = std::unordered_map<int, memory>;

Run execution(const dnnl::primitive& primitive, const Arguments& arguments) {
  return [=, stream = dnnl::stream(engine())]() mutable {
    primitive.execute(stream, arguments);
    stream.wait();
  };
}

Run forward(const Problem& problem, const Buffers& buffers) {
  const bool with_workspace = problem.index_bytes() != 0;
  const auto prop = with_workspace ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const Forward::primitive_desc description = forward_of(problem, prop);
  Arguments arguments{{DNNL_ARG_SRC, {description.src_desc(), engine(), buffers.source.as<void>()}},
                      {DNNL_ARG_DST, {description.dst_desc(), engine(), buffers.result.as<void>()}}};
  if (with_workspace) arguments[DNNL_ARG_WORKSPACE] = memory(description.workspace_desc(), engine());
  return execution(Forward(description), arguments);
}

// What the backward of a maximum reads instead of indices.
memory workspace_of(const Problem& problem, const Forward::primitive_desc& description) {
  const Block input = input_of_indices(problem);
  const memory workspace(description.workspace_desc(), engine()), maxima(description.dst_desc(), engine());
  execution(Forward(description), {{DNNL_ARG_SRC, {description.src_desc(), engine(), input.as<void>()}},
                                   {DNNL_ARG_DST, maxima},
                                   {DNNL_ARG_WORKSPACE, workspace}})();
  return workspace;
}

Run backward(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  const PlainWindow window = plain_window(c);
  const auto axes = [&](const Case::Extents& extents) { return last_axes(extents, c.axes); };
  const Forward::primitive_desc hint = forward_of(problem, dnnl::prop_kind::forward_training);
  const Backward::primitive_desc description(
      {algorithm(c), tensor(problem, c.in), tensor(problem, c.out), axes(window.stride), axes(window.kernel),
       axes(window.padding), axes(window.padding_after)},
      engine(), hint);
  Arguments arguments{{DNNL_ARG_DIFF_DST, {description.diff_dst_desc(), engine(), buffers.source.as<void>()}},
                      {DNNL_ARG_DIFF_SRC, {description.diff_src_desc(), engine(), buffers.result.as<void>()}}};
  if (c.is_max()) arguments[DNNL_ARG_WORKSPACE] = workspace_of(problem, hint);
  return execution(Backward(description), arguments);
}

Run make(const Problem& problem, const Buffers& buffers) {
  const Case& c = problem.c;
  if (!data_type(problem.dtype) || !plain_window(c).exists || (!c.is_max() && has_overhang(c))) return {};
  if (problem.index_bytes() == 8) return {};  // its workspace is the compact kind
  try {
    return problem.is_backward() ? backward(problem, buffers) : forward(problem, buffers);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return {};
    throw;
  }
}

}  // namespace

Peer onednn_peer() {
  omp_set_num_threads(1);
  const int bytes = eigenpool::simd::vector_bytes();
  if (bytes < 64) dnnl::set_max_cpu_isa(bytes < 32 ? dnnl::cpu_isa::sse41 : dnnl::cpu_isa::avx2);
  const dnnl::version_t* version = dnnl::version();
  return {peer_kind("oneDNN", &make),
          std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch)};
}

}  // namespace bench
