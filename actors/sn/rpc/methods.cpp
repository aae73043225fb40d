#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/service.hpp"
#include "base/hash.hpp"
#include "config/parse.hpp"
#include "contracts/training/client.hpp"
#include "ledger/formats/sign_of_life.hpp"

namespace swarm::rpc {

namespace json = boost::json;

// -- about the chain

method_result service::client_version(const params&, const caller&) {
  return json::value(fmt::format("swarmd/v{}/c++20", config::version()));
}
method_result service::net_version(const params&, const caller&) {
  return json::value(std::to_string(chain_.chain_id()));
}
method_result service::net_listening(const params&, const caller&) {
  return json::value(true);
}
method_result service::sha3(const params& given, const caller&) {
  SWARM_TRY(const auto data, given.raw(0, "data"));
  return json::value(hex_data(keccak256(data).view()));
}
method_result service::chain_id(const params&, const caller&) {
  return json::value(quantity(chain_.chain_id()));
}
method_result service::block_number(const params&, const caller&) {
  return json::value(quantity(chain_.head()->header.block_num));
}
method_result service::syncing(const params&, const caller&) {
  return json::value(false);
}
method_result service::accounts(const params&, const caller&) {
  return json::value(json::array{});
}
method_result service::zero_price(const params&, const caller&) {
  return json::value("0x0");
}

/// Gas has no price here, so all but the ratios is zero.
method_result service::fee_history(const params& given, const caller&) {
  SWARM_TRY(const auto wanted, given.count(0, "blockCount"));
  SWARM_TRY(const auto newest, given.block(1));
  SWARM_TRY(const auto percentiles, given.numbers(2, "rewardPercentiles", reward_percentiles_max));
  const auto head = chain_.head()->header.block_num;
  const auto last = newest.value_or(head);
  if (last > head)
    return fail(rpc_errc::beyond_head, "request beyond head block: requested {}, head {}", last, head);
  const auto count = std::min({wanted, fee_history_max, last + 1});
  json::array ratios, rewards;
  work_ += count;
  for (auto num = last + 1 - count; num <= last; ++num) {
    SWARM_TRY(const auto header, chain_.header_by_num(num));
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

// -- blocks and transactions

result<ledger::block_ptr> service::block_at(const std::optional<std::uint64_t>& num) {
  if (!num) return chain_.head();
  SWARM_TRY(auto block, chain_.block_by_num(*num));
  if (block) work_ += cost::read_txn * block->txns.size();
  return block;
}

result<ledger::block_ptr> service::block_with(const hash32& hash) {
  SWARM_TRY(auto block, chain_.block_by_hash(hash));
  if (block) work_ += cost::read_txn * block->txns.size();
  return block;
}

result<ledger::block_ptr> service::block_of(const block_ref& which) {
  return which.hash ? block_with(*which.hash) : block_at(which.num);
}

result<std::optional<std::uint64_t>> service::state_of(const params& given, std::size_t index) {
  SWARM_TRY(const auto which, given.block_or_hash(index));
  if (!which.hash) return which.num;
  SWARM_TRY(const auto block, block_with(*which.hash));
  if (!block) return fail(rpc_errc::unknown_block, "unknown block {}", to_hex(which.hash->view()));
  return std::optional{block->header.block_num};
}

method_result service::block_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const bool full, given.flag(1, "full transactions"));
  SWARM_TRY(const auto block, block_at(num));
  return block ? json::value(block_json(*block, full)) : json::value(nullptr);
}

method_result service::block_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const bool full, given.flag(1, "full transactions"));
  SWARM_TRY(const auto block, block_with(hash));
  return block ? json::value(block_json(*block, full)) : json::value(nullptr);
}

