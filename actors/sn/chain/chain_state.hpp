#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "base/back_off.hpp"
#include "ledger/snapshot/snapshot_driver.hpp"
#include "ledger/snapshot/snapshot_server.hpp"

#include <deque>

namespace swarm::actors {

/// What /sn/chain keeps. Belongs to its thread.
struct chain_state {
  explicit chain_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    if (!chain) return "there is no chain yet";
    if (!trouble.empty()) return trouble;
    const auto& head = *chain->head();
    auto out = fmt::format("block {}, {} transactions wait", head.header.block_num, chain->stats().pool_txns);
    if (const auto line = snapshot->status_line(); !line.empty()) out += ", " + line;
    return out;
  }
  boost::json::object summary() const;
  std::string detail_json() const { return chain ? boost::json::serialize(summary()) : std::string{}; }

  std::shared_ptr<const sn_context> context;
  std::unique_ptr<ledger::chain> chain;
  std::unique_ptr<sync::snapshot_driver> snapshot;
  std::unique_ptr<sync::snapshot_server> server; ///< of snapshots to others
  sync::part_pacer pacer;                        ///< of what it takes
  bool pivot_told = false;                       ///< to /sn/consensus, and which
  std::optional<std::uint64_t> told_pivot;
  bool newcomers = false;                   ///< SNs connected that may lack what waits in the pool
  bool told_of_work = false;                ///< since the head changed
  ledger::candidate_ptr built;              ///< the last one this node made
  ledger::candidate_ptr validated;          ///< the last one of another that was found good
  std::string trouble;                      ///< with the disk
  std::deque<consensus::persist> unwritten; ///< records of consensus that the disk has not taken yet
};

boost::json::object snapshot_json(const sync::snapshot_driver& of);

/// Opens the chain of the data directory; `genesis` is for a directory that has none. Errors: those of
/// ledger::chain::open, no_chain among them.
result<> open_chain(chain_state& s, std::optional<ledger::genesis_params> genesis,
                    std::function<void(const ledger::transaction&)> on_accepted);

/// Puts a transaction of this node into the pool. Errors: those of `chain::submit`; with `try_first`,
/// errc::denied with the contract's reason.
result<> submit_own(chain_state& s, const membership::action::submit& what);

} // namespace swarm::actors
