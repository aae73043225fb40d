#pragma once

#include "actors/sn/rpc/caller.hpp"
#include "actors/sn/rpc/params.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>

namespace swarm::rpc {

/// The filters that clients have installed (eth_newFilter, eth_newBlockFilter). A filter is a place
/// in the chain up to which its client has been told everything; since blocks are final, nothing else
/// has to be kept.
class filter_table {
public:
  struct limits {
    std::size_t all_max = 4096;
    std::size_t client_max = 256;
    std::size_t organisation_max = 2048;
    duration idle_max = std::chrono::minutes(5); ///< not asked for this long, a filter is gone
  };
  struct filter {
    party of; ///< whose it is; nobody but this client can use it
    bool blocks = false;
    ledger::log_filter logs;      ///< unless `blocks`; emitters and topics
    block_range range;            ///< unless `blocks`; as its client gave it
    std::uint64_t next_block = 0; ///< the first one its client has not heard of
    time_point asked_at;
  };

  explicit filter_table(limits bounds) : limits_(bounds) {}

  /// Adds a filter and returns its number, or none when there are too many.
  std::optional<std::uint64_t> add(filter made, time_point now);
  /// Finds a filter of this client and keeps it alive; null when there is none.
  filter* find(std::uint64_t id, const hash32& client, time_point now);
  bool remove(std::uint64_t id, const hash32& client);
  void expire(time_point now);

  std::size_t size() const { return filters_.size(); }
  const limits& bounds() const { return limits_; }

private:
  limits limits_;
  std::map<std::uint64_t, filter> filters_;
  std::uint64_t next_id_ = 1;
};

} // namespace swarm::rpc
