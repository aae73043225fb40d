#pragma once

#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/snapshot/snapshot_driver.hpp"
#include "tests/simulator/world.hpp"

#include <unordered_map>

namespace swarm::simulator {

struct node_clock {
  double rate = 1;   ///< of its timers
  sim_time skew = 0; ///< of its wall clock
};

/// What becomes of writes that were not acknowledged when the process died.
enum class unsynced : std::uint8_t { by_chance, lost, kept };

/// One node: the shipped machines for consensus and synchronisation, an application, a disk that may lose
/// what is not synced, a clock of its own. It is the shell that the actors are in the product: it carries out
/// actions and feeds events.
class sim_node {
public:
  sim_node(world& in, std::size_t index, consensus::signature_scheme scheme, std::unique_ptr<application> app,
           node_clock clock);

  void start();
  /// The process dies now. Writes that were not acknowledged may be on disk up to some point, or not.
  void crash(unsynced fate = unsynced::by_chance);
  bool is_up() const { return machine_.has_value(); }

  void receive(std::size_t from, const packet& what);
  void connected(std::size_t other);
  /// Takes work from a client.
  void offer(std::uint64_t id);
  /// Called every now and then: tells others its head and its pending work.
  void gossip();
  void restore_old();
  /// The operator's word, while the process is down, that the key votes again; errors are those of
  /// `records_of_reentry`.
  result<> reenter(std::uint64_t block_num, std::optional<std::uint64_t> round_num);

  const application& app() const { return *app_; }
  application& app() { return *app_; }
  const address& account() const { return scheme_.account; }
  const consensus::signature_scheme& scheme() const { return scheme_; }
  std::uint64_t head_num() const { return app_->head().block_num; }
  consensus::machine_status status() const { return machine_->status(); }
  consensus::neighbor_id neighbor_id_of(std::size_t other) const { return other + 1000 * lives_of_[other]; }
  std::uint64_t life() const { return life_; }
  std::uint64_t actions() const { return actions_; } ///< carried out so far, in all lives

  // For adversary and scripts.
  /// Sends a message in this node's name that its machine did not make.
  void send_raw(std::size_t to, consensus::shared_bytes raw);
  /// Timers that expire do nothing while they are held.
  void hold_timers(bool hold) { timers_held_ = hold; }
  /// Nothing reaches the disk while it is held.
  void hold_disk(bool hold);
  bool fetching() const { return fetch_.has_value(); }
  sync::snapshot_status snapshot() const { return snapshot_->status(); }
  /// Tells the machine that the timer of the present round has expired, even if it has not.
  void expire_round();
  /// Dies before its action number `which`.
  void crash_before(std::uint64_t which, unsynced fate) { planned_crash_ = {which, fate}; }

private:
  /// One batch on its way to the disk.
  struct write {
    std::uint64_t token = 0;     ///< of `persist`, or 0
    std::uint64_t block_num = 0; ///< of `persist`
    std::vector<consensus::record_entry> entries;
    std::optional<consensus::commit_block> block;
    bool fetched = false; ///< by synchronisation
  };
  struct fetch {
    sync::action::import_blocks what;
    std::vector<std::vector<consensus::record_entry>> records;
    std::size_t next = 0;
  };
  /// What is needed to run a life again (invariant 7).
  struct history {
    std::vector<consensus::event> events;
    std::uint64_t fingerprint = 0;
  };

  // sim_node.cpp
  void feed(consensus::event what);
  void run(std::vector<consensus::action> actions);
  void run(consensus::persist& what);
  void run(consensus::broadcast& what);
  void run(consensus::send_to& what);
  void run(consensus::set_timer& what);
  void run(consensus::cancel_timer& what);
  void run(consensus::build_block& what);
  void run(consensus::validate_block& what);
  void run(consensus::commit_block& what);
  void run(consensus::request_sync& what);
  void run(consensus::send_decided& what);
  void run(consensus::evidence& what);
  void run(consensus::reentry_seen& what);
  void run(consensus::penalize& what);
  void run(consensus::report& what);
  void say(std::size_t to, const consensus::shared_bytes& raw);
  consensus::shared_bytes renamed(const consensus::shared_bytes& raw);
  bool accepts(const consensus::proposed_block& block);
  void blame(consensus::neighbor_id neighbor, const error& why);
  /// Does something later, but only in this life.
  void later(sim_time span, std::function<void()> what);
  void replay();
  ledger::author_recovery recovery();

  // sim_disk.cpp
  void queue_write(write what);
  void begin_write();
  void finish_write();
  void apply(const write& what);
  void tear(const write& what);
  void lose_unsynced(unsynced fate);
  void head_moved();

  // sim_sync.cpp
  template <class Event>
  void sync_step(Event event);
  void begin_sync();
  void sync_tick();
  void hear_of_head(consensus::neighbor_id neighbor, std::uint64_t block_num);
  void hear_blocks(std::size_t from, const packet& what);
  void sync_head_moved();
  void sync_neighbor_gone(consensus::neighbor_id neighbor);
  void sync_no_snapshot(consensus::neighbor_id neighbor);
  void sync_pivot(std::optional<std::uint64_t> pivot, bool taken);
  void run(sync::action::ask_range& what);
  void run(sync::action::import_blocks& what);
  void run(sync::action::penalize& what);
  void answer(std::size_t from, const packet& question);

  // sim_snapshot.cpp
  template <class Event>
  void snapshot_step(Event event);
  void begin_snapshots();
  void snapshot_tick();
  void answer_part(std::size_t from, const packet& question);
  void hear_part(std::size_t from, const packet& what);
  void adopted();

  void fetch_step();
  result<write> take_fetched(const sync::sealed_block& from);
  result<> is_final(const consensus::proposed_block& block, const ledger::seal_record& seals);

  void note(const char* what, std::string_view detail = "", std::uint64_t block_num = 0,
            std::uint64_t round_num = 0, const hash32& digest = {}, std::int64_t other = -1);
  void note_message(const char* what, bytes_view raw, std::int64_t other);

  world& world_;
  std::size_t index_;
  consensus::signature_scheme scheme_;
  std::unique_ptr<application> app_;
  node_clock clock_;
  std::vector<address> first_set_;

  std::optional<consensus::qbft_machine> machine_;
  std::optional<sync::sync_machine> sync_;
  std::optional<sync::snapshot_driver> snapshot_;
  std::uint64_t life_ = 0;
  std::vector<std::uint64_t> lives_of_; ///< of the others, as their connections show
  std::deque<write> writes_;
  bool writing_ = false;
  std::optional<fetch> fetch_;
  std::array<std::uint64_t, consensus::timer_kinds> timer_turn_{};
  history history_;
  std::unordered_map<hash32, address> recalled_; ///< planted: authors by signature

  std::uint64_t actions_ = 0;
  std::optional<std::pair<std::uint64_t, unsynced>> planned_crash_;
  bool may_forget_ = false;
  bool timers_held_ = false;
  bool disk_held_ = false;
};

/// The machine's options in every simulation.
consensus::machine_options machine_options_of(const world& in);

} // namespace swarm::simulator
