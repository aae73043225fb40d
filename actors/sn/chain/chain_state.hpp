#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/rpc/service.hpp"
#include "actors/sn/sn_context.hpp"
#include "base/back_off.hpp"
#include "ledger/snapshot/snapshot_driver.hpp"
#include "ledger/snapshot/snapshot_server.hpp"
#include "transport/http/http_client.hpp"

#include <deque>

namespace swarm::actors {

/// What /sn/chain keeps. Belongs to its thread.
struct chain_state {
  explicit chain_state(std::shared_ptr<const sn_context> from);

  std::string status() const {
    if (!chain) return "asking the sentinel for the chain";
    if (!trouble.empty()) return trouble;
    const auto& head = *chain->head();
    auto out = fmt::format("block {}, {} transactions wait, {} subscriptions", head.header.block_num,
                           chain->stats().pool_txns, service->subscriptions());
    if (const auto line = snapshot->status_line(); !line.empty()) out += ", " + line;
    return out;
  }
  boost::json::object summary() const;
  std::string detail_json() const { return chain ? boost::json::serialize(summary()) : std::string{}; }

  std::shared_ptr<const sn_context> context;
  std::unique_ptr<ledger::chain> chain;
  std::unique_ptr<rpc::service> service;
  std::unique_ptr<sync::snapshot_driver> snapshot;
  std::unique_ptr<sync::snapshot_server> server; ///< of snapshots to others
  sync::part_pacer pacer;                        ///< of what it takes
  bool pivot_told = false;                       ///< to /sn/consensus, and which
  std::optional<std::uint64_t> told_pivot;
  std::shared_ptr<transport::http_client> client; ///< while the sentinel is asked for the chain
  back_off pause;
  std::vector<membership::connected_node> neighbors;
  std::map<address, time_point> last_seen;  ///< members of the validators
  bool told_of_work = false;                ///< since the head changed
  ledger::candidate_ptr built;              ///< the last one this node made
  ledger::candidate_ptr validated;          ///< the last one of another that was found good
  std::string trouble;                      ///< with the disk
  std::deque<consensus::persist> unwritten; ///< records of consensus that the disk has not taken yet
  bool requests_due = false;                ///< of JSON-RPC, with a message that is on its way
  bool leaving = false;                     ///< by the operator's wish; until the next start
  unsigned upkeeps = 0;
  std::uint64_t last_serial = 0; ///< of this node's signs of life
};

boost::json::object snapshot_json(const sync::snapshot_driver& of);

/// Opens the chain of the data directory; `genesis` is for a directory that has none. Errors: those of
/// ledger::chain::open, no_chain among them.
result<> open_chain(chain_state& s, std::optional<ledger::genesis_params> genesis,
                    std::function<void(const ledger::transaction&)> on_accepted);

/// Registers this SN and makes the training contracts that its operator named, where the chain lacks them. To
/// be repeated until it has nothing left to do.
result<> introduce_self(chain_state& s);

/// Sends this validator's next vote on who else should be one (membership.hpp), unless one is under way.
result<> vote_on_members(chain_state& s, time_point now);

/// Takes this SN out of the registry and, if it is one, out of the validators, for good. To be repeated until
/// it answers that it has left: {"left", "block_num"}. Errors: the chain refuses, as the last validator
/// cannot leave.
result<boost::json::object> leave_network(chain_state& s);

/// Where the SNs of the registry listen for each other.
std::vector<std::string> p2p_endpoints(const chain_state& s);

} // namespace swarm::actors
