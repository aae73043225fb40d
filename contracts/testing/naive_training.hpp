#pragma once

#include "contracts/training/interface.hpp"

#include <map>
#include <optional>
#include <set>

namespace swarm::contracts {

/// The training contract written once more as simply as possible: without slots or counters, everything is
/// counted anew each time. Random calls compare the contract with this twin. Callers are assumed to be active
/// SLs, and SNs for resets.
class naive_training {
public:
  /// Returns whether the call is accepted; `events` then holds what it emitted.
  bool call(const address& caller, const register_peer_args& args);
  bool call(const address& caller, const leave_peer_args& args);
  bool call(const address& caller, const check_in_args& args);
  bool call(const address& caller, const vote_close_args& args);
  bool call(const address& caller, const commit_merge_args& args);
  bool call(const address& caller, const suspect_leader_args& args);
  bool call(const address& caller, const report_loss_args& args);
  bool call(const address& caller, const report_refusal_args& args);
  bool reset(const address& caller);

  /// Set before each call: hash of the block before, number of the block the call is in.
  hash32 parent_hash;
  std::uint64_t block_num = 0;
  std::vector<training_event> events;

  head_view head() const;
  /// Without name and endpoint.
  std::vector<peer_view> peers() const;
  /// Without endpoint.
  std::vector<check_in_view> check_ins() const;
  const std::map<std::uint64_t, merge_view>& merges() const { return merges_; }

private:
  struct entry {
    check_in_args model;
    bool leads = false;
    bool made_it_finished = false;
  };
  struct member {
    peer_view view;
    bool over = false;
    std::optional<entry> in;
  };

  member* find(const address& account);
  std::size_t count(peer_state state) const;
  std::vector<const member*> in_round() const;
  std::size_t contributors() const;
  std::vector<address> order() const;
  bool is_due() const;

  void withdraw(member& peer);
  void settle();
  void settle_votes_of_no_confidence();
  void give_up_missing();
  void close();
  void succeed();
  void reopen();
  void complete();

  std::vector<member> members_;
  std::map<std::uint64_t, merge_view> merges_;
  std::set<address> votes_;
  std::set<address> suspects_;
  std::uint64_t generation_ = 1;
  std::uint64_t round_ = 1;
  round_phase phase_ = round_phase::collecting;
  std::uint32_t term_ = 0;
  address leader_;
  hash32 seed_;
  hash32 layout_;
  std::uint32_t min_peers_ = 0;
  std::string method_;
};

} // namespace swarm::contracts
