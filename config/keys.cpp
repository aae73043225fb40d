#include "config/keys.hpp"

#include "config/values.hpp"

namespace swarm::config {

namespace {

constexpr std::uint16_t api_service_port = 443; // where a reverse proxy listens
constexpr std::uint16_t p2p_service_port = 30303;
constexpr std::size_t contracts_max = 64;

/// Converts and stores: `put<&sn_options::sn_api_port, to_port>`.
template <auto Member, auto Convert, class Options>
result<> put(Options& options, std::string_view text) {
  auto value = Convert(text);
  if (!value) return tl::unexpected(std::move(value).error());
  options.*Member = std::move(*value);
  return {};
}

/// The same for the members of `identity`.
template <auto Member, auto Convert, class Options>
result<> put_identity(Options& options, std::string_view text) {
  return put<Member, Convert>(options.identity, text);
}

result<service> to_https_service(std::string_view text) {
  return to_service(text, api_service_port);
}
result<service> to_p2p_service(std::string_view text) {
  return to_service(text, p2p_service_port);
}

result<> add_contract(sn_options& options, std::string_view text) {
  auto name = to_name(text);
  if (!name) return tl::unexpected(std::move(name).error());
  for (const auto& there : options.contracts)
    if (there == *name) return fail(config_errc::bad_value, "contract '{}' is named twice", *name);
  if (options.contracts.size() >= contracts_max)
    return fail(config_errc::bad_value, "more than {} contracts", contracts_max);
  options.contracts.push_back(std::move(*name));
  return {};
}

using process = process_config;
using sn = sn_options;
using sl = sl_options;
using id = identity_options;
using enum value_kind;

// One row: key, kind, placeholder, default; variables; help; where it goes for process, SN, SL.
// clang-format off
constexpr key_spec process_keys[] = {
  {"data-dir", path, "DIR", "swarm-data", {"SWARMD_DATA_DIR"},
   "folder for what must survive a restart; the roles use sn-1, sl-1, sl-2, ... below it",
   put<&process::data_dir, to_path>, put<&sn::data_dir, to_path>, put<&sl::data_dir, to_path>},
  {"node-name", text, "NAME", "", {"SWARMD_NODE_NAME"},
   "name shown to operators; default sn-1, sl-1, sl-2, ...",
   nullptr, put<&sn::node_name, to_name>, put<&sl::node_name, to_name>},
  {"log-level", text, "LEVEL", "INFO", {"SWARMD_LOG_LEVEL", "SL_LOG_LEVEL"},
   "TRACE, DEBUG, INFO, WARNING, ERROR or OFF",
   put<&process::log_level, to_level>},
};

constexpr key_spec identity_keys[] = {
  {"key", path, "FILE", "", {"SWARM_ID_KEY"},
   "this node's private key, PEM",
   nullptr, put_identity<&id::key, to_path>, put_identity<&id::key, to_path>},
  {"cert", path, "FILE", "", {"SWARM_ID_CERT"},
   "this node's certificate, PEM",
   nullptr, put_identity<&id::cert, to_path>, put_identity<&id::cert, to_path>},
  {"cacert", path, "FILE", "", {"SWARM_ID_CACERT"},
   "certificates of the authorities to trust, PEM",
   nullptr, put_identity<&id::cacert, to_path>, put_identity<&id::cacert, to_path>},
  {"capath", path, "DIR", "", {"SWARM_ID_CAPATH"},
   "folder of such files, all of them trusted",
   nullptr, put_identity<&id::capath, to_path>, put_identity<&id::capath, to_path>},
  {"verify-host", flag, "", "false", {"SWARMD_VERIFY_HOST"},
   "also check host names against certificates",
   nullptr, put_identity<&id::verify_host, to_flag>, put_identity<&id::verify_host, to_flag>},
};

constexpr key_spec network_keys[] = {
  {"host-ip", text, "HOST", "", {"THIS_NODE_IP"},
   "address or name by which others reach this host",
   nullptr, put<&sn::host_ip, to_host>, put<&sl::host_ip, to_host>},
  {"bind-address", text, "IP", "0.0.0.0", {"SWARMD_BIND_ADDRESS"},
   "address that the servers listen on",
   nullptr, put<&sn::bind_address, to_ip>, put<&sl::bind_address, to_ip>},
  {"sn-api-port", number, "PORT", "30304", {"SN_API_SERVER_PORT"},
   "SN: port of its API server; SL: port of the API server at --sn-ip",
   nullptr, put<&sn::sn_api_port, to_port>, put<&sl::sn_api_port, to_port>},
  {"sn-api-service", text, "NAME[:PORT]", "", {"SN_API_SERVICE"},
   "SN: name of its API server behind a proxy; SL: the one to use instead of --sn-ip; default port 443",
   nullptr, put<&sn::sn_api_service, to_https_service>, put<&sl::sn_api_service, to_https_service>},
};

constexpr key_spec sn_keys[] = {
  {"sentinel", flag, "", "false", {"SN_I_AM_SENTINEL"},
   "begin a new chain (or go on with it after a restart)",
   nullptr, put<&sn::sentinel, to_flag>},
  {"sentinel-ip", text, "HOST", "", {"SENTINEL_NODE_IP"},
   "join the chain that this SN knows; any running SN will do",
   nullptr, put<&sn::sentinel_ip, to_host>},
  {"sentinel-api-port", number, "PORT", "30304", {"SENTINEL_API_SERVER_PORT"},
   "port of its API server",
   nullptr, put<&sn::sentinel_api_port, to_port>},
  {"sentinel-api-service", text, "NAME[:PORT]", "", {"SENTINEL_API_SERVICE"},
   "the same by the name of its API server behind a proxy; default port 443",
   nullptr, put<&sn::sentinel_api_service, to_https_service>},
  {"observer", flag, "", "false", {"SWARMD_OBSERVER"},
   "follow the chain and serve SLs, but never be a validator",
   nullptr, put<&sn::observer, to_flag>},
  {"snapshot-gap", number, "BLOCKS", "50000", {"SWARMD_SNAPSHOT_GAP"},
   "when so far behind, take a snapshot of the state and fetch older blocks later; 0: never",
   nullptr, put<&sn::snapshot_gap, to_block_count>},
  {"sn-p2p-port", number, "PORT", "30303", {"SN_ETH_PORT_EXT"},
   "port for other SNs",
   nullptr, put<&sn::sn_p2p_port, to_port>},
  {"sn-p2p-service", text, "NAME[:PORT]", "", {"SN_ETH_P2P_SERVICE"},
   "name of that port behind a proxy; default port 30303",
   nullptr, put<&sn::sn_p2p_service, to_p2p_service>},
  {"contract", list, "NAME", "", {"SWARMD_CONTRACT"},
   "training contract to create besides defaultbb.cqdb.sml.hpe; repeatable",
   nullptr, add_contract},
};

constexpr key_spec sl_keys[] = {
  {"sn-ip", text, "HOST", "", {"SN_NODE_IP"},
   "the SN to use; default the SN in the same process, if there is one",
   nullptr, nullptr, put<&sl::sn_ip, to_host>},
  {"sl-fs-port", number, "PORT", "30305", {"SL_FS_PORT"},
   "port for other SLs",
   nullptr, nullptr, put<&sl::sl_fs_port, to_port>},
  {"sl-fs-service", text, "NAME[:PORT]", "", {"SL_FS_SERVICE"},
   "name of that port behind a proxy; default port 443",
   nullptr, nullptr, put<&sl::sl_fs_service, to_https_service>},
  {"request-channel", path, "FIFO", "/tmp/channel/request.channel", {"SL_REQUEST_CHANNEL"},
   "named pipe that the training program writes",
   nullptr, nullptr, put<&sl::request_channel, to_path>},
  {"response-channel", path, "FIFO", "/tmp/channel/response.channel", {"SL_RESPONSE_CHANNEL"},
   "named pipe that the training program reads",
   nullptr, nullptr, put<&sl::response_channel, to_path>},
  {"make-me-admin", flag, "=false", "true", {"SL_MAKE_ME_ADMIN"},
   "this node never leads a round",
   nullptr, nullptr, put<&sl::make_me_admin, to_flag>},
  {"leader-failure-base-timeout", number, "SECONDS", "600", {"SL_LEADER_FAILURE_BASE_TIMEOUT"},
   "longest wait for a leader's merge; a leader that makes no progress is replaced sooner",
   nullptr, nullptr, put<&sl::leader_failure_base_timeout, to_seconds>},
  {"wait-for-full-quorum", number, "SECONDS", "30", {"SL_WAIT_FOR_FULL_QUORUM_SECONDS"},
   "how long to wait for late peers once the fewest needed are there",
   nullptr, nullptr, put<&sl::wait_for_full_quorum, to_seconds>},
  {"ram-intensive", flag, "=false", "true", {"SL_RAM_INTENSIVE"},
   "accepted; merging never holds whole models in memory",
   nullptr, nullptr, put<&sl::ram_intensive, to_flag>},
};
// clang-format on

constexpr key_group groups[] = {
    {"Process", process_keys},
    {"Identity (mutual TLS; needed)", identity_keys},
    {"Network", network_keys},
    {"Swarm Network node (SN)", sn_keys},
    {"Swarm Learning node (SL)", sl_keys},
};

constexpr command_flag commands[] = {
    {"--role", "ROLE", "sn or sl; give it again for both in one process [SWARMD_ROLE, comma-separated]"},
    {"--profile", "FILE", "read settings and roles of this host from a YAML file [SWARMD_PROFILE]"},
    {"--check", "", "print every setting with its origin, check certificates, and end"},
    {"--verify-store", "",
     "SN: check the chain in --data-dir down to the last byte, say what is wrong, and end"},
    {"--repair", "", "with --verify-store: make anew what follows from the blocks themselves"},
    {"--version,-V", "", "print the version and end"},
    {"--help,-h", "", "print this text and end"},
};

constexpr std::string_view no_licence = "no licence is needed";
constexpr ignored_flag ignored[] = {
    {"apls-ip", no_licence},
    {"apls-port", no_licence},
    {"primary-apls-ip", no_licence},
    {"primary-apls-port", no_licence},
    {"secondary-apls-ip", no_licence},
    {"secondary-apls-port", no_licence},
    {"socket-path", "identities come from --key, --cert and --cacert or --capath"},
};

} // namespace

std::span<const key_group> key_groups() {
  return groups;
}

const key_spec* find_key(std::string_view key) {
  for (const auto& group : groups)
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

} // namespace swarm::config
