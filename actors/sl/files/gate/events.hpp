#pragma once

#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

/// What goes into a model gate, and what it asks its shell to do.
namespace swarm::gate {

/// Who asks for a model, by its connection and by its own word.
struct asker {
  hash32 certificate;             ///< fingerprint, as the connection proves
  std::string subject;            ///< of the certificate, for people
  std::string organisation;       ///< that vouches for it, for people
  std::optional<address> account; ///< as it says
  std::uint64_t block_num = 0;    ///< the newest block that it has seen, as it says
};

/// The layout says what the tensors are called and what shape they have, and nothing of their values. The progress is that
/// of the merge which the node leads, a shard the chunks that it has made of a merge.
enum class wanted : std::uint8_t { model, layout, progress, shard };

/// A training contract at one block or, as its parts are read one after the other, a little later.
struct training_reading {
  contracts::head_view head;
  contracts::merge_view proposal; ///< of round 0 unless one is being checked
  contracts::checks_view checks;
  contracts::shards_view shards;
  std::vector<contracts::check_in_view> check_ins;
  std::vector<contracts::peer_view> peers;
};

struct chain_reading {
  std::uint64_t block_num = 0;
  training_reading training;
  contracts::node_view node; ///< what the account registered
};

namespace event {
/// `action::answer` says what becomes of it.
struct asked {
  std::uint64_t id = 0;
  asker who;
  hash32 digest; ///< of no progress; of a layout, it may be what its peer has committed to
  wanted what = wanted::model;
};
/// The answer to `action::read_chain`; an error means that no SN answers.
struct chain_read {
  std::uint64_t id = 0;
  result<chain_reading> outcome;
};
/// This node takes part in this training.
struct training_followed {
  std::string name;
};
/// It has read the contract: this is the newest merge, zero while there is none.
struct merge_seen {
  std::uint64_t block_num = 0;
  std::string training;
  hash32 digest;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  std::uint64_t size = 0; ///< bytes of the model file
};
struct tick {};
} // namespace event

namespace action {
/// Read the training's contract and what is registered for the account; hand in `event::chain_read`.
struct read_chain {
  std::uint64_t id = 0;
  std::string training;
  address account;
};
enum class verdict : std::uint8_t {
  granted,
  refused,
  unknown, ///< it is no model of a training that this node knows
  later    ///< the chain does not say yet; the same may be granted a moment later
};
struct answer {
  std::uint64_t id = 0;
  action::verdict verdict = verdict::refused;
  std::string why;
  std::optional<hash32> layout; ///< what is granted is this layout, whatever model has it
  /// Only these chunks of the model are granted, ascending, and what it takes to make them again; none: all of it.
  std::optional<std::vector<std::uint64_t>> chunks;
};
/// The merges that are known have changed: keep them for the node's next life.
struct keep_merges {};
/// Log this as a warning.
struct note {
  std::string text;
};
} // namespace action
using gate_action = std::variant<action::read_chain, action::answer, action::keep_merges, action::note>;

} // namespace swarm::gate
