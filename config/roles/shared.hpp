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

/// Stores where the SN of this process is, if there is one, and says so in the process's settings.
void take_local_sn(process_config& config, const std::string& node_name, std::string& sn_ip,
                   std::uint16_t& sn_api_port);

/// A role beside an SN uses that SN unless told otherwise.
template <class Options>
void use_local_sn(process_config& config, Options& options) {
  if (options.sn_ip.empty() && !options.sn_api_service)
    take_local_sn(config, options.node_name, options.sn_ip, options.sn_api_port);
}

/// Settings that some roles share: each has a row of its own for them.
inline constexpr key_spec sn_api_port_key{
    "sn-api-port",
    value_kind::number,
    "PORT",
    "30304",
    {"SN_API_SERVER_PORT"},
    "SN: port of its API server; SL, SWOP and UI: port of the API server at --sn-ip"};
inline constexpr key_spec sn_api_service_key{"sn-api-service",
                                             value_kind::text,
                                             "NAME[:PORT]",
                                             "",
                                             {"SN_API_SERVICE"},
                                             "SN: name of its API server behind a proxy; SL, SWOP and UI: "
                                             "the one to use instead of --sn-ip; default port "
                                             "443"};
inline constexpr key_spec sn_ip_key{
    "sn-ip",        value_kind::text,
    "HOST",         "",
    {"SN_NODE_IP"}, "SL, SWOP and UI: the SN to use; default the SN in the same process, if there is one"};
inline constexpr key_spec usr_dir_key{
    "usr-dir",   value_kind::path,
    "DIR",       "",
    {"USR_DIR"}, "SWOP and SWCI: folder of the user's files, /platform/swarm/usr to tasks and commands"};

} // namespace swarm::config
