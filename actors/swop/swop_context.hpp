#pragma once

#include "actors/swop/content/volumes.hpp"
#include "actors/swop/lines/lines_server.hpp"
#include "actors/swop/managers/docker/engine/own_container.hpp"
#include "actors/swop/managers/manager.hpp"
#include "config/options.hpp"
#include "config/tasks/swop_profile.hpp"
#include "config/tasks/task_policy.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace swarm::actors {

/// The names of a SWOP's actors below its supervisor.
namespace swop_names {
inline constexpr std::string_view sn = "sn", runner = "runner", lines = "lines", task_prefix = "task:";
} // namespace swop_names

/// Who wants to know that a program has ended: the manager tells it from a thread of its own.
class program_watch {
public:
  void set(std::function<void()> told) {
    const std::lock_guard lock(mutex_);
    told_ = std::move(told);
  }
  void tell() const {
    const std::lock_guard lock(mutex_);
    if (told_) told_();
  }

private:
  mutable std::mutex mutex_;
  std::function<void()> told_;
};

/// What the actors of one SWOP share: all of it is immutable or thread-safe.
struct swop_context {
  config::swop_options options;
  tasks::swop_profile profile;
  std::optional<tasks::task_policy> policy; ///< none: the tasks of all organisations are taken
  std::filesystem::path profile_folder;
  std::string log_source = "swarm.swop";
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean
  std::shared_ptr<const ledger::private_key> key;
  std::string sn; ///< host:port of the SN, for this SWOP and its SLs
  std::shared_ptr<managers::manager> manager;
  bool is_cluster = false; ///< programs run on other hosts, of which nobody knows before which one
  bool has_pods = false;   ///< of the manager KUBERNETES, which has no engine
  std::shared_ptr<engine::client> engine; ///< of the manager DOCKER; others have none
  /// Where this process is in a container itself: paths of profiles and tasks are the host's, which it cannot see.
  std::optional<engine::own_mounts> own_mounts;
  std::shared_ptr<program_watch> watch;
  std::shared_ptr<const content::volumes> volumes;
  /// For SWCIs of this organisation; none where others do not know this host's address.
  std::shared_ptr<swop::lines_server> lines;
  std::uint32_t uid = 0; ///< as which training programs run
  std::uint32_t gid = 0;

  const address& account() const { return key->account(); }
  /// Whose containers are this SWOP's.
  std::string owner() const { return to_hex(account().view(), false); }
  /// Whether programs run in containers: of an engine here, or in pods.
  bool has_containers() const { return engine != nullptr || has_pods; }
  std::filesystem::path environments() const { return options.data_dir / "environments"; }
};

} // namespace swarm::actors
