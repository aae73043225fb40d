#include "actors/sn/rpc/format.hpp"

#include "actors/sn/rpc/params.hpp"

namespace swarm::rpc {

namespace json = boost::json;

namespace {

json::string hex(bytes_view raw) {
  return json::string(to_hex(raw));
}

json::object access_entry_json(const ledger::access_entry& entry) {
  json::array slots;
  for (const auto& slot : entry.slots)
    slots.emplace_back(hex(slot.view()));
  return {{"address", hex(entry.account.view())}, {"storageKeys", std::move(slots)}};
}

/// The fields that a transaction has whether it is in a block or waits.
json::object txn_fields_json(const ledger::transaction& txn) {
  const auto& fields = txn.fields();
  const auto& signature = txn.signature();
  hash32 r, s;
  std::copy_n(signature.begin(), 32, r.begin());
  std::copy_n(signature.begin() + 32, 32, s.begin());
  json::object out{{"hash", hex(txn.hash().view())},
                   {"type", quantity(static_cast<std::uint64_t>(fields.type))},
                   {"chainId", quantity(txn.chain_id())},
                   {"nonce", quantity(fields.nonce)},
                   {"from", hex(txn.sender().view())},
                   {"to", fields.to ? json::value(hex(fields.to->view())) : json::value(nullptr)},
                   {"value", quantity(fields.value)},
                   {"gas", quantity(fields.gas_limit)},
                   {"input", hex(fields.data)},
                   {"v", quantity(txn.v())},
                   {"r", quantity(u256(r))},
                   {"s", quantity(u256(s))}};
  if (fields.type != ledger::txn_type::legacy) {
    out["yParity"] = quantity(txn.v());
    json::array list;
    for (const auto& entry : fields.access_list)
      list.push_back(access_entry_json(entry));
    out["accessList"] = std::move(list);
  }
  out["gasPrice"] = quantity(fields.max_fee);
  if (fields.type == ledger::txn_type::dynamic_fee) {
    out["maxFeePerGas"] = quantity(fields.max_fee);
    out["maxPriorityFeePerGas"] = quantity(fields.max_priority_fee);
    out["gasPrice"] =
        quantity(fields.max_priority_fee); // the base fee is zero, so the tip is the whole price
  }
  return out;
}

} // namespace

json::object header_json(const ledger::executed_block& block) {
  const auto& header = block.header;
  return {{"number", quantity(header.block_num)},
          {"hash", hex(block.hash.view())},
          {"parentHash", hex(header.parent_hash.view())},
          {"sha3Uncles", hex(header.ommers_hash.view())},
          {"miner", hex(header.coinbase.view())},
          {"stateRoot", hex(header.state_root.view())},
          {"transactionsRoot", hex(header.txns_root.view())},
          {"receiptsRoot", hex(header.receipts_root.view())},
          {"logsBloom", hex(header.logs_bloom.view())},
          {"difficulty", quantity(header.difficulty)},
          {"gasLimit", quantity(header.gas_limit)},
          {"gasUsed", quantity(header.gas_used)},
          {"timestamp", quantity(header.timestamp)},
          {"extraData", hex(header.extra_data)},
          {"mixHash", hex(header.mix_hash.view())},
          {"nonce", hex(header.nonce.view())},
          {"baseFeePerGas", quantity(header.base_fee)}};
}

json::object block_json(const ledger::executed_block& block, bool full_txns) {
  auto out = header_json(block);
  json::array txns;
  for (std::size_t i = 0; i < block.txns.size(); ++i) {
    if (full_txns) {
      txns.emplace_back(txn_json(block, i));
    } else {
      txns.emplace_back(hex(block.txns[i].hash().view()));
    }
  }
  out["size"] = quantity(block.encoded_size);
  out["totalDifficulty"] = quantity(block.header.block_num + 1);
  out["uncles"] = json::array{};
  out["transactions"] = std::move(txns);
  return out;
}

json::object txn_json(const ledger::executed_block& block, std::size_t index) {
  auto out = txn_fields_json(block.txns.at(index));
  out["blockHash"] = hex(block.hash.view());
  out["blockNumber"] = quantity(block.header.block_num);
  out["transactionIndex"] = quantity(index);
  return out;
}

json::object pending_txn_json(const ledger::transaction& txn) {
  auto out = txn_fields_json(txn);
  out["blockHash"] = out["blockNumber"] = out["transactionIndex"] = nullptr;
  return out;
}

json::object log_json(const ledger::log_hit& hit) {
  json::array topics;
  for (const auto& topic : hit.entry.topics)
    topics.emplace_back(hex(topic.view()));
  return {{"address", hex(hit.entry.emitter.view())},
          {"topics", std::move(topics)},
          {"data", hex(hit.entry.data)},
          {"blockHash", hex(hit.block_hash.view())},
          {"blockNumber", quantity(hit.block_num)},
          {"transactionHash", hex(hit.txn_hash.view())},
          {"transactionIndex", quantity(hit.txn_index)},
          {"logIndex", quantity(hit.log_index)},
          {"removed", false}};
}

std::vector<ledger::log_hit> matching_logs(const ledger::executed_block& block,
                                           const ledger::log_filter& filter) {
  std::vector<ledger::log_hit> out;
  std::uint64_t log_index = 0;
  for (std::size_t i = 0; i < block.txns.size(); ++i) {
    for (const auto& entry : block.outcomes[i].consensus.logs) {
      if (filter.matches(entry))
        out.push_back({entry, block.header.block_num, block.hash, block.txns[i].hash(), i, log_index});
      ++log_index;
    }
  }
  return out;
}

json::object receipt_json(const ledger::executed_block& block, std::size_t index) {
  const auto& txn = block.txns.at(index);
  const auto& outcome = block.outcomes.at(index);
  const auto& fields = txn.fields();
  json::array logs;
  auto log_index = block.first_log_index(index);
  for (const auto& entry : outcome.consensus.logs)
    logs.push_back(log_json({entry, block.header.block_num, block.hash, txn.hash(), index, log_index++}));
  json::object out{{"transactionHash", hex(txn.hash().view())},
                   {"transactionIndex", quantity(index)},
                   {"blockHash", hex(block.hash.view())},
                   {"blockNumber", quantity(block.header.block_num)},
                   {"from", hex(txn.sender().view())},
                   {"to", fields.to ? json::value(hex(fields.to->view())) : json::value(nullptr)},
                   {"contractAddress", nullptr},
                   {"cumulativeGasUsed", quantity(outcome.consensus.cumulative_gas_used)},
                   {"gasUsed", quantity(outcome.gas_used)},
                   {"effectiveGasPrice", quantity(fields.max_priority_fee)},
                   {"logs", std::move(logs)},
                   {"logsBloom", hex(ledger::bloom_of(outcome.consensus.logs).view())},
                   {"status", outcome.consensus.ok ? "0x1" : "0x0"},
                   {"type", quantity(static_cast<std::uint64_t>(fields.type))}};
  if (!outcome.revert_output.empty()) out["revertReason"] = hex(outcome.revert_output);
  return out;
}

json::object proof_json(const address& who, const ledger::account_proof& proof) {
  const auto nodes_json = [](const std::vector<bytes>& nodes) {
    json::array out;
    for (const auto& node : nodes)
      out.emplace_back(hex(node));
    return out;
  };
  json::array slots;
  for (const auto& slot : proof.slots)
    slots.push_back(json::object{{"key", hex(slot.key.view())},
                                 {"value", quantity(u256(slot.value))},
                                 {"proof", nodes_json(slot.nodes)}});
  return {{"address", hex(who.view())},
          {"accountProof", nodes_json(proof.nodes)},
          {"balance", quantity(proof.item.balance)},
          {"codeHash", hex(proof.item.code_hash.view())},
          {"nonce", quantity(proof.item.nonce)},
          {"storageHash", hex(proof.item.storage_root.view())},
          {"storageProof", std::move(slots)}};
}

} // namespace swarm::rpc
