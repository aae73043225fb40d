#pragma once

#include "contracts/organisations/id_list.hpp"
#include "contracts/runtime/reset_record.hpp"
#include "contracts/runtime/slots.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training/peer_set.hpp"

#include <optional>

/// What a training keeps in its slots, and how to read and write it. The rules are in rounds.hpp.
///
///     slot 0  name
///     slot 1  round_slot
///     slot 2  counts_slot
///     slot 3  digest of the layout that this generation's models have
///     slot 4  reveals_slot
///     slot 5  mapping generation -> array of peers, eight slots each: peer_slot, digest, check_in_slot, progress_slot,
///             what an odd peer asks for (a text), standing_slot, commitment, hash of the seed
///     slot 6  mapping (generation, account) -> index of the peer plus one
///     slot 7  mapping (generation, round) -> merge: merge_slot, digest, bit per contributor (4 slots), excluded (three
///             bytes for each), bit per peer that has attested it (4 slots)
///     slot 8  text of the merge method, when it takes an argument
///     slot 9  mapping (generation, organisation) -> number of its entries among the peers
///     slot 10 owner_slot
///     slot 11 organisations that are invited, an id_list
///     slot 12 organisations that have asked for a reset of this generation, an id_list
///     slot 13 mapping (generation, digest) -> first_reveal of that digest in the last round in which it was revealed
///     slot 14 checking_slot
///     slot 15 mix of the seeds of the proposal
///     slot 16 sets of peers in the order of `peer_sets`, 4 slots each, up to slot 63
///     slot 64 shards_slot
///     slot 65 mapping (generation, level, index) -> node of the tree over the shards; those of earlier rounds and terms are
///             never read, as the sets say which shards are made
///     slot 66 mapping (generation, organisation) -> block time from which on its peers may accuse others again
///     slot 67 mapping (generation, round) -> block time at which its merge was accepted
///     slot 72 measures_slot
///     slot 73 mapping (generation, unit, word) -> what the unit is measured to; of unit 2^64 - 1 the totals. Those of earlier
///             rounds and terms are never read, as the sets say which shards are measured
///     slot 96 the last reset, a reset_record
///
/// The keys of these mappings contain the generation, so a reset touches a fixed number of slots.
namespace swarm::contracts {

/// How the peers agreed to merge: a method that takes no argument, or `described`, whose whole text is in slot 8. So a
/// training by one of the first three has the slots that it always had.
enum class method_slot : std::uint8_t { none, mean, coordmedian, geomedian, described };

struct round_slot {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0; ///< always one above the last merged round
  std::uint32_t term = 0;      ///< while collecting: below the term of the leader to come
  round_phase phase = round_phase::collecting;
  method_slot method = method_slot::none;
  std::uint16_t min_peers = 0;
  std::uint64_t opened = 0; ///< block time at which the last merge was accepted; 0: there is none
  bool operator==(const round_slot&) const = default;
};

struct owner_slot {
  organisation_id organisation = 0; ///< 0: nobody's
  bool retired = false;             ///< complete for good
  verify_mode verify = verify_mode::before;
};

/// Every change keeps these counters up to date, so that no call needs to count peers.
struct counts_slot {
  std::uint16_t peers = 0; ///< ever registered in this generation
  std::uint16_t active = 0;
  std::uint16_t absent = 0;
  std::uint16_t finished = 0;
  // The counters below are of the current round, and zero once the training is complete.
  std::uint16_t checked_in = 0;
  std::uint16_t contributors = 0;   ///< of these, with weightage above 0
  std::uint16_t newly_finished = 0; ///< of these, whose check-in made them Finished
  std::uint16_t close_votes = 0;
  // These count only while merging.
  std::uint16_t left_in = 0;    ///< peers of the closed round that have left since
  std::uint16_t suspects = 0;   ///< peers that suspect the leader of the term
  std::uint16_t successors = 0; ///< length of the order of succession
  std::uint16_t leader = 0;     ///< index of the leading peer
  // These are of the generation.
  std::uint16_t odd = 0;
  std::uint16_t backing = 0; ///< organisations that made the training start over for what is in force
  std::uint16_t accused = 0; ///< peers that have to give a sign of life
  // And this one of the current round.
  std::uint16_t hidden = 0; ///< of the contributors, those that have not revealed their models
  bool operator==(const counts_slot&) const = default;
};

/// The slot of a peer that is read most: closing a round and checking a merge read no other.
struct peer_slot {
  address account;
  std::uint32_t last_round = 0;
  peer_state state = peer_state::none;
  std::uint16_t flags = 0;
  std::uint8_t weightage = 0;    ///< as registered
  std::uint8_t in_weightage = 0; ///< of the check-in for `last_round`
  std::uint16_t took =
      0; ///< seconds from the acceptance of what that was trained from; 0 also of the first one

