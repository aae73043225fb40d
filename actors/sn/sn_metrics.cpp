#include "actors/sn/sn_metrics.hpp"

#include "actors/metrics/series.hpp"
#include "ledger/chain/mempool_rules.hpp"
#include "ledger/consensus/quorum.hpp"

#include <algorithm>
#include <array>

namespace swarm::actors {

namespace {

/// Why a pool refuses, as a label. Anything else is wrong with the transaction itself.
constexpr std::array<std::pair<ledger::pool_errc, std::string_view>, 6> pool_reasons{
    {{ledger::pool_errc::already_known, "already_known"},
     {ledger::pool_errc::nonce_gap, "nonce_gap"},
     {ledger::pool_errc::replacement, "replacement"},
     {ledger::pool_errc::sender_full, "sender_full"},
     {ledger::pool_errc::pool_full, "pool_full"},
     {ledger::pool_errc::no_member, "no_member"}}};
constexpr std::string_view other_reason = "bad_transaction";

} // namespace

chain_metrics::chain_metrics(metrics::registry& to, const std::string& node,
                             std::shared_ptr<const transport::tls_identity> identity)
    : identity_(std::move(identity)), block_num_(to.gauge_of(metrics::block_num, {{"node", node}})),
      timestamp_(to.gauge_of(metrics::block_timestamp, {{"node", node}})),
      pool_txns_(to.gauge_of(metrics::pool_transactions, {{"node", node}})),
      pool_bytes_(to.gauge_of(metrics::pool_bytes, {{"node", node}})),
      store_bytes_(to.gauge_of(metrics::store_bytes, {{"node", node}})),
      store_memory_(to.gauge_of(metrics::store_memory, {{"node", node}})),
      liars_(to.gauge_of(metrics::byzantine_validators, {{"node", node}})),
      expiry_(to.gauge_of(metrics::certificate_expiry, {{"node", node}, {"use", "own"}})),
      authority_expiry_(to.gauge_of(metrics::certificate_expiry, {{"node", node}, {"use", "authority"}})),
      txns_(to.counter_of(metrics::block_transactions, {{"node", node}})),
      interval_(to.histogram_of(metrics::block_interval, {{"node", node}})),
      commit_(to.histogram_of(metrics::commit, {{"node", node}})),
      sync_(to.histogram_of(metrics::store_sync, {{"node", node}})) {
  const auto add = [&](std::string_view reason) {
    refused_.emplace(
        reason, to.counter_of(metrics::pool_rejected, {{"node", node}, {"reason", std::string(reason)}}));
  };
  for (const auto& [code, reason] : pool_reasons)
    add(reason);
  add(other_reason);
}

void chain_metrics::got(const std::vector<ledger::block_ptr>& blocks, const ledger::chain& chain,
                        time_point now) {
  for (const auto& block : blocks)
    txns_.add(static_cast<double>(block->txns.size()));
  // Those of a node that catches up come together, and say nothing of how often there are blocks.
  if (blocks.size() == 1 && last_block_) interval_.observe(now - *last_block_);
  last_block_ = now;
  const auto took = chain.stats().last_block;
  commit_.observe(took.execute + took.roots + took.write);
  sync_.observe(took.write);
}

void chain_metrics::look(const ledger::chain& chain, std::size_t proved_liars) {
  const auto& head = chain.head()->header;
  const auto stats = chain.stats();
  block_num_.set(static_cast<double>(head.block_num));
  timestamp_.set(static_cast<double>(head.timestamp));
  pool_txns_.set(static_cast<double>(stats.pool_txns));
  pool_bytes_.set(static_cast<double>(stats.pool_bytes));
  store_bytes_.set(static_cast<double>(stats.store_bytes));
  store_memory_.set(static_cast<double>(stats.store_memory_bytes));
  liars_.set(static_cast<double>(proved_liars));
  expiry_.set(static_cast<double>(identity_->not_after()));
  authority_expiry_.set(static_cast<double>(identity_->anchor()->not_after));
}

void chain_metrics::refused(const error& why) {
  const auto found = std::ranges::find_if(pool_reasons, [&](const auto& each) { return why.is(each.first); });
  refused_.at(found == pool_reasons.end() ? other_reason : found->second).add();
}

consensus_metrics::consensus_metrics(metrics::registry& to, const std::string& node)
    : round_(to.gauge_of(metrics::consensus_round, {{"node", node}})),
      validators_(to.gauge_of(metrics::validators, {{"node", node}})),
      quorum_(to.gauge_of(metrics::quorum, {{"node", node}})),
      best_known_(to.gauge_of(metrics::best_known_block, {{"node", node}})),
      late_votes_(to.counter_of(metrics::late_votes, {{"node", node}})) {}

void consensus_metrics::look(const consensus::machine_status& status, std::size_t validators,
                             const sync::sync_machine& sync) {
  round_.set(static_cast<double>(status.round_num));
  validators_.set(static_cast<double>(validators));
  quorum_.set(static_cast<double>(consensus::quorum_of(validators)));
  if (status.late_votes > told_) late_votes_.add(static_cast<double>(status.late_votes - told_));
  told_ = status.late_votes;
  auto best = status.block_num == 0 ? 0 : status.block_num - 1; // the one before that which is being agreed
  for (const auto& claim : sync.claims())
    best = std::max(best, claim.block_num);
  best_known_.set(static_cast<double>(best));
}

hub_metrics::hub_metrics(metrics::registry& to, const std::string& node, std::size_t peers_max)
    : peers_(to.gauge_of(metrics::peer_count, {{"node", node}})),
      missing_(to.gauge_of(metrics::missing_validators, {{"node", node}})),
      in_(to.counter_of(metrics::p2p_bytes, {{"node", node}, {"direction", "in"}})),
      out_(to.counter_of(metrics::p2p_bytes, {{"node", node}, {"direction", "out"}})) {
  to.gauge_of(metrics::peer_limit, {{"node", node}}).set(static_cast<double>(peers_max));
}

void hub_metrics::look(const p2p::p2p_status& status, const std::vector<address>& validators,
                       const address& self) {
  peers_.set(static_cast<double>(status.neighbors.size()));
  const auto is_here = [&](const address& who) {
    return who == self || std::ranges::any_of(status.neighbors, [&](const auto& one) {
             return one.facts.account == who;
           });
  };
  missing_.set(static_cast<double>(
      std::ranges::count_if(validators, [&](const address& who) { return !is_here(who); })));
  std::map<p2p::neighbor_id, bytes_of> now;
  for (const auto& neighbor : status.neighbors) {
    const auto before = told_.find(neighbor.id);
    const auto had = before == told_.end() ? bytes_of{} : before->second;
    in_.add(static_cast<double>(neighbor.bytes_in - had.in));
    out_.add(static_cast<double>(neighbor.bytes_out - had.out));
    now[neighbor.id] = {neighbor.bytes_in, neighbor.bytes_out};
  }
  told_ = std::move(now);
}

} // namespace swarm::actors
