#include "actors/swop/managers/process/detail/watcher.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <vector>

namespace swarm::managers::detail {

namespace {
constexpr int look_every_ms = 500;

std::optional<unique_fd> shim_of(const program_folder& folder) {
  const auto state = folder.state();
  if (!state || state->boot != boot_id()) return std::nullopt;
  return open_process(state->shim);
}
} // namespace

watcher::watcher(std::function<void(const std::string&)> on_end)
    : on_end_(std::move(on_end)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

watcher::~watcher() {
  thread_.request_stop();
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void watcher::watch(const std::string& name, program_folder folder) {
  auto shim = shim_of(folder);
  {
    const std::lock_guard lock(mutex_);
    watched_.insert_or_assign(name, watched{std::move(folder), std::move(shim), std::nullopt});
  }
  ::eventfd_write(wake_.get(), 1);
}

void watcher::kill_after(const std::string& name, std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(name);
    if (found == watched_.end()) return;
    const auto at = std::chrono::steady_clock::now() + patience;
    found->second.kill_at = found->second.kill_at ? std::min(*found->second.kill_at, at) : at;
  }
  ::eventfd_write(wake_.get(), 1);
}

std::vector<int> watcher::descriptors() {
  const std::lock_guard lock(mutex_);
  std::vector<int> out;
  for (const auto& [name, each] : watched_)
    if (each.shim) out.push_back(each.shim->get());
  return out;
}

std::vector<std::string> watcher::look() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (auto at = watched_.begin(); at != watched_.end();) {
    auto& each = at->second;
    if (!each.shim) each.shim = shim_of(each.folder);
    if (each.kill_at && now >= *each.kill_at && each.shim) send_signal(*each.shim, SIGKILL);
    if (each.shim ? has_ended(*each.shim) : !each.folder.has_shim()) {
      if (each.shim) reap(*each.shim);
      out.push_back(at->first);
      at = watched_.erase(at);
    } else {
      ++at;
    }
  }
  return out;
}

void watcher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}};
    // At worst one of them is another file's by now, and this loop looks once too often.
    for (const int each : descriptors())
      fds.push_back({each, POLLIN, 0});
    ::poll(fds.data(), fds.size(), look_every_ms);
    eventfd_t ignored = 0;
    std::ignore = ::eventfd_read(wake_.get(), &ignored);
    for (const auto& name : look())
      if (on_end_) on_end_(name);
  }
}

} // namespace swarm::managers::detail
