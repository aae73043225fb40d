#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/service.hpp"
#include "config/parse.hpp"
#include "contracts/training_client.hpp"

#include <charconv>

namespace swarm::rpc {

namespace json = boost::json;

// -- about the chain

method_result service::client_version(const params&, const caller&) {
  return json::value(fmt::format("swarmd/v{}/c++20", config::version()));
}
method_result service::net_version(const params&, const caller&) {
  return json::value(std::to_string(chain_.chain_id()));
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
    return fail(rpc_errc::refused, "request beyond head block: requested {}, head {}", last, head);
  const auto count = std::min({wanted, fee_history_max, last + 1});
  json::array ratios, rewards;
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

result<ledger::block_ptr> service::block_at(const std::optional<std::uint64_t>& num) const {
  if (!num) return chain_.head();
  return chain_.block_by_num(*num);
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
  SWARM_TRY(const auto block, chain_.block_by_hash(hash));
  return block ? json::value(block_json(*block, full)) : json::value(nullptr);
}

method_result service::block_receipts(const params& given, const caller&) {
  SWARM_TRY(const auto tag, given.text(0, "block"));
  ledger::block_ptr block;
  if (tag.size() == 66) {
    SWARM_TRY(const auto hash, given.hash(0, "block hash"));
    SWARM_TRY(block, chain_.block_by_hash(hash));
  } else {
    SWARM_TRY(const auto num, given.block(0));
    SWARM_TRY(block, block_at(num));
  }
  if (!block) return json::value(nullptr);
  json::array out;
  for (std::size_t i = 0; i < block->txns.size(); ++i)
    out.emplace_back(receipt_json(*block, i));
  return json::value(std::move(out));
}

method_result service::txn_by_hash(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, chain_.find_txn(hash));
  if (place) return json::value(txn_json(*place->block, place->index));
  const auto* pending = chain_.find_pending(hash);
  return pending != nullptr ? json::value(pending_txn_json(*pending)) : json::value(nullptr);
}

method_result service::txn_receipt(const params& given, const caller&) {
  SWARM_TRY(const auto hash, given.hash(0, "transaction hash"));
  SWARM_TRY(const auto place, chain_.find_txn(hash));
  return place ? json::value(receipt_json(*place->block, place->index)) : json::value(nullptr);
}

method_result service::send_raw(const params& given, const caller&) {
  SWARM_TRY(const auto raw, given.raw(0, "transaction"));
  SWARM_TRY(const auto hash, chain_.submit(raw));
  return json::value(hex_data(hash.view()));
}

// -- accounts

method_result service::txn_count(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, given.block(1));
  if (given.has(1) && *given.text(1, "block") == "pending") {
    SWARM_TRY(const auto nonce, chain_.pending_nonce(who));
    return json::value(quantity(nonce));
  }
  SWARM_TRY(const auto account, chain_.account_of(who, num));
  return json::value(quantity(account.nonce));
}

method_result service::balance(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, given.block(1));
  SWARM_TRY(const auto account, chain_.account_of(who, num));
  return json::value(quantity(account.balance));
}

method_result service::code(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto num, given.block(1));
  SWARM_TRY(const auto code, chain_.code_of(who, num));
  return json::value(hex_data(code));
}

method_result service::storage_at(const params& given, const caller&) {
  SWARM_TRY(const auto who, given.account(0, "address"));
  SWARM_TRY(const auto key, given.text(1, "slot"));
  SWARM_TRY(const auto slot, parse_slot(key));
  SWARM_TRY(const auto num, given.block(2));
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
  SWARM_TRY(const auto num, given.block(2));
  SWARM_TRY(const auto proof, chain_.prove(who, slots, num));
  return json::value(proof_json(who, proof));
}

// -- calls

namespace {

/// A revert as clients expect it: code 3, the reason in words, the revert data beside it.
tl::unexpected<failure> reverted(const ledger::call_result& from) {
  if (from.status == ledger::call_status::out_of_gas)
    return tl::unexpected<failure>(fail(rpc_errc::refused, "out of gas").value());
  failure out =
      from.output.empty()
          ? fail(rpc_errc::reverted, "execution reverted").value()
          : fail(rpc_errc::reverted, "execution reverted: {}", contracts::revert_text(from.output)).value();
  out.data = to_hex(from.output);
  return tl::unexpected(std::move(out));
}

} // namespace

method_result service::call(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_TRY(const auto num, given.block(1));
  SWARM_TRY(const auto done, chain_.call(request, num));
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(hex_data(done.output));
}

method_result service::estimate_gas(const params& given, const caller&) {
  SWARM_TRY(const auto request, given.call(0));
  SWARM_TRY(const auto num, given.block(1));
  SWARM_TRY(const auto done, chain_.estimate_gas(request, num));
  if (done.status != ledger::call_status::ok) return reverted(done);
  return json::value(quantity(done.gas_used));
}

