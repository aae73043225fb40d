#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"

#include <map>
#include <string>

namespace swarm::rpc {

/// When each node last signed that it is alive, wherever this SN heard it from. This is not on the chain: it
/// is this SN's own view, which is lost when it ends.
class liveness {
public:
  /// A node that is silent for so long counts as dead.
  static constexpr duration silent_after = std::chrono::seconds(10);

  /// Takes a sign with this serial. Returns false when this or a later one was heard before.
  /// `raw`: the sign itself, for others; empty for none.
  bool heard_from(const address& who, std::uint64_t serial, std::string api_endpoint, time_point now,
                  bytes raw = {}) {
    auto& of = nodes_.try_emplace(who, node{now, 0, {}, {}}).first->second;
    if (serial <= of.serial) return false;
    of = {now, serial, std::move(api_endpoint), std::move(raw)};
    return true;
  }
  std::uint64_t last_serial(const address& who) const {
    const auto found = nodes_.find(who);
    return found == nodes_.end() ? 0 : found->second.serial;
  }
  /// For how long nothing was heard; for a node that was never heard, since it was first asked for.
  duration silence_of(const address& who, time_point now) {
    return now - nodes_.try_emplace(who, node{now, 0, {}, {}}).first->second.last_heard;
  }
  bool silent(const address& who, time_point now) { return silence_of(who, now) > silent_after; }
  /// The address of its JSON-RPC server, from its last sign.
  std::string api_endpoint(const address& who) const {
    const auto found = nodes_.find(who);
    return found == nodes_.end() ? std::string() : found->second.api_endpoint;
  }

  /// Its last sign; empty when that was not kept.
  bytes last_sign(const address& who) const {
    const auto found = nodes_.find(who);
    return found == nodes_.end() ? bytes() : found->second.raw;
  }

private:
  struct node {
    time_point last_heard;
    std::uint64_t serial = 0; ///< 0: never heard
    std::string api_endpoint;
    bytes raw;
  };
  std::map<address, node> nodes_; ///< registered nodes only, so at most contracts::nodes_max
};

} // namespace swarm::rpc
