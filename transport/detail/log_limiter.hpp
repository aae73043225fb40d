#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace swarm::transport {

/// Keeps clients that come often from filling the log: it admits one line per key and `interval`. Keys beyond
/// `keys_max` share one line, so its memory is bounded.
class log_limiter {
public:
  explicit log_limiter(duration interval, std::size_t keys_max = 256)
      : interval_(interval), keys_max_(keys_max) {}

  /// How many lines of this key were left out since its last one, or nothing when this one is to be
  /// left out too.
  std::optional<std::uint64_t> admit(const std::string& key, time_point now) {
    std::lock_guard lock(mutex_);
    if (entries_.size() >= keys_max_ && !entries_.count(key))
      std::erase_if(entries_, [&](const auto& e) { return now - e.second.last >= interval_; });
    auto& entry = entries_.size() < keys_max_ || entries_.count(key) ? entries_[key] : rest_;
    if (entry.used && now - entry.last < interval_) {
      ++entry.left_out;
      return std::nullopt;
    }
    entry.used = true;
    entry.last = now;
    return std::exchange(entry.left_out, 0);
  }

private:
  struct record {
    bool used = false;
    time_point last{};
    std::uint64_t left_out = 0;
  };
  std::mutex mutex_;
  duration interval_;
  std::size_t keys_max_;
  std::map<std::string, record> entries_;
  record rest_;
};

} // namespace swarm::transport
