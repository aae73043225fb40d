// The table of the role sn: a Swarm Network node.
#include "config/roles/put.hpp"
#include "config/roles/shared.hpp"
#include "config/validate.hpp"

namespace swarm::config {

namespace {

constexpr std::uint16_t p2p_service_port = 30303;
constexpr std::size_t contracts_max = 64;

using enum value_kind;

const sn_options& as_sn(const role_options& options) {
  return static_cast<const sn_options&>(options);
}

result<service> to_p2p_service(std::string_view text) {
  return to_service(text, p2p_service_port);
}

/// A node says every two seconds that it is alive.
result<std::chrono::seconds> to_seat_lease(std::string_view text) {
  constexpr std::chrono::seconds least{5};
  SWARM_TRY(const auto lasts, to_seconds(text));
  if (lasts < least) return fail(config_errc::bad_value, "'{}' is less than {} s", text, least.count());
  return lasts;
}

result<> add_contract(role_options& options, std::string_view text) {
  auto& contracts = static_cast<sn_options&>(options).contracts;
  auto name = to_name(text);
  if (!name) return tl::unexpected(std::move(name).error());
  for (const auto& there : contracts)
    if (there == *name) return fail(config_errc::bad_value, "contract '{}' is named twice", *name);
  if (contracts.size() >= contracts_max)
    return fail(config_errc::bad_value, "more than {} contracts", contracts_max);
  contracts.push_back(std::move(*name));
  return {};
}

// A row has key, kind, placeholder, default; variables; help; where the text goes.
// clang-format off
constexpr role_setting sn_own[] = {
  {{"sentinel", flag, "", "false", {"SN_I_AM_SENTINEL"},
    "begin a new chain (or go on with it after a restart)"},
   put<&sn_options::sentinel, to_flag>},
  {{"sentinel-ip", text, "HOST", "", {"SENTINEL_NODE_IP"},
    "join the chain that this SN knows; any running SN will do"},
   put<&sn_options::sentinel_ip, to_host>},
  {{"sentinel-api-port", number, "PORT", "30304", {"SENTINEL_API_SERVER_PORT"},
    "port of its API server"},
   put<&sn_options::sentinel_api_port, to_port>},
  {{"sentinel-api-service", text, "NAME[:PORT]", "", {"SENTINEL_API_SERVICE"},
    "the same by the name of its API server behind a proxy; default port 443"},
   put<&sn_options::sentinel_api_service, to_https_service>},
  {{"observer", flag, "", "false", {"SWARMD_OBSERVER"},
    "follow the chain and serve SLs, but never be a validator"},
   put<&sn_options::observer, to_flag>},
  {{"snapshot-gap", number, "BLOCKS", "50000", {"SWARMD_SNAPSHOT_GAP"},
    "when so far behind, take a snapshot of the state and fetch older blocks later; 0: never"},
   put<&sn_options::snapshot_gap, to_block_count>},
  {{"keep-states", number, "BLOCKS", "604800", {"SWARMD_KEEP_STATES"},
    "keep the states of so many of the youngest blocks, at least 1024; 0 or all: of every block"},
   put<&sn_options::keep_states, to_kept_states>},
  {{"rules-known", number, "VERSION", "3", {"SWARMD_RULES_KNOWN"},
    "follow the chain's rules up to this version; a lower one rehearses how an older swarmd stops"},
   put<&sn_options::rules_known, to_block_count>},
  {{"seat-lease", number, "SECONDS", "60", {"SWARMD_SEAT_LEASE"},
    "who is silent for so long gives up its seat where LIMIT SEATS left no other, at least 5"},
   put<&sn_options::seat_lease, to_seat_lease>},
  {{"sn-p2p-port", number, "PORT", "30303", {"SN_ETH_PORT_EXT"},
    "port for other SNs"},
   put<&sn_options::sn_p2p_port, to_port>},
  {{"sn-p2p-service", text, "NAME[:PORT]", "", {"SN_ETH_P2P_SERVICE"},
    "name of that port behind a proxy; default port 30303"},
   put<&sn_options::sn_p2p_service, to_p2p_service>},
  {{"contract", list, "NAME", "", {"SWARMD_CONTRACT"},
    "training contract to create besides defaultbb.cqdb.sml.hpe; repeatable"},
   add_contract},
};

constexpr role_setting sn_shared[] = {
  {sn_api_port_key, put<&sn_options::sn_api_port, to_port>},
  {sn_api_service_key, put<&sn_options::sn_api_service, to_https_service>},
};
// clang-format on

void validate_sn(const role_options& options, const rule_context& rules) {
  const auto& sn = as_sn(options);
  auto given = [&](std::string_view key) { return rules.given(sn.node_name, key); };
  const bool joins = !sn.sentinel_ip.empty() || sn.sentinel_api_service;
  if (!sn.sentinel && !joins)
    rules.found.add(
        config_errc::missing,
        "{}: give --sentinel to begin a chain, or --sentinel-ip or --sentinel-api-service to join one",
        sn.node_name);
  if (sn.sentinel && sn.observer)
    rules.found.add(
        config_errc::conflict,
        "{}: both --sentinel{} and --observer{} are given; who begins a chain is its first validator: "
        "keep one",
        sn.node_name, given("sentinel"), given("observer"));
  if (sn.sentinel && joins) {
    const std::string_view other = sn.sentinel_ip.empty() ? "sentinel-api-service" : "sentinel-ip";
    rules.found.add(
        config_errc::conflict,
        "{}: both --sentinel{} and --{}{} are given; the first begins a chain, the second joins one: "
        "keep one",
        sn.node_name, given("sentinel"), other, given(other));
  }
  if (sn.host_ip.empty() && !(sn.sn_api_service && sn.sn_p2p_service))
    rules.found.add(
        config_errc::missing,
        "{}: --host-ip is missing, the address by which other nodes reach this host (not needed when "
        "--sn-api-service and --sn-p2p-service are both given)",
        sn.node_name);
}

std::vector<claim> claims_of_sn(const role_options& options) {
  const auto& sn = as_sn(options);
  return {{claim::port, fmt::format("{}", sn.sn_api_port), sn.bind_address, sn.node_name, "sn-api-port"},
          {claim::port, fmt::format("{}", sn.sn_p2p_port), sn.bind_address, sn.node_name, "sn-p2p-port"}};
}

std::vector<std::pair<std::string_view, std::string_view>> overruled_of_sn(const role_options& options) {
  const auto& sn = as_sn(options);
  if (!sn.sentinel_api_service || sn.sentinel_ip.empty()) return {};
  return {{"sentinel-api-service", "sentinel-ip"}};
}

} // namespace

constinit const role_spec sn_role{
    .name = "sn",
    .section = "an 'sn' section",
    .plural = "SNs",
    .title = "Swarm Network node (SN)",
    .count_max = 1,
    .shared = sn_shared,
    .own = sn_own,
    .add = add_to<&process_config::sn>,
    .all = all_of<&process_config::sn>,
    .complete = nullptr,
    .validate = validate_sn,
    .claims = claims_of_sn,
    .overruled = overruled_of_sn,
};

} // namespace swarm::config
