#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "contracts/training/client.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

/// One SL's part in the rounds of one training, without I/O, clock or threads. The shell feeds events, takes
/// the actions and carries them out; the training contract is the only truth about the round, local fields
/// are only what this node itself has asked for.
namespace swarm::rounds {

/// A model file in the store of this node.
struct model_ref {
  hash32 digest;
  std::uint64_t size = 0;
  hash32 layout; ///< layout digest, see merge/model/layout.hpp
};

/// What the program asked for when it opened its session.
struct session_params {
  std::uint32_t min_peers = 1;
  std::uint32_t sync_interval = 1; ///< batches
  bool adaptive_sync = false;
  contracts::on_train_end on_train_end = contracts::on_train_end::snapshot;
  std::uint32_t weightage = 1; ///< 1..100
  std::string merge_method = "mean";
  std::uint32_t epochs_total = 0; ///< 0 = unknown
};

struct machine_options {
  address self;
  bool can_lead = true;
  /// Wait for missing peers once minPeers are in (the original's SL_WAIT_FOR_FULL_QUORUM_SECONDS).
  duration grace = std::chrono::seconds(30);
  /// A leader without progress for this long is suspected.
  duration leader_stall = std::chrono::seconds(10);
  /// Between two looks at a leader, and between two looks at a contract that does not move.
  duration probe_interval = std::chrono::seconds(2);
  /// A merged model that nobody could give for this long is given up: its only holders died.
  duration merge_lost = std::chrono::seconds(30);
  /// A chain whose newest block has been below this node's last transaction for this long is another chain.
  duration chain_lost = std::chrono::seconds(30);
};

/// The contract as read at one block.
struct contract_view {
  std::uint64_t block_num = 0;
  contracts::head_view head;
  std::vector<contracts::check_in_view> check_ins; ///< of the current round
  std::vector<contracts::peer_view> peers;
  std::set<address> silent; ///< peers whose node gives no sign of life, by this node's SN
};

/// One contributor as the leader is to merge it.
struct merge_input {
  address peer;
  std::string name;
  std::string endpoint;
  hash32 digest;
  std::uint64_t size = 0;
  double weight = 1; ///< weightage, reduced by the age of what the peer trained on
};

struct holder {
  address peer;
  std::string endpoint;
};

struct merge_outcome {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> contributors; ///< empty: no model could be used, so nothing is merged
  std::vector<address> excluded;
  std::vector<std::string> reasons; ///< one per excluded peer
};

struct loss_report {
  double loss = 0;
  double metric = 0;
  std::uint32_t epochs_done = 0;
  std::uint32_t epochs_total = 0;
};

/// What a program that has been answered its open has got since, for a machine that takes over its session.
struct resumed_session {
  std::uint64_t generation = 0; ///< of the contract when it loaded its last merge; 0: it has loaded none
  std::uint64_t base_round = 0; ///< of that merge
  hash32 base_digest;
  loss_report loss;
  std::uint32_t interval = 0; ///< batches, of the last answer
};

// Actions, in the order in which they are to be carried out.
namespace action {
/// Sign and send `input` to the training contract; answer with `on_call_done(id, ...)`.
struct call {
  std::uint64_t id = 0;
  bytes input;
  std::string what; ///< for the log
};
/// Read the contract again and answer with `on_view`.
struct refresh {};
struct answer_open {};
/// Hand the merged model to the program; answer with `on_loss`.
struct ask_loss {
  hash32 digest;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
};
struct answer_sync {
  std::uint32_t next_interval = 1; ///< batches, >= 1
  bool training_over = false;
};
struct answer_close {};
/// Answer whatever the program waits for with an error status; its session is over.
struct refuse {
  std::string text;
};
/// The same, because the program's model has other parameters than its peers'. `other` is a model of theirs:
/// the shell gets it and says in what they differ.
struct refuse_layout {
  hash32 own;
  hash32 other;
  std::uint64_t other_size = 0;
  std::vector<holder> holders;
};
/// Get a model from any of `holders` into the store; answer with `on_fetched`.
struct fetch {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<holder> holders;
};
/// Become the leader of this term: fetch, verify, merge; answer with `on_merged`.
struct start_merge {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::string method;
  std::vector<merge_input> inputs;
};
/// The merge under way is of no use any more.
struct cancel_merge {};
/// Ask the leader's SL how far it is; answer with `on_leader_progress` (or not at all).
struct probe_leader {
  address leader;
  std::string endpoint;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};
/// All other models in the store may go.
struct keep_models {
  std::set<hash32> digests;
};
/// The session is over and nobody needs this node for it any more.
struct session_ended {
  bool node_ends = false; ///< its role is done; otherwise it waits for the next program
  std::string text;       ///< how it ended, for the log
};
struct note {
  bool warning = false;
  std::string text;
};
} // namespace action

using machine_action =
    std::variant<action::call, action::refresh, action::answer_open, action::ask_loss, action::answer_sync,
                 action::answer_close, action::refuse, action::refuse_layout, action::fetch,
                 action::start_merge, action::cancel_merge, action::probe_leader, action::keep_models,
                 action::session_ended, action::note>;

class peer_machine {
public:
  explicit peer_machine(machine_options options) : options_(std::move(options)) {}

