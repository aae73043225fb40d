#pragma once

#include "tests/simulator/world.hpp"

namespace swarm::simulator {

/// One node: the shipped machine, an application, a disk that may lose what is not synced, timers of its own
/// clock. It is the shell that the actor is in the product: it carries out actions and feeds events.
class sim_node {
public:
  sim_node(world& in, std::size_t index, consensus::signature_scheme scheme, std::unique_ptr<application> app,
           double clock_rate);

  void start();
  /// The process dies now. Writes that were not acknowledged may be on disk up to some point, or not.
  void crash();
  bool is_up() const { return machine_.has_value(); }

  void receive(std::size_t from, const packet& what);
  void connected(std::size_t other);
  /// Work from a client.
  void offer(std::uint64_t id);
  /// Every now and then: tells others its head and its pending work.
  void gossip();
  void restore_old();

  const application& app() const { return *app_; }
  application& app() { return *app_; }
  const address& account() const { return scheme_.account; }
  const consensus::signature_scheme& scheme() const { return scheme_; }
  std::uint64_t head_num() const { return app_->head().block_num; }
  consensus::machine_status status() const { return machine_->status(); }
  consensus::peer_id peer_id_of(std::size_t other) const { return other + 1000 * lives_of_[other]; }
  std::size_t life() const { return life_; }
  /// Sends as this node, past its own machine: for the adversary.
  void send_raw(std::size_t to, consensus::shared_bytes raw);

private:
  /// One batch on its way to the disk.
  struct write {
    std::uint64_t token = 0; ///< of `persist`, or 0
    std::vector<consensus::record_entry> entries;
    std::shared_ptr<const decided_block> block;
  };
  /// What is needed to run a life again (invariant 7).
  struct history {
    std::vector<consensus::event> events;
    std::uint64_t fingerprint = 0;
  };

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
  void run(consensus::penalize& what);
  void run(consensus::report& what);

  /// Does something in this life only.
  void later(sim_time span, std::function<void()> what);
  void queue_write(write what);
  void begin_write();
  void finish_write();
  void apply(const write& what);
  void head_moved();
  void import(std::size_t from, std::shared_ptr<const decided_block> item);
  void import_next();
  bool is_final(const decided_block& item);
  void replay();
  void note(const char* what, const char* detail = "", std::uint64_t block_num = 0,
            std::uint64_t round_num = 0, const hash32& digest = {}, std::int64_t other = -1);
  void note_message(const char* what, bytes_view raw, std::int64_t other);

  world& world_;
  std::size_t index_;
  consensus::signature_scheme scheme_;
  std::unique_ptr<application> app_;
  double clock_rate_;

  std::optional<consensus::qbft_machine> machine_;
  std::uint64_t life_ = 0;
  std::vector<std::uint64_t> lives_of_; ///< of the others, as their connections show
  std::deque<write> writes_;
  bool importing_ = false;
  std::map<std::uint64_t, std::shared_ptr<const decided_block>> fetched_; ///< by number, waiting their turn
  std::uint64_t known_head_ = 0; ///< the highest that another node spoke of
  std::size_t known_head_from_ = 0;
  std::array<std::uint64_t, 2> timer_turn_{};
  history history_;
};

/// The machine's options in every simulation.
consensus::machine_options machine_options_of(const simulation_options& options);

} // namespace swarm::simulator
