#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace swarm::actors {

/// Notices that something that should speak is silent: tells it after each `most` in which nothing was heard. Whoever is
/// silent is not ended; that is for people to judge.
class silence_watch {
public:
  using told = std::function<void(std::chrono::milliseconds most)>;

  explicit silence_watch(told tell, std::chrono::milliseconds most = std::chrono::minutes(1));
  void heard();

private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t heard_ = 0;
  std::jthread thread_; ///< the last one, as it uses the rest
};

/// Tells it in the log: an engine says nothing of `what`.
silence_watch::told said_in_log(std::string log_source, std::string what);

} // namespace swarm::actors
