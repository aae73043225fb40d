#include "actors/swop/managers/kubernetes/pod_watch.hpp"

#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <algorithm>
#include <set>

namespace swarm::kubernetes {

using std::chrono::milliseconds;

namespace {
constexpr milliseconds again_first{200}, again_most{5'000};
} // namespace

pod_watch::pod_watch(std::shared_ptr<const api> from, std::string owner, std::function<void()> on_news,
                     std::function<void(std::string)> tell)
    : api_(std::move(from)), owner_(std::move(owner)), labels_(fmt::format("{}={}", owner_label, owner_)),
      on_news_(std::move(on_news)), tell_(std::move(tell)) {
  if (auto listed = list()) version_ = std::move(*listed);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

pod_watch::~pod_watch() {
  thread_.request_stop();
  thread_.join();
}

std::optional<pod_facts> pod_watch::of_job(const std::string& job) const {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(job);
  return found == pods_.end() ? std::nullopt : std::optional(found->second);
}

void pod_watch::forget(const std::string& job) {
  const std::lock_guard lock(mutex_);
  pods_.erase(job);
}

bool pod_watch::is_up_to_date() const {
  const std::lock_guard lock(mutex_);
  return up_to_date_;
}

bool pod_watch::has_answered() const {
  const std::lock_guard lock(mutex_);
  return has_answered_;
}

void pod_watch::wait_for_news(std::chrono::steady_clock::time_point until) const {
  std::unique_lock lock(mutex_);
  const auto before = news_;
  changed_.wait_until(lock, until, [&] { return news_ != before; });
}

void pod_watch::changed() {
  {
    const std::lock_guard lock(mutex_);
    ++news_;
    changed_.notify_all();
  }
  on_news_();
}

/// A server believed no more than it must be: what has another owner's label is not looked at.
void pod_watch::take(pod_facts facts) {
  auto& known = pods_[facts.job];
  // What is gone says no more; a job has one pod, and should it have another one the first counts as long as it is there.
  if (known.name.empty() || known.name == facts.name || known.is_gone) known = std::move(facts);
}

result<std::string> pod_watch::list() {
  SWARM_TRY(const auto all, api_->get(kind::pods, {}, {{"labelSelector", labels_}}));
  std::set<std::string> seen;
  const std::lock_guard lock(mutex_);
  for (const auto& each : engine::detail::array_at(all, "items")) {
    if (!each.is_object()) continue;
    const auto& labels =
        engine::detail::object_at(engine::detail::object_at(each.get_object(), "metadata"), "labels");
    if (text_at(labels, owner_label) != owner_) continue;
    auto facts = read_pod(each.get_object());
    seen.insert(facts.name);
    take(std::move(facts));
  }
  for (auto& [job, facts] : pods_)
    if (!seen.contains(facts.name)) facts.is_gone = true;
  up_to_date_ = has_answered_ = true;
  return text_at(engine::detail::object_at(all, "metadata"), "resourceVersion");
}

void pod_watch::take(const watch_event& event, std::string& version) {
  const auto& meta = engine::detail::object_at(event.what, "metadata");
  if (auto now = text_at(meta, "resourceVersion"); !now.empty()) version = std::move(now);
  if (event.type == "BOOKMARK" || text_at(engine::detail::object_at(meta, "labels"), owner_label) != owner_)
    return;
  auto facts = read_pod(event.what);
  facts.is_gone = event.type == "DELETED";
  {
    const std::lock_guard lock(mutex_);
    take(std::move(facts));
  }
  changed();
}

/// Once for each thing that is wrong.
void pod_watch::note(const error& why) {
  if (why.is(api_errc::stopped) || why.message == told_) return;
  told_ = why.message;
  tell_(fmt::format("{}; programs are as they were known last, and it is asked again", told_));
}

void pod_watch::run(const std::stop_token& stop) {
  auto pause = again_first;
  auto version = std::move(version_);
  while (!stop.stop_requested()) {
    result<> how;
    if (version.empty()) {
      auto listed = list();
      if (listed) {
        version = std::move(*listed);
        if (std::exchange(is_away_, false)) {
          told_.clear();
          tell_(fmt::format("the API server {} answers again", api_->server()));
        }
        changed();
      } else {
        how = tl::unexpected(std::move(listed).error());
        is_away_ = true;
        note(how.error());
      }
    }
    if (how) {
      how = api_->watch(kind::pods, labels_, version, stop, [&](const watch_event& event) {
        pause = again_first;
        take(event, version);
      });
      if (how && !stop.stop_requested()) continue; // its time was over
    }
    // Something may have been missed: all are listed anew.
    version.clear();
    std::unique_lock lock(mutex_);
    up_to_date_ = false;
    if (stop.stop_requested()) return;
    // Connections end and versions grow old; what is not allowed does not mend itself.
    if (how.error().is(api_errc::denied) || how.error().is(api_errc::refused)) {
      lock.unlock();
      note(how.error());
      lock.lock();
    }
    changed_.wait_for(lock, stop, pause, [] { return false; });
    pause = std::min(2 * pause, again_most);
  }
}

} // namespace swarm::kubernetes
