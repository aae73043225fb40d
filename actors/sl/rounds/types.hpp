#pragma once

#include "base/bytes.hpp"
#include "contracts/training/client.hpp"

#include <string>
#include <vector>

/// The types that events and actions of the peer machine share.
namespace swarm::rounds {

/// A model file in the store of this node.
struct model_ref {
  hash32 digest;
  std::uint64_t size = 0;
  hash32 layout; ///< layout digest, see merge/model/layout.hpp
};

/// What the program asked for when it opened its session.
struct session_params {
  std::uint32_t min_peers = 1;
  std::uint32_t sync_interval = 1; ///< batches
  bool adaptive_sync = false;
  contracts::on_train_end on_train_end = contracts::on_train_end::snapshot;
  std::uint32_t weightage = 1; ///< 1..100
  std::string merge_method = "mean";
  std::uint32_t epochs_total = 0; ///< 0 = unknown
};

/// One contributor of a merge, for its leader.
struct merge_input {
  address peer;
  std::string name;
  std::string endpoint;
  hash32 digest;
  std::uint64_t size = 0;
  double weight = 1; ///< weightage, reduced by the age of what the peer trained on
};

struct holder {
  address peer;
  std::string endpoint;
};

/// A contributor whose model is not merged.
struct left_out {
  address peer;
  contracts::exclusion_reason reason = contracts::exclusion_reason::not_available;
  std::string text; ///< what is wrong with its model; for this node's log and program, not for the chain
};

struct merge_outcome {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors; ///< empty: no model could be used, so nothing is merged
  std::vector<left_out> excluded;
};

struct loss_report {
  double loss = 0;
  double metric = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
};

/// What a program has received since its session was opened, for a machine that takes over the session.
struct resumed_session {
  std::uint64_t generation = 0; ///< of the contract when it loaded its last merge; 0: it has loaded none
  std::uint64_t base_round = 0; ///< of that merge
  hash32 base_digest;
  loss_report loss;
  std::uint32_t interval = 0; ///< batches, of the last answer
};

} // namespace swarm::rounds