  enum flag : std::uint16_t {
    can_lead = 1,
    finished = 2,        ///< its training is over, also while it is Absent
    checked_in = 4,      ///< the check-in for `last_round` stands
    leads = 8,           ///< it could lead when it checked in
    voted = 16,          ///< to close `last_round`
    newly_finished = 32, ///< the check-in made it Finished
    revealed = 64,       ///< the model of the check-in for `last_round`
    outside = 128,       ///< the check-in for `last_round` counts once its model is revealed
    doubted = 256,       ///< it has withheld a model, and may have to be the first to reveal one
    barred = 512,        ///< it has been, and may still be
    spared = 1024,       ///< in `last_round` it is not left out as not available without being heard
    in_finished = 2048   ///< it was Finished with the check-in for `last_round`
  };
  /// The two highest bits of `flags`.
  on_train_end train_end() const { return static_cast<on_train_end>(flags >> 14); }
  void set_train_end(on_train_end mode) {
    flags = static_cast<std::uint16_t>((flags & 0x3fff) | static_cast<unsigned>(mode) << 14);
  }
  bool has(flag which) const { return (flags & which) != 0; }
  void set(flag which, bool on) { flags = static_cast<std::uint16_t>(on ? flags | which : flags & ~which); }
  /// It has committed to a model for `last_round` that nobody knows.
  bool hides() const { return has(checked_in) && in_weightage > 0 && !has(revealed); }
};

struct check_in_slot {
  std::uint64_t size = 0;
  std::uint64_t base_round = 0;
  std::uint64_t suspected_term = 0; ///< the suspected term plus one; 0 when it suspects nobody
  leave_reason left_because = leave_reason::program_gone; ///< of a peer that has left or is odd
  organisation_id organisation = 0;                       ///< of the peer, when it registered
  bool finishes = false;               ///< an odd peer's check-in makes it Finished once it counts
  organisation_id in_organisation = 0; ///< of the peer, when it checked in
};

struct progress_slot {
  std::int64_t loss_micro = 0;
  std::int64_t metric_micro = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
  std::uint64_t loss_round = 0; ///< the merge that loss and metric are of
};

/// A merge, or a proposal of one.
struct merge_slot {
  std::uint64_t block_num = 0;
  std::uint64_t size = 0;
  std::uint32_t term = 0;
  std::uint16_t leader = 0;
  std::uint16_t contributors = 0;
  std::uint16_t excluded = 0;
  std::uint16_t checkers = 0; ///< who have attested it; 0 while it is a proposal
  std::uint16_t shards = 0;   ///< of which it was put together; 0: the leader has made it
};

/// A peer left out of a merge, and why.
struct exclusion {
  std::uint16_t index = 0;
  exclusion_reason reason = exclusion_reason::not_available;
};

/// Whether a peer has to give a sign of life, in seconds of block time, and to reveal its models early.
struct standing_slot {
  std::uint64_t accused_since = 0; ///< 0: it has not
  std::uint16_t accused_by = 0;    ///< index of that peer
  std::uint64_t may_accuse_at = 0;
  std::uint64_t trusted_from = 0; ///< the round
  std::uint8_t withheld = 0;      ///< how often it has, in this generation
  std::uint32_t barred_until = 0; ///< the round
};

/// How the proposal of the closed round is checked.
struct checking_slot {
  std::uint64_t until = 0;      ///< block time at which the others go on without those who are awaited
  std::uint32_t number = 0;     ///< of the chunk, or position among the excluded, that is disputed
  std::uint16_t attempt = 0;    ///< how often the proposal was dealt out; 0: its seeds are revealed
  std::uint16_t awaited = 0;    ///< peers whose seed, attestation or vote is missing
  std::uint16_t proposals = 0;  ///< of this round
  std::uint16_t challenger = 0; ///< index of that peer
  challenge_kind kind = challenge_kind::chunk;
  std::uint8_t ties = 0; ///< in this round
  std::uint16_t questioned =
      0; ///< index of the first who made what they tied about, or left out who is available; plus one
  std::uint32_t lasts = 0;   ///< seconds from the beginning of this stage to `until`
  std::uint32_t made_in = 0; ///< seconds in which the shards of the proposal were made
  bool operator==(const checking_slot&) const = default;
};

/// The shards of the closed round. Written whenever another leads it, so it is of the present term.
struct shards_slot {
  std::uint64_t until = 0;      ///< block time from which on those who are awaited are barred as silent
  std::uint64_t size = 0;       ///< of the merge
  std::uint16_t makers = 0;     ///< 0: the merge is not made in shards
  std::uint16_t missing = 0;    ///< shards that are not made
  std::uint32_t again_from = 0; ///< none are opened before this round
  std::uint32_t since = 0;      ///< block time at which the first ones of the round were opened
  std::uint32_t lasts = 0; ///< seconds after `since` from which on the leader may make those that are awaited
  bool operator==(const shards_slot&) const = default;
};

/// What the models of the closed round are measured to, before its merge is made in shards; of the present round and term, or
/// of no meaning. There since version 3 of the chain's rules.
struct measures_slot {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint16_t sums = 0; ///< of each unit; 0: nothing is measured
  bool open = false;      ///< not all is measured
  bool operator==(const measures_slot&) const = default;
};

enum class peer_sets : std::uint8_t {
  awaited,   ///< whose seed, attestation or vote is missing
  able,      ///< who may check the proposal: their seeds are revealed, and nothing speaks against them
  seated,    ///< among whom it is dealt out
  unserved,  ///< who have said that it is not served
  available, ///< who have said that a contribution that was left out is available
  holds,     ///< who have said that what is challenged holds
  against,   ///< and that it does not
  attested,  ///< who have attested the proposal; stands in its record
  makers,    ///< of shards
  made,      ///< of these, whose shard is made
  declined,  ///< who have declined theirs, or have left; the leader may have made it since
  replaced   ///< whose shard the leader has made
};

/// While models are revealed.
struct reveals_slot {
  std::uint64_t end = 0;   ///< block time
  std::uint32_t stage = 0; ///< counts the times in which all reveal, of all rounds
};

/// Who revealed a digest first in a round, and when.
struct first_reveal {
  std::uint64_t round_num = 0; ///< 0: nobody
  std::uint32_t stage = 0;     ///< 0: while the round was being collected
  std::uint16_t index = 0;
};

/// One merge as it is kept. `contributors` are indexes in ascending order.
struct merge_record {
  merge_slot head;
  hash32 digest;
  std::vector<std::uint16_t> contributors;
  std::vector<exclusion> excluded;
  std::vector<std::uint16_t> checkers;
};

/// The state during one call. The two head slots are read once and written by `save`, and so are `checking` and `shards`
/// by a call that needs them; everything else at once.
class training_state {
public:
  /// `rules`: the version of the chain's rules in force.
  explicit training_state(const slots& in, std::uint64_t rules = ledger::rules_first);

