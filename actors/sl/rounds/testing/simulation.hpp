#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sl/rounds/testing/round_checker.hpp"
#include "base/random.hpp"
#include "contracts/testing/memory_host.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// A swarm in one thread: peer machines against the real training contract in memory, with made-up clock,
/// network, files and programs. Everything follows from the seed.
namespace swarm::rounds::testing {

/// A mistake that is planted in all nodes, or in what the contract does, to see that the simulation finds it.
enum class mistake : std::uint8_t {
  none,
  attests_unseen,     ///< whoever checks a merge finds it right
  forgets_to_sync,    ///< models are said to be on the disk that are not
  loads_another,      ///< the program is given another model than the merge
  keeps_nothing,      ///< models go that are needed still
  accuses_nobody,     ///< the call does not reach the chain
  suspects_nobody,    ///< the same
  reveals_nothing,    ///< the same, of one node's models, whenever that may be
  counts_twice,       ///< a contributor
  merges_twice,       ///< a round
  takes_late_ones,    ///< check-ins for a round that is closed
  closes_below,       ///< a round, below minPeers
  ends_without_model, ///< a close is answered before the program has the final model
  keeps_what_is_false, ///< nodes take what a program was given ahead for the merge of the round, whatever that is
  cuts_off_slow,       ///< who is missing is said to be slow
  measures_unseen      ///< whoever checks a merge finds right what models are measured to
};
inline constexpr auto last_mistake = mistake::measures_unseen;
std::string_view to_string(mistake what);

/// What may go wrong, as probabilities of a thousand unless said otherwise. All faults stop at `quiet_at`.
struct scenario {
  std::uint32_t nodes = 4;         ///< 2 to 8 mostly, 1,000 at most
  std::uint32_t organisations = 0; ///< to which the nodes belong in turn; 0: there are none
  std::uint32_t reliable = 2;      ///< of these, the first: their processes and programs never die
  std::uint32_t min_peers = 1;
  duration quiet_at{};
  duration delay_max{};           ///< of one message
  std::uint32_t slow_message = 0; ///< takes up to five seconds
  std::uint32_t lost_event = 0;
  std::uint32_t lost_call = 0;
  std::uint32_t failed_fetch = 0;
  std::uint32_t stuck_merge = 0; ///< never gets on, until it is cancelled
  bool stuck_ends = true;        ///< such a merge, at last, as the limits of its connections end it
  std::uint32_t accidents = 0;   ///< number of: death of a process or program, signal, outage of the SN
  bool deadly = false;           ///< whoever is killed is gone for good
  bool may_reset = false;        ///< one of the accidents may be an operator's reset
  bool one_diverges = false;     ///< the last node's models are not finite
  bool one_differs = false;      ///< the last node's models have other parameters
  bool one_asks = false;         ///< the last node's programs ask for another minPeers
  std::uint32_t withholds = 0;   ///< of the last node's reveals, so many of a thousand are not sent
  std::uint32_t lies = 0;        ///< of those that unreliable nodes of the last one's organisation make
  bool behind = false;           ///< merges are checked behind, and most programs can take them back
  mistake planted = mistake::none;
  std::uint32_t syncs_max = 8; ///< of one program
  duration grace = std::chrono::seconds(8);
  bool one_slow = false;           ///< the last node's programs take about twice as long as the others'
  duration block_interval{};       ///< so long all who read the contract see the same
  std::uint64_t model_size = 1000; ///< as is said of them; where they are small, all make the merge at once

  bool measured = false; ///< they are merged by a method that looks at whole models

  static scenario draw(seeded_random& random);
  std::string describe() const;
};

class simulation {
public:
  simulation(std::uint64_t seed, const scenario& what);
  ~simulation();

  /// Runs until every program has ended. Returns what was broken; empty when nothing was.
  std::string run();
  /// What happened: one line per event.
  const std::vector<std::string>& trace() const { return trace_; }
  std::uint64_t merges() const { return checker_.merges(); }
  std::uint64_t operator_resets() const { return operator_resets_; }
  /// How often the contract was told why a program was refused for its minPeers.
  std::uint64_t refusals_told() const { return refusals_told_; }
  /// How often a committed model was not revealed.
  std::uint64_t withheld() const { return withheld_; }
  /// How many wrong merges were made.
  std::uint64_t lies() const { return lies_; }
  std::uint64_t stopped() const { return stopped_; }
  /// How often a program was given a merge before it was accepted, and how often that was taken back.
  std::uint64_t given_ahead() const { return given_ahead_; }
  std::uint64_t taken_back() const { return taken_back_; }
  std::uint64_t measured() const { return measured_; } ///< runs of models

private:
  struct node;
  struct program;
  struct perform;
  using thunk = std::function<void()>;

  void at(time_point when, thunk what);
  void after(duration pause, thunk what) { at(now_ + pause, std::move(what)); }
  /// Does something later, unless the process has died meanwhile.
  void in_life(node& of, duration pause, thunk what);
  bool chance(std::uint32_t of_thousand) { return random_.below(1000) < of_thousand; }
  bool fault(std::uint32_t of_thousand) { return now_ < quiet_ && chance(of_thousand); }
  duration between(std::int64_t from_ms, std::int64_t to_ms);
  duration message_delay();

