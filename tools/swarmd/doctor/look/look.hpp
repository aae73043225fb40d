#pragma once

#include "base/endpoint.hpp"
#include "config/members/member_rules.hpp"
#include "config/options.hpp"
#include "config/tasks/swop_profile.hpp"
#include "tools/swarmd/doctor/facts.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <filesystem>
#include <memory>

/// Looks at things and changes none of them. Each look ends within a few seconds, whatever it meets.
namespace swarm::doctor {

struct identity_seen {
  identity_facts facts;
  std::shared_ptr<const transport::tls_identity> tls; ///< null: the files are refused
  std::shared_ptr<const members::member_rules> rules; ///< never null
};
identity_seen look_at_identity(const config::identity_options& files, members::role role);

/// `process_dir`: where the socket of swarm-inspect is, if a node runs. A page is written to the disk for a moment, in a
/// file without a name.
folder_facts look_at_folder(const std::filesystem::path& dir, const std::filesystem::path& process_dir);
memory_facts look_at_memory();

/// A port that a node wants, and what it tells others; `told` may be empty.
struct port_wanted {
  std::string key;
  std::string bind;
  std::uint16_t number = 0; ///< 0: any that is free
  endpoint told;
  bool by_service = false; ///< something in between has that name: it may not pass on what is no TLS
};
/// `running`: the process that has the node's data directory. Listens for a moment on a port that is free, and dials the
/// address that others are told.
port_facts look_at_port(const port_wanted& what, std::optional<int> running);

/// Whether this has an address, and one that is not of the loopback interface.
bool leads_elsewhere(const endpoint& where);

struct sn_wanted {
  std::string endpoint;
  std::optional<address> account; ///< of the node, when it has one
};
/// Asks what an SN answers to everybody. Nothing of it is proved: who lies to a doctor gains nothing.
sn_facts look_at_sn(const sn_wanted& what, transport::io_runtime& io, const identity_seen& own);

/// Why nobody answers there as an SN does; empty: somebody does.
std::string why_no_answer(const std::string& endpoint, transport::io_runtime& io, const identity_seen& own);

manager_facts look_at_manager(const config::swop_options& options, tasks::manager_type type);
slurm_facts look_at_slurm(const std::filesystem::path& data_dir);
pods_facts look_at_pods(const tasks::cluster_locator& where);
/// `profile` may be null; `by_engine`: its programs run in containers.
gpu_facts look_at_gpus(const tasks::swop_profile* profile, bool by_engine);

/// `named`: the user named it, so it has to be there.
python_facts look_at_python(const std::string& program, bool named);
/// Runs a training program with SWARM_LOOPBACK=True; ends it when its time is over.
program_facts run_alone(const std::string& command, unsigned seconds);

} // namespace swarm::doctor
