#pragma once

#include "config/roles/role.hpp"

namespace swarm::config {

/// A row of the table of the process.
struct process_setting {
  std::string_view key;
  result<> (*into)(process_config&, std::string_view);
};

/// The settings of the process as a whole.
std::span<const process_setting> process_settings();

/// The settings that every role has: the members of `role_options`.
std::span<const role_setting> settings_of_every_role();

/// The settings that do not belong to a single role, under their headings.
std::span<const key_group> shared_groups();

/// Settings that some roles share: each has a row of its own for them.
inline constexpr key_spec sn_api_port_key{
    "sn-api-port",
    value_kind::number,
    "PORT",
    "30304",
    {"SN_API_SERVER_PORT"},
    "SN: port of its API server; SL: port of the API server at --sn-ip"};
inline constexpr key_spec sn_api_service_key{
    "sn-api-service",
    value_kind::text,
    "NAME[:PORT]",
    "",
    {"SN_API_SERVICE"},
    "SN: name of its API server behind a proxy; SL: the one to use instead of --sn-ip; default port 443"};

} // namespace swarm::config
