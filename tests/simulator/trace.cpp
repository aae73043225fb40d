#include "tests/simulator/trace.hpp"

#include <fmt/format.h>

namespace swarm::simulator {

std::string trace::text() const {
  std::string out;
  for (const auto& item : lines_) {
    out += fmt::format("{:>12.3f} ms  node {}  {} {}", static_cast<double>(item.at) / 1000, item.node,
                       item.what, item.detail);
    if (item.block_num != 0) out += fmt::format("  block {} round {}", item.block_num, item.round_num);
    if (item.digest != 0) out += fmt::format("  {:08x}", item.digest);
    if (item.other >= 0) out += fmt::format("  neighbor {}", item.other);
    out += '\n';
  }
  return out;
}

} // namespace swarm::simulator
