#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace swarm::ui {

/// A thread that does one job after the other. What waits is bounded; jobs are told to stop when it ends.
class worker {
public:
  using job = std::function<void(const std::stop_token&)>;

  explicit worker(std::size_t waiting_max);

  /// False: too many wait already.
  bool add(job what);
  std::size_t waiting() const;

private:
  void run(const std::stop_token& stop);

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any came_;
  std::deque<job> jobs_;
  std::jthread thread_; ///< the first to go
};

} // namespace swarm::ui
