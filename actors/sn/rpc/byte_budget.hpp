#pragma once

#include "actors/sn/rpc/caller.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace swarm::rpc {

/// Bounds the bytes that are held for clients at one moment: for one of them, for those of one organisation, and for all
/// together. Any thread may use it.
class byte_budget : public std::enable_shared_from_this<byte_budget> {
public:
  struct limits {
    std::size_t all_max = 256 * 1024 * 1024;
    std::size_t client_max = 96 * 1024 * 1024;
    std::size_t organisation_max = 128 * 1024 * 1024;
  };

  static std::shared_ptr<byte_budget> make(limits bounds) {
    return std::shared_ptr<byte_budget>(new byte_budget(bounds));
  }

  /// Holds bytes until the last copy of the result is gone. Returns null when they are too many.
  std::shared_ptr<const void> hold(const party& who, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > bounds_.client_max - held_by(by_client_, who.client)
        || bytes > bounds_.organisation_max - held_by(by_organisation_, who.organisation)
        || bytes > bounds_.all_max - held_)
      return nullptr;
    auto out = std::make_shared<holding>(shared_from_this(), who, bytes);
    by_client_[who.client] += bytes;
    by_organisation_[who.organisation] += bytes;
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
  using sizes = std::unordered_map<hash32, std::size_t>;
  struct holding {
    holding(std::shared_ptr<byte_budget> from, const party& who, std::size_t count)
        : budget(std::move(from)), of(who), bytes(count) {}
    ~holding() { budget->give_back(of, bytes); }
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;

    std::shared_ptr<byte_budget> budget;
    party of;
    std::size_t bytes;
  };

  explicit byte_budget(limits bounds) : bounds_(bounds) {}

  static std::size_t held_by(const sizes& by, const hash32& who) {
    const auto found = by.find(who);
    return found == by.end() ? 0 : found->second;
  }
  static void take_from(sizes& by, const hash32& who, std::size_t bytes) {
    const auto found = by.find(who);
    if (found != by.end() && (found->second -= bytes) == 0) by.erase(found);
  }
  void give_back(const party& who, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
    take_from(by_client_, who.client, bytes);
    take_from(by_organisation_, who.organisation, bytes);
  }

  limits bounds_;
  mutable std::mutex mutex_;
  std::size_t held_ = 0;
  sizes by_client_; ///< only those that hold something, and so is the next
  sizes by_organisation_;
};

} // namespace swarm::rpc
