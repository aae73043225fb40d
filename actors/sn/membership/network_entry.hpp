#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "transport/http/http_client.hpp"

#include <functional>
#include <memory>

namespace swarm::membership {

/// The answer of swarm_genesis, as JSON-RPC text. Everything is checked but the hash: whether it is the one
/// that this swarmd makes of the parameters, the machine compares.
result<network_entry> read_network_entry(std::string_view response);

/// Asks the JSON-RPC port of a running SN. With `compare` also SNs of other organisations that it tells of, three at
/// most, until one has answered (network_entry::confirmed_by). `done` runs on a thread of the client.
void ask_network_entry(std::shared_ptr<transport::http_client> client, const std::string& host,
                       std::uint16_t port, bool compare, std::function<void(result<network_entry>)> done);

} // namespace swarm::membership