// -- logs

method_result service::logs(const params& given, const caller&) {
  SWARM_TRY(const auto* from, given.object(0, "filter"));
  SWARM_TRY(auto filter, parse_filter(*from));
  SWARM_TRY(const auto range, parse_range(*from));
  if (range.block_hash) {
    SWARM_TRY(const auto block, chain_.block_by_hash(*range.block_hash));
    if (!block) return fail(rpc_errc::resource_missing, "unknown block {}", to_hex(range.block_hash->view()));
    filter.from_block = filter.to_block = block->header.block_num;
  } else {
    const auto head = chain_.head()->header.block_num;
    filter.from_block = range.from.value_or(head);
    filter.to_block =
        range.to.value_or(std::max(head, filter.from_block)); // a poller may be ahead of the head
    if (filter.from_block > filter.to_block)
      return fail(rpc_errc::invalid_params, "invalid block range: from {} to {}", filter.from_block,
                  filter.to_block);
  }
  SWARM_TRY(const auto hits, chain_.logs(filter));
  json::array out;
  for (const auto& hit : hits)
    out.emplace_back(log_json(hit));
  return json::value(std::move(out));
}

method_result service::subscribe(const params& given, const caller& from) {
  if (from.session == 0)
    return fail(rpc_errc::method_not_found, "notifications not supported: eth_subscribe needs a WebSocket");
  SWARM_TRY(const auto kind, given.text(0, "subscription"));
  subscription wanted{from.session, kind == "newHeads", {}, from.send};
  if (!wanted.heads && kind != "logs")
    return fail(rpc_errc::invalid_params, "no \"{}\" subscription; there are newHeads and logs",
                shown(kind, 64));
  if (kind == "logs" && given.has(1)) {
    SWARM_TRY(const auto* filter, given.object(1, "filter"));
    SWARM_TRY(wanted.filter, parse_filter(*filter));
  }
  const auto own = static_cast<std::size_t>(
      std::count_if(subscriptions_.begin(), subscriptions_.end(),
                    [&](const auto& entry) { return entry.second.session == from.session; }));
  if (own >= session_subscriptions_max || subscriptions_.size() >= subscriptions_max)
    return fail(rpc_errc::limit_exceeded, "at most {} subscriptions of one connection, {} of all",
                session_subscriptions_max, subscriptions_max);
  auto id = quantity(next_subscription_++);
  subscriptions_.emplace(id, std::move(wanted));
  return json::value(id);
}

method_result service::unsubscribe(const params& given, const caller& from) {
  SWARM_TRY(const auto id, given.text(0, "subscription id"));
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || found->second.session != from.session) return json::value(false);
  subscriptions_.erase(found);
  return json::value(true);
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

method_result service::heartbeat(const params& given, const caller& from) {
  SWARM_TRY(const auto who, given.account(0, "account"));
  SWARM_TRY(const auto* all, registry());
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& node) { return node.account == who; });
  if (found == all->end()) return json::value(false);
  if (found->cert_fingerprint != from.peer.cert_fingerprint)
    return fail(rpc_errc::refused, "account {} is registered with another certificate than that of {}",
                to_hex(who.view()), from.peer.cert_subject);
  liveness_.heard_from(who, now_);
  return json::value(true);
}

method_result service::silent_nodes(const params&, const caller&) {
  SWARM_TRY(const auto* all, registry());
  const auto is_sn = [](const auto& node) { return node.active && node.type == contracts::node_type::sn; };
  const bool alone = std::count_if(all->begin(), all->end(), is_sn) <= 1;
  json::array out;
  for (const auto& node : *all) {
    // Whom this SN never heard may be talking to another SN: no opinion.
    if (!node.active || is_sn(node) || (!alone && !liveness_.ever_heard(node.account))) continue;
    if (liveness_.silent(node.account, now_)) out.emplace_back(hex_data(node.account.view()));
  }
  return json::value(std::move(out));
}

result<json::array> service::nodes_json(time_point now) {
  SWARM_TRY(const auto* all, registry());
  json::array out;
  for (const auto& node : *all) {
    const auto silence =
        std::chrono::duration_cast<std::chrono::milliseconds>(liveness_.silence_of(node.account, now));
    const bool is_sn = node.type == contracts::node_type::sn;
    out.push_back(json::object{{"account", hex_data(node.account.view())},
                               {"type", contracts::to_string(node.type)},
                               {"name", node.name},
                               {"endpoint", node.endpoint},
                               {"active", node.active},
                               {"sinceBlock", node.since_block},
                               {"silentMs", is_sn ? 0 : silence.count()}});
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
