#pragma once

#include "actors/sl/rounds/types.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

/// Where one SL stands. It is `outside`, or in a session with a program. A session is always in one phase;
/// what a phase does not need does not exist in it. The contract's phase decides which one it is
/// (`peer_machine::follow_contract`), with two exceptions: the program decides when `loading` is over, and
/// nothing but the end of the session ends `lingering`.
namespace swarm::rounds {

/// A program closes its pipes when it has read the last answer. One that does not is not waited for longer.
inline constexpr duration read_answer_max = std::chrono::seconds(5);

/// No program is here.
struct outside {
  std::optional<std::string> ending; ///< the node ends, for this reason, once it has left and nobody needs it
  time_point ending_until{};         ///< peers have until then to fetch files
  time_point look_at{};              ///< the next look at peers that need something from here
};

/// A merged model that the program evaluates.
struct evaluation {
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
};

/// The training goes on without this node: it is no peer yet, or not any more.
struct registering {
  bool let_in = false;                       ///< the program's open is answered already
  std::optional<resumed_session> takes_over; ///< a session to take over once the contract has been read
  std::optional<std::string> refused;        ///< why the contract refused the registration
  std::uint64_t stay_out_of = 0;        ///< a round that has to be collected anew before this node comes back
  std::optional<evaluation> evaluating; ///< a reset does not interrupt the program
};

/// A peer, in a round that collects models. It has no fields: what a node has done for a round is
/// in `round_marks`.
struct collecting {};

/// A round and, as a round can be collected anew, its term.
using round_and_term = std::pair<std::uint64_t, std::uint32_t>;

/// A peer of a training whose round is closed and whose models are revealed.
struct revealing {
  round_and_term of;
  std::optional<time_point> since;
  time_point close_at{}; ///< it is not waited for the others longer than that
};

/// The merge on which this node's leader actor works.
struct merge_job {
  std::optional<merge_outcome> outcome; ///< to be committed
};
/// A peer, in a closed round that one leader merges. The next term is another `merging`.
struct merging {
  round_and_term of;
  std::optional<merge_job> job; ///< only while this node leads
  bool failed = false;          ///< this node led and could not merge
};

/// A peer of a closed round whose leader has proposed a merge.
struct checking {
  round_and_term of;
  std::uint32_t attempt = 0;
  bool disputed = false;
  std::optional<time_point> since; ///< when this node first saw this stage
  time_point close_at{};           ///< it is not waited for the others longer than that
  std::optional<check_task> running;
  std::uint64_t looked_at = 0;                     ///< block of the view of which `running` is
  std::optional<std::vector<std::uint64_t>> dealt; ///< the chunks of this attempt that this node makes again
  bool fetched = false;                            ///< what is proposed was asked for
  time_point check_again{};                        ///< not before then
  time_point fetch_again{};                        ///< of what is proposed
  std::optional<time_point> merge_until;           ///< it is not waited for any longer before it is attested
  std::optional<time_point> own_until;             ///< this node's own merge is not waited for any longer
  std::optional<time_point> load_until;            ///< nor is it that the program has what is proposed
};

/// The training is complete; the program still has to get the final model.
struct finishing {
  bool last_try = false; ///< a final model that was given up is tried for once more
};

/// The program evaluates a merged model, whatever the contract's phase.
struct loading {
  evaluation of;
};

/// The program has its final model; peers may still need this node's files.
struct lingering {
  bool program_served = false; ///< the program has read the last answer and closed its pipes
  time_point until{};          ///< how long a program may take to do so
  time_point look_at{};
  duration look_pause{}; ///< between two looks at peers that need something from here
};

/// What the program waits for.
struct program_request {
  bool closing = false; ///< its training has ended; otherwise it syncs
  model_ref model;      ///< contributed at check-in
  std::uint32_t weightage = 1;
  bool has_loaded = false; ///< a merged model, since it has sent this
};

struct loaded_merge {
  std::uint64_t round_num = 0;
  hash32 digest;
  loss_report loss;
};

/// The progress of another node's merge.
struct leader_watch {
  round_and_term of;
  time_point since{};
  std::uint64_t progress = 0;
  time_point progress_at{};
  std::optional<time_point> unheard_since; ///< nobody has listened at its address since then
  time_point probe_at{};
};

/// What this node has asked of a round, so that nothing is asked for twice, and since when it waits. The
/// marks are kept by round and term, not by phase, as a round may be collected more than once, and another SN
/// may be a few blocks behind the last one.
struct round_marks {
  std::optional<round_and_term> voted;
  std::optional<round_and_term> suspected;
  std::optional<round_and_term> checked_in;
  std::optional<round_and_term> revealed;
  std::uint64_t opened_round = 0; ///< the last round that this node has seen being collected
  time_point opened_at{};         ///< when it saw that first
  std::uint64_t grace_round = 0;  ///< the round in which enough peers are, with others missing
  time_point grace_since{};
  std::optional<leader_watch> watch;
  std::optional<time_point> odd_since;
  std::map<address, time_point> accused; ///< silent peers, by when this node has seen that they are accused
  time_point accuse_at{};                ///< not before then
};

/// What this node has found of a proposal, whoever asks for it: the deal, or a challenge.
struct check_marks {
  hash32 digest; ///< of the proposal; what follows is of no other
  std::vector<address> contributors, excluded;
  std::set<std::uint64_t> right; ///< chunks that it has made again
  std::optional<check_outcome> wrong;
  round_and_term of;             ///< when it was proposed; what follows is of that time
  bool exclusions_stand = false; ///< they are not tried
  bool challenged = false;
  bool refused = false; ///< a challenge of this node
};

/// The merge of a round that this node makes beside the leader, as it will have to check all of it.
struct merge_beside {
  round_and_term of;
  std::vector<merge_input> inputs;
  std::optional<merge_outcome> outcome; ///< what it came to
  bool given_up = false;                ///< it came to nothing, or too late

