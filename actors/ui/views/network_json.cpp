#include "actors/ui/views/words.hpp"

namespace swarm::ui {

namespace json = boost::json;

namespace {

json::object standing_json(const standing& from) {
  return {{"connected", from.is_connected},
          {"trouble", from.trouble},
          {"since_ms", from.since_ms},
          {"read_ms", from.read_ms},
          {"sn", from.sn}};
}

json::object rules_json(const contracts::rules_view& from) {
  json::object out{{"version", from.version}};
  if (from.next == 0) return out;
  out["next"] = from.next;
  out["from_block"] = from.from_block;
  return out;
}

json::object node_json(const contracts::node_view& from, const network_picture& in, const silence& silent) {
  json::object out{{"name", from.name},
                   {"role", contracts::to_string(from.type)},
                   {"organisation", from.organisation},
                   {"endpoint", from.endpoint},
                   {"active", from.active},
                   {"pending", from.pending},
                   {"since_block", from.since_block},
                   {"fingerprint", shown(from.identity)},
                   {"expires_ms", from.expiry * 1000}};
  if (const auto api = in.api_endpoints.find(from.account);
      api != in.api_endpoints.end() && !api->second.empty())
    out["api_endpoint"] = api->second;
  if (!from.parent.is_zero()) out["parent"] = shown(from.parent);
  add_life(out, from.account, silent);
  if (!from.active) out["alive"] = false;
  return out;
}

json::object limits_json(const contracts::organisation_limits& from) {
  return {{"nodes", from.nodes},
          {"trainings", from.trainings},
          {"peers_per_training", from.peers_per_training},
          {"chain_bytes_per_day", from.chain_bytes_per_day},
          {"p2p_places", from.p2p_places},
          {"model_bytes", from.model_bytes}};
}

std::uint64_t bytes_today(const network_picture& in, contracts::organisation_id of, std::uint64_t now_ms) {
  for (const auto& each : in.uses)
    if (each.organisation == of && now_ms / 1000 < each.day_begins + contracts::day_seconds)
      return each.bytes;
  return 0;
}

json::object organisation_json(const contracts::organisation_view& from, const network_picture& in,
                               std::uint64_t now_ms) {
  return {{"name", from.name},
          {"since_block", from.since_block},
          {"anchors", set_of(from.anchors, [](const auto& each) { return shown(each); })},
          {"members", from.members},
          {"limits", limits_json(from.limits)},
          {"chain_bytes_today", bytes_today(in, from.id, now_ms)}};
}

json::object motion_json(const contracts::motion_view& from) {
  json::object out{{"kind", contracts::to_string(from.kind)},
                   {"organisation", from.organisation},
                   {"name", from.name},
                   {"anchors", set_of(from.anchors, [](const auto& each) { return shown(each); })},
                   {"expires_block", from.expires_block},
                   {"voters", set_of(from.voters, [](auto id) { return std::to_string(id); })},
                   {"needed", from.needed}};
  if (from.kind == contracts::motion_kind::set_limits) out["limits"] = limits_json(from.limits);
  return out;
}

} // namespace

json::object network_json(const network_picture& from, const silence& silent, std::uint64_t now_ms) {
  json::object nodes, organisations, motions, validators;
  for (const auto& each : from.nodes)
    nodes[shown(each.account)] = node_json(each, from, silent);
  for (const auto& each : from.organisations)
    organisations[std::to_string(each.id)] = organisation_json(each, from, now_ms);
  for (const auto& each : from.motions)
    if (each.open) motions[shown(each.key)] = motion_json(each);
  for (const auto& each : from.validators)
    validators[shown(each)] = json::object{};
  return {{"standing", standing_json(from.stands)},
          {"head", json::object{{"block_num", from.block_num},
                                {"hash", from.block_hash.is_zero() ? std::string{} : shown(from.block_hash)},
                                {"time_ms", from.block_ms},
                                {"transactions", from.transactions}}},
          {"chain_id", from.chain_id},
          {"genesis", from.genesis.is_zero() ? std::string{} : shown(from.genesis)},
          {"sn_version", from.sn_version},
          {"rules", rules_json(from.rules)},
          {"validators", std::move(validators)},
          {"nodes", std::move(nodes)},
          {"organisations", std::move(organisations)},
          {"motions", std::move(motions)}};
}

} // namespace swarm::ui
