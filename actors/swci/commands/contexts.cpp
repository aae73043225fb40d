// Contexts, the SNs behind them, and the nodes of their networks.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/reads.hpp"
#include "base/clock.hpp"
#include "base/endpoint.hpp"

#include <algorithm>

namespace swarm::swci {

namespace json = boost::json;

namespace {

constexpr auto retry_interval = std::chrono::seconds(5);

std::string text_at(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
}

std::uint64_t number_at(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  boost::system::error_code failure;
  return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>(failure) : 0;
}

bool is_active(const json::object& node) {
  const auto* active = node.if_contains("active");
  return active != nullptr && active->is_bool() && active->get_bool();
}

/// The nodes that the SN knows, as it says them.
result<std::vector<json::object>> nodes_of(network& sns) {
  SWARM_TRY(const auto responses, sns.ask({{"swarm_nodes", {}}}));
  SWARM_TRY(const auto* found, session::result_of(responses.front()));
  const auto* list = found->if_array();
  if (list == nullptr) return fail(errc::invalid, "the SN's answer is no list of nodes");
  std::vector<json::object> out;
  for (const auto& each : *list)
    if (const auto* node = each.if_object()) out.push_back(*node);
  return out;
}

/// Programs draw the network along the column of parents, in which every SL and SWOP hangs below an SN that is
/// shown: one whose own SN has gone, or said nothing of itself, below the first.
void put_below_shown_sns(std::vector<answers::nodes::row>& all) {
  const auto is_sn = [](const auto& row) { return row.type == "SN" || row.type == "SENTINEL"; };
  const auto first_sn = std::ranges::find_if(all, is_sn);
  if (first_sn == all.end()) return;
  for (auto& row : all)
    if (!is_sn(row) && std::ranges::none_of(all, [&](const auto& each) {
          return is_sn(each) && each.uid == row.parent_uid;
        }))
      row.parent_uid = first_sn->uid;
}

/// A SWOP at which nobody can read anything has no address of its own; it is shown at its SN's, as the original does.
void put_swops_at_their_sns(std::vector<answers::nodes::row>& all) {
  for (auto& row : all) {
    if (row.type != "SWOP" || !row.host.empty()) continue;
    const auto sn = std::ranges::find(all, row.parent_uid, &answers::nodes::row::uid);
    if (sn == all.end()) continue;
    row.host = sn->host;
    row.port = sn->port;
  }
}

/// Nodes that have been silent for longer are not shown, as they have gone.
constexpr std::uint64_t shown_ms_max = 10 * 60 * 1000;

} // namespace

outcome run(const commands::wait_for_sn& what, command_world& world) {
  std::string why;
  for (std::uint32_t tries = 0; tries < what.retries; ++tries) {
    if (tries > 0) {
      world.waits();
      if (!world.pause(retry_interval)) return fail(errc::cancelled, "the wait was ended");
    }
    const auto up = world.look_for_sn(what.sn);
    if (up) return answers::sn_is_up{};
    why = up.error().message;
  }
  return fail(errc::unavailable, "Unable to contact API-Server {} after {} tries: {}",
              host_port(what.sn.host, what.sn.port), what.retries, why);
}

outcome run(const commands::create_context& what, command_world& world) {
  SWARM_CHECK(world.open_context(what.context, what.sn));
  world.say(answers::sn_is_up{});
  return std::optional<answer>{};
}

outcome run(const commands::get_context_info& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  answers::context_info out;
  out.name = what.context.empty() ? world.context : what.context;
  out.sn = world.contexts.all().at(out.name).sn;
  out.is_default = out.name == world.contexts.default_name();
  out.uid = to_hex(sns->account().view());
  if (sns->trouble().empty()) {
    SWARM_TRY(const auto responses, sns->ask({{"swarm_apiEndpoints", {}}}));
    SWARM_TRY(out.other_sns, session::texts_of(responses.front(), contracts::nodes_max));
    out.connected_to = host_port(out.sn.host, out.sn.port);
  }
  return out;
}

outcome run(const commands::get_context_version&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto responses,
            sns->ask({{"web3_clientVersion", {}}, {"eth_chainId", {}}, {"eth_blockNumber", {}}}));
  answers::context_version out;
  out.context = world.context;
  SWARM_TRY(out.version, session::text_of(responses[0]));
  SWARM_TRY(out.chain_id, session::quantity_of(responses[1]));
  SWARM_TRY(out.block_num, session::quantity_of(responses[2]));
  return out;
}

outcome run(const commands::list_nodes&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto all, nodes_of(*sns));
  SWARM_TRY(const auto registered,
            read_pages(*sns, contracts::node_registry_address(), contracts::page_entries_max,
                       [](std::size_t first) {
                         return contracts::nodes_args{first, contracts::page_entries_max};
                       }));
  std::map<std::string, std::string> parents;
  for (const auto& node : registered)
    parents[to_hex(node.account.view())] = uid_of(node.parent);
  const auto now = unix_seconds();
  answers::nodes out;
  bool sentinel_seen = false;
  for (const auto& node : all) {
    const auto type = text_at(node, "type");
    const auto silent_ms = number_at(node, "silentMs");
    // The network's first SN is the one that made its chain.
    const bool is_sentinel = type == "SN" && !std::exchange(sentinel_seen, sentinel_seen || type == "SN");
    if (type == "SWCI" || !is_active(node) || silent_ms > shown_ms_max) continue;
    const auto api = text_at(node, "apiEndpoint");
    const auto at = endpoint::parse(type == "SN" && !api.empty() ? api : text_at(node, "endpoint"));
    const auto uid = text_at(node, "account");
    out.all.push_back({is_sentinel ? "SENTINEL" : type,
                       at ? at->host : std::string{},
                       at ? at->port : std::uint16_t{0},
                       text_at(node, "name"),
                       uid,
                       parents[uid],
                       {now - std::min(now, silent_ms / 1000)}});
  }
  put_below_shown_sns(out.all);
  put_swops_at_their_sns(out.all);
  return out;
}

outcome run(const commands::doctor&, command_world& world) {
  answers::doctor_report out;
  const auto note = [&](std::string what, bool good, std::string text) {
    out.all.push_back({std::move(what), good, std::move(text)});
  };
  if (world.sns == nullptr) {
    note("context", false, "there is none: CREATE CONTEXT name WITH IP address makes one");
    return out;
  }
  const auto trouble = world.sns->trouble();
  note("SN", trouble.empty(), trouble.empty() ? "answers, and knows this SWCI" : trouble);
  if (!trouble.empty()) return out;
  SWARM_TRY(const auto nodes, nodes_of(*world.sns));
  std::map<std::string, unsigned> live;
  for (const auto& node : nodes) {
    if (!is_active(node)) continue;
    const auto type = text_at(node, "type");
    const auto silent_ms = number_at(node, "silentMs");
    if (silent_ms < 15'000) {
      ++live[type];
    } else if (silent_ms <= shown_ms_max && type != "SWCI") {
      note(type + " " + text_at(node, "name"), false,
           fmt::format("no sign of life for {} s: is it down, or cut off?", silent_ms / 1000));
    }
  }
  for (const auto* type : {"SN", "SWOP", "SL"})
    note(fmt::format("{}s", type), live[type] > 0 || std::string_view(type) == "SL",
         live[type] > 0
             ? fmt::format("{} alive", live[type])
             : fmt::format("none alive{}",
                           std::string_view(type) == "SWOP" ? ": tasks wait until a SWOP listens" : ""));
  return out;
}

} // namespace swarm::swci
