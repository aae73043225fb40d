#pragma once

#include "actors/metrics/registry.hpp"
#include "ledger/chain/chain.hpp"
#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/sync/sync_machine.hpp"
#include "transport/p2p/p2p_node.hpp"
#include "transport/tls/tls_identity.hpp"

#include <map>
#include <optional>

/// What the actors of an SN tell /metrics (actors/metrics/series.hpp), each from its own thread.
namespace swarm::actors {

/// Of /sn/chain.
class chain_metrics {
public:
  chain_metrics(metrics::registry& to, const std::string& node,
                std::shared_ptr<const transport::tls_identity> identity);
  /// The chain has these new blocks.
  void got(const std::vector<ledger::block_ptr>& blocks, const ledger::chain& chain, time_point now);
  /// About once a second.
  void look(const ledger::chain& chain, std::size_t proved_liars);
  /// A client's transaction was refused.
  void refused(const error& why);

private:
  std::shared_ptr<const transport::tls_identity> identity_;
  metrics::gauge block_num_, timestamp_, pool_txns_, pool_bytes_, store_bytes_, store_memory_, liars_,
      expiry_, authority_expiry_;
  metrics::counter txns_;
  metrics::histogram interval_, commit_, sync_;
  std::map<std::string_view, metrics::counter> refused_;
  std::optional<time_point> last_block_;
};

/// Of /sn/consensus.
class consensus_metrics {
public:
  consensus_metrics(metrics::registry& to, const std::string& node);
  void look(const consensus::machine_status& status, std::size_t validators, const sync::sync_machine& sync);

private:
  metrics::gauge round_, validators_, quorum_, best_known_;
  metrics::counter late_votes_;
  std::uint64_t told_ = 0; ///< of the machine's count of them
};

/// Of the hub of /sn/peers.
class hub_metrics {
public:
  hub_metrics(metrics::registry& to, const std::string& node, std::size_t peers_max);
  void look(const p2p::p2p_status& status, const std::vector<address>& validators, const address& self);

private:
  struct bytes_of {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  metrics::gauge peers_, missing_;
  metrics::counter in_, out_;
  std::map<p2p::neighbor_id, bytes_of> told_; ///< of the connections that there are
};

} // namespace swarm::actors
