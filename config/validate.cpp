#include "config/validate.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

/// " (host.yaml:3:14)": where a setting of a role was given; nothing for defaults.
std::string given(const process_config& config, std::string_view node, std::string_view key) {
  for (const auto& s : config.settings)
    if (s.node_name == node && s.key == key && s.origin != "default") return fmt::format(" ({})", s.origin);
  return "";
}

template <class Visit>
void each_role(const process_config& config, Visit visit) {
  for (const auto& role : config.sn)
    visit(static_cast<const role_options&>(role));
  for (const auto& role : config.sl)
    visit(static_cast<const role_options&>(role));
}

void validate_identity(const process_config& config, const role_options& role, problems& found) {
  const auto& id = role.identity;
  const bool no_authority = id.cacert.empty() && id.capath.empty();
  constexpr std::string_view remedy = "deploy/gen-cert makes a key, a certificate and an authority";
  if (id.key.empty() && id.cert.empty() && no_authority) {
    found.add(config_errc::identity,
              "{}: no certificates are given; set --key, --cert, and --cacert or --capath ({})",
              role.node_name, remedy);
    return;
  }
  if (id.key.empty())
    found.add(config_errc::identity, "{}: --key is missing, the private key of the certificate{}; {}",
              role.node_name, given(config, role.node_name, "cert"), remedy);
  if (id.cert.empty())
    found.add(config_errc::identity, "{}: --cert is missing, the certificate of the key{}; {}",
              role.node_name, given(config, role.node_name, "key"), remedy);
  if (no_authority)
    found.add(config_errc::identity,
              "{}: --cacert (a file) or --capath (a folder) is missing: the authorities whose certificates "
              "to trust; {}",
              role.node_name, remedy);
}

void validate_sn(const process_config& config, const sn_options& sn, problems& found) {
  const bool joins = !sn.sentinel_ip.empty() || sn.sentinel_api_service;
  if (!sn.sentinel && !joins)
    found.add(config_errc::missing,
              "{}: give --sentinel to begin a chain, or --sentinel-ip or --sentinel-api-service to join one",
              sn.node_name);
  if (sn.sentinel && sn.observer)
    found.add(config_errc::conflict,
              "{}: both --sentinel{} and --observer{} are given; who begins a chain is its first validator: "
              "keep one",
              sn.node_name, given(config, sn.node_name, "sentinel"), given(config, sn.node_name, "observer"));
  if (sn.sentinel && joins) {
    const std::string_view other = sn.sentinel_ip.empty() ? "sentinel-api-service" : "sentinel-ip";
    found.add(config_errc::conflict,
              "{}: both --sentinel{} and --{}{} are given; the first begins a chain, the second joins one: "
              "keep one",
              sn.node_name, given(config, sn.node_name, "sentinel"), other,
              given(config, sn.node_name, other));
  }
  if (sn.host_ip.empty() && !(sn.sn_api_service && sn.sn_p2p_service))
    found.add(config_errc::missing,
              "{}: --host-ip is missing, the address by which other nodes reach this host (not needed when "
              "--sn-api-service and --sn-p2p-service are both given)",
              sn.node_name);
}

void validate_sl(const process_config& config, const sl_options& sl, problems& found) {
  if (sl.sn_ip.empty() && !sl.sn_api_service)
    found.add(config_errc::missing, "{}: give --sn-ip or --sn-api-service, the SN to use", sl.node_name);
  if (sl.host_ip.empty() && !sl.sl_fs_service)
    found.add(config_errc::missing,
              "{}: --host-ip is missing, the address by which other nodes reach this host (not needed when "
              "--sl-fs-service is given)",
              sl.node_name);
  if (sl.request_channel.lexically_normal() == sl.response_channel.lexically_normal())
    found.add(config_errc::conflict, "{}: request-channel{} and response-channel{} are the same path '{}'",
              sl.node_name, given(config, sl.node_name, "request-channel"),
              given(config, sl.node_name, "response-channel"), sl.request_channel.native());
}

/// A thing that two users must not share.
struct claim {
  std::string what; ///< e.g. "port 30305", or a path
  std::string bind; ///< of a port: the address; otherwise empty
  std::string node;
  std::string key;
};

