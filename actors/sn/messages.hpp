#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "actors/sn/rpc/reader.hpp"
#include "actors/sn/rpc/service.hpp"
#include "actors/supervision/tick.hpp"
#include "ledger/consensus/events.hpp"
#include "ledger/sync/sync_machine.hpp"
#include "transport/p2p/p2p_node.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <string>

/// The messages of the actors of an SN, under the actor that understands them: who sends each, and behind an
/// arrow what answers it, if anything does. Events and actions of the machines (ledger/consensus/events.hpp,
/// actors/sn/membership/machine/events.hpp) are sent as they are; they are listed here, too.
namespace swarm::actors {

/// /sn/peers is a supervisor; messages about other SNs go to this child of it, the sibling "peers/hub".
inline constexpr std::string_view peers_hub = "peers/hub";

// Understood by /sn/chain
//
// From /sn/consensus: consensus::persist -> consensus::persisted, build_block -> block_built,
// validate_block -> block_validated, commit_block -> head_changed; reentry_seen, to be shown.
// From /sn/membership: membership::action::open_chain (not answered: there is a chain, or the process ends),
// read_facts -> facts_read or no_chain, submit -> submitted.

/// From /sn/consensus, when it starts -> consensus_ready, once there is a chain. /sn/consensus also sends it
/// to the hub, to learn who is connected -> consensus::neighbor_connected and neighbor_head for each.
struct consensus_wanted {};
/// From /sn/consensus: verify and import blocks `first` and up; the records go with the block of the same
/// index -> range_imported or range_refused.
struct import_range {
  std::uint64_t first = 0;
  std::vector<std::shared_ptr<const sync::sealed_block>> blocks;
  std::vector<std::vector<consensus::record_entry>> records;
};
/// From /sn/consensus, once a second: how far neighbors are ahead.
struct snapshot_neighbors {
  std::vector<sync::neighbor_claim> all;
  std::vector<sync::neighbor_claim> candidates; ///< those so far ahead that a snapshot is to be taken
};
/// From the hub, when it starts -> network_facts, once there is a chain, and again with every new head.
struct network_wanted {};
/// From the hub: SNs have connected, and may lack transactions that wait here -> gossip_txn for
/// each of these.
struct newcomer {};
/// From the connection of a neighbor, directly and not by way of the neighbor's actor: transactions of its
/// pool. `credit` slows the neighbor down while it is held; see transport/p2p/p2p_node.hpp.
struct neighbor_txns {
  std::vector<bytes> raw;
  p2p::credit credit;
};
/// From a neighbor's actor: the neighbor asks for blocks -> blocks_found.
struct blocks_wanted {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::size_t bytes_max = 0;
};
/// From a neighbor's actor: the neighbor asks about a snapshot -> part_answer.
struct part_wanted {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  bytes question;
  std::size_t bytes_max = 0;
  p2p::credit credit;
};
/// From a neighbor's actor: the neighbor's answer to ask_part.
struct part_found {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t tag = 0;
  bytes answer;
  p2p::credit credit;
};
/// From /sn/chain to itself: time for a part of giving up old states.
struct states_due {};
/// From /sn/chain to itself: records that the disk refused are to be tried again.
struct records_due {};
/// From /sn/rpc and /sn/vouching, when they start -> chain_shown, once there is a chain.
struct window_wanted {};
/// From /sn/vouching and /sn/rpc: a call that this SN makes; see membership::vouch_desk::call, rpc::seat_watch::call.
struct submit_vouching {
  bytes input;
  bool try_first = true;
};
/// From /sn/rpc: transactions of clients, decoded and with their senders -> txns_submitted.
struct submit_txns {
  std::vector<rpc::action::submit> txns;
};

// Understood by /sn/rpc

/// From /sn/api: one JSON-RPC request or batch, as text. Answered by calling `from.send` with the answer,
/// also as text (empty: nothing to say).
struct rpc_request {
  std::string body;
  rpc::caller from;
};
/// From /sn/api: a WebSocket session is gone, and its subscriptions with it.
struct session_gone {
  std::uint64_t session = 0;
};
/// From /sn/chain, when it has opened its chain, and in answer to window_wanted: the window on its chain.
struct chain_shown {
  std::shared_ptr<const ledger::chain_window> chain;
};
/// From /sn/chain: these blocks, one after the other, are on disk, and its window shows them.
struct blocks_final {
  std::vector<ledger::block_ptr> blocks;
};
/// From /sn/chain: answers submit_txns, before any blocks_final with one of them.
struct txns_submitted {
  std::vector<rpc::event::submitted> outcomes;
};
/// From a neighbor's actor: signs of life that the neighbor passes on -> gossip_sign for those that
/// are new here.
struct neighbor_signs {
  consensus::neighbor_id neighbor = 0;
  std::vector<bytes> raw;
  p2p::credit credit;
};
/// From /sn/rpc and from /sn/reader to themselves: they have more to answer.
struct requests_due {};

// Understood by /sn/reader

/// From /sn/rpc: requests that only read. The answers go to the client.
struct read_requests {
  rpc::text_part part;
  std::shared_ptr<const ledger::chain_window> chain;
};

// Understood by /sn/vouching
//
// From /sn/chain: chain_shown, blocks_final.

// Understood by /sn/membership
//
// From /sn/chain: membership::facts_read, no_chain, submitted. From the hub, once a
// second: membership::neighbors_seen.

/// From the shell's own callback, with what the sentinel says of the network.
struct entry_arrived {
  std::shared_ptr<const membership::entry_found> found;
};
/// From /sn/membership to itself: the timer of the machine; `serial` tells a replaced one.
struct membership_due {
  std::uint64_t serial = 0;
};

// Understood by /sn/consensus
//
// From /sn/chain: consensus::work_available, block_built, block_validated, persisted, head_changed. From the
// hub: consensus::neighbor_connected, neighbor_gone.

/// From /sn/chain: answers consensus_wanted.
struct consensus_ready {
  consensus::signing_domain domain;
  consensus::start start;
};
/// From /sn/chain: the whole range is in the chain; `head_changed` came before.
struct range_imported {
  std::uint64_t head_num = 0;
};
/// From /sn/chain: block `block_num` was refused. `blame` says that the block is at fault and not this
/// node's disk.
struct range_refused {
  std::uint64_t block_num = 0;
  bool blame = false;
  error why;
};
/// From /sn/chain: the proved pivot of the snapshot that is being taken, or none. `taken` says that it is
/// the head now.
struct snapshot_pivot {
  std::optional<std::uint64_t> block_num;
  bool taken = false;
};
/// From /sn/chain: this neighbor can give no snapshot.
struct snapshot_useless {
  consensus::neighbor_id neighbor = 0;
};
/// From the connection of a neighbor, directly and not by way of the neighbor's actor: a message
/// of consensus.
struct neighbor_message {
  consensus::neighbor_id neighbor = 0;
  consensus::shared_bytes raw;
  p2p::credit credit;
};
/// From a neighbor's actor: how long the neighbor's chain is.
struct neighbor_head {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t block_num = 0;
  std::optional<hash32> certificate; ///< with the first one of a connection
};
/// From a neighbor's actor: blocks that were asked of the neighbor.
struct neighbor_blocks {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t first = 0;
  std::vector<sync::sealed_block> blocks;
  p2p::credit credit;
};
/// From /sn/consensus to itself: a timer of the QBFT machine; `serial` tells a replaced one.
struct timer_due {
  consensus::timer_name timer;
  std::uint64_t serial = 0;
};

// Understood by the hub, /sn/peers/hub
//
// From /sn/consensus: consensus::broadcast, send_to, send_decided. From /sn/membership:
// membership::action::dial. Messages for the actor of one neighbor are sent here, too, and passed on to it.

/// From /sn/chain: answers network_wanted, and tells of every new head.
struct network_facts {
  consensus::signing_domain domain;
  p2p::head_facts head;
  std::vector<address> validators;
};
/// From /sn/chain: a transaction that the pool took in.
struct gossip_txn {
  bytes raw;
};
/// From /sn/rpc: a sign of life that is new here.
struct gossip_sign {
  bytes raw;
};
/// From the connection of a neighbor: the neighbor is connected. The hub starts an actor for it.
struct neighbor_up {
  consensus::neighbor_id neighbor = 0;
  p2p::neighbor_facts facts;
};
/// From the connection of a neighbor: it is gone. Nothing more comes from it.
struct neighbor_down {
  consensus::neighbor_id neighbor = 0;
  std::string reason;
};
/// From a neighbor's actor, when it starts: from now on messages for the neighbor go to `self`.
struct neighbor_ready {
  consensus::neighbor_id neighbor = 0;
  caf::actor self;
};
/// From the hub to itself: validators are told of the newest head.
struct head_due {};

// Understood by a neighbor's actor, /sn/peers/<account>; sent to the hub
//
// From the connection of the neighbor: neighbor_signs, blocks_wanted, part_wanted, part_found,
// neighbor_blocks, which it hands on. From /sn/consensus and /sn/chain: consensus::penalize. From
// /sn/consensus: sync::action::ask_range -> neighbor_blocks, if the neighbor answers; consensus_wanted
// -> neighbor_head.

/// From the connection of the neighbor: its new head.
struct head_heard {
  consensus::neighbor_id neighbor = 0;
  p2p::head_facts head;
};
/// From /sn/chain: answers blocks_wanted.
struct blocks_found {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  std::vector<sync::sealed_block> blocks;
};
/// From /sn/chain: a question about a snapshot -> part_found, if the neighbor answers.
struct ask_part {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t tag = 0;
  bytes question;
};
/// From /sn/chain: answers part_wanted.
struct part_answer {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  bytes answer;
};

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::name)
SWARM_MESSAGE(actors::rpc_request)
SWARM_MESSAGE(actors::session_gone)
SWARM_MESSAGE(actors::chain_shown)
SWARM_MESSAGE(actors::blocks_final)
SWARM_MESSAGE(actors::txns_submitted)
SWARM_MESSAGE(actors::read_requests)
SWARM_MESSAGE(actors::window_wanted)
SWARM_MESSAGE(actors::submit_txns)
SWARM_MESSAGE(actors::submit_vouching)
SWARM_MESSAGE(actors::consensus_wanted)
SWARM_MESSAGE(actors::import_range)
SWARM_MESSAGE(actors::snapshot_neighbors)
SWARM_MESSAGE(actors::network_wanted)
SWARM_MESSAGE(actors::newcomer)
SWARM_MESSAGE(actors::neighbor_txns)
SWARM_MESSAGE(actors::neighbor_signs)
SWARM_MESSAGE(actors::blocks_wanted)
SWARM_MESSAGE(actors::part_wanted)
SWARM_MESSAGE(actors::part_found)
SWARM_MESSAGE(actors::records_due)
SWARM_MESSAGE(actors::states_due)
SWARM_MESSAGE(actors::requests_due)
SWARM_MESSAGE(actors::entry_arrived)
SWARM_MESSAGE(actors::membership_due)
SWARM_MESSAGE(actors::consensus_ready)
SWARM_MESSAGE(actors::range_imported)
SWARM_MESSAGE(actors::range_refused)
SWARM_MESSAGE(actors::snapshot_pivot)
SWARM_MESSAGE(actors::snapshot_useless)
SWARM_MESSAGE(actors::neighbor_message)
SWARM_MESSAGE(actors::neighbor_head)
SWARM_MESSAGE(actors::neighbor_blocks)
SWARM_MESSAGE(actors::timer_due)
SWARM_MESSAGE(actors::network_facts)
SWARM_MESSAGE(actors::gossip_txn)
SWARM_MESSAGE(actors::gossip_sign)
SWARM_MESSAGE(actors::neighbor_up)
SWARM_MESSAGE(actors::neighbor_down)
SWARM_MESSAGE(actors::neighbor_ready)
SWARM_MESSAGE(actors::head_due)
SWARM_MESSAGE(actors::head_heard)
SWARM_MESSAGE(actors::blocks_found)
SWARM_MESSAGE(actors::ask_part)
SWARM_MESSAGE(actors::part_answer)
SWARM_MESSAGE(membership::facts_read)
SWARM_MESSAGE(membership::no_chain)
SWARM_MESSAGE(membership::neighbors_seen)
SWARM_MESSAGE(membership::double_vote_seen)
SWARM_MESSAGE(membership::submitted)
SWARM_MESSAGE(membership::action::open_chain)
SWARM_MESSAGE(membership::action::read_facts)
SWARM_MESSAGE(membership::action::submit)
SWARM_MESSAGE(membership::action::dial)
SWARM_MESSAGE(consensus::neighbor_connected)
SWARM_MESSAGE(consensus::neighbor_gone)
SWARM_MESSAGE(consensus::work_available)
SWARM_MESSAGE(consensus::block_built)
SWARM_MESSAGE(consensus::block_validated)
SWARM_MESSAGE(consensus::persisted)
SWARM_MESSAGE(consensus::head_changed)
SWARM_MESSAGE(consensus::persist)
SWARM_MESSAGE(consensus::broadcast)
SWARM_MESSAGE(consensus::send_to)
SWARM_MESSAGE(consensus::build_block)
SWARM_MESSAGE(consensus::validate_block)
SWARM_MESSAGE(consensus::commit_block)
SWARM_MESSAGE(consensus::send_decided)
SWARM_MESSAGE(consensus::penalize)
SWARM_MESSAGE(consensus::reentry_seen)
SWARM_MESSAGE(sync::action::ask_range)
#undef SWARM_MESSAGE
