#pragma once

#include "contracts/training/interface.hpp"
#include "contracts/training/sharding.hpp"

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
  bool call(const address& caller, const reveal_args& args);
  bool call(const address& caller, const close_reveals_args& args);
  bool call(const address& caller, const vote_close_args& args);
  bool call(const address& caller, const commit_merge_args& args);
  bool call(const address& caller, const commit_shard_args& args);
  bool call(const address& caller, const measure_shard_args& args);
  bool call(const address& caller, const reveal_seed_args& args);
  bool call(const address& caller, const attest_args& args);
  bool call(const address& caller, const challenge_args& args);
  bool call(const address& caller, const judge_args& args);
  bool call(const address& caller, const close_checks_args& args);
  bool call(const address& caller, const suspect_leader_args& args);
  bool call(const address& caller, const report_loss_args& args);
  bool call(const address& caller, const accuse_peer_args& args);
  bool call(const address& caller, const answer_accusation_args& args);
  bool call(const address& caller, const report_refusal_args& args);
  /// A call of a peer, which gives a sign of life by it, unless it is refused.
  template <class Args>
  bool heard_call(const address& caller, const Args& args) {
    const auto before = *this;
    was_accused_ = hear(caller);
    if (call(caller, args)) return true;
    *this = before;
    return false;
  }
  bool reset(const address& caller);

  /// Who belongs to an organisation; nobody does at first.
  std::map<address, organisation_id> homes;

  /// Set before each call: number and time of the block the call is in.
  std::uint64_t block_num = 0;
  std::uint64_t block_time = 0;
  std::vector<training_event> events;

  head_view head() const;
  /// Without name, endpoint and the organisation's name.
  std::vector<peer_view> peers() const;
  /// Without endpoint.
  std::vector<check_in_view> check_ins() const;
  merge_view proposal() const;
  checks_view checks() const;
  shards_view shards() const;
  std::vector<hash32> shard_roots(std::uint32_t which) const;
  measures_view measures() const;
  const std::map<std::uint64_t, merge_view>& merges() const { return merges_; }

