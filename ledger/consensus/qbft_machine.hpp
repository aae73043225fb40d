#pragma once

#include "ledger/consensus/events.hpp"
#include "ledger/consensus/message_park.hpp"
#include "ledger/consensus/signing.hpp"

#include <deque>
#include <map>

namespace swarm::consensus {

/// Deliberate mistakes for the test that shows that the simulator finds them. Only tests name this type; no
/// option of the program leads here.
struct planted_bugs {
  bool quorum_two_f_plus_one = false; ///< 2f + 1 votes count as a quorum
  bool lock_on_timeout_only =
      false; ///< the certificate is kept when a timer expires, lost when a round is jumped
  bool count_signatures = false;     ///< a justification counts signatures instead of authors
  bool send_before_persist = false;  ///< messages leave before what they depend on is on disk
  bool decides_in_two_steps = false; ///< timers count between the decision and the new head
  bool reenters_deaf = false;        ///< who re-enters has no ear for what the others are prepared on
};

struct machine_options {
  signing_domain domain;
  duration round_timeout_base = std::chrono::seconds(1); ///< of round 0; doubles with each round
  std::uint32_t round_timeout_doublings_max = 6;
  duration resend_interval = std::chrono::seconds(1); ///< between repetitions while a height stays undecided
  duration reentry_listening = std::chrono::seconds(10); ///< before a node re-enters
  park_limits parking;
  planted_bugs planted;
};

/// For status and tests.
struct machine_status {
  std::uint64_t block_num = 0; ///< being agreed
  std::uint64_t round_num = 0;
  bool validator = false;
  bool silent = false;     ///< a validator that does not sign because its record is missing
  bool reentering = false; ///< it will sign by its operator's word, and listens first
  bool work = false;       ///< something waits for a block
  bool active = false;     ///< there is work, or a vote
  bool decided = false;
  address proposer;             ///< of this round
  std::vector<address> resting; ///< whose turns come last
  std::size_t quorum = 0;
  std::size_t prepares = 0;      ///< distinct authors in this round
  std::size_t commits = 0;       ///< the same
  std::size_t round_changes = 0; ///< authors in this round or beyond
  std::optional<prepared_claim> prepared;
  std::vector<address> silent_validators; ///< nothing heard of them in this round
  std::size_t parked_messages = 0;
  std::size_t parked_bytes = 0;
  std::uint64_t late_votes = 0; ///< prepares and commits so far that came when their block was decided here
};

/// QBFT (EEA QBFT specification; reference: Dafny model 3e2aeee) for one height after the other, without I/O,
/// clock, threads or randomness: the same events give the same actions, byte for byte.
///
/// - Everything that a message depends on is durable before the message leaves: messages wait in the machine
///   for `persisted`. A restarted node sends the same bytes again, and never another digest for the same
///   height, round and kind of vote.
/// - The certificate is kept from the moment when the quorum of prepares is complete, whatever
///   happens afterwards.
/// - Every entry into a round beyond 0 sends a round change. A timer leads beyond round r > 0 only when a
///   quorum is known to be in r or beyond: a lonely node waits in round 1 and repeats itself, and nodes are
///   never more than one round apart for long.
/// - Round 0 begins when there is work: `work_available`, or a valid proposal. An idle chain is silent.
/// - With one validator nothing is persisted or sent: its seal leaves with the durable block or not at all.
/// - A block that is early by this node's clock gets no prepare of it while it is fresh. Once a quorum was
///   prepared on it, it counts as timely: some honest validator's clock said so.
/// - A node without its record that has its operator's word listens for a while and then enters the round of
///   that word, with the highest certificate it heard of. f + 1 that do so pull the others along; fewer are
///   followed by those who have no quorum without them (reentry.hpp).
/// - Deciding is one step: after it the machine ignores everything until `head_changed`.
class qbft_machine {
public:
  qbft_machine(machine_options options, signature_scheme scheme);

