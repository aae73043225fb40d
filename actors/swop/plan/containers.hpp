#pragma once

#include "actors/swop/plan/pair_plan.hpp"

namespace swarm::actors {

/// Whether a RUN_SWARM can be carried out in containers: it has an image, and so have SLs.
result<> check_images(const swop_context& context, const part_order& order);

/// Makes containers of the two programs of a pair, as profile and task want them.
result<> put_into_containers(const swop_context& context, const part_order& order,
                             const tasks::node_definition& node, std::uint32_t index, pair_plan& to);

} // namespace swarm::actors
