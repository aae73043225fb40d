#include "actors/supervision/directory.hpp"

#include <algorithm>
#include <mutex>

namespace swarm::actors {

namespace {

/// The path of the parent: "/root" for a role, empty for the root.
std::string_view parent_of(std::string_view path) {
  if (path == "/root") return {};
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? std::string_view("/root") : path.substr(0, slash);
}

} // namespace

caf::actor directory::find(std::string_view path) const {
  const std::shared_lock lock(mutex_);
  const auto it = entries_.find(path);
  return it == entries_.end() ? caf::actor{} : it->second.handle;
}

std::string directory::path_of(std::uint64_t actor_id) const {
  const std::shared_lock lock(mutex_);
  const auto it = paths_.find(actor_id);
  return it == paths_.end() ? std::string{} : it->second;
}

std::shared_ptr<actor_record> directory::record(std::string_view path) const {
  const std::shared_lock lock(mutex_);
  const auto it = entries_.find(path);
  return it == entries_.end() ? nullptr : it->second.record;
}

std::shared_ptr<actor_record> directory::enlist(const std::string& path, std::string kind) {
  const std::unique_lock lock(mutex_);
  auto& e = entries_[path];
  if (!e.record) {
    e.record = std::make_shared<actor_record>(path, std::move(kind));
    e.order = next_order_++;
  }
  return e.record;
}

void directory::started(const std::string& path, const caf::actor& handle,
                        const std::shared_ptr<probe>& live) {
  const std::unique_lock lock(mutex_);
  const auto it = entries_.find(path);
  if (it == entries_.end() || !handle || live->ended()) return;
  const auto id = static_cast<std::uint64_t>(handle.id());
  live->actor_id.store(id, std::memory_order_relaxed);
  it->second.handle = handle;
  it->second.live = live;
  paths_[id] = path;
  unended_[id] = {path, live};
}

void directory::ended(const std::string& path, std::uint64_t actor_id) {
  caf::actor last; // released after the lock: it may be the last reference to the actor
  {
    const std::unique_lock lock(mutex_);
    paths_.erase(actor_id);
    unended_.erase(actor_id);
    const auto it = entries_.find(path);
    if (it != entries_.end() && it->second.handle && it->second.handle.id() == actor_id)
      last.swap(it->second.handle);
  }
  ended_.notify_all();
}

void directory::remove(const std::string& path) {
  std::vector<entry> gone;
  const std::unique_lock lock(mutex_);
  for (auto it = entries_.lower_bound(path); it != entries_.end();) {
    if (!it->first.starts_with(path)) break;
    const bool below = it->first.size() == path.size() || it->first[path.size()] == '/';
    if (!below) {
      ++it;
      continue;
    }
    gone.push_back(std::move(it->second));
    it = entries_.erase(it);
  }
}

actor_status directory::status_of(const entry& e, std::int64_t now_ns) const {
  actor_status out;
  out.phase = "not started";
  if (e.live) e.live->read(out, now_ns);
  e.record->read(out);
  return out;
}

std::optional<actor_status> directory::status(std::string_view path) const {
  const std::shared_lock lock(mutex_);
  const auto it = entries_.find(path);
  if (it == entries_.end()) return std::nullopt;
  return status_of(it->second, probe_now());
}

std::vector<actor_status> directory::list() const {
  using key = std::vector<std::uint64_t>;
  std::vector<std::pair<key, actor_status>> keyed;
  const std::shared_lock lock(mutex_);
  const auto now = probe_now();
  for (const auto& [path, e] : entries_) {
    key order;
    for (std::string_view at = path; !at.empty(); at = parent_of(at)) {
      const auto it = entries_.find(at);
      if (at != "/root") order.insert(order.begin(), it == entries_.end() ? 0 : it->second.order);
    }
    keyed.emplace_back(std::move(order), status_of(e, now));
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<actor_status> out;
  for (auto& [order, status] : keyed)
    out.push_back(std::move(status));
  return out;
}

bool directory::all_ended() const {
  return unended_.empty();
}

std::vector<actor_status> directory::running() const {
  std::vector<actor_status> out;
  const std::shared_lock lock(mutex_);
  const auto now = probe_now();
  for (const auto& [id, named] : unended_) {
    auto& status = out.emplace_back();
    named.second->read(status, now);
    status.path = named.first;
  }
  return out;
}

bool directory::wait_all_ended(std::chrono::steady_clock::time_point limit) const {
  std::shared_lock lock(mutex_);
  return ended_.wait_until(lock, limit, [&] { return all_ended(); });
}

} // namespace swarm::actors
