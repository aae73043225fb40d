#include "config/validate.hpp"

#include "config/roles/role.hpp"

#include <algorithm>

namespace swarm::config {

namespace {

/// Of a role whose identity comes from a SPIFFE agent.
void validate_agent(const role_options& role, const rule_context& rules) {
  const auto& id = role.identity;
  const auto given = [&](std::string_view key) { return rules.given(role.node_name, key); };
  for (const auto& [key, path] : {std::pair<std::string_view, const std::filesystem::path&>{"key", id.key},
                                  {"cert", id.cert},
                                  {"cacert", id.cacert},
                                  {"capath", id.capath}})
    if (!path.empty())
      return rules.found.add(config_errc::conflict,
                             "{}: both --socket-path{} and --{}{} are given; certificates come from a SPIFFE "
                             "agent or from files: leave the others out",
                             role.node_name, given("socket-path"), key, given(key));
  if (id.verify_host)
    rules.found.add(
        config_errc::conflict,
        "{}: --verify-host{} goes with certificates from files; SPIFFE IDs name no hosts: leave it "
        "out",
        role.node_name, given("verify-host"));
}

void validate_identity(const role_options& role, const rule_context& rules) {
  auto& found = rules.found;
  const auto& id = role.identity;
  if (!id.agent.empty()) return validate_agent(role, rules);
  const bool no_authority = id.cacert.empty() && id.capath.empty();
  constexpr std::string_view remedy = "deploy/bin/gen-cert makes a key, a certificate and an authority";
  if (id.key.empty() && id.cert.empty() && no_authority) {
    found.add(config_errc::identity,
              "{}: no certificates are given; set --key, --cert, and --cacert or --capath ({}), or "
              "--socket-path for "
              "those of a SPIFFE agent",
              role.node_name, remedy);
    return;
  }
  if (id.key.empty())
    found.add(config_errc::identity, "{}: --key is missing, the private key of the certificate{}; {}",
              role.node_name, rules.given(role.node_name, "cert"), remedy);
  if (id.cert.empty())
    found.add(config_errc::identity, "{}: --cert is missing, the certificate of the key{}; {}",
              role.node_name, rules.given(role.node_name, "key"), remedy);
  if (no_authority)
    found.add(config_errc::identity,
              "{}: --cacert (a file) or --capath (a folder) is missing: the authorities whose certificates "
              "to trust; {}",
              role.node_name, remedy);
}

std::string describe(const claim& it) {
  return it.what == claim::port ? fmt::format("port {}", it.name) : it.name;
}

bool collide(const claim& a, const claim& b) {
  auto any = [](std::string_view address) { return address == "0.0.0.0" || address == "::"; };
  return a.name == b.name && (a.bind == b.bind || any(a.bind) || any(b.bind));
}

void report_collisions(const std::vector<claim>& claims, std::string_view remedy, const rule_context& rules) {
  for (std::size_t i = 0; i < claims.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const auto &a = claims[j], &b = claims[i];
      if (!collide(a, b)) continue;
      rules.found.add(config_errc::conflict, "{} and {} both use {}: {}{} and {}{}; {}", a.node, b.node,
                      describe(b), a.key, rules.given(a.node, a.key), b.key, rules.given(b.node, b.key),
                      remedy);
      break; // one report for each second user
    }
}

void validate_shares(const process_config& config, const rule_context& rules) {
  std::vector<claim> ports, pipes, folders;
  if (config.metrics)
    ports.push_back({claim::port, fmt::format("{}", config.metrics->port), config.metrics->host,
                     "this process", "metrics"});
  for (const auto* role : roles())
    for (const auto* options : role->all(config)) {
      for (auto& claimed : role->claims(*options))
        (claimed.what == claim::port ? ports : pipes).push_back(std::move(claimed));
      folders.push_back(
          {claim::folder, options->data_dir.lexically_normal().native(), "", options->node_name, "data-dir"});
    }
  report_collisions(ports, "give each its own port", rules);
  report_collisions(pipes, "each SL needs its own pair of pipes", rules);
  report_collisions(folders, "each role needs its own folder", rules);
}

void validate_names(const process_config& config, const rule_context& rules) {
  std::vector<std::string_view> seen;
  each_role(config, [&](const role_options& role) {
    if (std::find(seen.begin(), seen.end(), role.node_name) != seen.end())
      rules.found.add(config_errc::conflict,
                      "two roles of this process are named '{}'{}; give each its own node-name",
                      role.node_name, rules.given(role.node_name, "node-name"));
    seen.push_back(role.node_name);
    if (role.node_name.size() > name_bytes_max)
      rules.found.add(config_errc::bad_value,
                      "the name '{}' has {} bytes; at most {} are allowed: give a shorter node-name",
                      role.node_name, role.node_name.size(), name_bytes_max);
  });
}

} // namespace

std::string rule_context::given(std::string_view node, std::string_view key) const {
  for (const auto& s : config_.settings)
    if (s.node_name == node && s.key == key && s.origin != "default") return fmt::format(" ({})", s.origin);
  return "";
}

void validate(const process_config& config, problems& found) {
  const rule_context rules(config, found);
  for (const auto* role : roles())
    if (const auto count = role->all(config).size(); count > role->count_max)
      found.add(config_errc::conflict,
                "{} {}; one process runs at most {}, start another swarmd for the next", count, role->plural,
                role->count_max == 1 ? "one" : fmt::format("{}", role->count_max));
  for (const auto* role : roles())
    for (const auto* options : role->all(config))
      role->validate(*options, rules);
  each_role(config, [&](const role_options& role) { validate_identity(role, rules); });
  validate_names(config, rules);
  validate_shares(config, rules);
}

std::vector<std::string> overruled(const process_config& config) {
  problems unused;
  const rule_context rules(config, unused);
  std::vector<std::string> out;
  for (const auto* role : roles())
    for (const auto* options : role->all(config))
      for (const auto& [winner, loser] : role->overruled(*options)) {
        const auto& node = options->node_name;
        out.push_back(fmt::format("{}: {}{} is not used, because {}{} is given", node, loser,
                                  rules.given(node, loser), winner, rules.given(node, winner)));
      }
  return out;
}

} // namespace swarm::config
