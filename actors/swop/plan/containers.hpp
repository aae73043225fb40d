#pragma once

#include "actors/swop/plan/pair_plan.hpp"

namespace swarm::actors {

/// Whether a RUN_SWARM can be carried out in containers: it has an image, and so have SLs.
result<> check_images(const swop_context& context, const part_order& order);

/// The port of this host at which the engine is to publish an SL's files, and the SL's own. None where the profile has
/// no slport, and none in the host's network, where an SL takes the slport itself.
std::optional<engine::published_port> published_port_of(const swop_context& context,
                                                        const tasks::node_definition& node);

/// Makes containers of the two programs of a pair, as profile and task want them.
result<> put_into_containers(const swop_context& context, const part_order& order,
                             const tasks::node_definition& node, std::uint32_t index, pair_plan& to);

} // namespace swarm::actors
