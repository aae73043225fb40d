#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace swarm::ui {

/// Threads that do jobs in their order, each one after the other: so many jobs as there are threads are under way at a
/// time. What waits is bounded; jobs are told to stop when it ends.
class worker {
public:
  using job = std::function<void(const std::stop_token&)>;

  explicit worker(std::size_t waiting_max, std::size_t threads = 1);

  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// False: too many wait already.
  bool add(job what);
  std::size_t waiting() const;

private:
  void run(const std::stop_token& stop);

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any came_;
  std::deque<job> jobs_;
  std::vector<std::jthread> threads_; ///< the first to go
};

} // namespace swarm::ui