  // What the program does.
  void on_open(session_params params, time_point now);
  /// Right after `on_open`: the session is older than this machine, which was made anew in its midst.
  /// Everything else it needs the contract says.
  void on_resume(resumed_session from);
  void on_sync(model_ref model, std::uint32_t weightage, time_point now);
  /// `weightage` 0: its weights must not count.
  void on_close(model_ref model, std::uint32_t weightage, time_point now);
  void on_loss(loss_report report, time_point now);
  /// The program's end of the channel is gone, or sent what cannot be served. `orderly`: it said itself that
  /// it ends its session.
  void on_program_gone(std::string reason, bool orderly, time_point now);
  /// This node is told to stop: it leaves, so that its peers go on at once. See `may_stop`.
  void on_shutdown(time_point now);
  /// Before the first program: the process before this one ended within a session, and nobody has
  /// left for it.
  void on_former_session(time_point now);

  // What the chain, the store and other nodes say.
  void on_view(contract_view view, time_point now);
  /// `block_num`: of the receipt, 0 when there is none. `text`: revert reason or other failure.
  void on_call_done(std::uint64_t id, bool ok, std::uint64_t block_num, std::string text, time_point now);
  void on_fetched(const hash32& digest, result<hash32> layout, time_point now);
  void on_merged(std::uint64_t round_num, std::uint32_t term, result<merge_outcome> outcome, time_point now);
  /// `progress` only has to change while the leader gets on with its work.
  void on_leader_progress(std::uint64_t round_num, std::uint32_t term, std::uint64_t progress,
                          time_point now);
  void tick(time_point now);

  std::vector<machine_action> take_actions();

  /// Who waits for whom, in which phase: one line for status and logs.
  std::string waiting_for(time_point now) const;
  const std::optional<contract_view>& view() const { return view_; }
  bool in_session() const { return session_.has_value(); }
  /// After `on_shutdown`: it has left, and no peer waits for a merge that is to be had from here only.
  bool may_stop() const { return !leaving_ && !is_behind() && !is_needed(); }
  /// A process that ends now leaves a peer behind: the next one is to be told with `on_former_session`.
  bool is_engaged() const { return session_ || leaving_; }
  /// Since when `waiting_for` has said the same thing.
  time_point phase_since() const { return phase_since_; }

private:
  static constexpr auto merge_pause_first = std::chrono::seconds(1);
  enum class request { none, sync, close };
  enum class call_kind { register_peer, check_in, vote_close, commit, suspect };
  struct pending_call {
    std::uint64_t id;
    call_kind kind;
    std::uint64_t generation;
    std::uint64_t round_num;
    std::uint32_t term;
  };
  /// A call whose loss would keep others waiting: sent again until there is a receipt.
  struct sure_call {
    action::call call;
    std::optional<time_point> again;
  };

  void reconcile(time_point now);
  void take_up();
  void recall_check_in();
  void register_self();
  void serve_request(time_point now);
  void call_succeeded(const pending_call& done);
  void call_failed(const pending_call& failed, bool has_receipt, const std::string& text, time_point now);
  bool too_old(const contract_view& view, time_point now);
  void sure_call_done(std::uint64_t id, bool ok, bool has_receipt, const std::string& text, time_point now);
  void refuse_program(const std::string& text);
  void nothing_merged(const merge_outcome& outcome, time_point now);
  void merge_failed(time_point now);
  void drop_stale_merge();
  void drop_merge();
  void fetch_failed(const std::string& why, time_point now);
  void final_model_lost();
  void end_when_done(time_point now);
  bool is_behind() const { return view_ && view_->block_num < fresh_from_; }
  bool is_needed() const { return view_ && !peers_that_miss_the_merge().empty(); }
  bool is_listed() const;
  /// As far as this node knows. A registration under way comes before a leave, by its nonce.
  bool may_be_listed() const {
    return registered_ || resumed_ || (call_ && call_->kind == call_kind::register_peer);
  }
  std::string lost_peers() const;
  void serve_complete(time_point now);
  void take_part(time_point now);
  void come_late(time_point now);
  void check_in(time_point now);
  void wait_for_peers(time_point now);
  void wait_for_merge(time_point now);
  void lead(time_point now);
  void watch_leader(time_point now);
  bool get_merged(time_point now);
  void load_merged(time_point now);
  void linger(time_point now);
  void refuse_layout();
  std::vector<holder> holders_of_merge() const;
  std::vector<const contracts::peer_view*> peers_that_miss_the_merge() const;
  void leave(std::string_view reason);
  void report_loss();
  void drop_session();
  void end_session(bool node_ends, std::string text);
  void send(call_kind kind, bytes input, std::string what);
  std::uint64_t send_surely(bytes input, std::string what);
  void forget_generation();
  void enter(std::string phase, time_point now);
  const contracts::peer_view* find_peer(const address& who) const;
  std::vector<const contracts::peer_view*> missing_peers() const;
  std::string name_of(const address& who) const;
  std::string names_of(const std::vector<const contracts::peer_view*>& peers) const;
  bool is_in() const { return in_round_ && checked_in_round_ == view_->head.round_num; }
  std::uint32_t next_interval();

