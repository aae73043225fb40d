#include "actors/swop/managers/docker/detail/due_list.hpp"

#include <algorithm>

namespace swarm::managers::detail {

due_list::due_list() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

void due_list::add(const std::string& name, time_point when, deed what) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = due_.try_emplace(name, when, std::move(what));
  if (!is_new && when < at->second.first) at->second = {when, std::move(what)};
  changed_.notify_all();
}

void due_list::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  due_.erase(name);
}

void due_list::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto next = std::ranges::min_element(due_, {}, [](const auto& each) { return each.second.first; });
    if (next == due_.end()) {
      changed_.wait(lock, stop, [&] { return !due_.empty(); });
      continue;
    }
    const auto when = next->second.first;
    if (std::chrono::steady_clock::now() < when) {
      changed_.wait_until(lock, stop, when, [&] {
        return std::ranges::any_of(due_, [&](const auto& each) { return each.second.first < when; });
      });
      continue;
    }
    auto what = std::move(next->second.second);
    due_.erase(next);
    lock.unlock();
    what();
    lock.lock();
  }
}

} // namespace swarm::managers::detail
