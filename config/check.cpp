#include "config/parse.hpp"
#include "config/roles/role.hpp"
#include "config/sources/raw.hpp"

#include <unistd.h>

#include <algorithm>

namespace swarm::config {

namespace {

namespace fs = std::filesystem;

/// Why `path` cannot be read, or nothing.
std::string unreadable(const fs::path& path, bool folder) {
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (status.type() == fs::file_type::not_found) return "is not there";
  if (failure) return failure.message();
  if (folder != fs::is_directory(status)) return folder ? "is not a folder" : "is not a file";
  if (::access(path.c_str(), folder ? R_OK | X_OK : R_OK) != 0) return "may not be read by this user";
  if (folder && fs::is_empty(path, failure)) return "is empty";
  return "";
}

void check_identity(const role_options& role, problems& found) {
  const auto& id = role.identity;
  auto look = [&](std::string_view key, const fs::path& path, bool folder) {
    if (path.empty()) return;
    if (const auto why = unreadable(path, folder); !why.empty())
      found.add(config_errc::identity,
                "{}: {} '{}' {}; correct the path, or make certificates with deploy/bin/gen-cert",
                role.node_name, key, path.native(), why);
  };
  look("key", id.key, false);
  look("cert", id.cert, false);
  look("cacert", id.cacert, false);
  look("capath", id.capath, true);
  if (const auto why = id.members.empty() ? std::string() : unreadable(id.members, false); !why.empty())
    found.add(config_errc::identity,
              "{}: members '{}' {}; correct the path, or leave --members out for the default rules",
              role.node_name, id.members.native(), why);
}

} // namespace

std::string describe(const process_config& config) {
  std::size_t node_width = 0, key_width = 0, value_width = 0;
  for (const auto& s : config.settings) {
    node_width = std::max(node_width, s.node_name.size());
    key_width = std::max(key_width, s.key.size());
    value_width = std::max(value_width, s.value.size());
  }
  std::string out;
  for (const auto& s : config.settings)
    out += fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", s.node_name, node_width, s.key, key_width, s.value,
                       value_width, s.origin);
  return out;
}

result<> check_identities(const process_config& config) {
  problems found;
  each_role(config, [&](const role_options& role) { check_identity(role, found); });
  return found.outcome();
}

result<std::string> check(const process_config& config, const identity_check& open_identity) {
  SWARM_CHECK(check_identities(config));
  problems found;
  each_role(config, [&](const role_options& role) {
    if (auto opened = open_identity(role.identity); !opened)
      found.add(fail_with(std::move(opened).error(), role.node_name).value());
  });
  SWARM_CHECK(found.outcome());
  return describe(config) + "certificates: in order\n";
}

} // namespace swarm::config
