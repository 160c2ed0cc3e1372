// The libraries that bench_peers compares with, those that were found when it was configured.
#pragma once

#include "../dispatch.hpp"
#include "../measure.hpp"

#include <memory>
#include <string>
#include <vector>

namespace bench {

struct Peer {
  Kind kind;
  std::string version;
};

// Each sets its library to one thread and, where the library lets us, to vectors no wider than eigenpool's. An empty
// Run of its kind: the library has no such operation in this layout and type without a reorder.
Peer eigen_maps_peer();
Peer onednn_peer();
Peer xnnpack_peer();
Peer torch_peer();
Peer opencv_peer();

inline Kind peer_kind(const std::string& name, Run (*make)(const Problem&, const Buffers&)) {
  return {name, make, Check::values, true};
}

// The window that makes an adaptive or global pooling a plain one.
struct PlainWindow {
  Case::Extents kernel{}, stride{}, padding{};
  Case::Extents padding_after{};  // with ceil_mode larger, by what the last window reaches over
  bool exists = true;             // not where adaptive windows differ in size
};
PlainWindow plain_window(const Case& c);

// The windows reach over the end of the padded input: libraries divide an average there by different numbers.
bool has_overhang(const Case& c);

}  // namespace bench
