#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/reader.hpp"
#include "base/hash.hpp"
#include "contracts/training/client.hpp"

namespace swarm::rpc {

namespace json = boost::json;

// About the chain

method_result reader::sha3(const params& given, const caller&) {
  SWARM_TRY(const auto data, given.raw(0, "data"));
  return json::value(hex_data(keccak256(data).view()));
}

/// Gas has no price here, so everything but the ratios is zero.
method_result reader::fee_history(const params& given, const caller&) {
  SWARM_TRY(const auto wanted, given.count(0, "blockCount"));
  SWARM_TRY(const auto newest, given.block(1));
  SWARM_TRY(const auto percentiles, given.numbers(2, "rewardPercentiles", reward_percentiles_max));
  const auto head = view_->head()->header.block_num;
  const auto last = newest.value_or(head);
  if (last > head)
    return fail(rpc_errc::beyond_head, "request beyond head block: requested {}, head {}", last, head);
  const auto count = std::min({wanted, fee_history_max, last + 1});
  json::array ratios, rewards;
  work_ += count;
  for (auto num = last + 1 - count; num <= last; ++num) {
    SWARM_TRY(const auto header, view_->header_by_num(num));
    if (!header) return fail(errc::corrupt, "block {} is missing", num);
    ratios.emplace_back(static_cast<double>(header->gas_used) / static_cast<double>(header->gas_limit));
    rewards.emplace_back(json::array(percentiles, "0x0"));
  }
  json::object out{{"oldestBlock", quantity(last + 1 - count)},
                   {"baseFeePerGas", json::array(count == 0 ? 0 : count + 1, "0x0")},
                   {"gasUsedRatio", std::move(ratios)}};
  if (percentiles > 0) out["reward"] = std::move(rewards);
  return json::value(std::move(out));
}

// Blocks and transactions

result<ledger::block_ptr> reader::block_at(const std::optional<std::uint64_t>& num) {
  if (!num) return view_->head();
  SWARM_TRY(auto block, view_->block_by_num(*num));
  if (block) work_ += cost::read_txn * block->txns.size();
  return block;
}

result<ledger::block_ptr> reader::block_with(const hash32& hash) {
  SWARM_TRY(auto block, view_->block_by_hash(hash));
  if (block) work_ += cost::read_txn * block->txns.size();
  return block;
}

result<ledger::block_ptr> reader::block_of(const block_ref& which) {
  return which.hash ? block_with(*which.hash) : block_at(which.num);
}

result<std::optional<std::uint64_t>> reader::state_of(const params& given, std::size_t index) {
  SWARM_TRY(const auto which, given.block_or_hash(index));
  if (!which.hash) return which.num;
  SWARM_TRY(const auto block, block_with(*which.hash));
  if (!block) return fail(rpc_errc::unknown_block, "unknown block {}", to_hex(which.hash->view()));
  return std::optional{block->header.block_num};
}

method_result reader::block_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const bool full, given.flag(1, "full transactions"));
  SWARM_TRY(const auto block, block_at(num));
  return block ? json::value(block_json(*block, full)) : json::value(nullptr);
}

method_result reader::block_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const bool full, given.flag(1, "full transactions"));
  SWARM_TRY(const auto block, block_with(hash));
  return block ? json::value(block_json(*block, full)) : json::value(nullptr);
}

method_result reader::block_receipts(const params& given, const caller&) {
  if (!given.has(0)) return fail(rpc_errc::invalid_params, "missing value for required argument 0 (block)");
  SWARM_TRY(const auto which, given.block_or_hash(0));
  SWARM_TRY(const auto block, block_of(which));
  if (!block) return json::value(nullptr);
  json::array out;
  for (std::size_t i = 0; i < block->txns.size(); ++i)
    out.emplace_back(receipt_json(*block, i));
  return json::value(std::move(out));
}

namespace {

json::value txn_count_json(const ledger::block_ptr& block) {
  return block ? json::value(quantity(block->txns.size())) : json::value(nullptr);
}
/// This chain has no uncles.
json::value uncle_count_json(const ledger::block_ptr& block) {
  return block ? json::value("0x0") : json::value(nullptr);
}
json::value txn_at_json(const ledger::block_ptr& block, std::uint64_t index) {
  if (!block || index >= block->txns.size()) return nullptr;
  return txn_json(*block, index);
}

} // namespace

