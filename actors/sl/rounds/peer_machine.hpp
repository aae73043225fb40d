#pragma once

#include "actors/sl/rounds/actions.hpp"
#include "actors/sl/rounds/calls.hpp"
#include "actors/sl/rounds/events.hpp"
#include "actors/sl/rounds/phases.hpp"

/// One SL's part in the rounds of one training, without I/O, clock or threads. The shell hands in events
/// (`step`), takes the actions and carries them out in their order. The training contract is the only truth
/// about the round; what the machine remembers is only what this node itself has asked for.
namespace swarm::rounds {

struct machine_options {
  address self;
  bool can_lead = true;
  /// Only this node has it, in all its lives: what it commits to follows from it.
  hash32 secret;
  std::uint64_t check_ids_from = 0; ///< what a former machine has started has other ids
  /// How long to wait for missing peers once minPeers are in (the original's
  /// SL_WAIT_FOR_FULL_QUORUM_SECONDS).
  duration grace = std::chrono::seconds(30);
  /// A leader without progress for this long is suspected.
  duration leader_stall = std::chrono::seconds(10);
  /// A leader at whose address nobody listens for this long is suspected.
  duration leader_gone = std::chrono::seconds(1);
  /// A leader that takes this long is suspected whatever it says of its progress, and earlier one that is below
  /// the least rate (`leader_time_max`).
  duration leader_max = std::chrono::minutes(10);
  /// The time between two looks at a leader.
  duration leader_interval = std::chrono::milliseconds(500);
  /// The time between two looks at a contract that does not move.
  duration probe_interval = std::chrono::seconds(2);
  /// A merged model that nobody could give for this long is given up, as its only holders have died.
  duration merge_lost = std::chrono::seconds(30);
  /// How long a program that wants something else than what is in force waits for most organisations to want it.
  duration agreement_wait = std::chrono::minutes(2);
  /// A chain whose newest block has been below this node's last transaction for this long is another chain.
  duration chain_lost = std::chrono::seconds(30);
};

class peer_machine {
public:
  explicit peer_machine(machine_options options)
      : options_(std::move(options)), last_check_(options_.check_ids_from) {}

  void step(const event::program_opened& opened, time_point now);
  void step(const event::session_resumed& resumed, time_point now);
  void step(const event::program_synced& synced, time_point now);
  void step(const event::program_closing& closing, time_point now);
  void step(const event::program_loss& loss, time_point now);
  void step(const event::program_gone& gone, time_point now);
  void step(const event::shutdown& stop, time_point now);
  void step(const event::former_session& former, time_point now);
  void step(const event::tick& tick, time_point now);
  void step(const event::view_read& read, time_point now);
  void step(const event::call_done& done, time_point now);
  void step(const event::model_fetched& fetched, time_point now);
  void step(const event::model_durable& done, time_point now);
  void step(const event::merge_done& done, time_point now);
  void step(const event::check_done& done, time_point now);
  void step(const event::leader_progress& news, time_point now);
  void step(const event::leader_unheard& news, time_point now);

  std::vector<machine_action> take_actions();