  bool is_under_way() const { return !outcome && !given_up; }
};

/// The runs of a merge that this node makes for the round: its own and, when it leads, those that others do not make.
struct shard_marks {
  static constexpr unsigned failures_max = 3; ///< of this node's own, until a run is declined
  static constexpr duration pause = std::chrono::seconds(1);
  struct made {
    std::vector<hash32> hashes; ///< of its chunks, or words of sums; none: it cannot be made
    std::string failure;
  };
  round_and_term of;
  std::uint64_t looked_at = 0; ///< block of the view to which this was compared last
  std::vector<merge_input> inputs;
  std::uint64_t size = 0; ///< of the merge
  std::vector<address> makers;
  std::map<std::uint32_t, made> runs; ///< by their places
  std::map<std::uint32_t, made> sums; ///< what is committed of them, where they are measured first
  bool measures = false;              ///< that is done now, and `running` does it
  std::vector<hash32> totals;         ///< by which `runs` are made
  std::optional<std::pair<std::uint64_t, std::uint32_t>> running; ///< id of the task, and its place
  unsigned failures = 0;
  time_point make_again{};
  std::optional<time_point> since; ///< when this node first saw that the runs of the term are given out
  time_point late_at{};            ///< nobody is waited for longer
  bool given_up = false;           ///< this node leads, and makes the merge as a whole
};

/// The growing pauses between tries of a merge that this node leads and that fails.
struct merge_pauses {
  static constexpr duration first = std::chrono::seconds(1);
  time_point again{};
  duration pause = first;
};

/// A merged model that nobody could give yet.
struct failing_merge {
  hash32 digest;
  time_point since{};
  duration pause{}; ///< between two tries
};

/// What the program's user was told, see news.cpp.
struct told_news {
  std::uint64_t merge_of = 0;                              ///< the last round whose merge was looked at
  std::map<address, contracts::exclusion_reason> left_out; ///< other peers, of that merge
  std::size_t krum_of = 0; ///< the models of that merge if they were fewer than its method wants
  std::optional<std::map<address, contracts::leave_reason>> refused; ///< peers; none before the first view
  std::map<address, std::uint64_t> trusted_from;                     ///< of those who have withheld a model
  std::uint64_t copy_of = 0; ///< the round to which this node brought what another one had revealed
};

/// A merge that the program was given before it was accepted, see ahead.cpp.
struct loaded_ahead {
  evaluation of;
  std::optional<loss_report> report;   ///< the program has answered, and trains on
  std::optional<program_request> next; ///< what it has asked for since
};

/// What this node has done in one generation of the training; a reset makes it meaningless.
struct membership {
  std::uint64_t generation = 0; ///< 0: not known yet
  bool registered = false;
  std::optional<std::uint64_t> checked_in; ///< checked in for this round, whose merge is not loaded yet
  std::optional<hash32> committed;         ///< the model of the last check-in
  std::uint64_t brought_to = 0;            ///< the last round that this node has brought a model to
  told_news told;
  std::uint64_t base_round = 0; ///< the merge that the program trains from
  hash32 base_digest;
  std::optional<loaded_merge> loaded; ///< the last one; none: the program has no model of this generation
  std::optional<failing_merge> failing;
  hash32 given_up;             ///< a merge that is lost
  bool layout_refused = false; ///< the contract does not even take this program's layout as a wish
  round_marks marks;
  check_marks checks;
  std::optional<merge_beside> beside;
  shard_marks shards;
  std::optional<loaded_ahead> ahead;
  bool takes_back = false; ///< the program was given a merge that was not accepted, and no other one since
  merge_pauses leading;
  std::optional<mean_report> means; ///< of all peers, by which the interval was adapted last
};

/// What lives as long as a program's session, whatever its phase.
struct session {
  session_params params;
  std::string contract;
  std::uint32_t interval = 1;
  std::optional<program_request> request;
  time_point refresh_at{};
  membership training;
  std::variant<registering, collecting, revealing, merging, checking, finishing, loading, lingering> phase;
};

/// What this node knows of its own store. It outlives sessions, as the store does.
struct known_models {
  std::set<hash32> local; ///< merged models known to be there
  std::optional<hash32> fetching;
  time_point fetch_again{};
  std::optional<hash32> writing; ///< is being made durable
  std::optional<hash32> durable; ///< the last one that was, unless another has come into the store since
};

} // namespace swarm::rounds
