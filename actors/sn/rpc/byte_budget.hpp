#pragma once

#include "base/bytes.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace swarm::rpc {

/// Bounds the bytes that are held for clients at one moment: for one of them, known by the fingerprint of its
/// certificate, and for all together. Any thread may use it.
class byte_budget : public std::enable_shared_from_this<byte_budget> {
public:
  struct limits {
    std::size_t all_max = 256 * 1024 * 1024;
    std::size_t client_max = 96 * 1024 * 1024;
  };

  static std::shared_ptr<byte_budget> make(limits bounds) {
    return std::shared_ptr<byte_budget>(new byte_budget(bounds));
  }

  /// Holds bytes until the last copy of the result is gone. Returns null when they are too many.
  std::shared_ptr<const void> hold(const hash32& client, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    const auto found = by_client_.find(client);
    const auto own = found == by_client_.end() ? 0 : found->second;
    if (bytes > bounds_.client_max - own || bytes > bounds_.all_max - held_) return nullptr;
    auto out = std::make_shared<holding>(shared_from_this(), client, bytes);
    by_client_[client] = own + bytes;
    held_ += bytes;
    return out;
  }

  std::size_t held() const {
    std::lock_guard lock(mutex_);
    return held_;
  }
  std::size_t clients() const {
    std::lock_guard lock(mutex_);
    return by_client_.size();
  }

private:
  struct holding {
    holding(std::shared_ptr<byte_budget> of, const hash32& who, std::size_t count)
        : budget(std::move(of)), client(who), bytes(count) {}
    ~holding() { budget->give_back(client, bytes); }
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;

    std::shared_ptr<byte_budget> budget;
    hash32 client;
    std::size_t bytes;
  };

  explicit byte_budget(limits bounds) : bounds_(bounds) {}

  void give_back(const hash32& client, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
    const auto found = by_client_.find(client);
    if (found != by_client_.end() && (found->second -= bytes) == 0) by_client_.erase(found);
  }

  limits bounds_;
  mutable std::mutex mutex_;
  std::size_t held_ = 0;
  std::unordered_map<hash32, std::size_t> by_client_; ///< only clients that hold something
};

} // namespace swarm::rpc