method_result reader::block_txn_count_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto block, block_at(num));
  return txn_count_json(block);
}
method_result reader::block_txn_count_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto block, block_with(hash));
  return txn_count_json(block);
}
method_result reader::uncle_count_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto block, block_at(num));
  return uncle_count_json(block);
}
method_result reader::uncle_count_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto block, block_with(hash));
  return uncle_count_json(block);
}
method_result reader::txn_by_block_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto index, given.number(1, "transaction index"));
  SWARM_TRY(const auto block, block_at(num));
  return txn_at_json(block, index);
}
method_result reader::txn_by_block_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto index, given.number(1, "transaction index"));
  SWARM_TRY(const auto block, block_with(hash));
  return txn_at_json(block, index);
}

/// Null, or an error when the transaction may be in a block that this node does not have yet.
method_result reader::unknown_txn(const hash32& hash) const {
  if (view_->history_complete() || chain_->waits(hash)) return json::value(nullptr);
  return fail(ledger::chain_errc::history_missing,
              "transaction indexing is in progress: {} is not here, or not yet, as history is being fetched",
              to_hex(hash.view()));
}

method_result reader::txn_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, view_->find_txn(hash));
  if (place) work_ += cost::read_txn * place->block->txns.size();
  if (place) return json::value(txn_json(*place->block, place->index));
  if (const auto pending = chain_->find_pending(hash)) return json::value(pending_txn_json(*pending));
  return unknown_txn(hash);
}

method_result reader::txn_receipt(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, view_->find_txn(hash));
  if (place) work_ += cost::read_txn * place->block->txns.size();
  return place ? json::value(receipt_json(*place->block, place->index)) : unknown_txn(hash);
}

// Accounts

method_result reader::txn_count(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto which, given.block_or_hash(1));
  if (which.pending) {
    SWARM_TRY(const auto nonce, chain_->pending_nonce(who));
    return json::value(quantity(nonce));
  }
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto account, view_->account_of(who, num));
  return json::value(quantity(account.nonce));
}

method_result reader::balance(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto account, view_->account_of(who, num));
  return json::value(quantity(account.balance));
}

method_result reader::code(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto code, view_->code_of(who, num));
  return json::value(hex_data(code));
}

method_result reader::storage_at(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto key, given.text(1, "slot"));
  SWARM_TRY(const auto slot, parse_slot(key));
  SWARM_TRY(const auto num, state_of(given, 2));
  SWARM_TRY(const auto value, view_->storage_of(who, slot, num));
  return json::value(hex_data(value.view()));
}

// Calls

namespace {

/// A revert in the form that clients expect: code 3, the reason in words, the revert data beside it.
tl::unexpected<failure> reverted(const ledger::call_result& from) {
  if (from.status == ledger::call_status::out_of_gas)
    return tl::unexpected<failure>(fail(rpc_errc::out_of_gas, "out of gas").value());
  failure out =
      from.output.empty()
          ? fail(rpc_errc::reverted, "execution reverted").value()
          : fail(rpc_errc::reverted, "execution reverted: {}", contracts::revert_text(from.output)).value();
  out.data = to_hex(from.output);
  return tl::unexpected(std::move(out));
}

/// Refuses state and block overrides, as ignoring them would give a wrong answer.
result<> no_overrides(const params& given) {
  for (std::size_t i = 2; i < given.size(); ++i) {
    if (!given.has(i)) continue;
    SWARM_TRY(const auto* object, given.object(i, "overrides"));
    if (!object->empty())
      return fail(rpc_errc::invalid_params, "argument {}: state and block overrides are not supported", i);
  }
  return {};
}

} // namespace

method_result reader::call(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_CHECK(no_overrides(given));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto done, view_->call(request, num));
  work_ += done.gas_used / cost::gas_per_unit;
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(hex_data(done.output));
}

method_result reader::estimate_gas(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_CHECK(no_overrides(given));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto done, view_->estimate_gas(request, num));
  work_ += done.gas_used / cost::gas_per_unit;
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(quantity(done.gas_used));
}

} // namespace swarm::rpc
