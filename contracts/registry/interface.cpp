#include "contracts/registry/interface.hpp"

namespace swarm::contracts {

std::string_view to_string(node_type type) {
  static constexpr std::array<std::string_view, 5> names{"none", "SN", "SL", "SWOP", "SWCI"};
  return names.at(static_cast<std::size_t>(type));
}

} // namespace swarm::contracts
