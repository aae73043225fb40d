#include "actors/swop/managers/slurm/job_watch.hpp"

#include <algorithm>

namespace swarm::managers::slurm {

namespace {

constexpr std::chrono::milliseconds ask_every{1000};
constexpr std::chrono::milliseconds look_every{200};

} // namespace

void job_cache::refresh() {
  if (std::chrono::steady_clock::now() < next_) return;
  auto now = jobs_named(prefix_);
  answered_ = now.has_value();
  if (now) known_ = std::move(*now);
  next_ = std::chrono::steady_clock::now() + ask_every;
}

std::string job_cache::state(const std::string& name) {
  if (name.empty()) return {};
  const std::lock_guard lock(mutex_);
  refresh();
  const auto found = known_.find(name);
  return found == known_.end() ? std::string() : found->second;
}

bool job_cache::may_live() {
  const std::lock_guard lock(mutex_);
  refresh();
  return !answered_;
}

void job_cache::ask_anew() {
  const std::lock_guard lock(mutex_);
  next_ = {};
}

job_watch::job_watch(std::function<std::vector<program>()> list, std::function<void(const std::string&)> end,
                     std::function<void(const std::string&)> on_end)
    : list_(std::move(list)), end_(std::move(end)), on_end_(std::move(on_end)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

job_watch::~job_watch() {
  thread_.request_stop();
  thread_.join();
}

void job_watch::end_after(const std::string& name, std::chrono::milliseconds patience) {
  const auto at = std::chrono::steady_clock::now() + patience;
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = end_at_.emplace(name, at);
  if (!is_new) place->second = std::min(place->second, at);
}

void job_watch::expect(const std::string& name) {
  const std::lock_guard lock(mutex_);
  lived_.insert(name);
}

void job_watch::look() {
  const auto all = list_();
  std::vector<std::string> ended, overdue;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& each : all) {
      if (each.phase != program_phase::ended) {
        lived_.insert(each.name);
      } else if (lived_.erase(each.name) > 0) {
        ended.push_back(each.name);
      }
    }
    std::erase_if(end_at_, [&](const auto& each) {
      const bool due = std::chrono::steady_clock::now() >= each.second;
      if (due && lived_.contains(each.first)) overdue.push_back(each.first);
      return due || !lived_.contains(each.first);
    });
  }
  for (const auto& each : overdue)
    end_(each);
  if (on_end_) std::ranges::for_each(ended, on_end_);
}

void job_watch::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    look();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, look_every, [] { return false; });
  }
}

} // namespace swarm::managers::slurm
