#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"
#include "transport/p2p/p2p_node.hpp"

#include <boost/json/object.hpp>

namespace swarm::actors {

/// /sn/peers/<account>: one connected SN. It keeps what is known of the SN, hands its frames on to
/// /sn/chain and /sn/consensus, asks it questions and answers its own. The connection ends with this actor,
/// however that ends.
start_function neighbor_actor(std::shared_ptr<const sn_context> context, std::shared_ptr<p2p::p2p_node> node,
                              p2p::neighbor_id id, p2p::neighbor_facts facts);

/// One SN in the admin method "peers".
boost::json::object neighbor_json(const p2p::neighbor_status& of, const members::member_rules& rules);

} // namespace swarm::actors
