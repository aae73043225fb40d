#pragma once

#include "actors/swci/commands/network.hpp"

#include <optional>

/// Blocks and transactions, as feed.ts has them.
namespace swarm::ui {

result<boost::json::value> block_json(swci::network& sns, std::uint64_t block_num);
/// Without their transactions, newest first.
result<boost::json::value> blocks_json(swci::network& sns, std::optional<std::uint64_t> before,
                                       std::uint64_t count);
result<boost::json::value> transaction_json(swci::network& sns, const std::string& hash);

} // namespace swarm::ui
