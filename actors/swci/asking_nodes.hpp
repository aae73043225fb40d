#pragma once

#include "actors/swci/commands/world.hpp"
#include "transport/http/http_client.hpp"

/// Small questions to other nodes' servers, for threads that may wait.
namespace swarm::actors {

/// GET, whose answer has to be here within `patience`.
result<transport::http_response> get_within(duration patience, transport::http_client& client,
                                            const endpoint& node, const std::string& target,
                                            const std::stop_token& stop);

/// command_world::ask_node, by this client with this identity.
result<swci::node_answer> ask_node(transport::http_client& client, const transport::tls_identity& identity,
                                   const std::stop_token& stop, const endpoint& node,
                                   const std::string& target);

/// command_world::fetch, by this client: as this account.
result<> fetch_from(transport::http_client& client, const address& account, const std::stop_token& stop,
                    const endpoint& node, const swci::command_world::wanted_file& file,
                    const std::function<result<>(bytes_view)>& piece);

} // namespace swarm::actors
