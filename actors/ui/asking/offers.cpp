#include "actors/ui/asking/offers.hpp"

#include "actors/swci/commands/reads.hpp"
#include "actors/swop/lines/offer.hpp"
#include "contracts/registry/client.hpp"

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr unsigned http_ok = 200, http_forbidden = 403;

/// What a SWOP of this organisation answers at that target; `what`: what it would say there.
result<std::string> ask_swop(const std::string& uid, const std::string& target, std::string_view what,
                             const asking& with) {
  const auto account = fixed_from_hex<20>(uid);
  if (!account) return fail(errc::invalid, "'swop' is 0x and 40 hexadecimal digits");
  SWARM_TRY(const auto node, swci::read(with.sns, contracts::node_registry_address(),
                                        contracts::node_args{address(*account)}));
  const auto where = endpoint::parse(node.endpoint);
  if (node.type != contracts::node_type::swop || !where)
    return fail(errc::not_found, "there is no SWOP of this UID that says where it can be asked");
  auto answer = with.ask_node(*where, target);
  if (!answer) return fail(errc::unavailable, "{} does not answer: {}", node.name, answer.error().message);
  if (!answer->is_own_organisation || answer->status == http_forbidden)
    return fail(errc::denied, "a SWOP says only to its own organisation {}", what);
  if (answer->certificate != node.identity)
    return fail(errc::denied, "another node than {} answers at {}", node.name, node.endpoint);
  if (answer->status != http_ok)
    return fail(errc::not_found, "{} does not say {}: its swarmd is an earlier one", node.name, what);
  return std::move(answer->body);
}

result<swop::host_offer> offer_of(const std::string& swop, const asking& with) {
  SWARM_TRY(const auto body, ask_swop(swop, std::string(swop::offer_target), "what its host offers", with));
  return swop::decode_offer(body);
}

} // namespace

result<std::string> version_of_swop(const std::string& swop, const asking& with) {
  SWARM_TRY(auto offer, offer_of(swop, with));
  return offer.version.empty() ? std::string() : "swarmd/v" + offer.version;
}

result<json::value> offer_json(const question::host& what, const asking& with) {
  SWARM_TRY(const auto offer, offer_of(what.swop, with));
  json::object out{{"gpus", json::array(offer.gpus.begin(), offer.gpus.end())}, {"engine", offer.engine}};
  const auto add = [&out](std::string_view key, std::uint64_t value) {
    if (value > 0) out[key] = value;
  };
  json::array sns;
  for (const auto& each : offer.sns) {
    json::object one{{"name", each.name}, {"runs", each.runs}};
    if (each.since_ms > 0) one["since_ms"] = each.since_ms;
    if (!each.ended.empty()) one["ended"] = each.ended;
    sns.push_back(std::move(one));
  }
  out["sns"] = std::move(sns);
  if (!offer.version.empty()) out["version"] = offer.version;
  add("cores", offer.cores);
  add("memory_bytes", offer.memory_bytes);
  add("memory_free_bytes", offer.memory_free_bytes);
  add("disk_bytes", offer.disk_bytes);
  add("disk_free_bytes", offer.disk_free_bytes);
  return out;
}

} // namespace swarm::ui
