#pragma once

#include <string_view>

namespace swarm::ledger {

/// Why a block, candidate or question is refused; headers, transactions and pool keep their own categories.
enum class chain_errc {
  unknown_parent = 1, ///< not on top of the head
  stale_candidate,    ///< made on top of a block that is no longer the head
  txns_root,          ///< the header's root is not that of the transactions
  state_root,         ///< the header's root is not that of the state after executing them
  receipts_root,      ///< the header's root is not that of the receipts
  logs_bloom,         ///< the header's bloom is not that of the logs
  gas_used,           ///< the header's gas is not what was used
  txn_not_executable, ///< holds a transaction whose nonce, gas or kind does not fit
  unknown_block,      ///< asked for the state of a block that is not there
  bad_genesis,        ///< genesis parameters that make no chain
  no_chain,           ///< the directory holds none, and there are no parameters to make one
  other_chain,        ///< the directory holds the chain of other parameters or contracts
  other_version,      ///< the chain was made by a swarmd of another version, which has other rules
  bad_filter,         ///< a log filter that is reversed or too wide
  history_missing,    ///< a block that a snapshot skipped and that is not fetched yet
  state_missing,      ///< the state after such a block, which is never fetched
  unknown_rules,      ///< the next block follows rules of a version that this program does not know
  too_many_logs,      ///< more results than `logs_max`, or blocks than `log_blocks_max`
};

constexpr std::string_view error_category(chain_errc) {
  return "chain";
}

} // namespace swarm::ledger
