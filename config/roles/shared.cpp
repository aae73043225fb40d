#include "config/roles/shared.hpp"

#include "config/roles/put.hpp"

namespace swarm::config {

namespace {

using id = identity_options;
using enum value_kind;

// clang-format off
constexpr key_spec data_dir_key{
  "data-dir", path, "DIR", "swarm-data", {"SWARMD_DATA_DIR"},
  "folder for what must survive a restart; the roles use sn-1, sl-1, sl-2, ... below it"};
constexpr key_spec node_name_key{
  "node-name", text, "NAME", "", {"SWARMD_NODE_NAME"},
  "name shown to operators; default sn-1, sl-1, sl-2, ..."};
constexpr key_spec log_level_key{
  "log-level", text, "LEVEL", "INFO", {"SWARMD_LOG_LEVEL", "SL_LOG_LEVEL"},
  "TRACE, DEBUG, INFO, WARNING, ERROR or OFF"};
constexpr key_spec log_format_key{
  "log-format", text, "FORMAT", "text", {"SWARMD_LOG_FORMAT"},
  "text, or json: an object a line"};
constexpr key_spec metrics_key{
  "metrics", text, "[ADDRESS:]PORT", "", {"SWARMD_METRICS"},
  "serve /metrics for Prometheus there; without an address on this host alone, e.g. 30307"};
constexpr key_spec proxy_key{
  "proxy", text, "URL", "", {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
  "dial other nodes by this HTTP proxy (CONNECT), http://[USER:PASSWORD@]HOST:PORT"};
constexpr key_spec no_proxy_key{
  "no-proxy", text, "HOSTS", "", {"no_proxy", "NO_PROXY"},
  "but these directly: names and all that end in them, addresses, networks, or * for all"};
constexpr key_spec key_key{
  "key", path, "FILE", "", {"SWARM_ID_KEY"},
  "this node's private key, PEM"};
constexpr key_spec cert_key{
  "cert", path, "FILE", "", {"SWARM_ID_CERT"},
  "this node's certificate, PEM"};
constexpr key_spec cacert_key{
  "cacert", path, "FILE", "", {"SWARM_ID_CACERT"},
  "certificates of the authorities to trust, PEM"};
constexpr key_spec capath_key{
  "capath", path, "DIR", "", {"SWARM_ID_CAPATH"},
  "folder of such files, all of them trusted"};
constexpr key_spec socket_path_key{
  "socket-path", text, "SOCKET", "", {"SPIFFE_ENDPOINT_SOCKET", "SWARM_SPIFFE_WORKLOAD_API_SOCKET_PATH"},
  "socket of a SPIFFE agent, which gives key, certificate and authorities in place of these files"};
constexpr key_spec verify_host_key{
  "verify-host", flag, "", "false", {"SWARMD_VERIFY_HOST"},
  "also check host names against certificates"};
constexpr key_spec members_key{
  "members", path, "FILE", "", {"SWARMD_MEMBERS"},
  "rules that say which organisation and roles a certificate stands for, YAML"};
constexpr key_spec genesis_hash_key{
  "genesis-hash", text, "HASH", "", {"SWARMD_GENESIS_HASH"},
  "genesis block of this node's network, as the logs of its SNs say it; default: remembered"};
constexpr key_spec host_ip_key{
  "host-ip", text, "HOST", "", {"THIS_NODE_IP"},
  "address or name by which others reach this host"};
constexpr key_spec bind_address_key{
  "bind-address", text, "IP", "0.0.0.0", {"SWARMD_BIND_ADDRESS"},
  "address that the servers listen on; :: (IPv4 too) when host-ip is IPv6"};
// clang-format on

constexpr process_setting of_process[] = {
    {data_dir_key.key, put<&process_config::data_dir, to_path>},
    {log_level_key.key, put<&process_config::log_level, to_level>},
    {log_format_key.key, put<&process_config::log_format, to_log_format>},
    {metrics_key.key, put<&process_config::metrics, to_metrics_place>},
    {proxy_key.key, put<&process_config::proxy, to_proxy>},
    {no_proxy_key.key, put<&process_config::no_proxy, to_no_proxy>},
};

constexpr role_setting of_every_role[] = {
    {data_dir_key, put<&role_options::data_dir, to_path>},
    {node_name_key, put<&role_options::node_name, to_name>},
    {key_key, put_identity<&id::key, to_path>},
    {cert_key, put_identity<&id::cert, to_path>},
    {cacert_key, put_identity<&id::cacert, to_path>},
    {capath_key, put_identity<&id::capath, to_path>},
    {socket_path_key, put_identity<&id::agent, to_agent_socket>},
    {verify_host_key, put_identity<&id::verify_host, to_flag>},
    {members_key, put_identity<&id::members, to_path>},
    {genesis_hash_key, put<&role_options::genesis_hash, to_block_hash>},
    {host_ip_key, put<&role_options::host_ip, to_host>},
    {bind_address_key, put<&role_options::bind_address, to_ip>},
};

constexpr key_spec process_keys[] = {data_dir_key, node_name_key, log_level_key, log_format_key, metrics_key};
constexpr key_spec identity_keys[] = {key_key,         cert_key,        cacert_key, capath_key,
                                      socket_path_key, verify_host_key, members_key};
constexpr key_spec network_keys[] = {genesis_hash_key, host_ip_key,        bind_address_key, sn_ip_key,
                                     sn_api_port_key,  sn_api_service_key, proxy_key,        no_proxy_key};

constexpr key_spec folder_keys[] = {usr_dir_key};

constexpr key_group groups[] = {
    {"Process", process_keys},
    {"Identity (mutual TLS; needed)", identity_keys},
    {"Network", network_keys},
    {"Folders", folder_keys},
};

} // namespace

std::span<const process_setting> process_settings() {
  return of_process;
}

std::span<const role_setting> settings_of_every_role() {
  return of_every_role;
}

std::span<const key_group> shared_groups() {
  return groups;
}

void take_local_sn(process_config& config, const std::string& node_name, std::string& sn_ip,
                   std::uint16_t& sn_api_port) {
  if (config.sn.empty()) return;
  const auto& sn = config.sn.front();
  sn_ip = sn.bind_address == "0.0.0.0" ? "127.0.0.1" : sn.bind_address == "::" ? "::1" : sn.bind_address;
  sn_api_port = sn.sn_api_port;
  const auto origin = fmt::format("{} of this process", sn.node_name);
  std::erase_if(config.settings, [&](const setting& s) {
    return s.node_name == node_name && (s.key == "sn-ip" || s.key == "sn-api-port");
  });
  config.settings.push_back({node_name, "sn-ip", sn_ip, origin});
  config.settings.push_back({node_name, "sn-api-port", fmt::format("{}", sn_api_port), origin});
}

} // namespace swarm::config
