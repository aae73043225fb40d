#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "base/log_format.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace swarm::config {

/// What can be wrong with flags, profile or environment.
enum class config_errc {
  usage = 1,     ///< unknown, repeated or incomplete flag
  profile_file,  ///< the profile cannot be read, is too large or is not YAML
  unknown_key,   ///< a profile key that no role knows
  duplicate_key, ///< the same profile key twice in one mapping
  wrong_type,    ///< a list where one value belongs, and the like
  bad_value,     ///< one value is out of its range or form
  missing,       ///< a setting that the role cannot do without
  conflict,      ///< settings that exclude each other
  identity,      ///< certificates or keys are not given or do not exist
};

constexpr std::string_view error_category(config_errc) {
  return "config";
}

/// The longest node or contract name, in bytes.
inline constexpr std::size_t name_bytes_max = 64;

/// The most roles of one kind in a profile.
inline constexpr std::size_t roles_max = 256;

/// The X.509 files of one role, in PEM. There must be `cacert` (one file) or `capath` (a folder, every PEM in
/// it), or both. Or `agent` alone, the socket of a SPIFFE agent.
struct identity_options {
  std::filesystem::path key;
  std::filesystem::path cert;
  std::filesystem::path cacert;
  std::filesystem::path capath;
  bool verify_host = false; ///< check the peer's host name against its certificate
  /// Rules that say which organisation and roles a certificate stands for (config/members); empty: the default ones.
  std::filesystem::path members;
  std::filesystem::path agent;
};

/// A name and port under which a reverse proxy or load balancer makes a server reachable.
using service = endpoint;

/// What every role of a process has. Paths given relative in a profile are relative to the profile's folder.
struct role_options {
  std::string node_name; ///< unique in the process; [A-Za-z0-9._-], at most name_bytes_max
  std::string host_ip;   ///< address or name that others reach this host by; may be empty with services
  /// Address the servers listen on (IP literal). Unless given it is "::", IPv6 and IPv4, when `host_ip` is an
  /// IPv6 address: others must reach what is advertised.
  std::string bind_address = "0.0.0.0";
  std::filesystem::path data_dir; ///< of this role alone; the role creates it, mode 0700
  identity_options identity;
  std::optional<hash32> genesis_hash; ///< the block that the network of this node begins with
};

/// A Swarm Network node. Exactly one of `sentinel`, `sentinel_ip`, `sentinel_api_service` is set.
struct sn_options : role_options {
  bool sentinel = false;
  std::string sentinel_ip; ///< any running SN will do
  std::uint16_t sentinel_api_port = 30304;
  std::optional<service> sentinel_api_service;
  std::uint16_t sn_api_port = 30304; ///< listens here; advertised with host_ip unless sn_api_service is set
  std::uint16_t sn_p2p_port = 30303; ///< listens here; advertised with host_ip unless sn_p2p_service is set
  std::optional<service> sn_api_service;
  std::optional<service> sn_p2p_service;
  /// An SN that is behind the others by more blocks than this takes a snapshot of the state; 0: never.
  std::uint64_t snapshot_gap = 50'000;
  /// States of so many of the youngest blocks are kept, by default for a week of a block a second; 0: all.
  std::uint64_t keep_states = 604'800;
  std::uint64_t rules_known = 3; ///< the newest version of the chain's rules to follow
  /// A node that gives no sign of life for so long gives up its seat, where its organisation has none left.
  std::chrono::seconds seat_lease{60};
  bool observer = false;              ///< never a validator; not for the sentinel
  std::vector<std::string> contracts; ///< training contracts to create besides defaultbb.cqdb.sml.hpe
};

/// A Swarm Learning node. `sn_ip` or `sn_api_service` is set.
struct sl_options : role_options {
  std::string sn_ip;
  std::uint16_t sn_api_port = 30304; ///< of the SN at sn_ip
  std::optional<service> sn_api_service;
  /// Listens here, 0: on any that is free; advertised with host_ip unless sl_fs_service is set.
  std::uint16_t sl_fs_port = 30305;
  std::optional<service> sl_fs_service;
  std::filesystem::path request_channel = "/tmp/channel/request.channel";
  std::filesystem::path response_channel = "/tmp/channel/response.channel";
  std::string
      channel_group; ///< name or number of the group that may open the pipes; empty: that of the process
  bool channel_open = false;     ///< every user of the host may
  bool shared_memory = true;     ///< our own programs pass models through memory, not through the pipes
  std::uint64_t store_quota = 0; ///< bytes of models on the disk; 0: as many as it holds
  std::uint32_t keep_merges = 3; ///< the last merges of each training, while the store has room for them
  bool make_me_admin = true;     ///< false: this node is never the leader
  /// The longest wait for a leader's merge before the leader is suspected; lack of progress is
  /// noticed sooner.
  std::chrono::seconds leader_failure_base_timeout{600};
  /// The grace for late peers once minPeers are ready.
  std::chrono::seconds wait_for_full_quorum{30};
  /// What programs that ask for a custom merge method are merged by; may be empty.
  std::filesystem::path merge_library;
  /// Kept from the original; merging here never holds whole models, whatever this says.
  bool ram_intensive = true;
};

