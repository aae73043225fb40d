#pragma once

#include "actors/sn/membership/registration_judge.hpp"
#include "actors/sn/membership/vouching/vouching_machine.hpp"
#include "ledger/chain/chain_view.hpp"

namespace swarm::membership {

/// Reads the chain for the vouching machine, and makes calls of the NodeRegistry of what it wants. No threads, no clock;
/// it reads the chain's store.
class vouch_desk {
public:
  vouch_desk(const address& self, std::shared_ptr<const transport::tls_identity> identity,
             std::shared_ptr<const members::member_rules> rules)
      : self_(self), identity_(identity), judge_(std::move(identity), std::move(rules)), machine_(self) {}

  using view_ptr = std::shared_ptr<const ledger::chain_view>;
  /// Looks through the whole registry; at the start, and after what changes many members at once.
  result<> look_through(const view_ptr& chain, time_point now);
  /// The chain has this block now, and `chain` is of it or a later one.
  result<> take_block(const view_ptr& chain, const ledger::executed_block& block, time_point now);
  /// To come several times a second. `unix_s` is the time of day.
  result<> tick(const view_ptr& chain, time_point now, std::uint64_t unix_s);

  /// Calls of the NodeRegistry that this SN should make. `try_first`: only if it would succeed at the head; otherwise it
  /// takes the time of a new block.
  struct call {
    bytes input;
    bool try_first = true;
  };
  std::vector<call> take_calls() { return std::exchange(calls_, {}); }
  std::vector<vouching::action::say> take_lines() { return std::exchange(lines_, {}); }
  const vouching::vouching_machine& machine() const { return machine_; }

private:
  /// The registration of a node of the own organisation, for as long as it matters.
  struct registration {
    contracts::node_statement statement;
    bytes proof;
  };

  template <class Event>
  void step(const Event& event, time_point now);
  result<> take(const view_ptr& chain, const contracts::node_event& event, time_point now);
  void judge(const view_ptr& chain, const contracts::node_registered& what, time_point now);
  result<> look_at_waiting(const view_ptr& chain, contracts::organisation_id organisation, time_point now);
  result<> look_at_liveness(const view_ptr& chain);
  void admit(const view_ptr& chain, const address& account, time_point now);
  void forget(const address& account, time_point now);
  void look_at_members(const view_ptr& chain, time_point now, std::uint64_t unix_s);
  std::optional<contracts::node_registered> find_registration(const view_ptr& chain,
                                                              const contracts::node_statement& claimed) const;
  contracts::organisation_id own_organisation() const;
  void tell_council(time_point now) { step(vouching::event::council{council_}, now); }

  address self_;
  std::shared_ptr<const transport::tls_identity> identity_;
  registration_judge judge_;
  vouching::vouching_machine machine_;
  std::vector<vouching::member_sn> council_;
  std::map<address, registration> waiting_; ///< of the own organisation
  std::map<address, registration> members_; ///< of the own organisation, whose proofs are known
  std::set<address> unproved_;              ///< members of it whose proofs have to be looked for
  std::shared_ptr<const void> trusted_;     ///< what this SN trusted when it last looked at them
  std::optional<time_point> looked_at_members_;
  bool some_lost_ = false; ///< the last look found members to be removed
  std::optional<time_point> looked_at_liveness_;
  std::optional<time_point> looked_through_;
  std::vector<call> calls_;
  std::vector<vouching::action::say> lines_;
};

} // namespace swarm::membership
