#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "base/back_off.hpp"

namespace swarm::membership {

struct machine_options {
  address self;
  transport::prove_function prove;    ///< what this node registers as
  std::string node_name;              ///< with which it registers
  std::string endpoint;               ///< host:port where other SNs reach it
  std::vector<std::string> trainings; ///< contracts that are made if the chain lacks them
  std::string sentinel;               ///< host:port that a newcomer asks
  std::optional<hash32> genesis_hash; ///< that its chain must begin with; none: whatever the SN says
  bool leaving = false;               ///< the operator wished so before this machine was made
  std::uint64_t seed = 0;             ///< of waiting times
};

/// An SN's place in its network: finds the chain when there is none, registers, makes the training contracts
/// that its operator named, votes on who else should validate, leaves. Remembers nothing that matters beyond
/// a restart but the wish to leave: everything else follows from the chain, and is looked at again every
/// second. While a transaction of this node waits nothing is sent but votes and reports of double votes, so that nobody
/// keeps these back who sees to it that something always waits; they are not repeated before that is in a block, or eight
/// blocks were made without it.
class membership_machine {
public:
  explicit membership_machine(machine_options options);

  void step(const start& event, time_point now);
  void step(const timer_fired& event, time_point now);
  void step(const facts_read& event, time_point now);
  void step(const no_chain& event, time_point now);
  void step(const neighbors_seen& event, time_point now);
  void step(const entry_found& event, time_point now);
  void step(const submitted& event, time_point now);
  void step(const double_vote_seen& event, time_point now);
  void step(const leave_wanted& event, time_point now);

  /// In the order in which they must be done.
  std::vector<membership_action> take_actions() { return std::exchange(actions_, {}); }

  bool leaving() const { return leaving_; }
  /// Whether this SN is a member, as its chain says.
  bool registered() const;
  /// A few words for the operator.
  std::string status() const;

private:
  static constexpr std::uint64_t again_after_blocks = 8;
  /// It is not known whether there is a chain.
  struct starting {};
  /// There is none; the sentinel is asked for it.
  struct joining {
    back_off pause;
  };
  /// There is one: what it says is looked at regularly.
  struct running {
    std::size_t validators = 0;
    std::size_t kept_absent = 0; ///< of the validators: needed and away
    bool registered = false;
    std::vector<contracts::seat_power> powers; ///< of organisations
  };

  void look_at_chain(time_point now);
  void ask_sentinel();
  void look_after(const chain_facts& facts, time_point now);
  void dial_nodes(const chain_facts& facts);
  /// These two say whether they sent something: nothing else is sent before that is in a block.
  bool leave(const chain_facts& facts);
  bool introduce_self(const chain_facts& facts);
  /// Whether the certificate was removed by vote, which the log is told once.
  bool is_removed(const chain_facts& facts);
  void vote(const network_view& view, const chain_facts& facts);
  /// Tells of validators that are needed and away, of each once.
  void tell_of_kept(const network_view& view);
  static bool waits_for_vouches(const chain_facts& facts);
  bool is_introduced(const chain_facts& facts) const;
  bool believes(const network_entry& entry);
  void register_self(const chain_facts& facts);
  bool report_liar(const chain_facts& facts);
  std::map<address, duration> absent_members(const chain_facts& facts, time_point now);
  void answer_leave(result<action::answer_leave::progress> outcome);

  machine_options options_;
  std::variant<starting, joining, running> phase_;
  std::vector<connected_node> connected_;
  std::vector<connected_node> asked_with_;  ///< who was, when the chain was asked: its answer is about these
  std::map<address, time_point> last_seen_; ///< members
  std::optional<membership::vote> last_vote_;
  std::optional<std::uint64_t> voted_at_;
  bool told_removed_ = false;
  std::set<address> told_kept_; ///< validators that the log was told are needed and away
  /// A double vote of a member, to be put on the chain.
  struct offence {
    bytes proof;
    std::optional<std::uint64_t> sent_at; ///< head when it was sent last
  };
  /// Whether what was sent at this head may still wait for a block.
  bool may_wait(std::optional<std::uint64_t> sent_at, const chain_facts& facts) const;
  std::map<address, offence> offences_;
  std::uint64_t serial_ = 0;        ///< of the last question to the chain
  std::optional<time_point> asked_; ///< when it was asked, if it is not answered yet
  std::uint64_t block_num_ = 0;     ///< the head, as it was last read
  duration entry_pause_;            ///< until it looks again whether it is a member
  bool leave_wanted_ = false;       ///< somebody waits for `answer_leave`
  bool leaving_ = false;
  std::vector<membership_action> actions_;
};

} // namespace swarm::membership
