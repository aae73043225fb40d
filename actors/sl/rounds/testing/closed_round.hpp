#pragma once

#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace swarm::rounds::testing {

using lines = std::vector<std::string>;

/// Peers 1 to 4 are in round 1, which `leader` leads.
struct closed_round : machine_bench {
  explicit closed_round(std::uint8_t leader, session_params params = {}) {
    for (std::uint8_t number : {2, 3, 4})
      in(number);
    join(std::move(params));
    close(leader);
    look();
  }
  merge_outcome outcome(std::uint8_t number) const {
    return {digest(number),
            model_size,
            {account(1), account(2)},
            {{account(3), contracts::exclusion_reason::not_available, "not there"},
             {account(4), contracts::exclusion_reason::not_finite, "is NaN"}}};
  }
  void merged(result<merge_outcome> what, std::uint32_t term = 0) {
    step(event::merge_done{1, term, std::move(what)});
  }
};

} // namespace swarm::rounds::testing