  void note(const node* of, std::string text);
  void broken(std::string what);

  // simulation.cpp: processes and the SN
  void boot(node& n);
  void kill(node& n, std::string_view how);
  void terminate(node& n);
  void tick(node& n);
  void drain(node& n);
  void submit(node& n, const action::call& call);
  void execute(node& n, std::uint64_t life, std::uint64_t id, const bytes& input, const std::string& what);
  void read_contract(node& n);
  std::string broken_invariant();
  void check_enough(const contracts::round_closed& closed);
  void contract_moved();
  /// The contract as it is now; one and the same for all who read it.
  std::shared_ptr<const contract_view> view_now();
  std::shared_ptr<const contract_view> view_to_read();
  std::set<address> silent_nodes() const;
  std::string check_event(contracts::training_event event);
  bool never_arrives(const node& n, const std::string& what) const;
  void watch_pace(const contracts::training_event& event);
  bool is_cut_off(const address& who);
  bool has(mistake what) const { return scenario_.planted == what; }
  node* find(const address& account);
  time_point sn_up(time_point when) const { return when < sn_down_until_ ? sn_down_until_ : when; }

  // simulated_merges.cpp: files, merges and checks
  void fetch(node& n, const hash32& digest, const std::vector<holder>& holders, std::size_t next,
             const std::function<void(result<hash32>)>& done);
  bool is_to_lie(const node& n);
  void start_merge(node& n, const action::start_merge& asked);
  void finish_merge(node& n, const action::start_merge& task, const std::set<hash32>& here);
  void start_check(node& n, const check_task& asked);
  void finish_check(node& n, const check_task& task, const std::set<hash32>& here);
  check_outcome look_at(const check_task& task, const std::set<hash32>& here,
                        std::vector<weighted_model>& from) const;
  void finish_shard(node& n, const check_task& task, const std::set<hash32>& here);
  void fetch_sharded(node& n, const action::fetch& what, const std::function<void(result<hash32>)>& done);
  std::optional<std::uint64_t> wrong_chunk(const check_task& task, const model& right) const;
  void finish_measures(node& n, const check_task& task, const std::set<hash32>& here);
  std::optional<std::uint64_t> wrong_unit(const check_task& task) const;
  void probe_leader(node& n, const action::probe_leader& ask);

  // simulated_programs.cpp: programs and accidents
  void start_program(node& n);
  void step(node& n);
  void send_models(node& n, bool close);
  void take_answer_open(node& n);
  void take_ask_loss(node& n, const action::ask_loss& ask);
  std::string wrong_with(const program& p, const action::ask_loss& ask) const;
  std::string wrong_base(const contracts::revealed& shown) const;
  void take_answer_sync(node& n, const action::answer_sync& answer);
  void take_answer_close(node& n);
  void end_program(node& n, std::string_view how, bool orderly);
  void session_ended(node& n, const action::session_ended& how);
  void plan_accident();
  void accident();
  void help_hopeless_round();
  void reset_training();
  bool is_final_model_lost();
  bool all_done() const;
  std::string who_is_left() const;

  seeded_random random_;
  scenario scenario_;
  time_point now_{};
  time_point quiet_{};
  std::multimap<time_point, thunk> queue_;
  contracts::memory_world world_;
  address training_;
  std::shared_ptr<const contract_view> cached_view_; ///< of the last block; null while nobody has read it
  std::shared_ptr<const contract_view> last_read_;
  time_point read_at_{};
  std::uint64_t calls_executed_ = 0;
  time_point sn_down_until_{};
  std::vector<std::unique_ptr<node>> nodes_;
  std::map<address, node*> by_account_;
  round_checker checker_;
  std::map<hash32, model> models_;                             ///< every model that ever was, by digest
  std::map<std::uint32_t, contracts::shard_committed> shards_; ///< the last ones, by their places
  std::vector<std::string> trace_;
  std::string broken_;
  /// What this simulation has seen of how long programs take between two rounds.
  struct seen_pace {
    time_point opened{};                ///< when the last merge was accepted
    std::vector<duration> took;         ///< of those that are in the round and trained from that
    std::map<address, duration> before; ///< of each, the last time
  };
  seen_pace pace_;
  std::uint64_t operator_resets_ = 0;
  std::uint64_t refusals_told_ = 0;
  std::uint64_t withheld_ = 0;
  std::uint64_t lies_ = 0;
  std::uint64_t stopped_ = 0;
  std::uint64_t given_ahead_ = 0;
  std::uint64_t taken_back_ = 0;
  std::uint64_t measured_ = 0;
  /// From what programs have made their models: round and digest of a merge.
  std::map<std::pair<address, hash32>, std::pair<std::uint64_t, hash32>> bases_;
  bool was_reset_ = false;
  bool odd_one_first_ = false; ///< the one that differs came first, and is right: the run means nothing
  time_point last_move_{};     ///< of the contract
  std::uint64_t clock_ = 0;    ///< of the last block: seconds since the beginning
};

} // namespace swarm::rounds::testing
