#pragma once

#include "contracts/registry/client.hpp"

#include <map>
#include <optional>
#include <set>

namespace swarm::contracts {

/// The memberships of the NodeRegistry written once more as simply as possible, for a chain with organisations. Random
/// calls compare the contract with this twin. Limits of numbers are assumed not to be reached, and the only seat of a
/// validator is that of `validator`.
class naive_nodes {
public:
  /// The organisations 1 to `organisations`, each with its founding validator.
  naive_nodes(const std::vector<address>& founding, const address& validator);

  /// Returns whether the call is accepted; `events` then holds what it emitted.
  bool call(const address& caller, const register_node_args& args);
  bool call(const address& caller, const vouch_args& args);
  bool call(const address& caller, const leave_node_args& args);
  bool call(const address& caller, const remove_node_args& args);
  bool call(const address& caller, const accuse_args& args);
  bool call(const address& caller, const answer_args& args);
  bool call(const address& caller, const settle_args& args);
  bool call(const address& caller, const limit_seats_args& args);
  bool call(const address& caller, const accuse_node_args& args); ///< without a sign of life

  node_view node(const address& account) const;
  pending_view pending(const address& account) const;
  standing_view standing(organisation_id id) const;
  std::vector<seat_lease_view> leases(organisation_id id) const;

  std::set<organisation_id> organisations; ///< those that are there
  std::uint64_t block_num = 0;             ///< set before each call, as the time
  std::uint64_t time = 0;
  std::vector<node_event> events;

private:
  struct entry {
    node_view last;      ///< of the statement in force, or the last one
    bool joined = false; ///< neither left, removed nor settled since
    std::optional<pending_view> waits;
    std::set<organisation_id> against;
  };
  struct accusation {
    std::uint64_t since = 0;
    std::uint64_t rest = 0;
  };

  struct seat_accusation {
    address account;
    std::uint64_t since = 0;
    std::uint64_t rest = 0;
  };
  using seats_of = std::pair<organisation_id, node_type>;

  bool is_full(const seats_of& which) const;
  std::uint32_t taken(const seats_of& which) const;
  /// Whether a node has room; `silent`: who gives up its seat for it.
  bool has_room(const entry& of, organisation_id organisation, node_type type,
                std::optional<address>& silent) const;
  void forget(const address& account);
  bool is_member(const entry& of) const;
  /// The organisation for which the caller may act; 0: for none.
  organisation_id acts_for(const address& caller, bool as_swci) const;
  bool is_live(organisation_id id) const;
  std::size_t voters_of(organisation_id id) const;
  bool is_vouched_for(const entry& of) const;
  bool admit(const address& account);
  bool end(const address& account);

  std::map<address, entry> nodes_;
  std::map<address, organisation_id> founders_;
  std::map<organisation_id, accusation> accused_;
  std::map<seats_of, std::uint32_t> limits_;
  std::map<seats_of, seat_accusation> silent_;
  std::set<hash32> removed_; ///< identities of members that were removed by vote
  address validator_;
};

} // namespace swarm::contracts