bool collide(const claim& a, const claim& b) {
  auto any = [](std::string_view address) { return address == "0.0.0.0" || address == "::"; };
  return a.what == b.what && (a.bind == b.bind || any(a.bind) || any(b.bind));
}

void report_collisions(const process_config& config, const std::vector<claim>& claims,
                       std::string_view remedy, problems& found) {
  for (std::size_t i = 0; i < claims.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const auto &a = claims[j], &b = claims[i];
      if (!collide(a, b)) continue;
      found.add(config_errc::conflict, "{} and {} both use {}: {}{} and {}{}; {}", a.node, b.node, b.what,
                a.key, given(config, a.node, a.key), b.key, given(config, b.node, b.key), remedy);
      break; // one report for each second user
    }
}

void validate_shares(const process_config& config, problems& found) {
  std::vector<claim> ports, folders, pipes;
  auto port = [](std::uint16_t number) { return fmt::format("port {}", number); };
  for (const auto& sn : config.sn) {
    ports.push_back({port(sn.sn_api_port), sn.bind_address, sn.node_name, "sn-api-port"});
    ports.push_back({port(sn.sn_p2p_port), sn.bind_address, sn.node_name, "sn-p2p-port"});
  }
  for (const auto& sl : config.sl) {
    ports.push_back({port(sl.sl_fs_port), sl.bind_address, sl.node_name, "sl-fs-port"});
    for (const auto& [path, key] : {std::pair{sl.request_channel, "request-channel"},
                                    std::pair{sl.response_channel, "response-channel"}})
      // A role that names one pipe twice has been told so already.
      if (pipes.empty() || pipes.back().node != sl.node_name
          || pipes.back().what != path.lexically_normal().native())
        pipes.push_back({path.lexically_normal().native(), "", sl.node_name, key});
  }
  each_role(config, [&](const role_options& role) {
    folders.push_back({role.data_dir.lexically_normal().native(), "", role.node_name, "data-dir"});
  });
  report_collisions(config, ports, "give each its own port", found);
  report_collisions(config, pipes, "each SL needs its own pair of pipes", found);
  report_collisions(config, folders, "each role needs its own folder", found);
}

void validate_names(const process_config& config, problems& found) {
  std::vector<std::string_view> seen;
  each_role(config, [&](const role_options& role) {
    if (std::find(seen.begin(), seen.end(), role.node_name) != seen.end())
      found.add(config_errc::conflict,
                "two roles of this process are named '{}'{}; give each its own node-name", role.node_name,
                given(config, role.node_name, "node-name"));
    seen.push_back(role.node_name);
    if (role.node_name.size() > name_bytes_max)
      found.add(config_errc::bad_value,
                "the name '{}' has {} bytes; at most {} are allowed: give a shorter node-name",
                role.node_name, role.node_name.size(), name_bytes_max);
  });
}

} // namespace

void validate(const process_config& config, problems& found) {
  if (config.sn.size() > 1)
    found.add(config_errc::conflict,
              "{} SNs; one process runs at most one, start another swarmd for the next", config.sn.size());
  for (const auto& sn : config.sn)
    validate_sn(config, sn, found);
  for (const auto& sl : config.sl)
    validate_sl(config, sl, found);
  each_role(config, [&](const role_options& role) { validate_identity(config, role, found); });
  validate_names(config, found);
  validate_shares(config, found);
}

std::vector<std::string> overruled(const process_config& config) {
  std::vector<std::string> out;
  auto note = [&](std::string_view node, std::string_view winner, std::string_view loser) {
    out.push_back(fmt::format("{}: {}{} is not used, because {}{} is given", node, loser,
                              given(config, node, loser), winner, given(config, node, winner)));
  };
  for (const auto& sn : config.sn)
    if (sn.sentinel_api_service && !sn.sentinel_ip.empty())
      note(sn.node_name, "sentinel-api-service", "sentinel-ip");
  for (const auto& sl : config.sl)
    if (sl.sn_api_service && !sl.sn_ip.empty()) note(sl.node_name, "sn-api-service", "sn-ip");
  return out;
}

} // namespace swarm::config
