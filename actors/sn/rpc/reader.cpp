#include "actors/sn/rpc/reader.hpp"

namespace swarm::rpc {

const std::map<std::string_view, reader::handler>& reader::methods() {
  static const std::map<std::string_view, handler> table{
      {"web3_sha3", &reader::sha3},
      {"eth_feeHistory", &reader::fee_history},
      {"eth_getBlockByNumber", &reader::block_by_number},
      {"eth_getBlockByHash", &reader::block_by_hash},
      {"eth_getBlockReceipts", &reader::block_receipts},
      {"eth_getBlockTransactionCountByNumber", &reader::block_txn_count_by_number},
      {"eth_getBlockTransactionCountByHash", &reader::block_txn_count_by_hash},
      {"eth_getUncleCountByBlockNumber", &reader::uncle_count_by_number},
      {"eth_getUncleCountByBlockHash", &reader::uncle_count_by_hash},
      {"eth_getTransactionByBlockNumberAndIndex", &reader::txn_by_block_number},
      {"eth_getTransactionByBlockHashAndIndex", &reader::txn_by_block_hash},
      {"eth_getTransactionByHash", &reader::txn_by_hash},
      {"eth_getTransactionReceipt", &reader::txn_receipt},
      {"eth_getTransactionCount", &reader::txn_count},
      {"eth_getBalance", &reader::balance},
      {"eth_getCode", &reader::code},
      {"eth_getStorageAt", &reader::storage_at},
      {"eth_getProof", &reader::proof},
      {"swarm_proveMerge", &reader::prove_merge},
      {"swarm_provedCall", &reader::proved_call},
      {"swarm_provedReceipt", &reader::proved_receipt},
      {"swarm_validatorChanges", &reader::validator_changes},
      {"eth_call", &reader::call},
      {"eth_estimateGas", &reader::estimate_gas},
      {"eth_getLogs", &reader::logs},
      {"eth_newFilter", &reader::new_filter},
      {"eth_newBlockFilter", &reader::new_block_filter},
      {"eth_getFilterChanges", &reader::filter_changes},
      {"eth_getFilterLogs", &reader::filter_logs},
      {"eth_uninstallFilter", &reader::uninstall_filter},
  };
  return table;
}

bool reader::answers(std::string_view method) {
  return methods().contains(method);
}

void reader::step(text_part part, std::shared_ptr<const ledger::chain_window> chain, time_point now) {
  const bool idle = !busy();
  const auto from = part.from().of();
  queue_.push(from, {std::move(part), std::move(chain)});
  if (idle) go_on(now);
}

std::optional<text_part> reader::next() {
  auto taken = queue_.pop();
  chain_ = std::move(taken.chain);
  return std::move(taken.part);
}

void reader::run(std::string_view method, const params& given, const reply& to) {
  view_ = chain_->view();
  to((this->*methods().at(method))(given, to.from()), now_);
}

} // namespace swarm::rpc
