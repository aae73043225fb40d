#pragma once

#include "contracts/abi/function.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training/state.hpp"

#include <set>
#include <vector>

namespace swarm::contracts {

/// One peer of the current round.
struct participant {
  std::uint16_t index = 0;
  peer_slot peer;
};

/// How a round moves on. A call changes a peer and then calls `settle`, which makes every transition that is
/// now due, so that no round waits for an event that has already happened.
class rounds {
public:
  rounds(training_state& state, const ledger::call_context& context) : state_(state), context_(context) {}

  template <class Event>
  void emit(const Event& event) const {
    state_.storage().host().emit(abi::encode_event(context_.self, event));
  }

  /// Closes a round that is due, ends revealing when there is nothing left to reveal, completes a training in which nobody trains any more, replaces a
  /// suspected leader.
  void settle();

  /// Moves a peer from one state to another and adjusts the counters.
  void change_state(peer_slot& peer, peer_state to);
  /// The peer, whose slot is saved by the caller, is in the round being collected.
  void enter(peer_slot& peer, std::uint8_t weightage, bool finished);
  /// Takes back the check-in of `peer`, which is in a round that is not being merged yet.
  void withdraw(peer_slot& peer);
  /// `peer`, which hides a model and is saved by the caller, has revealed it. With `counts` false it brings none.
  void reveal(peer_slot& peer, bool counts);
  /// Goes on with the models that are revealed: the round is merged or, when those in it are too few, collected anew. While
  /// more than `withheld_at_once_max` are not revealed, so many are taken out, and the rest is for the next call.
  void end_reveals();
  /// Whether the peer counts for the current round only once it has revealed its model.
  bool is_doubted(std::uint16_t index, const peer_slot& peer) const;
  /// Whether the peer neither leads nor checks in this round.
  bool is_barred(const participant& one) const;
  /// Of a peer in the round, as it was when it checked in: who moves meanwhile speaks for one organisation only.
  organisation_id organisation_of(std::uint16_t index) const {
    return state_.check_in(index).in_organisation;
  }
  /// The organisations of which a peer was barred in this round, or made a proposal about which they tied, or left out of one who is available. Others lead and
  /// check, if there are any, so that one with many keys cannot do the same with each of them.
  std::set<organisation_id> set_aside() const;
  /// The next peer in the order of succession that has not left leads, if possible one that is neither barred nor set
  /// aside; without one, or when there were as many proposals as there are seeds, the round is collected anew.
  void advance_leader();
  /// Begins the next generation, with the parameters and the layout of this one.
  void start_over();
  /// After a commit, begins the next round or completes the training.
  void next_round();

  /// The peers of the current round in order of registration.
  std::vector<participant> participants() const;
  /// The order of succession among `in`, peers of a closed round in order of registration: those that could lead
  /// when they checked in, or, when none could, those that contribute; contributors before others, and each in
  /// order of registration, beginning behind the leader of the last merge. So leaders take turns, and nothing
  /// that a peer can choose makes it lead. Leader of term t is entry t modulo the length.
  std::vector<participant> succession(const std::vector<participant>& in) const;

private:
  void settle_collecting();
  bool is_given_up() const;
  /// The round, whose participants are `in`, is merged in shards under its leader, if it may be.
  void open_shards(const std::vector<participant>& in);
  void open_reveals();
  void close(const std::vector<participant>& in);
  void take_back(peer_slot& peer);
  void withhold(participant& who, bool goes_on);
  /// Returns the participants; peers that were waited for and are not among them become Absent.
  std::vector<participant> take_participants();
  /// The first term from `first` on whose leader has not left and is, if possible, neither barred nor set aside nor the
  /// present leader.
  std::optional<std::uint32_t> term_from(std::uint32_t first, const std::vector<participant>& order,
                                         std::optional<std::uint16_t> present) const;
  /// With `everybody` all check-ins are withdrawn, not only those of who have left.
  void reopen(bool everybody = false);
  void complete();
  void clear_round_counts();

  training_state& state_;
  const ledger::call_context& context_;
};

/// A peer that is there, and wants what is in force.
constexpr bool is_at_work(const peer_slot& peer) {
  return peer.state == peer_state::active || peer.state == peer_state::finished;
}

/// True when `part` of `all` is more than half.
constexpr bool is_majority(std::uint32_t part, std::uint32_t all) {
  return part > 0 && 2 * part > all;
}

} // namespace swarm::contracts
