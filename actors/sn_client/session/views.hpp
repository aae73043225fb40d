#pragma once

#include "actors/sn_client/session/json_rpc.hpp"
#include "contracts/abi/client.hpp"

namespace swarm::session {

/// What the view `Args` of a contract answered, at `index` of the responses to a batch.
template <class Args>
result<contracts::abi::answer_of<Args>> view_at(const std::vector<boost::json::value>& from,
                                                std::size_t index) {
  if (index >= from.size()) return fail(refusal::malformed_answer, "the SN's answer is too short");
  SWARM_TRY(const auto output, output_of(from[index]));
  return contracts::decode_answer<Args>(output);
}

} // namespace swarm::session
