#include "contracts/registry/client.hpp"

#include "contracts/abi/client_side.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::node_registry_interface>;

namespace swarm::contracts {

std::optional<register_node_args> decode_registration(const std::optional<address>& to, bytes_view input) {
  const auto& id = abi::selector_of<register_node_args>();
  if (to != node_registry_address() || input.size() < id.size()) return std::nullopt;
  if (!std::equal(id.begin(), id.end(), input.begin())) return std::nullopt;
  auto out = abi::decode_members<register_node_args>(input.subspan(id.size()));
  if (!out) return std::nullopt;
  return std::move(*out);
}

} // namespace swarm::contracts
