#pragma once

#include "actors/supervision/probe.hpp"

#include <caf/actor.hpp>
#include <caf/send.hpp>

#include <condition_variable>
#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>

namespace swarm::actors {

/// Maps a path such as "/sn/chain" to the actor that has this part at the moment. The process owns it,
/// supervisors write it, and any thread may read it (actors, asio callbacks, TBB tasks). A restarted actor
/// has a new handle: keep the path, not the handle, and look it up for each message.
class directory {
public:
  /// The actor at `path`; a null handle while there is none (not started, being restarted, gone).
  caf::actor find(std::string_view path) const;

  /// Sends without a sender (for asio callbacks; actors use `self->tell`). Returns false and sends
  /// nothing when no actor is there: the caller decides whether that matters.
  ///   dir->send("/sl/channel", sync_arrived{frame});
  template <class... Ts>
  bool send(std::string_view path, Ts&&... xs) const {
    auto dest = find(path);
    if (!dest) return false;
    caf::anon_send(dest, std::forward<Ts>(xs)...);
    return true;
  }

  /// The path of a running actor, empty when unknown.
  std::string path_of(std::uint64_t actor_id) const;

  /// Status of one actor, or of all in the order of a tree (parents before children, children as started). It
  /// only reads probes and never waits for an actor.
  std::optional<actor_status> status(std::string_view path) const;
  std::vector<actor_status> list() const;

  /// What an actor keeps across restarts; null when there is no such path.
  std::shared_ptr<actor_record> record(std::string_view path) const;

  // For supervisors
  /// Makes the entry for a child, or returns the one that is there.
  std::shared_ptr<actor_record> enlist(const std::string& path, std::string kind);
  /// Publishes a newly started actor of the path.
  void started(const std::string& path, const caf::actor& handle, const std::shared_ptr<probe>& live);
  /// Withdraws the handle, if it is still that of `actor_id`.
  void ended(const std::string& path, std::uint64_t actor_id);
  /// Forgets a path and everything below it.
  void remove(const std::string& path);

  // For the end of the process
  /// Every actor that was started and has not ended, even if its path is forgotten already.
  std::vector<actor_status> running() const;
  /// Waits until no actor is running. Returns false when `limit` comes first.
  bool wait_all_ended(std::chrono::steady_clock::time_point limit) const;

private:
  struct entry {
    std::shared_ptr<actor_record> record;
    std::shared_ptr<probe> live;
    caf::actor handle;
    std::uint64_t order = 0;
  };
  actor_status status_of(const entry& e, std::int64_t now_ns) const;

  bool all_ended() const;

  mutable std::shared_mutex mutex_;
  mutable std::condition_variable_any ended_;
  std::map<std::string, entry, std::less<>> entries_;
  std::map<std::uint64_t, std::string> paths_;
  std::map<std::uint64_t, std::pair<std::string, std::shared_ptr<probe>>> unended_;
  std::uint64_t next_order_ = 0;
};

} // namespace swarm::actors
