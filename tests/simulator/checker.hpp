#pragma once

#include "ledger/consensus/qbft_machine.hpp"
#include "tests/simulator/trace.hpp"

#include <map>
#include <set>

namespace swarm::simulator {

/// Watches everything that honest nodes say and decide, and knows who is not honest. The numbers are those
/// of the nine invariants of docs/consensus.md; liveness (6) is checked by the campaign, determinism (7)
/// by the node.
class checker {
public:
  checker(const consensus::signing_domain& domain, std::vector<address> accounts,
          ledger::author_recovery recover);

  void watch_forks_only() { only_forks_ = true; }
  /// For networks in which fewer seals than a quorum count, by a planted mistake.
  void ignore_parent_seals() { seals_ignored_ = true; }
  bool watches_forks_only() const { return only_forks_; }
  /// The node lies or has lost its memory: it is exempt from 3 and 5, and assumed to have sealed whatever
  /// helps a fork.
  void set_faulty(std::size_t node) { faulty_.insert(node); }
  bool is_faulty(std::size_t node) const { return faulty_.contains(node); }

  /// A node works on `block_num` with this set (1: all nodes must have the same).
  void on_height(std::size_t node, std::uint64_t block_num, const std::vector<address>& validators);
  void on_said(std::size_t node, bytes_view raw);
  void on_decided(std::size_t node, const consensus::proposed_block& block, const ledger::seal_record& seals);
  /// The node's record of the block is lost, and its operator has it vote again: what it sealed and was
  /// prepared on there is forgotten, so it is final only if it is on a disk or enough others have sealed it.
  void on_reentry(std::size_t node, std::uint64_t block_num);
  /// The block is on the node's disk.
  void on_durable(std::size_t node, const consensus::proposed_block& block);
  /// A node has seen the quorum itself, in this round.
  void on_own_decision(std::size_t node, std::uint64_t round_num) {
    if (!is_faulty(node)) round_max_ = std::max(round_max_, round_num);
  }
  /// The highest round of such decisions since the last time this was asked.
  std::uint64_t take_round_max() { return std::exchange(round_max_, 0); }
  void on_status(std::size_t node, const consensus::machine_status& now,
                 const consensus::park_limits& limits);
  void on_restart(std::size_t node) { lives_[node] = {}; }

  void fail(std::string why);
  const std::string& failure() const { return failure_; }
  bool failed() const { return !failure_.empty(); }
  std::uint64_t decided_max() const { return decided_max_; }
  std::uint64_t set_changes() const { return set_changes_; }   ///< heights with other validators
  std::uint64_t later_rounds() const { return later_rounds_; } ///< blocks decided beyond round 0

private:
  using vote_place = std::tuple<std::size_t, std::uint64_t, consensus::message_code>; ///< node, round, code
  /// All that is known of one height.
  struct height {
    std::vector<address> validators;
    std::map<vote_place, hash32> said;
    std::map<std::pair<std::uint64_t, hash32>, std::set<std::size_t>>
        sealed; ///< by round and block: honest authors
    std::optional<hash32> final_block;
    bool durable = false;                            ///< on the disk of an honest node
    std::map<std::size_t, std::uint64_t> round_said; ///< highest, by node
    std::map<std::size_t, consensus::prepared_claim> claimed;
  };
  struct life {
    std::uint64_t block_num = 0;
    std::uint64_t round_num = 0;
    std::optional<std::uint64_t> prepared_round;
  };
  void on_commit(std::size_t node, height& at, const consensus::commit_message& vote);
  void on_prepare(std::size_t node, height& at, const consensus::signed_prepare& vote);
  void on_round_change(std::size_t node, height& at, const consensus::round_change_message& item);
  void on_vote(std::size_t node, height& at, std::uint64_t round_num, consensus::message_code code,
               const hash32& digest);
  void check_parent_seals(const consensus::proposed_block& block);
  void on_final(height& at, std::uint64_t block_num, const hash32& block);
  std::size_t honest_of(const std::set<std::size_t>& authors) const;
  std::size_t faulty_in(const std::vector<address>& validators) const;
  void forget_old();

  consensus::signing_domain domain_;
  std::vector<address> accounts_;
  ledger::author_recovery recover_;
  std::set<std::size_t> faulty_;
  std::map<std::uint64_t, height> heights_;
  std::map<std::size_t, life> lives_;
  std::uint64_t decided_max_ = 0;
  std::uint64_t later_rounds_ = 0;
  std::uint64_t set_changes_ = 0;
  std::uint64_t round_max_ = 0;
  bool only_forks_ = false;
  bool seals_ignored_ = false;
  std::string failure_;
};

} // namespace swarm::simulator
