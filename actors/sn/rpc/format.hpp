#pragma once

#include "ledger/chain/executed_block.hpp"
#include "ledger/chain/log_filter.hpp"
#include "ledger/state/account.hpp"

#include <boost/json.hpp>

/// The ledger's objects in the form of the execution API.
namespace swarm::rpc {

boost::json::object block_json(const ledger::executed_block& block, bool full_txns);
boost::json::object header_json(const ledger::executed_block& block);
boost::json::object txn_json(const ledger::executed_block& block, std::size_t index);
/// A transaction that waits: its block fields are null.
boost::json::object pending_txn_json(const ledger::transaction& txn);
/// A receipt, with Besu's field `revertReason` when the transaction failed with one.
boost::json::object receipt_json(const ledger::executed_block& block, std::size_t index);
boost::json::object log_json(const ledger::log_hit& hit);
/// The logs of one block that a filter matches (its block range is ignored).
std::vector<ledger::log_hit> matching_logs(const ledger::executed_block& block,
                                           const ledger::log_filter& filter);
boost::json::object proof_json(const address& who, const ledger::account_proof& proof);

} // namespace swarm::rpc
