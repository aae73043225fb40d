#pragma once

#include "actors/sn/chain/double_votes.hpp"
#include "actors/sn/chain/reentries.hpp"
#include "actors/sn/membership/chain_facts.hpp"
#include "actors/sn/membership/pool_rule.hpp"
#include "actors/sn/membership/registration_judge.hpp"
#include "actors/sn/membership/vouching/organisation_budget.hpp"
#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "actors/sn/sn_metrics.hpp"
#include "base/back_off.hpp"
#include "ledger/snapshot/snapshot_driver.hpp"
#include "ledger/snapshot/snapshot_server.hpp"

#include <deque>

namespace swarm::actors {

/// The state of /sn/chain, which belongs to its thread.
struct chain_state {
  explicit chain_state(std::shared_ptr<const sn_context> from)
      : context(std::move(from)), judge(context->identity, context->members) {}

  std::string status() const {
    if (!chain || !snapshot) return "there is no chain yet"; // or it was not opened to the end
    if (!trouble.empty()) return trouble;
    const auto& head = *chain->head();
    auto out = fmt::format("block {}, {} transactions wait", head.header.block_num, chain->stats().pool_txns);
    if (const auto line = snapshot->status_line(); !line.empty()) out += ", " + line;
    for (const auto& [who, one] : double_votes)
      out += fmt::format("; {} {} lost its seat for two different votes", to_hex(who.view()), one.node.who());
    return out + reentered.status_line(head.header.block_num);
  }
  boost::json::object summary() const;
  std::string detail_json() const {
    return chain && snapshot ? boost::json::serialize(summary()) : std::string{};
  }

  std::shared_ptr<const sn_context> context;
  /// Whether the pool takes the registration of who is no member.
  result<> judge_registration(const contracts::register_node_args& args, const address& sender);
  result<> room_for_one_more(contracts::organisation_id organisation, contracts::node_type role);

  membership::registration_judge judge; ///< of the proofs of those who are no members
  /// Registrations of newcomers, as each takes room on the chain for ever.
  vouching::organisation_budget newcomers_budget{512, 2};
  std::uint64_t registrations_refused =
      0; ///< of organisations that have enough nodes, or ask for too many at once
  std::string last_registration_refused;                           ///< in words
  vouching::organisation_budget told_of_registrations{1, 1. / 60}; ///< lines of the log
  membership::pool_rule pool_rule{[this](const contracts::register_node_args& args, const address& sender) {
    return judge_registration(args, sender);
  }};
  std::unique_ptr<ledger::chain> chain;
  std::unique_ptr<sync::snapshot_driver> snapshot;
  std::unique_ptr<sync::snapshot_server> server; ///< gives snapshots to others
  sync::part_pacer pacer;                        ///< bounds the time that this takes
  bool pivot_told = false;                       ///< /sn/consensus was told of a pivot
  std::optional<std::uint64_t> told_pivot;
  membership::known_registry known_registry;
  bool newcomers = false;       ///< SNs connected that may lack what waits in the pool
  bool told_of_work = false;    ///< since the head changed
  convicted_map double_votes;   ///< validators that lost their seats for them
  std::vector<address> resting; ///< validators whose turns come last, as consensus was told
  reentries reentered;
  std::optional<chain_metrics> metrics;     ///< there from its first message on
  std::uint64_t warned_of_rules = 0;        ///< the version that the operator was told of
  ledger::candidate_ptr built;              ///< the last block that this node made
  ledger::candidate_ptr validated;          ///< the last good block of another node
  std::string trouble;                      ///< trouble with the disk, in words
  std::string prune_trouble;                ///< the last one in giving up states, as it was logged
  std::deque<consensus::persist> unwritten; ///< records of consensus that the disk has not taken yet
};

boost::json::object snapshot_json(const sync::snapshot_driver& of);

/// Opens the chain of the data directory; `genesis` is for a directory that has none. Errors are those of
/// ledger::chain::open, no_chain among them.
result<> open_chain(chain_state& s, std::optional<ledger::genesis_params> genesis,
                    std::function<void(const ledger::transaction&)> on_accepted);

/// Puts a transaction of this node into the pool and returns its hash. Errors are those of `chain::submit` and, with `try_first`,
/// errc::denied with the contract's reason.
result<hash32> submit_own(chain_state& s, const membership::action::submit& what);

/// What membership wants to know of the chain, which is there.
result<membership::chain_facts> facts_for(chain_state& s, const membership::action::read_facts& what);

/// What the hub is told of the chain.
network_facts facts_of(const chain_state& s, std::vector<address> validators);

/// Tells the operator that another one has his validator vote again.
void show_reentry(chain_state& s, const consensus::reentry_seen& what);

/// The blocks that a neighbor wants, as many as are here and fit.
blocks_found blocks_for(const ledger::chain& chain, const blocks_wanted& what);

} // namespace swarm::actors
