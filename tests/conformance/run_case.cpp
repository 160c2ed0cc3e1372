#include "run_case.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <exception>

#include "families.hpp"
#include "geometry.hpp"
#include "skips.hpp"

namespace conformance {
namespace {

bool applies(const Skip& skip, const CaseFile& file) {
  return file.has(skip.attribute) && file.text(skip.attribute).starts_with(skip.text) && skip.condition(file);
}

void check_extents(const char* name, const Array& array, const Extents& ruled) {
  if (array.extents == ruled) return;
  throw Malformed(std::string("the tensor '") + name + "' has the shape " + to_text(array.extents) +
                  " where the contract's rule gives " + to_text(ruled));
}

/// The tensors have the shapes that the attributes give, so that a result is never larger than the file.
void check_extents(const PoolCase& of) {
  const Extents ruled = Geometry::output_extents(of);
  if (of.indices) check_extents("indices", *of.indices, of.op == Operator::max_unpool ? of.input.extents : ruled);
  if (!of.backward) return check_extents("output", of.output, ruled);
  check_extents("grad_output", of.grad_output, ruled);
  check_extents("grad_input", of.grad_input, of.input.extents);
}

/// Should the library accept what it must refuse, the result still has to fit in memory. A result of more than
/// 2^62 cells is let through: its size cannot be computed, which the library has to notice.
void check_request(const PoolCase& of) {
  const double cells = requested_cells(of);
  if (cells > 0x1p26 && cells < 0x1p62) throw Malformed("the result would be too large for the runner");
}

void run(const PoolCase& of, Findings& findings) {
  switch (of.op) {
    case Operator::max_pool:
      return run_max_pool(of, findings);
    case Operator::avg_pool:
      return run_avg_pool(of, findings);
    case Operator::lp_pool:
      return run_lp_pool(of, findings);
    case Operator::adaptive_max_pool:
      return run_adaptive_max_pool(of, findings);
    case Operator::adaptive_avg_pool:
      return run_adaptive_avg_pool(of, findings);
    case Operator::global_max_pool:
      return run_global_max_pool(of, findings);
    case Operator::global_avg_pool:
      return run_global_avg_pool(of, findings);
    case Operator::fractional_max_pool:
      return run_fractional_max_pool(of, findings);
    case Operator::max_unpool:
      return run_max_unpool(of, findings);
    case Operator::roi_align:
      return run_roi_align(of, findings);
  }
}

/// One line of printable characters.
std::string one_line(std::string text) {
  constexpr std::size_t longest = 400;
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isprint(c) == 0; }, '?');
  return text;
}

Verdict verdict_of(const CaseFile& file) {
  for (const Skip& skip : skips) {
    if (applies(skip, file)) return {Verdict::Kind::skipped, one_line(file.text(skip.attribute) + ": " + skip.reason)};
  }
  const PoolCase of = make_pool_case(file);
  of.expects_error ? check_request(of) : check_extents(of);
  Findings findings;
  run(of, findings);
  if (findings.empty()) return {};
  return {Verdict::Kind::failed, one_line(findings.summary())};
}

}  // namespace

Verdict run_case(const std::filesystem::path& path) {
  try {
    return verdict_of(read_case_file(path));
  } catch (const Malformed& fault) {
    return {Verdict::Kind::failed, one_line(std::string("malformed case: ") + fault.what())};
  } catch (const std::exception& error) {
    return {Verdict::Kind::failed, one_line(std::string("the case cannot be run: ") + error.what())};
  }
}

}  // namespace conformance
