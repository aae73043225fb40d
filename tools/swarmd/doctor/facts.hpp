#pragma once

#include "base/bytes.hpp"
#include "transport/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What was found on a host and at its SN, before anybody judges it. `look/` finds it, `judge/` makes lines of it. A
/// `trouble` is a failure in words; empty: there is none.
namespace swarm::doctor {

/// The certificate files of a node.
struct identity_facts {
  std::optional<transport::tls_errc> refused; ///< the rest counts only without it
  std::string trouble;                        ///< why, or what is wrong with the file of --members
  std::string subject, organisation;
  std::uint64_t not_before = 0, not_after = 0; ///< seconds since 1970, as all times
  std::string anchor;                          ///< subject of the authority that the chain ends at
  std::uint64_t anchor_not_after = 0;
  std::size_t trusted_count = 0;
  std::string key_file;
  unsigned key_mode = 0;    ///< permission bits
  std::string role_refusal; ///< why the certificate is for no node of this role; empty: it is
  std::string agent;        ///< socket of the SPIFFE agent that gave it; empty: it is from files
  std::vector<std::string> trust_domains; ///< whose bundles the agent gives
};

/// The data directory of a node and what it lies on.
struct folder_facts {
  std::string path;
  bool there = false;
  std::string trouble;        ///< it cannot be made, written to, or others may write to it
  std::string key_trouble;    ///< of node.key in it; none where there is no such file
  std::optional<int> running; ///< a node runs with this directory: its process, 0: unknown which
  std::uint64_t free_bytes = 0;
  std::optional<double> sync_ms; ///< what it takes to have a page on the disk
};

struct memory_facts {
  std::uint64_t available_bytes = 0;
  std::uint64_t bytes = 0; ///< in all, or as many as this container may have
};

/// A port on which a node is to listen, and the way to it by the address that others are told.
struct port_facts {
  enum class state { free, own, foreign, refused };
  enum class way { not_tried, arrives, answers, elsewhere, unreachable, unresolved };
  std::string key; ///< the setting, such as "sn-api-port"
  std::string bind;
  std::uint16_t number = 0;
  state is = state::free;
  std::string holder;  ///< foreign: "python3, process 12"; empty: nobody can tell
  std::string trouble; ///< refused
  std::string host;    ///< what others are told; empty: nobody is told anything
  std::string told;    ///< that and the port
  way reached = way::not_tried;
  std::string way_trouble;
  bool only_here = false; ///< others are told an address of the loopback interface
};

/// What the chain says of this node.
struct standing_facts {
  bool has_organisations = false;
  std::uint16_t organisation = 0; ///< to which the authority belongs; 0: to none
  bool has_account = false;       ///< this node has been started before
  bool known = false, active = false, pending = false;
  std::uint64_t since_block = 0;
  std::uint64_t expiry = 0;
  std::string role; ///< as it is registered, "SL"
};

/// The way on which an SN is asked.
struct route {
  std::string proxy;          ///< that it is asked by; empty: directly
  bool excepted = false;      ///< directly, as no_proxy says
  std::string direct_trouble; ///< where there is a proxy: why it is not reached directly; empty: it is, too
};

/// An SN, as it shows itself.
struct sn_facts {
  std::string endpoint;
  std::string unasked; ///< why nobody is asked; empty: somebody is
  std::optional<transport::net_errc> failed;
  std::string trouble;
  bool proxy_failed = false; ///< it is the proxy's trouble
  route by;
  std::string subject, organisation, role_refusal; ///< of its certificate
  std::optional<std::string> version;              ///< "0.2.0"; none: it is no swarmd
  std::optional<hash32> genesis;
  std::uint64_t chain_id = 0;
  std::optional<double> clock_ahead_s; ///< the SN's clock, of that of this host
  std::optional<standing_facts> standing;
  std::string standing_trouble;
};

/// The node that asks it.
struct own_facts {
  bool is_sn = false;
  std::string role; ///< "SL"
  std::string anchor;
  std::string version;
  std::optional<hash32> genesis; ///< of the network that it belongs to
  std::string genesis_source;    ///< "--genesis-hash", or a file
};

/// What runs the programs of a SWOP.
struct manager_facts {
  enum class fault { none, absent, forbidden, too_old, other };
  bool is_engine = false; ///< else sandboxes
  std::string socket;
  fault is = fault::none;
  std::string trouble;
  std::string product, version, api;
  std::string sl_image;
  bool sl_image_there = false;
  std::string image_trouble;
};

/// A Slurm cluster that runs the programs of a SWOP.
struct slurm_facts {
  std::string trouble; ///< it does not answer; the rest counts only without
  std::string version;
  std::string wanted; ///< SBATCH_PARTITION; empty: the default one
  bool found = false; ///< there is such a partition
  bool is_up = false;
  std::uint64_t nodes = 0, ready = 0; ///< of the partition
  std::string partition;
  std::string data_dir;
  std::string local_disk;   ///< the kind of file system that no other node has; empty: may be shared
  bool is_this_host = true; ///< the partition is this host alone
};

/// A Kubernetes cluster that does.
struct pods_facts {
  std::string trouble; ///< it does not answer; the rest counts only without
  std::string server, name_space;
  std::vector<std::string> forbidden; ///< of what a SWOP needs: "create jobs"
};

/// Graphics processors: what there is, and what the profile of a SWOP asks for.
struct gpu_facts {
  struct wish {
    std::string option; ///< "gpus: all"
    std::string device; ///< that has to be there
    bool there = false;
  };
  std::vector<std::string> devices;
  std::vector<wish> wishes;
  bool hidden = false; ///< the engine is outside of the container that this process is in
};

/// The Python of training programs.
struct python_facts {
  enum class fault { none, no_python, no_package, broken };
  std::string program;
  bool named = false; ///< by --python
  fault is = fault::none;
  std::string trouble;
  std::string version, package;
  std::vector<std::string> frameworks; ///< "torch 2.9"
};

/// A training program that ran alone.
struct program_facts {
  std::string command;
  bool out_of_time = false;
  int exit_code = 0;
  std::string trouble; ///< it was not started
  std::vector<std::string> last_lines;
  unsigned seconds = 0; ///< that it was given
};

} // namespace swarm::doctor
