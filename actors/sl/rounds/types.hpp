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
  /// It goes on from the last merge where there is one, rather than from what its program has.
  bool resume = false;
  /// It can take back a merge that it was given: what it had before, with its optimiser, is kept until the next one.
  bool takes_back = false;
};

/// One contributor of a merge, for its leader.
struct merge_input {
  address peer;
  std::string name;
  std::string endpoint;
  hash32 digest;
  std::uint64_t size = 0;
  double weight = 1; ///< weightage, reduced by the age of what the peer trained on
  bool operator==(const merge_input&) const = default;
};

struct holder {
  address peer;
  std::string endpoint;
  bool operator==(const holder&) const = default;
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

/// A run of chunks of a merge that one contributor makes, or a leader in its place.
struct shard_run {
  holder maker;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const shard_run&) const = default;
};

/// What the models of a round are measured to, as it stands on chain (contracts/training/measures.hpp).
struct model_measures {
  std::uint64_t unit_chunks = 1;
  std::uint32_t sums = 0;     ///< of each unit; 0: nothing is measured
  std::vector<hash32> totals; ///< of whole models, by which chunks are made
  std::vector<hash32> units;  ///< the digests of the sums of each unit, which are checked with its chunks
  bool operator==(const model_measures&) const = default;
};

/// A merge that is proposed, as another node is to check it, or a run of one, as this node is to make it.
struct check_task {
  std::uint64_t id = 0; ///< of no other task of this node
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint32_t attempt = 0; ///< how often the work was dealt out before
  std::string method;
  hash32 digest;
  std::uint64_t size = 0;
  holder leader;
  std::vector<shard_run>
      shards; ///< of which it was put together, in their order; none: the leader has made it
  std::vector<merge_input> inputs;    ///< its contributors
  std::vector<merge_input> defective; ///< whom it leaves out for a defect that anybody can see
  std::vector<merge_input> unheard;   ///< whom it leaves out as their models could not be had
  std::vector<std::uint64_t> chunks;  ///< to make again
  bool whole = false;                 ///< all of it is to be made again
  bool leads = false;                 ///< this node leads the term
  bool makes = false;    ///< the chunks, which are a run, are made, and there is nothing to compare them with
  bool measures = false; ///< nothing of the run is made, it is measured
  model_measures measured{};
  std::uint64_t patience = 8; ///< seconds for which who does not give what he has to is asked again
  bool operator==(const check_task&) const = default;
};

/// What a check has shown.
struct check_outcome {
  enum verdict_type : std::uint8_t {
    right,
    wrong_chunk,
    wrong_exclusion,
    unserved ///< nobody gives what a chunk takes to be checked
  };
  verdict_type verdict = right;
  std::uint64_t number = 0; ///< of the chunk; beyond the chunks, of the unit whose sums are wrong
  address excluded;         ///< who should not be
  std::string text;         ///< what is wrong, for this node's log
  std::vector<hash32> made; ///< the hashes of the chunks of a shard
  std::vector<hash32> sums; ///< to which its units are measured, one after the other
  bool operator==(const check_outcome&) const = default;
};

struct loss_report {
  double loss = 0;
  double metric = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
};

/// What the peers have reported last, over those whose loss is a number.
struct mean_report {
  double loss = 0;
  double metric = 0;
  std::uint32_t peers = 0;  ///< >= 1
  std::uint64_t rounds = 0; ///< the sum of those that they have reported of: more with each report
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
