#pragma once

#include "actors/sn/membership/join.hpp"
#include "actors/sn/membership/membership.hpp"
#include "actors/sn/rpc/reader.hpp"
#include "actors/sn/rpc/service.hpp"
#include "actors/supervision/tick.hpp"
#include "ledger/consensus/events.hpp"
#include "ledger/sync/sync_machine.hpp"
#include "transport/p2p/p2p_node.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <string>

/// Messages between /sn/chain, /sn/consensus and /sn/peers. Events and actions of the QBFT machine
/// (ledger/consensus/events.hpp) travel as they are.
namespace swarm::actors {

// -- to /sn/rpc

/// From /sn/api: one JSON-RPC request or batch, as text. Answered by calling `from.send` with the answer, also as
/// text (empty: nothing to say).
struct rpc_request {
  std::string body;
  rpc::caller from;
};
/// From /sn/api: a WebSocket session is gone, its subscriptions with it.
struct session_gone {
  std::uint64_t session = 0;
};
/// From /sn/chain, when it has opened its chain, and in answer to window_wanted: where it can be seen.
struct chain_shown {
  std::shared_ptr<const ledger::chain_window> chain;
};
/// From /sn/chain: these are on disk, one after the other, and its window shows them.
struct blocks_final {
  std::vector<ledger::block_ptr> blocks;
};
/// From /sn/chain: answers submit_txns, before any blocks_final with one of them.
struct txns_submitted {
  std::vector<rpc::event::submitted> outcomes;
};
/// From /sn/rpc and from /sn/reader to themselves: they have more to answer.
struct requests_due {};

// -- to /sn/reader

/// From /sn/rpc: requests that only read. Answered to the client.
struct read_requests {
  rpc::text_part part;
  std::shared_ptr<const ledger::chain_window> chain;
};

// -- to /sn/chain

/// From /sn/rpc, when it starts -> chain_shown, once there is a chain.
struct window_wanted {};
/// From /sn/rpc: transactions of clients, decoded and with their senders -> txns_submitted.
struct submit_txns {
  std::vector<rpc::action::submit> txns;
};
/// /sn/chain to itself: the sentinel is to be asked again.
struct sentinel_due {};

/// From /sn/consensus when it starts: answer with `consensus_ready` once there is a chain.
struct consensus_wanted {};
struct consensus_ready {
  consensus::signing_domain domain;
  consensus::start start;
};
/// A timer of the QBFT machine; `serial` tells a replaced one.
struct timer_due {
  consensus::timer_name timer;
  std::uint64_t serial = 0;
};

/// To /sn/chain: verify and import blocks `first` and up; the records go with the block of the same index.
struct import_range {
  std::uint64_t first = 0;
  std::vector<std::shared_ptr<const sync::sealed_block>> blocks;
  std::vector<std::vector<consensus::record_entry>> records;
};
/// The whole range is in the chain; `head_changed` came before.
struct range_imported {
  std::uint64_t head_num = 0;
};
/// chain -> itself: records that the disk refused are to be tried again.
struct records_due {};
/// Block `block_num` was refused. `blame`: it is the block's fault, not this node's disk's.
struct range_refused {
  std::uint64_t block_num = 0;
  bool blame = false;
  error why;
};

/// What the sentinel at `sn` says of the network.
struct entry_found {
  std::string sn;
  std::shared_ptr<const result<network_entry>> entry;
};

// -- from neighbors: to /sn/consensus

/// `credit` slows the neighbor down while it is held; see transport/p2p/p2p_node.hpp.
struct neighbor_message {
  consensus::neighbor_id neighbor = 0;
  consensus::shared_bytes raw;
  p2p::credit credit;
};
/// How long its chain is.
struct neighbor_head {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t block_num = 0;
  std::optional<hash32> certificate; ///< with the first one of a connection
};
/// Blocks that were asked of it.
struct neighbor_blocks {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t first = 0;
  std::vector<sync::sealed_block> blocks;
  p2p::credit credit;
};

// -- from neighbors: to /sn/chain

struct neighbor_txns {
  std::vector<bytes> raw;
  p2p::credit credit;
};
/// To /sn/rpc: signs of life that a neighbor hands on.
struct neighbor_signs {
  consensus::neighbor_id neighbor = 0;
  std::vector<bytes> raw;
  p2p::credit credit;
};
/// Answer with `blocks_found`.
struct blocks_wanted {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::size_t bytes_max = 0;
};
/// Who is connected, once a second.
struct neighbors_seen {
  std::vector<membership::connected_node> nodes;
};

/// Who is how far ahead, from /sn/consensus, once a second.
struct snapshot_neighbors {
  std::vector<sync::neighbor_claim> all;
  std::vector<sync::neighbor_claim> candidates; ///< so far that a snapshot is to be taken
};
/// A question about a snapshot; answer with `part_answer`.
struct part_wanted {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  bytes question;
  std::size_t bytes_max = 0;
  p2p::credit credit;
};
/// The answer to `ask_part`.
struct part_found {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t tag = 0;
  bytes answer;
  p2p::credit credit;
};

// -- to /sn/consensus

/// The proved pivot of the snapshot that is being taken, or none. `taken`: it is the head now.
struct snapshot_pivot {
  std::optional<std::uint64_t> block_num;
  bool taken = false;
};
/// This neighbor can give no snapshot.
struct snapshot_useless {
  consensus::neighbor_id neighbor = 0;
};

// -- to /sn/peers

struct ask_part {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t tag = 0;
  bytes question;
};
struct part_answer {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  bytes answer;
};

/// From /sn/peers when it starts: answer with `network_facts` once there is a chain.
struct network_wanted {};
struct network_facts {
  consensus::signing_domain domain;
  p2p::head_facts head;
  std::vector<address> validators;
};
struct blocks_found {
  consensus::neighbor_id neighbor = 0;
  std::uint64_t request_id = 0;
  std::vector<sync::sealed_block> blocks;
};
/// A transaction that the pool took in.
struct gossip_txn {
  bytes raw;
};
/// A sign of life that is news here.
struct gossip_sign {
  bytes raw;
};
/// Where SNs listen, as far as the chain or the sentinel knows.
struct dial_neighbors {
  std::vector<std::string> endpoints;
};
/// From /sn/peers to itself: validators are told of the newest head.
struct head_due {};
/// From the shell's own callbacks.
struct neighbor_up {
  consensus::neighbor_id neighbor = 0;
  p2p::neighbor_facts facts;
};
struct neighbor_down {
  consensus::neighbor_id neighbor = 0;
  std::string reason;
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
SWARM_MESSAGE(actors::sentinel_due)
SWARM_MESSAGE(actors::consensus_wanted)
SWARM_MESSAGE(actors::consensus_ready)
SWARM_MESSAGE(actors::timer_due)
SWARM_MESSAGE(actors::import_range)
SWARM_MESSAGE(actors::range_imported)
SWARM_MESSAGE(actors::range_refused)
SWARM_MESSAGE(actors::records_due)
SWARM_MESSAGE(actors::requests_due)
SWARM_MESSAGE(actors::entry_found)
SWARM_MESSAGE(actors::neighbor_message)
SWARM_MESSAGE(actors::neighbor_head)
SWARM_MESSAGE(actors::neighbor_blocks)
SWARM_MESSAGE(actors::neighbor_txns)
SWARM_MESSAGE(actors::neighbor_signs)
SWARM_MESSAGE(actors::gossip_sign)
SWARM_MESSAGE(actors::blocks_wanted)
SWARM_MESSAGE(actors::neighbors_seen)
SWARM_MESSAGE(actors::snapshot_neighbors)
SWARM_MESSAGE(actors::part_wanted)
SWARM_MESSAGE(actors::part_found)
SWARM_MESSAGE(actors::snapshot_pivot)
SWARM_MESSAGE(actors::snapshot_useless)
SWARM_MESSAGE(actors::ask_part)
SWARM_MESSAGE(actors::part_answer)
SWARM_MESSAGE(actors::network_wanted)
SWARM_MESSAGE(actors::network_facts)
SWARM_MESSAGE(actors::blocks_found)
SWARM_MESSAGE(actors::gossip_txn)
SWARM_MESSAGE(actors::dial_neighbors)
SWARM_MESSAGE(actors::head_due)
SWARM_MESSAGE(actors::neighbor_up)
SWARM_MESSAGE(actors::neighbor_down)
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
SWARM_MESSAGE(sync::action::ask_range)
#undef SWARM_MESSAGE
