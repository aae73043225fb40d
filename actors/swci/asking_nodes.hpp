#pragma once

#include "actors/swci/commands/world.hpp"
#include "transport/http/http_client.hpp"

/// Small questions to other nodes' servers, for threads that may wait.
namespace swarm::actors {

/// A request whose answer has to be here within `patience`.
result<transport::http_response> ask_within(duration patience, transport::http_client& client,
                                            const endpoint& node, transport::http_request what,
                                            const std::stop_token& stop);

/// command_world::ask_node, by this client with this identity, of whichever method.
result<swci::node_answer> ask_node(transport::http_client& client, const transport::tls_identity& identity,
                                   const std::stop_token& stop, const endpoint& node,
                                   transport::http_request what);

/// command_world::fetch, by this client: as this account.
result<> fetch_from(transport::http_client& client, const address& account, const std::stop_token& stop,
                    const endpoint& node, const swci::command_world::wanted_file& file,
                    const std::function<result<>(bytes_view)>& piece);

} // namespace swarm::actors