  const std::uint64_t rules;
  round_slot round;
  counts_slot counts;

  checking_slot& checking();
  shards_slot& shards();

  /// Writes `round`, `counts`, `checking` and `shards` if they changed.
  void save();
  const slots& storage() const { return slots_; }

  std::string name() const;
  void set_name(std::string_view name);
  /// Empty while there is none.
  std::string merge_method() const;
  /// One that `text_of(merge_method)` made. Changes `round`, too.
  void set_merge_method(const std::string& text);
  hash32 layout_digest() const;
  void set_layout_digest(const hash32& digest);

  std::optional<std::uint16_t> find(const address& account) const;
  void set_index(const address& account, std::uint16_t index);

  peer_slot peer(std::uint16_t index) const { return slots_.get<peer_slot>(at(index, 0)); }
  void set_peer(std::uint16_t index, const peer_slot& peer) { slots_.put(at(index, 0), peer); }
  hash32 model_digest(std::uint16_t index) const { return slots_.load(at(index, 1)); }
  void set_model_digest(std::uint16_t index, const hash32& digest) { slots_.store(at(index, 1), digest); }
  check_in_slot check_in(std::uint16_t index) const { return slots_.get<check_in_slot>(at(index, 2)); }
  void set_check_in(std::uint16_t index, const check_in_slot& value) { slots_.put(at(index, 2), value); }
  progress_slot progress(std::uint16_t index) const { return slots_.get<progress_slot>(at(index, 3)); }
  void set_progress(std::uint16_t index, const progress_slot& value) { slots_.put(at(index, 3), value); }

  standing_slot standing(std::uint16_t index) const { return slots_.get<standing_slot>(at(index, 5)); }
  void set_standing(std::uint16_t index, const standing_slot& value) { slots_.put(at(index, 5), value); }

