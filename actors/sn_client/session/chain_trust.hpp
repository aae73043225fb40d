#pragma once

#include "actors/sn_client/session/json_rpc.hpp"
#include "ledger/proof/light_chain.hpp"
#include "ledger/proof/witness.hpp"

#include <memory>
#include <optional>

namespace swarm::session {

/// What a node believes of its chain: what is proved from the genesis block on. Views are executed here, over
/// what an SN shows of the state; no answer of an SN is one by itself. No I/O.
class chain_trust {
public:
  /// Without a genesis block the first one that an SN shows is believed.
  explicit chain_trust(std::optional<hash32> genesis);

  /// The changes of validators that this node does not know yet.
  rpc_call question() const;
  /// The answer to that. True: there may be more, to be asked for. Any error is a lie, or another network.
  result<bool> take(std::uint64_t chain_id, const boost::json::value& response);
  /// The chain, once its genesis block is known.
  const ledger::light_chain* chain() const { return chain_ ? &*chain_ : nullptr; }
  const std::optional<hash32>& genesis() const { return genesis_; }

  /// Whether a batch has views in it.
  static bool has_views(const std::vector<rpc_call>& calls);
  /// A batch as an SN is asked it.
  struct proof_request {
    std::vector<rpc_call> sent;
    ledger::known_witness_ptr has; ///< what it need not show
  };
  /// All views of a batch in one call, which is the last one, and no question for the head, which follows
  /// from that.
  proof_request to_prove(const std::vector<rpc_call>& calls) const;
  /// The responses to `calls` by those to `to_prove(calls)`, which also said what this node `has`. An SN that
  /// says no says so to each view. Errors are those of light_chain::open and ledger::execute_witnessed.
  result<std::vector<boost::json::value>> check(const std::vector<rpc_call>& calls,
                                                std::vector<boost::json::value> responses,
                                                const ledger::known_witness_ptr& has);

  /// What is to be asked for to know how a transaction ended, by its encoding.
  static rpc_call receipt_question(bytes_view txn);
  struct txn_end {
    bool ok = false;
    std::uint64_t block_num = 0;
  };
  /// The answer to that. proof_errc::old_head: this node does not know who had to seal the block, which is nobody's
  /// lie; the other errors are those of light_chain::open_past and ledger::check_receipt_proof.
  result<txn_end> check_receipt(const std::string& shown, bytes_view txn);

  struct freshness {
    std::size_t needed = 0; ///< so many that one of them is honest
    std::size_t shown =
        0; ///< validators who said lately that their chain ends at this node's highest head or before
    bool enough() const { return shown >= needed; }
  };
  /// What the validators' signs of life, an answer to swarm_validatorSigns, say of the highest head.
  freshness fresh_by(const boost::json::value& signs, std::uint64_t unix_ms,
                     std::uint64_t tolerance_ms) const;

private:
  struct proved {
    std::uint64_t block_num = 0;
    std::vector<ledger::call_result> views;
  };
  result<proved> execute(const std::vector<rpc_call>& calls, const std::string& shown,
                         const ledger::known_witness_ptr& has);

  std::optional<hash32> genesis_;
  std::optional<ledger::light_chain> chain_;
  ledger::witness_memory witnesses_;
  std::shared_ptr<const ledger::contract_table> contracts_;
};

} // namespace swarm::session