/// A Swarm Operator node: runs tasks on its host. `sn_ip` or `sn_api_service` is set, or its profile's
/// `apisrv`.
struct swop_options : role_options {
  std::string sn_ip;
  std::uint16_t sn_api_port = 30304; ///< of the SN at sn_ip
  std::optional<service> sn_api_service;
  std::filesystem::path usr_dir;                  ///< what tasks know as /platform/swarm/usr
  std::filesystem::path profile_file;             ///< in usr_dir wherever it is named, or absolute
  std::string manager;                            ///< in place of the profile's; empty: as that says
  std::vector<std::filesystem::path> allow_paths; ///< absolute
  std::vector<std::string> allow_volumes;         ///< of the container engine, beside those that tasks made
  std::filesystem::path engine_socket; ///< of the container engine; empty: the first one that is there
  std::string sl_image;                ///< in which SLs run; empty: that of this version
  std::optional<std::uint32_t> uid;    ///< of programs; only root can choose
  std::optional<std::uint32_t> gid;
  bool keep_containers = false;
  /// For SWCIs of this organisation, who read the last lines of failed programs there; 0: any free one. Advertised with
  /// `host_ip`.
  std::uint16_t lines_port = 0;
};

/// The command interface: a prompt in the terminal, or commands over HTTP.
struct swci_options : role_options {
  std::filesystem::path usr_dir;                   ///< what commands know as /platform/swarm/usr
  std::filesystem::path init_script = "swci-init"; ///< in usr_dir wherever it is named, or absolute
  bool web = false;                                ///< commands come over HTTP
  std::uint16_t web_port = 30306;
  bool web_plain = false; ///< other hosts need no certificate
  std::chrono::minutes task_max_wait_time{120};
  bool json = false;
};

/// The management page. `sn_ip` or `sn_api_service` is set. It listens on `address`, not on `bind_address`.
struct ui_options : role_options {
  std::string sn_ip;
  std::uint16_t sn_api_port = 30304; ///< of the SN at sn_ip
  std::optional<service> sn_api_service;
  std::string address = "127.0.0.1";
  std::uint16_t port = 30302;
  bool plain = false;               ///< HTTP from this host, too
  std::vector<service> hosts;       ///< further names of the page; port 0: that of the page, or none
  std::vector<std::string> readers; ///< fingerprints, or CNs of the own organisation; empty: its SWCIs
  std::vector<std::string> operators;
};

/// Where one setting of one role came from, for `--check`.
struct setting {
  std::string node_name; ///< empty: of the whole process
  std::string key;       ///< as in the profile, e.g. "sn-api-port"
  std::string value;
  std::string origin; ///< "--sn-api-port", "host.yaml:3:14", "environment SN_API_SERVER_PORT", "default", ...
};

/// Everything that one swarmd process is to do. It has at least one role.
struct process_config {
  std::vector<sn_options> sn; ///< at most one
  std::vector<sl_options> sl;
  std::vector<swop_options> swop;
  std::vector<swci_options> swci; ///< at most one
  std::vector<ui_options> ui;     ///< at most one
  std::filesystem::path
      data_dir; ///< of the process: the admin socket; roles without their own data-dir live below
  log::level log_level = log::level::info;
  log::format log_format = log::format::text;
  std::string proxy;               ///< by which servers are dialled, perhaps with a login; empty: none
  std::string no_proxy;            ///< hosts that are dialled directly (transport/proxy/proxy.hpp)
  std::optional<endpoint> metrics; ///< where /metrics is served, an IP address and a port; none: nowhere
  std::vector<setting> settings;   ///< every setting in force, in the order of the help text
};

} // namespace swarm::config