  std::vector<action> step(event what);
  machine_status status() const;

  /// What the store must write in one batch with block `block_num` when that came by synchronisation
  /// (`commit_block` brings its own entries). Empty when this node has lost its record.
  std::vector<record_entry> records_with_block(std::uint64_t block_num) const;

private:
  struct rival_block {
    hash32 hash;
    bytes header;
  };
  /// One proposal that was accepted, and the votes for it.
  struct ballot {
    enum class verdict : std::uint8_t { pending, good, bad };
    proposed_block block;
    std::optional<signature65> signature; ///< of the proposal; none when it was restored from a certificate
    std::optional<rival_block> rival;     ///< another block that was proposed for this round
    verdict validity = verdict::pending;
    bool prepared = false;
    bool fresh = false; ///< nobody was prepared on it when it was proposed
    std::map<address, signed_prepare> prepares;
    std::map<address, signature65> seals;
    std::map<address, signed_prepare> stray_prepares; ///< an author's first for another block
    std::map<address, commit_message> stray_commits;  ///< likewise
    std::size_t strays_seen = 0;                      ///< bounds what recovering their authors costs
  };
  using ballot_map = std::map<std::uint64_t, ballot>; ///< by round
  /// An author's latest round change.
  struct round_change_vote {
    signed_round_change vote;
    std::optional<certificate> proof;
  };
  /// A message of this node for its round, kept to be repeated.
  struct own_message {
    hash32 digest;
    shared_bytes raw;
    std::uint64_t token = 0; ///< the write that makes it durable
  };
  /// This node's votes in the round it is in.
  struct own_votes {
    std::optional<own_message> round_change, proposal, prepare, commit;
  };
  struct held_message {
    std::uint64_t token = 0;
    shared_bytes raw;
  };
  struct attention {
    std::size_t blocks_sent = 0; ///< since the head changed
    bool sync_hinted = false;
  };

  // qbft_machine.cpp: events and output
  void on(start&& what);
  void on(message&& what);
  void on(neighbor_connected what);
  void on(neighbor_gone what);
  void on(timer_fired what);
  void on(work_available);
  void on(block_built&& what);
  void on(block_validated what);
  void on(persisted what);
  void on(head_changed&& what);
  void note_silence();
  void take_inbox();
  void take_message(neighbor_id neighbor, const shared_bytes& raw);
  void count_late(const message_head& head);
  void take_early(neighbor_id neighbor, const message_head& head, const shared_bytes& raw);
  void answer_laggard(neighbor_id neighbor, const message_head& head);
  void say(std::string_view key, std::optional<own_message>& slot, const hash32& digest, bytes raw);
  void record(std::string_view key, bytes value);
  void flush();
  std::vector<shared_bytes> repeatable() const;

  // qbft_height.cpp: from one height to the next, and from one life to the next
  void begin_height(chain_head head, std::vector<address> validators);
  void restore(saved_height saved);
  void restore_votes(const saved_height& saved);
  void restore_certificate(const certificate& proof);
  void activate();
  void rest();
  void set_timers();
  void decide(std::uint64_t round_num, ballot& on);

  // qbft_voting.cpp: proposal, prepare, commit
  void take_proposal(neighbor_id neighbor, bytes_view raw);
  void take_second_proposal(neighbor_id neighbor, const proposal_message& item, ballot& first);
  void take_prepare(neighbor_id neighbor, const message_head& head, const shared_bytes& raw);
  void take_commit(neighbor_id neighbor, const message_head& head, const shared_bytes& raw);
  void accept(const proposal_message& item);
  ballot& open_ballot(std::uint64_t round_num, proposed_block block);
  void vote_prepare(ballot& on);
  void check_prepared(ballot& on);
  void vote_commit(ballot& on);
  void check_decided(std::uint64_t round_num, ballot& on);
  void keep_certificate(const ballot& on);

