#include "actors/sl/follower/machine_options.hpp"

#include "actors/sl/random_base.hpp"

#include <algorithm>

namespace swarm::actors {

rounds::machine_options machine_options_of(const sl_context& context) {
  const auto& options = context.options;
  return {.self = context.account(),
          .can_lead = options.make_me_admin,
          .secret = context.commit_secret,
          .check_ids_from = random_base() >> 32,
          .grace = options.wait_for_full_quorum,
          .leader_stall = std::min<duration>(std::chrono::seconds(10), options.leader_failure_base_timeout),
          .leader_max = options.leader_failure_base_timeout};
}

} // namespace swarm::actors
