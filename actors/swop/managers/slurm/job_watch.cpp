#include "actors/swop/managers/slurm/job_watch.hpp"

#include <algorithm>

namespace swarm::managers::slurm {

namespace {

constexpr std::chrono::milliseconds ask_every{1000};
constexpr std::chrono::milliseconds look_every{200};
constexpr std::chrono::milliseconds answer_patience{1000};

} // namespace

job_cache::job_cache(std::string prefix, std::function<void(std::string)> tell)
    : prefix_(std::move(prefix)), tell_(std::move(tell)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void job_cache::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Of one that is away it is told when it is back, even if nobody wants to know anything.
    if (!changed_.wait_for(lock, stop, ask_every, [this] { return asking_; }) && !away_) continue;
    asking_ = true;
    const auto began = std::chrono::steady_clock::now();
    lock.unlock();
    auto now = jobs_named(prefix_, stop);
    if (stop.stop_requested()) return;
    lock.lock();
    note(std::exchange(away_, !now), now);
    if (now) {
      known_ = std::move(*now);
      known_at_ = began;
    }
    asking_ = false;
    changed_.notify_all();
  }
}

void job_cache::note(bool was_away, const result<job_states>& now) {
  if (was_away == away_ || !tell_) return;
  tell_(now ? std::string("Slurm answers again")
            : fmt::format(
                "Slurm does not answer ({}): programs are as they were known last, and it is asked again",
                now.error().message));
}

job_fact job_cache::fact(const std::string& name) {
  if (name.empty()) return {};
  std::unique_lock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!asking_ && (asked_at_ < needed_ || now >= asked_at_ + ask_every)) {
    asking_ = true;
    asked_at_ = now;
    changed_.notify_all();
  }
  if (asking_ && !away_) changed_.wait_until(lock, asked_at_ + answer_patience, [this] { return !asking_; });
  const auto found = known_.find(name);
  return found == known_.end() ? job_fact() : found->second;
}

bool job_cache::may_live() {
  const std::lock_guard lock(mutex_);
  return away_ || !known_at_ || *known_at_ < needed_;
}

void job_cache::ask_anew() {
  const std::lock_guard lock(mutex_);
  needed_ = std::chrono::steady_clock::now();
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
