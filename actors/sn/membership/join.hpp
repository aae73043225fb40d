#pragma once

#include "ledger/chain/genesis.hpp"
#include "transport/http/http_client.hpp"

#include <functional>
#include <string>
#include <vector>

namespace swarm::actors {

/// What a newcomer has to know of a network: its first block, and where its SNs listen for each other.
struct network_entry {
  ledger::genesis_params genesis;
  hash32 genesis_hash;
  std::vector<std::string> p2p_endpoints;
};

/// The answer of swarm_genesis, as JSON-RPC text. Everything is checked but the hash, which follows from the
/// parameters and the contracts of the reader.
result<network_entry> read_network_entry(std::string_view response);

/// Asks the JSON-RPC port of a running SN. `done` runs on a thread of the client.
void ask_network_entry(transport::http_client& client, const std::string& host, std::uint16_t port,
                       std::function<void(result<network_entry>)> done);

} // namespace swarm::actors
