#include "actors/sn/rpc/service.hpp"
#include "config/parse.hpp"
#include "ledger/formats/sign_of_life.hpp"

#include <algorithm>
#include <limits>

namespace swarm::rpc {

namespace json = boost::json;

// About the chain

method_result service::client_version(const params&, const caller&) {
  return json::value(fmt::format("swarmd/v{}/c++20", config::version()));
}
method_result service::net_version(const params&, const caller&) {
  return json::value(std::to_string(view_->chain_id()));
}
method_result service::net_listening(const params&, const caller&) {
  return json::value(true);
}
method_result service::chain_id(const params&, const caller&) {
  return json::value(quantity(view_->chain_id()));
}
method_result service::block_number(const params&, const caller&) {
  return json::value(quantity(view_->head()->header.block_num));
}
method_result service::syncing(const params&, const caller&) {
  return json::value(false);
}
method_result service::accounts(const params&, const caller&) {
  return json::value(json::array{});
}
method_result service::coinbase(const params&, const caller&) {
  return json::value(hex_data(own_.view()));
}
method_result service::zero_price(const params&, const caller&) {
  return json::value("0x0");
}

// Who takes part, and is alive

/// The registry's nodes at the head. They are read again only when the registry has changed, or a membership has expired.
result<const std::vector<contracts::node_view>*> service::registry() {
  SWARM_TRY(const auto account, view_->account_of(contracts::node_registry_address()));
  const auto time = view_->head()->header.timestamp;
  if (nodes_root_ == account.storage_root && time <= nodes_good_until_) return &nodes_;
  std::vector<contracts::node_view> nodes;
  for (;;) {
    ledger::call_request page{.to = contracts::node_registry_address(),
                              .input = contracts::encode_nodes(nodes.size(), contracts::page_entries_max)};
    SWARM_TRY(const auto output, view_->call(page));
    SWARM_TRY(auto more, contracts::decode_nodes(output.output));
    nodes.insert(nodes.end(), more.begin(), more.end());
    if (more.size() < contracts::page_entries_max) break;
  }
  std::swap(nodes_, nodes);
  nodes_root_ = account.storage_root;
  note_gone(nodes);
  return &nodes_;
}

/// Compares the nodes with those of before.
void service::note_gone(const std::vector<contracts::node_view>& before) {
  std::unordered_set<address> active;
  nodes_good_until_ = std::numeric_limits<std::uint64_t>::max();
  for (const auto& node : nodes_) {
    if (!node.active) continue;
    active.insert(node.account);
    gone_.erase(node.account);
    if (node.expiry != 0) nodes_good_until_ = std::min(nodes_good_until_, node.expiry);
  }
  if (gone_.size() >= gone_max) gone_.clear();
  for (const auto& node : before)
    if (node.active && node.type != contracts::node_type::sn && !active.contains(node.account))
      gone_.insert(node.account);
}

result<service::sign_taken> service::take_sign(bytes_view raw, time_point now) {
  look_at_head();
  SWARM_TRY(auto sign, ledger::decode_sign_of_life(raw, view_->chain_id(), view_->genesis_hash()));
  SWARM_TRY(const auto* all, registry());
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& node) { return node.account == sign.account; });
  // The node is not registered, or not yet at this chain's head.
  if (found == all->end()) return sign_taken{};
  const auto before = liveness_.last_serial(sign.account);
  return sign_taken{
      liveness_.heard_from(sign.account, sign.serial, std::move(sign.api_endpoint), now, to_bytes(raw)),
      before};
}

method_result service::heartbeat(const params& given, const caller&) {
  SWARM_TRY(auto raw, given.raw(0, "sign of life"));
  const auto taken = take_sign(raw, now_);
  if (!taken) return fail(rpc_errc::invalid_params, "{}", taken.error().message);
  if (taken->news) actions_.emplace_back(action::tell_sign{std::move(raw)});
  return json::value(quantity(taken->last_serial));
}

method_result service::silent_nodes(const params&, const caller&) {
  SWARM_TRY(const auto* all, registry());
  json::array out;
  for (const auto& node : *all)
    if (node.active && node.type != contracts::node_type::sn && liveness_.silent(node.account, now_))
      out.emplace_back(hex_data(node.account.view()));
  for (const auto& account : gone_) // whatever it says of itself, nobody is to wait for it
    out.emplace_back(hex_data(account.view()));
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

/// The last signs of life of the validators: each says how far the chain was for its signer.
method_result service::validator_signs(const params&, const caller&) {
  SWARM_TRY(const auto validators, view_->validators_after(view_->head()->header.block_num));
  json::array out;
  for (const auto& each : validators)
    if (const auto raw = liveness_.last_sign(each); !raw.empty()) out.emplace_back(hex_data(raw));
  return json::value(std::move(out));
}

result<json::array> service::nodes_json(time_point now) {
  look_at_head();
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

std::vector<service::silence> service::silences(time_point now, std::size_t most) {
  look_at_head();
  const auto all = registry();
  std::vector<silence> out;
  if (!all) return out;
  const auto take = [&](bool sns) {
    for (const auto& node : **all) {
      if (out.size() >= most) return;
      const bool shown = node.active && node.account != own_ && node.type != contracts::node_type::swci;
      if (shown && (node.type == contracts::node_type::sn) == sns)
        out.push_back({node.type, node.name, liveness_.silence_of(node.account, now)});
    }
  };
  take(true);
  take(false);
  return out;
}

std::vector<seat_watch::call> service::seat_calls(duration lease, std::uint64_t unix_s, time_point now) {
  look_at_head();
  const auto all = registry();
  if (!all) return {};
  auto calls = seats_.look(*view_, **all, liveness_, lease, unix_s, now);
  return calls ? std::move(*calls) : std::vector<seat_watch::call>();
}

method_result service::nodes(const params&, const caller&) {
  SWARM_TRY(auto list, nodes_json(now_));
  work_ += list.size() / cost::nodes_per_unit;
  return json::value(std::move(list));
}

method_result service::genesis(const params&, const caller&) {
  SWARM_TRY(const auto* nodes, registry());
  json::array endpoints;
  for (const auto& node : *nodes)
    if (node.type == contracts::node_type::sn && node.active && !node.endpoint.empty())
      endpoints.emplace_back(node.endpoint);
  return json::value{{"genesis", to_hex(ledger::encode_genesis(view_->genesis()))},
                     {"genesisHash", to_hex(view_->genesis_hash().view())},
                     {"p2pEndpoints", std::move(endpoints)}};
}

} // namespace swarm::rpc