  /// One line for status and logs that says who waits for whom.
  std::string waiting_for(time_point now) const;
  /// The same without the time.
  std::string_view waits_for() const {
    return waiting_for_.empty() ? std::string_view("no program") : std::string_view(waiting_for_);
  }
  /// Where its program's session stands, in one word for other programs: none, opening, training, waiting
  /// (for other nodes), or serving (the program is done or gone, others may still need this node).
  std::string_view session_word() const;
  /// Since when `waiting_for` has said the same thing.
  time_point phase_since() const { return waiting_since_; }
  /// Null before the contract of this session was read.
  const contract_view* view() const { return view_.get(); }
  /// The last round that this node has brought a model to in this session, 0: none. A view is to have the
  /// merge of this round.
  std::uint64_t brought_to() const;
  bool in_session() const { return std::holds_alternative<session>(state_); }
  /// A process that ends now leaves a peer behind.
  bool is_engaged() const { return engaged_in().has_value(); }
  /// Whether, after `event::shutdown`, it has left and no peer waits for a merge that only this node has.
  bool may_stop() const { return !calls_.is_leaving() && !is_behind() && !is_needed(); }

private:
  // peer_machine.cpp: from phase to phase, and what belongs to no phase
  void reconcile(time_point now);
  void follow_contract(session& s, time_point now);
  void enter_round_phase(session& s);
  void enter_registering(session& s, registering next);
  void forget_generation(session& s);
  void drop_session();
  void end_session(bool node_ends, std::string text);
  void refuse_program(const std::string& text);
  void refuse_newcomer(const session& s, time_point now);
  void refuse_inactive(const session& s, time_point now);
  bool is_late(const session& s) const;
  bool is_invalid(const session& s) const;
  void leave(const std::string& contract, contracts::leave_reason why);
  std::optional<std::string> engaged_in() const;
  bool has_to_leave(const session& s) const;
  void send(const session& s, calls::kind what, bytes input, std::string text);
  void wait_for(std::string what, time_point now);
  bool is_behind() const { return view_ && view_->block_num < fresh_from_; }
  bool is_needed() const;
  bool is_in(const session& s) const;

  // program.cpp: what the program does
  void take_request(program_request request, time_point now);
  void go_without_program(session& s, const event::program_gone& gone, time_point now);
  void keep_loaded(session& s, const evaluation& of, const loss_report& report);
  void report_loss(const session& s);
  std::uint32_t next_interval(session& s);

  // resume.cpp: reads from the contract what this machine has not seen itself
  void take_up(session& s, registering& phase);
  void recall_check_in(session& s);

  // chain.cpp: views, receipts, ticks
  bool is_too_old(const contract_view& view, time_point now);
  void step_call_done(session& s, const calls::step_call& call, const event::call_done& done, time_point now);
  void step_call_succeeded(session& s, const calls::step_call& call);
  void sure_call_done(const event::call_done& done, time_point now);
  void look_at_contract(session& s, time_point now);
  void look_at_peers(outside& o, time_point now);
  void end_when_done(time_point now);

  // collecting.cpp: up to the close of a round
  void go_on(session& s, registering& phase, time_point now);
  void go_on(session& s, collecting& phase, time_point now);
  void registration_refused(const session& s, const std::string& text);
  void check_in(session& s, time_point now);
  void wait_for_peers(session& s, time_point now);
  void vote_close(session& s, const peer_list& missing);

  // agreeing.cpp: this node's program wants something else than what is in force
  bool is_odd() const;
  bool is_outvoted(const session& s) const;
  void refuse_outvoted(const session& s, time_point now);
  bool may_contest_layout(const session& s) const;
  void wait_for_agreement(session& s, time_point now);

  // revealing.cpp: what check-ins commit to
  void go_on(session& s, revealing& phase, time_point now);
  std::optional<hash32> committed_digest(const session& s) const;
  hash32 commitment_to(const session& s, const hash32& digest) const;
  bool reveal(session& s);
  void wait_for_reveals(session& s, revealing& phase, time_point now);
  void forget_withheld(session& s) const;
  void tell_of_withheld(session& s);

  // accusing.cpp: who gives no sign of life
  bool answer_accusation(session& s);
  void accuse_silent(session& s, time_point now);
  void accusation_refused(session& s, time_point now);

  // merging.cpp: leading a closed round, or watching its leader
  void go_on(session& s, merging& phase, time_point now);
  void come_late(session& s, time_point now);
  void lead(session& s, merging& phase, time_point now);
  void commit(session& s, const merge_outcome& outcome);
  void yield(session& s);
  void watch_leader(session& s, time_point now);
  void nothing_merged(session& s, const merge_outcome& outcome, time_point now);
  void merge_failed(session& s, time_point now);
  void drop_stale_merge(session& s);
  void drop_merge(session& s);

  // beside.cpp: the merge that each makes of its own where everybody checks all of it
  void merge_beside_leader(session& s);
  const merge_outcome* made_beside(const session& s, const std::vector<merge_input>& inputs) const;
  void take_merge_beside(merge_beside& beside, const event::merge_done& done, time_point now);
  bool has_made(const session& s) const;
  bool waits_for_own(session& s, checking& phase, time_point now);
  void drop_stale_merge_beside(session& s);
  void drop_merge_beside(session& s);

