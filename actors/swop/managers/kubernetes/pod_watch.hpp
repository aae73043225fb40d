#pragma once

#include "actors/swop/managers/kubernetes/api.hpp"
#include "actors/swop/managers/kubernetes/pods.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace swarm::kubernetes {

/// A thread that knows how the pods of one owner are: it lists them, and then is told what changes. While the API server does
/// not answer they are as they were known last. All functions may be called from any thread.
class pod_watch {
public:
  /// Lists them once before it returns, if the server answers. `on_news` is called from the thread; `tell` once when the server cannot be asked any more, and once when it can again.
  pod_watch(std::shared_ptr<const api> from, std::string owner, std::function<void()> on_news,
            std::function<void(std::string)> tell);
  ~pod_watch();
  pod_watch(const pod_watch&) = delete;
  pod_watch& operator=(const pod_watch&) = delete;

  /// The pod of a job, as it was last; also one that is gone, until it is forgotten.
  std::optional<pod_facts> of_job(const std::string& job) const;
  void forget(const std::string& job);
  /// Whether what is not known here is not there: all were listed, and nothing is missed since.
  bool is_up_to_date() const;
  /// Whether they were listed at any time.
  bool has_answered() const;
  /// Returns when something has changed, or it is `until`.
  void wait_for_news(std::chrono::steady_clock::time_point until) const;
  const std::string& labels() const { return labels_; }

private:
  void run(const std::stop_token& stop);
  result<std::string> list();
  void take(const watch_event& event, std::string& version);
  void take(pod_facts facts);
  void changed();
  void note(const error& why);

  std::shared_ptr<const api> api_;
  std::string owner_, labels_;
  std::function<void()> on_news_;
  std::function<void(std::string)> tell_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::string, pod_facts> pods_; ///< by their jobs
  std::uint64_t news_ = 0;
  bool up_to_date_ = false, has_answered_ = false;
  bool is_away_ = false; ///< the thread's own, as is the next
  std::string told_, version_;
  std::jthread thread_; ///< the last one, as it uses the rest
};

} // namespace swarm::kubernetes