method_result service::block_receipts(const params& given, const caller&) {
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

method_result service::block_txn_count_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto block, block_at(num));
  return txn_count_json(block);
}
method_result service::block_txn_count_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto block, block_with(hash));
  return txn_count_json(block);
}
method_result service::uncle_count_by_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto block, block_at(num));
  return uncle_count_json(block);
}
method_result service::uncle_count_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto block, block_with(hash));
  return uncle_count_json(block);
}
method_result service::txn_by_block_number(const params& given, const caller&) {
  SWARM_TRY(const auto num, given.block(0));
  SWARM_TRY(const auto index, given.number(1, "transaction index"));
  SWARM_TRY(const auto block, block_at(num));
  return txn_at_json(block, index);
}
method_result service::txn_by_block_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "block hash"));
  SWARM_TRY(const auto index, given.number(1, "transaction index"));
  SWARM_TRY(const auto block, block_with(hash));
  return txn_at_json(block, index);
}

/// Null, unless the transaction may be in a block that this node does not have yet.
method_result service::unknown_txn(const hash32& hash) const {
  if (chain_.history_complete() || chain_.find_pending(hash) != nullptr) return json::value(nullptr);
  return fail(ledger::chain_rule::history_missing,
              "transaction indexing is in progress: {} is not here, or not yet, as history is being fetched",
              to_hex(hash.view()));
}

method_result service::txn_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, chain_.find_txn(hash));
  if (place) work_ += cost::read_txn * place->block->txns.size();
  if (place) return json::value(txn_json(*place->block, place->index));
  if (const auto* pending = chain_.find_pending(hash)) return json::value(pending_txn_json(*pending));
  return unknown_txn(hash);
}

method_result service::txn_receipt(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, chain_.find_txn(hash));
  if (place) work_ += cost::read_txn * place->block->txns.size();
  return place ? json::value(receipt_json(*place->block, place->index)) : unknown_txn(hash);
}

method_result service::send_raw(const params& given, const caller&) {
  SWARM_TRY(const auto raw, given.raw(0, "transaction"));
  work_ += cost::signature;
  SWARM_TRY(const auto hash, chain_.submit(raw));
  return json::value(hex_data(hash.view()));
}

// -- accounts

method_result service::txn_count(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto which, given.block_or_hash(1));
  if (which.pending) {
    SWARM_TRY(const auto nonce, chain_.pending_nonce(who));
    return json::value(quantity(nonce));
  }
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto account, chain_.account_of(who, num));
  return json::value(quantity(account.nonce));
}

method_result service::balance(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto account, chain_.account_of(who, num));
  return json::value(quantity(account.balance));
}

method_result service::code(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto code, chain_.code_of(who, num));
  return json::value(hex_data(code));
}

method_result service::storage_at(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto key, given.text(1, "slot"));
  SWARM_TRY(const auto slot, parse_slot(key));
  SWARM_TRY(const auto num, state_of(given, 2));
  SWARM_TRY(const auto value, chain_.storage_of(who, slot, num));
  return json::value(hex_data(value.view()));
}

method_result service::proof(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  std::vector<hash32> slots;
  if (given.has(1)) {
    SWARM_TRY(const auto keys, given.texts(1, "storage keys", proof_slots_max));
    for (const auto& key : keys) {
      SWARM_TRY(const auto slot, parse_slot(key));
      slots.push_back(slot);
    }
  }
  SWARM_TRY(const auto num, state_of(given, 2));
  work_ += cost::proof * (1 + slots.size());
  SWARM_TRY(const auto proof, chain_.prove(who, slots, num));
  return json::value(proof_json(who, proof));
}

// -- calls

namespace {

/// A revert as clients expect it: code 3, the reason in words, the revert data beside it.
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

/// State and block overrides would change the answer, so they are not passed over in silence.
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

method_result service::call(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_CHECK(no_overrides(given));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto done, chain_.call(request, num));
  work_ += done.gas_used / cost::gas_per_unit;
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(hex_data(done.output));
}

method_result service::estimate_gas(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_CHECK(no_overrides(given));
  SWARM_TRY(const auto num, state_of(given, 1));
  SWARM_TRY(const auto done, chain_.estimate_gas(request, num));
  work_ += done.gas_used / cost::gas_per_unit;
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(quantity(done.gas_used));
}

// -- swarm_*

