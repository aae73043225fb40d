#pragma once

#include "base/clock.hpp"
#include "ledger/consensus/messages.hpp"
#include "ledger/consensus/record.hpp"

#include <variant>

/// What goes into the QBFT machine and what comes out. The shell feeds events one at a time and carries out
/// the actions in their order; it never calls the machine from within an action.
namespace swarm::consensus {

/// A connection, named by the shell; never reused.
using neighbor_id = std::uint64_t;

struct chain_head {
  std::uint64_t block_num = 0;
  hash32 hash;
  address proposer;             ///< the block's coinbase
  std::vector<address> resting; ///< validators whose turns come last after it, sorted (ledger/turn_rule.hpp)
};

enum class timer_kind : std::uint8_t { round, resend, reentry };
inline constexpr std::size_t timer_kinds = 3;
struct timer_name {
  timer_kind kind{};
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  bool operator==(const timer_name&) const = default;
};

// Events

/// The first event; it comes once. `records` is what the store has under `record_keys`; for a new node
/// see initial_records.
struct start {
  chain_head head;
  std::vector<address> validators; ///< after `head`, sorted
  std::vector<record_entry> records;
};
struct message {
  neighbor_id neighbor = 0;
  shared_bytes raw;
};
/// A neighbor has connected, or can take messages again: it is sent what this node has to say at present.
struct neighbor_connected {
  neighbor_id neighbor = 0;
};
struct neighbor_gone {
  neighbor_id neighbor = 0;
};
struct timer_fired {
  timer_name timer;
};
/// The pool has something for the block after the head. The shell must say so again after
/// every `head_changed`.
struct work_available {};
/// Answers `build_block`; without a block there is nothing to put into one after all.
struct block_built {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  std::optional<proposed_block> block;
};
/// Answers `validate_block`.
struct block_validated {
  std::uint64_t block_num = 0;
  hash32 hash;
  bool ok = false;
  /// It keeps the rules, but is dated too far ahead of this node's clock.
  bool early = false;
};
/// The entries of `persist` with this token, and of all before it, are on disk.
struct persisted {
  std::uint64_t token = 0;
};
/// The chain has a new head. This answers `commit_block`, and reports blocks that came by synchronisation.
struct head_changed {
  chain_head head;
  std::vector<address> validators;
};

using event = std::variant<start, message, neighbor_connected, neighbor_gone, timer_fired, work_available,
                           block_built, block_validated, persisted, head_changed>;

// Actions

/// Write all entries at once, synced; then say `persisted`. The writes may be delayed but not reordered. When
/// the chain has block `block_num` already, because it came by synchronisation, the entries are not written,
/// but the answer is the same: they would replace those that came with the block, and a node that starts with
/// a place behind its chain keeps silent.
struct persist {
  std::uint64_t token = 0;
  std::uint64_t block_num = 0; ///< the height that the entries belong to
  std::vector<record_entry> entries;
};
/// Send to every validator that is connected; the machine has counted its own vote already.
struct broadcast {
  shared_bytes raw;
};
struct send_to {
  neighbor_id neighbor = 0;
  shared_bytes raw;
};
/// Start a timer. It replaces the one of the same kind.
struct set_timer {
  timer_name timer;
  duration after{};
};
struct cancel_timer {
  timer_kind kind{};
};
/// Make a block on top of the head with this node as coinbase. It need not be encoded (`encoded` is false)
/// when nobody else will see it.
struct build_block {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  bool encoded = true;
};
/// Execute the block on top of the head and tell whether it keeps every rule of the chain.
struct validate_block {
  proposed_block block;
};
/// The block is final: write it, its seals and `entries` in one synced batch, then say `head_changed`. When
/// the disk refuses, the shell tries again: the machine does nothing else until then.
struct commit_block {
  proposed_block block;
  ledger::seal_record seals;
  std::vector<record_entry> entries;
};
/// According to `neighbor` the network is at `block_num`, which is beyond this node. This is a hint,
/// not a proof.
struct request_sync {
  std::uint64_t block_num = 0;
  neighbor_id neighbor = 0;
};
/// `neighbor` still works on a block that is final here: send it that block with its seals.
struct send_decided {
  neighbor_id neighbor = 0;
  std::uint64_t block_num = 0;
};
/// Two votes of one validator for one place that contradict each other (formats/double_vote.hpp).
struct evidence {
  address author;
  ledger::double_vote proof;
};
/// The operator of a validator says that its key votes again (reentry_statement); once for each block.
struct reentry_seen {
  address author;
  std::uint64_t block_num = 0;
};
/// `neighbor` sent what no honest node sends.
struct penalize {
  neighbor_id neighbor = 0;
  error why;
};
/// A line for the operator's log.
struct report {
  std::string text;
};

using action =
    std::variant<persist, broadcast, send_to, set_timer, cancel_timer, build_block, validate_block,
                 commit_block, request_sync, send_decided, evidence, reentry_seen, penalize, report>;

} // namespace swarm::consensus
