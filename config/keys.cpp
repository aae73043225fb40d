#include "config/keys.hpp"

#include "config/roles/role.hpp"
#include "config/roles/shared.hpp"

#include <vector>

namespace swarm::config {

namespace {

/// The settings of all groups in one list, and the groups as views of it.
struct catalog {
  std::vector<key_spec> keys;
  std::vector<key_group> groups;
};

catalog make_catalog() {
  catalog out;
  for (const auto& group : shared_groups())
    out.keys.insert(out.keys.end(), group.keys.begin(), group.keys.end());
  for (const auto* role : roles())
    for (const auto& setting : role->own)
      out.keys.push_back(setting.spec);
  const std::span<const key_spec> all(out.keys);
  std::size_t from = 0;
  auto add_group = [&](std::string_view title, std::size_t size) {
    out.groups.push_back({title, all.subspan(from, size)});
    from += size;
  };
  for (const auto& group : shared_groups())
    add_group(group.title, group.keys.size());
  for (const auto* role : roles())
    add_group(role->title, role->own.size());
  return out;
}

constexpr command_flag commands[] = {
    {"--role", "ROLE",
     "sn, sl, swop, swci or ui; give it again for more in one process [SWARMD_ROLE, comma-separated]"},
    {"--profile", "FILE", "read settings and roles of this host from a YAML file [SWARMD_PROFILE]"},
    {"--check", "", "print every setting with its origin, check certificates, and end"},
    {"--health", "", "ask the swarmd that has this --data-dir whether it is well, and end: 0 when it is"},
    {"--verify-store", "",
     "SN: check the chain in --data-dir down to the last byte, say what is wrong, and end"},
    {"--repair", "", "with --verify-store: make anew what follows from the blocks themselves"},
    {"--version,-V", "", "print the version and end"},
    {"--help,-h", "", "print this text and end"},
};

constexpr std::string_view no_licence = "no licence is needed";
constexpr ignored_flag ignored[] = {
    {"apls-ip", no_licence},           {"apls-port", no_licence},         {"primary-apls-ip", no_licence},
    {"primary-apls-port", no_licence}, {"secondary-apls-ip", no_licence}, {"secondary-apls-port", no_licence},
};

} // namespace

std::span<const key_group> key_groups() {
  static const catalog all = make_catalog();
  return all.groups;
}

const key_spec* find_key(std::string_view key) {
  for (const auto& group : key_groups())
    for (const auto& spec : group.keys)
      if (spec.key == key) return &spec;
  return nullptr;
}

std::span<const command_flag> command_flags() {
  return commands;
}

std::span<const ignored_flag> ignored_flags() {
  return ignored;
}

namespace {

constexpr ignored_flag unread[] = {
    {"SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_IP", no_licence},
    {"SWARM_LICENSE_AUTOPASSJ_SERVER_PRIMARY_PORT", no_licence},
    {"SWARM_LICENSE_AUTOPASSJ_SERVER_SECONDARY_IP", no_licence},
    {"SWARM_LICENSE_AUTOPASSJ_SERVER_SECONDARY_PORT", no_licence},
    {"SN_START_MINING", "blocks are agreed on by validators, nobody mines"},
    {"LOGS_DIR", "the log goes to standard error"},
};

} // namespace

std::span<const ignored_flag> ignored_variables() {
  return unread;
}

} // namespace swarm::config