/// The registry's nodes at the head; read again only when the registry has changed.
result<const std::vector<contracts::node_view>*> service::registry() {
  SWARM_TRY(const auto account, chain_.account_of(contracts::node_registry_address()));
  if (nodes_root_ == account.storage_root) return &nodes_;
  std::vector<contracts::node_view> nodes;
  for (;;) {
    ledger::call_request page{.to = contracts::node_registry_address(),
                              .input = contracts::encode_nodes(nodes.size(), contracts::page_entries_max)};
    SWARM_TRY(const auto output, chain_.call(page));
    SWARM_TRY(auto more, contracts::decode_nodes(output.output));
    nodes.insert(nodes.end(), more.begin(), more.end());
    if (more.size() < contracts::page_entries_max) break;
  }
  nodes_ = std::move(nodes);
  nodes_root_ = account.storage_root;
  return &nodes_;
}

result<service::sign_taken> service::take_sign(bytes_view raw, time_point now) {
  SWARM_TRY(auto sign, ledger::decode_sign_of_life(raw, chain_.chain_id(), chain_.genesis_hash()));
  SWARM_TRY(const auto* all, registry());
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& node) { return node.account == sign.account; });
  // Not registered, or not yet as far as this chain goes.
  if (found == all->end()) return sign_taken{};
  const bool news = liveness_.heard_from(sign.account, sign.serial, std::move(sign.api_endpoint), now);
  return sign_taken{news, liveness_.last_serial(sign.account)};
}

method_result service::heartbeat(const params& given, const caller&) {
  SWARM_TRY(auto raw, given.raw(0, "sign of life"));
  const auto taken = take_sign(raw, now_);
  if (!taken) return fail(rpc_errc::invalid_params, "{}", taken.error().message);
  if (taken->news && on_news_) on_news_(std::move(raw));
  return json::value(quantity(taken->last_serial));
}

method_result service::silent_nodes(const params&, const caller&) {
  SWARM_TRY(const auto* all, registry());
  json::array out;
  for (const auto& node : *all)
    if (node.active && node.type != contracts::node_type::sn && liveness_.silent(node.account, now_))
      out.emplace_back(hex_data(node.account.view()));
  return json::value(std::move(out));
}

method_result service::api_endpoints(const params&, const caller&) {
  SWARM_TRY(const auto* all, registry());
  json::array out;
  for (const auto& node : *all) {
    if (!node.active || node.type != contracts::node_type::sn || liveness_.silent(node.account, now_))
      continue;
    if (auto endpoint = liveness_.api_endpoint(node.account); !endpoint.empty())
      out.emplace_back(std::move(endpoint));
  }
  return json::value(std::move(out));
}

result<json::array> service::nodes_json(time_point now) {
  SWARM_TRY(const auto* all, registry());
  json::array out;
  for (const auto& node : *all) {
    const auto silence =
        std::chrono::duration_cast<std::chrono::milliseconds>(liveness_.silence_of(node.account, now));
    out.push_back(json::object{{"account", hex_data(node.account.view())},
                               {"type", contracts::to_string(node.type)},
                               {"name", node.name},
                               {"endpoint", node.endpoint},
                               {"active", node.active},
                               {"sinceBlock", node.since_block},
                               {"silentMs", silence.count()},
                               {"apiEndpoint", liveness_.api_endpoint(node.account)}});
  }
  return out;
}

method_result service::nodes(const params&, const caller&) {
  SWARM_TRY(auto list, nodes_json(now_));
  return json::value(std::move(list));
}

method_result service::genesis(const params&, const caller&) {
  SWARM_TRY(const auto* nodes, registry());
  json::array endpoints;
  for (const auto& node : *nodes)
    if (node.type == contracts::node_type::sn && node.active && !node.endpoint.empty())
      endpoints.emplace_back(node.endpoint);
  return json::value{{"genesis", to_hex(ledger::encode_genesis(chain_.genesis()))},
                     {"genesisHash", to_hex(chain_.genesis_hash().view())},
                     {"p2pEndpoints", std::move(endpoints)}};
}

} // namespace swarm::rpc
