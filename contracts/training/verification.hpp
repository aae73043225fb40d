#pragma once

#include "contracts/training/dealing.hpp"
#include "contracts/training/rounds.hpp"
#include "contracts/training/shards.hpp"

namespace swarm::contracts {

/// How a proposal becomes the merge of its round, or another leader makes another: what follows from what the peers say of
/// it. As `rounds` it makes every transition that is due.
class verification {
public:
  verification(training_state& state, class rounds& rounds, const ledger::call_context& context)
      : state_(state), rounds_(rounds), context_(context) {}

  /// The proposal, which is kept as the merge of the round, is to be checked; or is accepted, if there is nobody who could.
  void open();
  /// `index`, who is awaited, has revealed its seed.
  void take_seed(std::uint16_t index, const address& account, const hash32& seed);
  /// `index`, who is awaited, attests what was dealt to it.
  void take_attestation(std::uint16_t index);
  /// The set of those who have said the like of this proposal; none for what everybody who looks sees in the same way, as
  /// whoever says that falsely is barred.
  std::optional<peer_sets> sayers(challenge_kind kind, std::uint64_t number) const;
  /// All that contribute judge.
  void dispute(std::uint16_t challenger, challenge_kind kind, std::uint32_t number);
  /// `index`, who is awaited, says whether the proposal holds.
  void take_vote(std::uint16_t index, bool holds);
  /// Those who are awaited have had their time. While they are more than `barred_at_once_max`, so many are barred, and the
  /// rest is for the next call.
  void end_stage();
  /// `index`, which is in the closed round, has left it or is odd. If it leads the round, it is odd.
  void lose(std::uint16_t index);
  /// It neither leads nor checks in the next rounds, nor in this one, while others can.
  void bar(std::uint16_t index, bar_reason reason);

  /// Who can check the proposal: who contributes and is at work, but the leader if it has made it all; in order of
  /// registration.
  std::vector<participant> candidates() const;
  /// Of how many shards the proposal was put together; 0: the leader has made it.
  std::uint32_t proposed_shards() const;
  /// Who has made what is challenged, as a peer's index.
  std::uint16_t author_of(challenge_kind kind, std::uint64_t number) const;
  organisation_id organisation_of(std::uint16_t index) const { return rounds_.organisation_of(index); }
  /// In how many chunks the proposal is dealt out.
  std::uint64_t proposed_size() const;
  std::uint64_t chunks() const;
  /// Of how many units it stands on chain what the models are measured to; 0: of none.
  std::uint64_t measured_units() const;
  /// Among whom the proposal was dealt out, in the order of the deal; none before that.
  std::vector<participant> seats() const;

private:
  struct tally {
    std::uint32_t holds = 0;
    std::uint32_t against = 0;
    std::uint32_t missing = 0;
  };

  void await(const peer_set& whom);
  void deal_out();
  void accept();
  bool is_checked_by_others() const;
  bool is_checked_without_lots(const std::vector<participant>& who) const;
  /// How the proposal is dealt out among `who`, in this order.
  deal deal_among(const std::vector<participant>& who) const;
  std::vector<std::size_t> order_of(const std::vector<participant>& who) const;
  /// `who` without those whose models the proposal says could not be had, if the others and the leader outvote them: nobody
  /// waits for them to say what can change nothing. They may challenge all the same, as everybody may.
  std::vector<participant> without_unheard(const std::vector<participant>& who) const;
  std::vector<tally> votes(const peer_set& holds, const peer_set& against, const peer_set& missing) const;
  void settle_dispute(bool is_over);
  void pass_over(std::uint16_t challenger);
  void decide(verdict outcome, std::uint32_t holds, std::uint32_t against);
  void stop();
  std::uint64_t model_size() const;
  std::uint64_t seconds_for(std::uint64_t chunks_of_one);
  void begin_stage(std::uint64_t seconds);
  std::uint64_t bytes_to_judge() const;

  training_state& state_;
  class rounds& rounds_;
  const ledger::call_context& context_;
};

} // namespace swarm::contracts
