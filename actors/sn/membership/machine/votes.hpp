#pragma once

#include "base/clock.hpp"
#include "contracts/registry/client.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

/// How a validator votes on who else should be one; see interfaces/INodeRegistry.sol. Pure.
namespace swarm::membership {

inline bool holds(const std::vector<address>& list, const address& account) {
  return std::find(list.begin(), list.end(), account) != list.end();
}

/// A connected SN; the account is proved, the fingerprint is that of the certificate it presented.
struct connected_node {
  address account;
  hash32 cert_fingerprint;
  bool validates = false; ///< it wishes to be a validator
};

struct network_view {
  address self;
  std::vector<address> validators; ///< sorted
  std::vector<address> members;    ///< validators and those who wait to be one
  std::vector<contracts::node_view> nodes;
  std::vector<connected_node> connected;
  std::map<address, duration> absent; ///< members that are not connected, and since how long
  std::set<address> voted_on;         ///< accounts that this node's vote on is open
  std::set<address> barred;           ///< connected ones that lost their seats for ever
  std::set<address> homeless;         ///< members whose organisation was removed by votes
};

/// A member away for this long is voted out, as long as the others are enough to go on without it, and survive as
/// many liars without it as with it.
inline constexpr duration absent_max = std::chrono::minutes(2);

/// Validators that are away for that long and stay, because one fewer would survive fewer liars: of four one, of three
/// none. Their organisations decide (REMOVE NODE).
std::vector<address> kept_absent(const network_view& view);

struct vote {
  address account;
  bool add = false;
  bool discard = false; ///< takes the vote back instead
  bool operator==(const vote&) const = default;
};

/// What to send next, if anything: one vote at a time. Nothing from who is no validator.
std::optional<vote> next_vote(const network_view& view);

} // namespace swarm::membership
