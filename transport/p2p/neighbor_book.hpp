#pragma once

#include "base/back_off.hpp"
#include "transport/p2p/conduct.hpp"

#include <map>
#include <optional>
#include <set>

namespace swarm::p2p {

/// The facts that decide which of two connections to one neighbor stays.
struct connection_facts {
  bool dialled_here = false;
  std::uint64_t neighbor_instance = 0; ///< of the neighbor's process
  std::uint64_t number = 0;            ///< given by the side that dialled
};
/// Whether the fresh one of two connections stays. Both ends come to the same answer, in whatever order they
/// see the two. A restarted neighbor's new connection wins over the old ones; otherwise the one that the
/// lower account dialled wins, and of two such the later one.
bool fresh_one_stays(const address& own, const address& neighbor, const connection_facts& old,
                     const connection_facts& fresh);

/// Decides whom to dial and when, and whom to refuse. It is pure: time is an argument.
class neighbor_book {
public:
  struct target {
    bool configured = false;
    bool registered = false;        ///< by the chain; dialled like a configured one for as long
    std::optional<hash32> told_by;  ///< the organisation of the neighbor that told of a learned one
    std::optional<address> account; ///< expected of a learned one, else the last to answer
    back_off waits;
    time_point next_at{};
    bool dialling = false; ///< being dialled, or connected through this endpoint
    bool connected = false;
    bool own = false; ///< the endpoint is this node's
    std::string last_failure;
    bool stays() const { return configured || registered; }
  };
  struct refusal {
    hash32 certificate;
    std::string reason;
    time_point until;
  };
  struct dial_order {
    std::string endpoint;
    std::optional<address> expected; ///< whoever else answers is not the neighbor that was told of
  };

  neighbor_book(const p2p_options& options, const address& own, std::uint64_t seed);

  /// Adds an endpoint that is dialled for ever. It must have been checked.
  void configure(const std::string& endpoint, time_point now);
  /// The endpoints that the chain knows, all of them; those that it knew before and knows no more are forgotten once
  /// nobody answers there.
  void set_registered(const std::set<std::string>& endpoints, time_point now);
  /// A neighbor of the organisation `told_by` said that `account` can be reached there. What is told is bounded, and
  /// organisations share the room.
  void learn(const address& account, const std::string& endpoint, const hash32& told_by, time_point now);

  /// What to dial now; each counts as under way until `dial_ended`. Accounts in `connected` are not dialled.
  /// `under_way` counts connections of any kind. There are few dials at a time: those come first that failed seldom,
  /// then those that wait longest, and what one organisation told of has a part of them only.
  std::vector<dial_order> due(const std::set<address>& connected, std::size_t under_way, time_point now);
  /// `account` proved itself there.
  void answered(const std::string& endpoint, const address& account);
  void is_own(const std::string& endpoint);
  /// The attempt failed, or the connection ended after `lasted`. Returns true when that is worth a
  /// line in the log.
  bool dial_ended(const std::string& endpoint, duration lasted, const std::string& why, time_point now);
  /// The neighbor has gone. It is not dialled at once, so that both ends do not dial at the same time.
  void neighbor_gone(const address& account, time_point now);

  void refuse(const address& account, const hash32& certificate, std::string reason, time_point now);
  /// The reason if the account is refused now, else null.
  const refusal* refused(const address& account, time_point now) const;
  const refusal* refused(const hash32& certificate, time_point now) const;

  /// What is left of the points of a neighbor's last session.
  double points(const address& account, time_point now) const;
  void keep_points(const address& account, double points, time_point now);

  const std::map<std::string, target>& targets() const { return targets_; }
  const std::map<address, refusal>& refusals() const { return refusals_; }

private:
  target& add(const std::string& endpoint, time_point now);
  bool make_room(const hash32& told_by);
  bool may_dial(const target& which, std::size_t under_way) const;

  p2p_options options_;
  address own_;
  std::uint64_t seed_;
  std::map<std::string, target> targets_; ///< by endpoint
  std::map<address, refusal> refusals_;
  std::map<address, offence_score> scores_;
};

} // namespace swarm::p2p
