// The table of benchmark cases, and what one measured problem is.
#pragma once

#include <eigenpool/window.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace bench {

using eigenpool::Index;
using eigenpool::Layout;

enum class Op { max, average, global_max, global_average, adaptive_max, adaptive_average };
enum class Dtype { f32, f64, f16, bf16, u8, s8 };

// Max with indices is measured twice: compact indices (the tap's number in its window, one byte where the window has
// at most 255 taps, else two) and flat ones (64 bits, the default of the library).
enum class Direction { forward, indices, indices_int64, backward, backward_int64 };

// One line of the table. A picture of fewer than three axes has leading axes of extent 1.
struct Case {
  using Extents = std::array<Index, 3>;
  std::string id;
  Op op{};
  int axes = 0;
  Index n = 0, c = 0;
  Extents in{}, kernel{}, stride{}, padding{}, out{};
  Extents dilation{1, 1, 1};  // the table has none, the naive loops know none
  bool ceil_mode = false, count_include_pad = true;
  std::vector<Dtype> dtypes{};
  bool backward = false;

  Index inputs() const { return n * c * in[0] * in[1] * in[2]; }
  Index outputs() const { return n * c * out[0] * out[1] * out[2]; }
  bool is_max() const { return op == Op::max || op == Op::global_max || op == Op::adaptive_max; }
  bool is_adaptive() const { return op == Op::adaptive_max || op == Op::adaptive_average; }
  bool is_global() const { return op == Op::global_max || op == Op::global_average; }
  Index taps() const;  // of the largest window
  bool tiles() const;  // the windows cover every cell once, so the picture can be seen as a tensor of windows
};

struct CaseTable {
  std::vector<Case> cases;
  std::vector<std::string> skipped;  // ids of the cases whose operator is not measured here
};

// Throws std::runtime_error that names the file and the line.
CaseTable read_cases(const std::string& path);

// What one number is about: a case in one layout, direction and type.
struct Problem {
  Case c;
  Layout layout{};
  Direction direction{};
  Dtype dtype{};

  bool is_backward() const;
  std::size_t index_bytes() const;  // of one index, 0 where there are none
  std::string name() const;         // max/resnet_stem/channels_first/forward, with /f16 and so on after other types
};

std::vector<Problem> problems_of(const Case& c);

const char* name_of(Op op);
const char* name_of(Dtype dtype);
const char* name_of(Layout layout);
const char* name_of(Direction direction);
std::size_t bytes_of(Dtype dtype);

}  // namespace bench
