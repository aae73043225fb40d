#pragma once

#include "base/clock.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace swarm::managers::detail {

/// A thread that does something about a program at its time.
class due_list {
public:
  using deed = std::function<void()>;

  due_list();
  /// Does `what` about `name` at `when`, unless something else is due before; then that one.
  void add(const std::string& name, time_point when, deed what);
  void forget(const std::string& name);

private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, std::pair<time_point, deed>> due_;
  std::jthread thread_; ///< the last one, as it uses the rest
};

} // namespace swarm::managers::detail