private:
  struct entry {
    check_in_args model;
    bool leads = false;
    bool made_it_finished = false;
    bool revealed = false;
    hash32 digest;
    hash32 seed_hash;
    bool spared = false;

    bool hides() const { return model.weightage > 0 && !revealed; }
  };
  struct member {
    peer_view view;
    bool over = false;
    std::optional<entry> in;
    bool brought_model = false;           ///< with its last check-in
    std::string asks;                     ///< while it is odd
    std::optional<check_in_args> outside; ///< the check-in of one that is odd by its layout
    std::uint64_t outside_of = 0;         ///< the round of it
    std::optional<check_in_args> pending; ///< the check-in of one that has to reveal it before it counts
    std::uint64_t trusted_from = 0;
    unsigned withheld = 0;
    std::uint64_t barred_until = 0;
    organisation_id first_organisation = 0; ///< when it registered for the first time
    organisation_id in_organisation = 0;    ///< when it checked in
  };
  struct shard {
    address maker;
    address by; ///< zero until it is made
    std::vector<hash32> roots;
    bool declined = false;
    std::vector<double> sums;
    std::vector<hash32> words; ///< of `sums`
  };
  enum class about : std::uint8_t { parameters, layout };
  struct side {
    std::string wants;
    std::set<organisation_id> organisations;
    std::size_t peers = 0;
  };

  member* find(const address& account);
  std::size_t count(peer_state state) const;
  std::vector<const member*> in_round() const;
  std::size_t contributors() const;
  std::size_t place_of(const address& account) const;
  std::vector<address> order() const;
  bool is_due() const;

  bool is_odd(const member& peer, about what) const;
  std::string in_force(about what) const;
  void put_in_force(about what, const std::string& wants);
  std::optional<std::string> wants(const member& peer, about what) const;
  std::vector<side> sides(about what, const member* without = nullptr) const;
  std::size_t strength(const side& in_force) const;
  bool may_ask(const member& peer, about what, const std::string& asks) const;
  void make_odd(member& peer, leave_reason why, const std::string& asks);
  void put_aside(member& peer, about what, const std::string& asked, const std::string& winner,
                 bool outvoted);
  void join(member& peer);
  bool weigh(about what);
  void weigh();
  void start_over(about what, const side& winner);
  void clear();
  void enter(member& peer, const check_in_args& args);
  void tell_check_in(const member& peer, const check_in_args& args);
  void pend(member& peer, const check_in_args& args);
  bool is_doubted(const member& peer) const;
  std::size_t hidden() const;
  bool is_copy(const member& peer, const hash32& digest);
  void open_reveals();
  void end_reveals();
  void withhold(member& peer, bool goes_on);

  bool hear(const address& caller);
  bool has_others_than(organisation_id organisation) const;
  void take_leave(member& peer, leave_reason why);
  void withdraw(member& peer);

  bool is_barred(const member& peer) const;
  std::set<organisation_id> set_aside() const;
  void begin_stage(std::uint64_t seconds);
  void open_shards();
  void give_time();
  void bar_silent_makers();
  std::vector<double> totals() const;
  void hasten(std::uint64_t missing);
  void put_together();
  shard_state state_of(const shard& one) const;
  std::vector<shard_author> authors() const;
  address author_of(challenge_kind kind, std::uint64_t number) const;

  std::vector<const member*> candidates() const;
  bool is_current(std::uint64_t generation, std::uint64_t round_num, std::uint32_t term,
                  std::uint32_t attempt, round_phase phase) const;
  std::uint64_t model_size() const;
  std::uint64_t chunks_of_proposal() const;
  bool is_about_availability(challenge_kind kind, std::uint64_t number) const;
  bool may_challenge(const member& peer, const address& author, const std::set<address>& said_by) const;
  void open_checks();
  /// Those of `who` whom a proposal waits for.
  std::set<address> waited_for(const std::set<address>& who);
  void deal_out();
  void accept();
  void bar(const address& account, bar_reason reason);
  void lose(const address& account);
  void settle_dispute(bool is_over);
  void decide(verdict outcome, std::uint32_t holds, std::uint32_t against);
  void settle();
  void settle_votes_of_no_confidence();
  void give_up_missing();
  void close();
  void next_round();
  std::optional<std::uint32_t> term_from(std::uint32_t first, const address& present) const;
  void succeed();
  void reopen();
  void complete();

  std::vector<member> members_;
  std::map<std::uint64_t, merge_view> merges_;
  struct revealed_first {
    std::uint64_t round_num = 0;
    std::uint64_t stage = 0;
    address by;
  };
  std::map<hash32, revealed_first> first_reveals_;
  struct checking {
    std::uint32_t attempt = 0;
    std::uint64_t until = 0, lasts = 0;
    hash32 mix;
    std::set<address> awaited, able, attested, said_unserved, said_available, holds, against;
    std::vector<address> seats;
    challenge_kind kind = challenge_kind::chunk;
    std::uint64_t number = 0;
    address challenger;
  };
  std::vector<shard> shards_; ///< of this term
  std::uint64_t shards_size_ = 0, shards_until_ = 0;
  std::uint64_t shards_since_ = 0; ///< the first ones of the round
  std::uint64_t shards_lasts_ = 0, shards_made_in_ = 0;
  checking checks_;     ///< of the last proposal
  merge_view proposal_; ///< the last one
  unsigned proposals_ = 0;
  unsigned ties_ = 0;
  address questioned_; ///< who had made what they tied about first, or had left out who is available
  std::uint64_t shards_again_from_ = 0; ///< the round
  std::size_t sums_ = 0;                ///< of each unit of `shards_`
  bool measuring_ = false;
  std::uint64_t stages_ = 0; ///< times in which all revealed
  std::uint64_t reveals_end_ = 0;
  std::set<address> votes_;
  std::set<address> suspects_;
  std::uint64_t generation_ = 1;
  std::uint64_t round_ = 1;
  round_phase phase_ = round_phase::collecting;
  std::uint32_t term_ = 0;
  address leader_;
  hash32 layout_;
  std::uint32_t min_peers_ = 0;
  std::string method_;
  std::size_t backing_ = 0;
  address caller_;
  std::map<address, address> accused_by_;
  std::map<address, std::uint64_t> may_accuse_at_;
  std::map<organisation_id, std::uint64_t> organisation_may_accuse_at_;
  std::map<std::uint64_t, std::uint64_t> accepted_at_; ///< merges, by their rounds
  bool was_accused_ = false;                           ///< the caller, until this call
};

} // namespace swarm::contracts