  hash32 commitment(std::uint16_t index) const { return slots_.load(at(index, 6)); }
  void set_commitment(std::uint16_t index, const hash32& value) { slots_.store(at(index, 6), value); }
  hash32 seed_hash(std::uint16_t index) const { return slots_.load(at(index, 7)); }
  void set_seed_hash(std::uint16_t index, const hash32& value) { slots_.store(at(index, 7), value); }
  reveals_slot reveals() const;
  void set_reveals(const reveals_slot& value);
  first_reveal first_reveal_of(const hash32& digest) const;
  void set_first_reveal_of(const hash32& digest, const first_reveal& value);

  /// What an odd peer asks for; empty for others.
  std::string asks(std::uint16_t index) const { return slots_.load_text(at(index, 4)); }
  void set_asks(std::uint16_t index, std::string_view text) { slots_.store_text(at(index, 4), text); }
  organisation_id owner() const;
  void set_owner(organisation_id organisation);
  bool is_retired() const;
  void retire();
  verify_mode verify() const { return slots_.get<owner_slot>(owner_place()).verify; }
  void set_verify(verify_mode mode);
  /// The owner has said that its leaders are trusted.
  bool is_unverified() const { return owner() != 0 && verify() == verify_mode::off; }

  hash32 mix() const;
  void set_mix(const hash32& value);
  peer_set load(peer_sets which) const;
  void store(peer_sets which, const peer_set& value);
  bool has(peer_sets which, std::uint16_t index) const;
  void put(peer_sets which, std::uint16_t index, bool on);

  hash32 shard_node(unsigned level, std::uint64_t index) const;
  void set_shard_node(unsigned level, std::uint64_t index, const hash32& root);

  /// Those of the present round and term; without sums where there are none.
  measures_slot measures() const;
  void set_measures(const measures_slot& value);
  /// What `unit` is measured to, in so many words.
  std::vector<hash32> sums_of_unit(std::uint64_t unit, std::size_t words) const;
  void set_sums_of_unit(std::uint64_t unit, std::span<const hash32> words);
  static constexpr std::uint64_t all_units = ~std::uint64_t{0}; ///< the unit of the totals

  id_list invited() const;
  id_list reset_votes() const;
  reset_record last_reset() const;
  /// Block time; 0 when the round is not merged.
  std::uint64_t accepted_at(std::uint64_t round_num) const;
  void set_accepted_at(std::uint64_t round_num, std::uint64_t time);
  /// Block time from which on peers of the organisation may accuse others.
  std::uint64_t may_accuse_at(organisation_id organisation) const;
  void set_may_accuse_at(organisation_id organisation, std::uint64_t time);
  std::uint64_t entries_of(organisation_id organisation) const;
  void set_entries_of(organisation_id organisation, std::uint64_t count);

  /// Head and digest of a merge; block number 0 when there is none.
  merge_slot merge_head(std::uint64_t round_num) const;
  hash32 merge_digest(std::uint64_t round_num) const;
  merge_record merge(std::uint64_t round_num) const;
  /// Replaces the earlier proposal of the round, if there is one.
  void set_merge(std::uint64_t round_num, const merge_record& record);
  void set_merge_head(std::uint64_t round_num, const merge_slot& head);

  /// True when the check-in of `peer` for the current round stands.
  bool is_in(const peer_slot& peer) const {
    return peer.has(peer_slot::checked_in) && peer.last_round == round.round_num
           && round.phase != round_phase::complete;
  }

private:
  hash32 at(std::uint16_t index, unsigned part) const;
  hash32 index_slot(const address& account) const;
  hash32 merge_base(std::uint64_t round_num) const;
  hash32 accepted_slot(std::uint64_t round_num) const;
  hash32 organisation_slot(organisation_id organisation, const hash32& number) const;
  hash32 digest_slot(const hash32& digest) const;
  hash32 shard_node_slot(unsigned level, std::uint64_t index) const;
  hash32 sums_slot(std::uint64_t unit, std::size_t word) const;
  hash32 set_place(peer_sets which, std::size_t word) const;
  static hash32 owner_place();
  std::size_t words_used() const {
    return (counts.peers + peer_set::bits_per_word - 1) / peer_set::bits_per_word;
  }

  slots slots_;
  round_slot loaded_round_;
  counts_slot loaded_counts_;
  std::optional<checking_slot> checking_;
  checking_slot loaded_checking_;
  std::optional<shards_slot> shards_;
  shards_slot loaded_shards_;
  mutable std::optional<std::pair<std::uint64_t, hash32>> peers_base_; ///< generation and place
};

} // namespace swarm::contracts
