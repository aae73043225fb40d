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
  address proposer; ///< the block's coinbase
};

enum class timer_kind : std::uint8_t { round, resend };
struct timer_name {
  timer_kind kind{};
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  bool operator==(const timer_name&) const = default;
};

// Events

/// First event, once. `records` is what the store has under `record_keys`; see initial_records for
/// a new node.
struct start {
  chain_head head;
  std::vector<address> validators; ///< after `head`, sorted
  std::vector<record_entry> records;
};
struct message {
  neighbor_id neighbor = 0;
  shared_bytes raw;
};
/// A neighbor that may take messages again: it is sent what this node has to say at present.
struct neighbor_connected {
  neighbor_id neighbor = 0;
};
struct neighbor_gone {
  neighbor_id neighbor = 0;
};
struct timer_fired {
  timer_name timer;
};
/// The pool has something for the block after the head. To be told again after every `head_changed`.
struct work_available {};
/// Answers `build_block`; none: there is nothing to put into a block after all.
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
};
/// The entries of `persist` with this token, and of all before it, are on disk.
struct persisted {
  std::uint64_t token = 0;
};
/// The chain has a new head: answers `commit_block`, and tells of blocks that came by synchronisation.
struct head_changed {
  chain_head head;
  std::vector<address> validators;
};

using event = std::variant<start, message, neighbor_connected, neighbor_gone, timer_fired, work_available,
                           block_built, block_validated, persisted, head_changed>;

// Actions

/// Write all entries at once, synced; then say `persisted`. May be left to the next step of the disk, but
/// never reordered among each other. Not written, but answered all the same, when the chain has block
/// `block_num` already, as it may by synchronisation: these entries would take the place of those that came
/// with the block, and a node that starts with a place behind its chain keeps silent.
struct persist {
  std::uint64_t token = 0;
  std::uint64_t block_num = 0; ///< the height that the entries belong to
  std::vector<record_entry> entries;
};
/// To every validator that is connected; the machine has counted itself already.
struct broadcast {
  shared_bytes raw;
};
struct send_to {
  neighbor_id neighbor = 0;
  shared_bytes raw;
};
/// Replaces the timer of the same kind, of which there is one.
struct set_timer {
  timer_name timer;
  duration after{};
};
struct cancel_timer {
  timer_kind kind{};
};
/// Make a block on top of the head with this node as coinbase. `encoded` false: nobody else will see it.
struct build_block {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  bool encoded = true;
};
/// Execute the block on top of the head and tell whether it keeps every rule of the chain.
struct validate_block {
  proposed_block block;
};
/// The block is final: write it, its seals and `entries` in one synced batch, then say `head_changed`. A disk
/// that refuses is to be tried again: the machine does nothing else until then.
struct commit_block {
  proposed_block block;
  ledger::seal_record seals;
  std::vector<record_entry> entries;
};
/// The network is at `block_num`, which is beyond this node; `neighbor` said so. A hint, not a proof.
struct request_sync {
  std::uint64_t block_num = 0;
  neighbor_id neighbor = 0;
};
/// `neighbor` still works on a block that is final here: send it that block with its seals.
struct send_decided {
  neighbor_id neighbor = 0;
  std::uint64_t block_num = 0;
};
/// Two proposals of one validator for one round, each as rlp[block_num, round, block hash, signature]:
/// anybody can verify both.
struct evidence {
  address author;
  bytes first;
  bytes second;
};
/// `neighbor` sent what no honest node sends.
struct penalize {
  neighbor_id neighbor = 0;
  error why;
};
/// Worth a line in the operator's log.
struct report {
  std::string text;
};

using action = std::variant<persist, broadcast, send_to, set_timer, cancel_timer, build_block, validate_block,
                            commit_block, request_sync, send_decided, evidence, penalize, report>;

} // namespace swarm::consensus
