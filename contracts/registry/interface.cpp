#include "contracts/registry/interface.hpp"

#include "contracts/abi/function.hpp"

namespace swarm::contracts {

std::string_view to_string(node_type type) {
  static constexpr std::array<std::string_view, 5> names{"none", "SN", "SL", "SWOP", "SWCI"};
  return names.at(static_cast<std::size_t>(type));
}

hash32 statement_hash(const node_statement& what) {
  bytes encoded;
  abi::append_members(encoded, what);
  return keccak256(encoded);
}

} // namespace swarm::contracts
