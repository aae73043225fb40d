#include "contracts/registry/registration_call.hpp"

#include "contracts/abi/function.hpp"

#include <algorithm>

namespace swarm::contracts {

std::optional<register_node_args> registration_in(const address& to, bytes_view input) {
  static const auto selector = abi::selector_of<register_node_args>();
  if (to != node_registry_address() || input.size() < selector.size()
      || !std::equal(selector.begin(), selector.end(), input.begin()))
    return std::nullopt;
  auto args = abi::decode_members<register_node_args>(input.subspan(selector.size()));
  if (!args) return std::nullopt;
  return std::move(*args);
}

} // namespace swarm::contracts
