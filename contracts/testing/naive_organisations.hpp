#pragma once

#include "contracts/organisations/client.hpp"

#include <map>

namespace swarm::contracts {

/// The OrganisationRegistry written once more as simply as possible. Random calls compare the contract with this twin.
/// Limits of numbers are assumed not to be reached.
class naive_organisations {
public:
  explicit naive_organisations(const std::vector<ledger::founder>& founders);

  /// Returns whether the call is accepted; `events` then holds what it emitted. The caller is an active SN.
  bool call(const address& caller, admit_organisation_args args);
  bool call(const address& caller, const remove_organisation_args& args);
  bool call(const address& caller, set_anchors_args args);
  bool call(const address& caller, const set_limits_args& args);
  bool call(const address& caller, const take_back_vote_args& args);

  /// Both as the contract shows them; motions in any order.
  std::vector<organisation_view> organisations() const;
  std::vector<motion_view> motions() const;

  std::uint64_t block_num = 0; ///< set before each call
  std::vector<organisation_event> events;

private:
  struct vote {
    organisation_id by = 0;
    hash32 motion;
  };

  organisation_view* find(organisation_id id);
  organisation_id voter_of(const address& caller) const;
  bool is_open(const motion_view& what) const;
  bool are_free(const std::vector<hash32>& anchors, organisation_id besides) const;
  std::size_t needed(const motion_view& what) const;
  std::size_t counted(const motion_view& what) const;
  motion_view* find_motion(const hash32& key);
  void withdraw(organisation_id by, const hash32& key);
  /// Votes that count no more are nobody's.
  void tidy(organisation_id by);
  bool cast(const address& caller, motion_view what);
  void pass(const motion_view& what);

  std::map<address, organisation_id> accounts_;
  std::vector<organisation_view> organisations_;
  std::vector<motion_view> motions_;
  organisation_id last_id_ = 0;
};

} // namespace swarm::contracts
