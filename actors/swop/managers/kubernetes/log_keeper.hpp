#pragma once

#include "actors/swop/managers/kubernetes/api.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace swarm::kubernetes {

/// What containers write until they end. Their output is gone with their pod, so of those that are about to be ended it is
/// read meanwhile. All functions may be called from any thread.
class log_keeper {
public:
  static constexpr std::size_t bytes_max = 1024 * 1024; ///< the last ones
  static constexpr std::size_t lines_max = 1000;

  explicit log_keeper(std::shared_ptr<const api> from) : api_(std::move(from)) {}
  ~log_keeper();
  log_keeper(const log_keeper&) = delete;
  log_keeper& operator=(const log_keeper&) = delete;

  /// The last lines, as they are.
  result<std::string> last(const std::string& pod, const std::string& container, std::size_t lines) const;

  /// From now on, and what it wrote last. Returns when it reads, or after a moment if there is nothing to read.
  void follow(const std::string& program, const std::string& pod, const std::string& container);
  bool follows(const std::string& program) const;
  /// What it wrote, if it was followed, to its end; nothing as long as it goes on, but for `patience` at most.
  std::optional<std::string> take(const std::string& program, std::chrono::milliseconds patience);
  void forget(const std::string& program);

private:
  struct reading;
  std::shared_ptr<const api> api_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<reading>> all_;
};

} // namespace swarm::kubernetes
