#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/service.hpp"

/// Subscriptions, by which clients are told of events.
namespace swarm::rpc {

namespace json = boost::json;

method_result service::subscribe(const params& given, const caller& from) {
  if (from.session == 0)
    return fail(rpc_errc::method_not_found, "notifications not supported: eth_subscribe needs a WebSocket");
  SWARM_TRY(const auto kind, given.text(0, "subscription"));
  subscription wanted{from.session, from.of(), kind == "newHeads", {}, from.send};
  if (!wanted.heads && kind != "logs")
    return fail(rpc_errc::invalid_params, "no \"{}\" subscription; there are newHeads and logs",
                shown(kind, 64));
  if (kind == "logs" && given.has(1)) {
    SWARM_TRY(const auto* filter, given.object(1, "filter"));
    SWARM_TRY(wanted.filter, parse_filter(*filter));
    auto alternatives = wanted.filter.addresses.size();
    for (const auto& topic : wanted.filter.topics)
      alternatives += topic.size();
    if (alternatives > subscription_alternatives_max)
      return fail(rpc_errc::too_much_asked, "at most {} addresses and topics in one subscription",
                  subscription_alternatives_max);
  }
  std::size_t of_session = 0, of_client = 0, of_organisation = 0;
  for (const auto& [id, other] : subscriptions_) {
    of_session += other.session == wanted.session;
    of_client += other.of.client == wanted.of.client;
    of_organisation += other.of.organisation == wanted.of.organisation;
  }
  if (of_session >= session_subscriptions_max || of_client >= client_subscriptions_max
      || of_organisation >= organisation_subscriptions_max || subscriptions_.size() >= subscriptions_max)
    return fail(
        rpc_errc::subscriptions_full,
        "at most {} subscriptions of one connection, {} of one client, {} of one organisation, {} of all",
        session_subscriptions_max, client_subscriptions_max, organisation_subscriptions_max,
        subscriptions_max);
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

void service::notify(const ledger::executed_block& block) {
  const auto tell = [](const std::string& id, const subscription& to, const std::string& what) {
    to.send(fmt::format(
        R"({{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{}","result":{}}}}})", id,
        what));
  };
  std::string head; // the same for all
  for (const auto& [id, to] : subscriptions_) {
    if (to.heads) {
      if (head.empty()) head = json::serialize(header_json(block));
      tell(id, to, head);
      continue;
    }
    for (const auto& hit : matching_logs(block, to.filter))
      tell(id, to, json::serialize(log_json(hit)));
  }
}

void service::step(const event::session_gone& what, time_point) {
  std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second.session == what.session; });
}

} // namespace swarm::rpc
