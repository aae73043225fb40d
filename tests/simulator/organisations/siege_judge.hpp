#pragma once

#include "contracts/registry/client.hpp"
#include "ledger/chain/chain.hpp"
#include "tests/simulator/world.hpp"

#include <map>
#include <set>

namespace swarm::simulator {

/// Watches every decided block for broken rules on organisations. It knows in truth who belongs to whom, and counts by
/// itself: it asks no contract what it can see in the blocks.
class siege_judge {
public:
  siege_judge(world& in, std::uint16_t attacker, std::uint64_t bytes_a_day)
      : world_(in), attacker_(attacker), bytes_a_day_(bytes_a_day) {}

  void know(const address& account, std::uint16_t organisation) { truth_[account] = organisation; }
  /// Somebody invented this node of another organisation.
  void know_invented(const address& account) { invented_.insert(account); }
  /// An honest node can prove a double vote of the account.
  void know_double_vote(const address& account) { double_votes_.try_emplace(account, world_.now()); }

  /// The next decided block, as `chain` has it.
  void take(const ledger::chain_view& chain, const ledger::executed_block& block);
  /// To come often.
  void tick(const ledger::chain_view& chain);

  bool is_member(const address& account) const { return members_.contains(account); }
  bool is_removed(std::uint16_t organisation) const { return removed_organisations_.contains(organisation); }
  std::size_t members_of(std::uint16_t organisation) const;
  std::size_t seats_max() const { return seats_max_; }
  std::uint64_t bytes_of(std::uint16_t organisation) const;
  std::size_t seats_lost() const { return seats_lost_; }
  const std::vector<address>& validators() const { return validators_; }

private:
  struct member {
    std::uint16_t organisation = 0;
    std::uint64_t expiry = 0;
  };
  void take_txn(const ledger::executed_block& block, std::size_t index);
  void take_event(const contracts::node_event& event, const ledger::executed_block& block);
  void check_seats(const ledger::chain_view& chain, std::uint64_t block_num);
  void fail(const std::string& why) { world_.check().fail(why); }
  bool is_honest(const address& account) const;

  world& world_;
  std::uint16_t attacker_;
  std::uint64_t bytes_a_day_;
  std::map<address, std::uint16_t> truth_;
  std::set<address> invented_;
  std::map<address, sim_time> double_votes_;
  std::map<address, member> claims_; ///< as it was last registered
  std::map<address, member> members_;
  std::set<std::uint16_t> removed_organisations_;
  std::map<std::uint16_t, std::uint64_t> bytes_; ///< of this day
  std::map<std::uint16_t, std::uint64_t> claimed_bytes_;
  std::uint64_t day_ = 0;
  std::vector<address> validators_;
  std::size_t seats_max_ = 0;
  std::size_t seats_lost_ = 0; ///< for double votes
  sim_time looked_ = 0;
};

} // namespace swarm::simulator