  template <class Action>
  void act(Action action) {
    actions_.emplace_back(std::move(action));
  }

  machine_options options_;
  std::vector<machine_action> actions_;
  std::optional<contract_view> view_;
  std::uint64_t fresh_from_ = 0;           ///< views of older blocks do not know our last transaction yet
  std::optional<time_point> behind_since_; ///< all views have been older than that
  std::uint64_t next_call_id_ = 1;
  std::optional<pending_call> call_; ///< the one call that the next step depends on
  std::map<std::uint64_t, sure_call> sure_calls_;

  std::optional<session_params> session_;
  bool registered_ = false;
  bool open_answered_ = false;
  std::optional<resumed_session> resumed_; ///< until the contract has been read
  std::uint64_t generation_ = 0;           ///< that this session takes part in; 0: not known yet
  std::optional<std::uint64_t> leaving_;   ///< id of the leave call under way
  std::optional<std::string> registration_refused_;
  std::optional<std::string>
      ending_;                ///< the node ends, for this reason, once it has left and nobody needs it
  time_point ending_until_{}; ///< nobody is given more time to get a file
  time_point call_again_{};   ///< after calls that failed
  int failed_calls_ = 0;      ///< in a row

  request request_ = request::none;
  model_ref model_;             ///< of the pending request, contributed at check-in
  std::uint32_t weightage_ = 1; ///< of the pending request
  bool caught_up_ = false;      ///< the program has a model of this generation, or started with it
  bool in_round_ = false;       ///< checked in, merge of that round not yet loaded
  std::uint64_t checked_in_round_ = 0;
  std::pair<std::uint64_t, std::int64_t> voted_{0, -1}; ///< round and, as a round can be reopened, term
  std::uint64_t base_round_ = 0;                        ///< the merge that the program trains from
  hash32 base_digest_;

  std::optional<hash32> fetching_;
  time_point fetch_again_{};
  duration fetch_pause_{};
  std::pair<hash32, time_point> failing_{}; ///< the merge that nobody gives, and since when
  hash32 given_up_;                         ///< a merge that is lost
  bool last_try_ = false;                   ///< the final model has been tried for once more
  std::set<hash32> local_;                  ///< merged models known to be in the store
  bool asking_loss_ = false;
  loss_report loss_;                    ///< of the merge of `base_round_`
  std::optional<std::uint64_t> report_; ///< id of the loss report under way
  std::uint64_t asked_generation_ = 0;
  std::uint64_t asked_round_ = 0;
  hash32 asked_digest_;

  std::optional<std::pair<std::uint64_t, std::uint32_t>> merging_; ///< round and term we merge for
  time_point merge_again_{};
  duration merge_pause_ = merge_pause_first;
  std::uint64_t stay_out_of_ = 0; ///< round that has to be collected anew before this node comes back
  std::optional<merge_outcome> merged_;

  std::pair<std::uint64_t, std::uint32_t> watched_{}; ///< round and term of the leader under watch
  std::uint64_t leader_progress_ = 0;
  time_point leader_progress_at_{};
  time_point probe_at_{};
  std::pair<std::uint64_t, std::int64_t> suspected_{0, -1};

  std::uint64_t grace_round_ = 0;
  time_point grace_since_{};
  time_point refresh_at_{};
  time_point look_at_{};

  bool lingering_ = false;
  bool program_served_ = false; ///< it has read the last answer and closed its pipes
  time_point linger_until_{};
  duration look_pause_{}; ///< between two looks at peers that need something from here

  std::uint32_t interval_ = 1;
  std::optional<double> mean_loss_; ///< of all peers, at the last merge

  std::string phase_;
  time_point phase_since_{};
};

/// `text` as the contract takes it for a reason, whatever it brought along from outside:
/// printable ASCII, cut.
std::string reason_text(std::string_view text);

/// The next sync interval with adaptive sync: longer while the swarm's mean loss falls, shorter when it does
/// not, between a quarter and four times the interval the program asked for. In batches.
std::uint32_t adaptive_interval(std::uint32_t current, std::uint32_t asked, std::optional<double> loss_before,
                                double loss_now);

} // namespace swarm::rounds