  // qbft_evidence.cpp: validators that say two things
  bool may_look_at_stray(ballot& on);
  void take_stray_prepare(ballot& on, const address& author, const signed_prepare& vote);
  void take_stray_commit(ballot& on, const address& author, const commit_message& vote);
  void compare_prepares(const signed_prepare& first, const signed_prepare& second, const address& author);
  void compare_commits(const ballot& on, std::uint64_t round_num, const address& author);
  void compare_round_changes(const signed_round_change& first, const signed_round_change& second,
                             const address& author);
  void accuse(const address& author, message_code kind, std::uint64_t round_num,
              ledger::double_vote::vote first, ledger::double_vote::vote second);

  // qbft_reentry.cpp: a validator that lost its record votes again
  void listen_before(reentry_statement word);
  void listened();
  void take_reentry(neighbor_id neighbor, bytes_view raw);

  // qbft_rounds.cpp: round changes and proposing
  void take_round_change(neighbor_id neighbor, bytes_view raw);
  void enter_round(std::uint64_t round_num);
  void say_round_change();
  void round_expired();
  std::uint64_t next_round() const;
  void follow_faster();
  void try_propose();
  void propose(proposed_block block, std::vector<signed_round_change> votes,
               std::vector<signed_prepare> prepares);
  const round_change_vote* highest_proof(std::span<const signed_round_change> votes) const;
  std::size_t authors_from_round(std::uint64_t round_num) const;

  height_view view();
  std::uint64_t block_num() const { return head_.block_num + 1; }
  bool is_member() const;
  bool is_alone() const { return validators_.size() == 1; }
  bool may_sign() const;
  const address& proposer() const; ///< of this round
  bool is_my_turn() const;
  bool is_over() const { return decided_ && !options_.planted.decides_in_two_steps; }
  duration round_timeout() const;
  void use_known(proposed_block& block) const;
  void blame(neighbor_id neighbor, error why) { actions_.emplace_back(penalize{neighbor, std::move(why)}); }

  machine_options options_;
  signature_scheme scheme_;
  author_finder authors_;
  message_park park_;

  // The output of the step under way, and what waits for the disk.
  std::vector<action> actions_;
  std::vector<record_entry> entries_;
  std::vector<shared_bytes> unsent_;      ///< wait for `entries_`
  std::deque<held_message> held_;         ///< wait for tokens, ascending
  std::vector<shared_bytes> after_block_; ///< wait for the decided block
  std::uint64_t last_token_ = 0;
  std::uint64_t durable_token_ = 0;

  // What this node knows of its own past.
  bool memory_lost_ = false;
  bool silence_told_ = false;
  std::uint64_t silent_through_ = 0;  ///< with lost memory: no vote before a block after this one
  std::optional<saved_height> saved_; ///< what was saved of a height that the chain has not reached again
  std::optional<reentry_statement> reentry_; ///< while this node listens before it re-enters at this height
  shared_bytes reentry_word_;                ///< is repeated at the height at which it has re-entered

  std::deque<message> inbox_;
  std::uint64_t late_votes_ = 0;
  std::map<neighbor_id, attention> attention_;

  // The height.
  chain_head head_;
  std::vector<address> validators_;
  std::size_t quorum_ = 0;
  std::uint64_t round_num_ = 0;
  bool work_ = false;
  bool building_ = false;
  std::vector<signed_round_change> justification_; ///< of the block that is being built
  bool active_ = false;                            ///< timers run
  std::optional<hash32> decided_;
  ballot_map ballots_;
  std::map<address, round_change_vote> round_changes_;
  std::optional<certificate> prepared_; ///< of the highest round
  own_votes own_;
  std::map<hash32, bool> verdicts_; ///< of blocks that were executed
  std::vector<address> accused_;    ///< evidence was given
  std::vector<address> reentered_;  ///< their operators have said so
};

} // namespace swarm::consensus