  // sharding.cpp: a merge that all who contribute make in runs
  bool merge_in_shards(session& s, time_point now);
  bool lead_shards(session& s, shard_marks& marks, time_point now);
  shard_marks& mark_shards(membership& training);
  const shard_marks::made* make_shard(membership& training, std::uint32_t place, time_point now);
  bool is_left_to_leader() const;
  void commit_shard(session& s, std::uint32_t place, const shard_marks::made& made);
  bool remakes_shard(session& s, time_point now);
  bool waits_for_merge(session& s, checking& phase, time_point now);
  bool take_shard(session& s, const event::check_done& done, time_point now);
  void drop_stale_shard(session& s);
  void drop_shard(membership& training);

  // checking.cpp: a merge that is proposed
  void enter_checking(session& s);
  void mark_proposal(check_marks& marks, const round_and_term& of);
  void go_on(session& s, checking& phase, time_point now);
  void fetch_early(const session& s, checking& phase);
  bool reveal_seed(session& s);
  bool check(session& s, checking& phase, std::vector<std::uint64_t> chunks, time_point now);
  void check_deal(session& s, checking& phase, time_point now);
  void judge(session& s, checking& phase, time_point now);
  void challenge(session& s, const check_outcome& wrong);
  void challenge_refused(check_marks& marks, checking& phase, time_point now);
  void wait_for_checks(session& s, checking& phase, time_point now);
  bool is_late(const checking& phase, time_point now) const;
  duration check_time() const;
  void drop_stale_check(session& s);
  void drop_check(session& s);
  void drop_work(session& s);

  // ahead.cpp: what the program is given before it is accepted
  bool may_load_ahead(const session& s) const;
  void load_ahead(session& s, time_point now);
  bool loads_before_checking(const session& s, checking& phase, time_point now) const;
  void take_ahead(session& s, const loss_report& report, time_point now);
  void settle_ahead(session& s, time_point now);
  static void bring_nothing_false(session& s);

  // loading.cpp: merged models for the program
  void go_on(session& s, loading& phase, time_point now);
  bool loads_first(session& s, time_point now);
  bool is_to_resume(const session& s) const;
  std::string fetch_text(const session& s) const;
  void forget_contradicted(membership& training);
  void load_merged(session& s, time_point now);
  bool get_merged(session& s, time_point now);
  std::string wrong_size_of_merge(const session& s) const;
  void fetch_failed(session& s, const std::string& why, time_point now);
  void refuse_layout(const session& s);

  // news.cpp: what the program's user has to know
  std::string take_notice(session& s);
  void tell_of_merge(session& s, std::vector<std::string>& news) const;
  void know_refusals(session& s) const;
  void tell_of_refusals(session& s, std::vector<std::string>& news) const;

  // durable.cpp: what a power cut must not take
  bool make_durable(const hash32& digest);
  void write_failed(session& s, const event::model_durable& done, time_point now);

  // ending.cpp: the end of a training
  void go_on(session& s, finishing& phase, time_point now);
  void go_on(session& s, lingering& phase, time_point now);
  void serve_close(session& s, time_point now);
  void final_model_lost(const session& s);

  template <class Action>
  void act(Action action) {
    actions_.emplace_back(std::move(action));
  }

  machine_options options_;
  std::vector<machine_action> actions_;
  std::shared_ptr<const contract_view> view_;
  std::uint64_t fresh_from_ = 0;           ///< views of older blocks do not know our last transaction yet
  std::optional<time_point> behind_since_; ///< all views have been older than that
  calls calls_;
  std::uint64_t last_check_;
  known_models models_;
  std::variant<outside, session> state_;
  std::optional<std::string> noted_; ///< the contract that it is engaged in
  std::string waiting_for_;          ///< see `wait_for`
  time_point waiting_since_{};
};

} // namespace swarm::rounds
