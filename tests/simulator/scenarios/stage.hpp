#pragma once

#include "tests/simulator/forger.hpp"
#include "tests/simulator/scenarios/scenario.hpp"
#include "tests/simulator/sim_node.hpp"

#include <map>
#include <set>

namespace swarm::simulator {

/// A network that does what a script says: all nodes but the liars run, without faults by chance. A liar is a
/// puppet with a key. The script waits for what it needs to happen. If that does not happen, `scene_over`
/// ends the script as a failure, so that no script passes because nothing happened.
///
/// At block 1 the proposer of round r is node r, modulo the validators.
class stage {
public:
  stage(const scenario& which, std::uint64_t seed, bool with_mistake, std::size_t variant,
        std::size_t trace_lines);

  struct scene_over {};

  bool mistaken() const { return mistaken_; } ///< the scenario's mistake is wanted
  std::size_t variant() const { return variant_; }
  std::size_t variant_count() const { return variant_count_; }
  world& net() { return world_; }
  sim_node& node(std::size_t which) { return world_.node(which); }

  // Course.
  void run(sim_time span);
  void until(const char* what, const std::function<bool()>& happened, sim_time limit = 20 * second);
  void expect(bool holds, std::string_view what);
  /// Gives `node` the next piece of work.
  void work(std::size_t node);
  /// Lets everything pass again and starts everybody; then all work must be done and everybody must
  /// reach one head.
  void all_well(sim_time limit = 20 * second);
  /// Waits until each of `nodes` has block `block_num`.
  void until_head(const std::vector<std::size_t>& nodes, std::uint64_t block_num);
  simulation_outcome finish() { return world_.finish(); }

  // The network. Puppets are heard by everybody at all times.
  struct passing {
    std::size_t from = 0;
    std::size_t to = 0;
    consensus::message_head head;
    bool is(consensus::message_code code) const { return head.code == code; }
  };
  /// Which messages of consensus pass.
  void let(std::function<bool(const passing&)> rule) { rule_ = std::move(rule); }
  void let_all() { rule_ = nullptr; }
  /// Cuts the node off, so that it hears nobody and is heard by nobody.
  void cut(std::size_t node) { cut_.insert(node); }
  void join(std::size_t node) { cut_.erase(node); }
  /// Sets up two networks that do not hear each other.
  void partition(const std::set<std::size_t>& one_side);

  // What honest nodes have said to anybody, whether it passed or not; of block 1 unless told otherwise.
  bool said(std::size_t author, consensus::message_code code, std::uint64_t round_num,
            std::uint64_t block_num = 1) const;
  std::optional<consensus::proposal_message> proposal(std::uint64_t round_num,
                                                      std::uint64_t block_num = 1) const;
  consensus::signed_prepare prepare_of(std::size_t author, std::uint64_t round_num,
                                       std::uint64_t block_num = 1) const;
  consensus::commit_message commit_of(std::size_t author, std::uint64_t round_num,
                                      std::uint64_t block_num = 1) const;
  consensus::round_change_message round_change_of(std::size_t author, std::uint64_t round_num,
                                                  std::uint64_t block_num = 1) const;
  std::size_t said_count() const { return said_.size(); }
  /// The first block of the last question of `node` to `puppet` that was not taken yet.
  std::optional<std::uint64_t> take_question(std::size_t node, std::size_t puppet);

  // What a puppet says.
  forger pen(std::size_t puppet) { return forger(node(puppet).scheme(), net().domain(), true); }
  template <class Message>
  void say(std::size_t puppet, const std::vector<std::size_t>& to, const Message& item) {
    const auto raw = std::make_shared<const bytes>(consensus::encode(item));
    for (const auto one : to)
      node(puppet).send_raw(one, raw);
  }
  /// Sends a prepare and a seal for any block.
  void vote(std::size_t puppet, const std::vector<std::size_t>& to, std::uint64_t round_num,
            const consensus::proposed_block& block);
  /// A block of the puppet's own, on top of block 0 or of `on`.
  consensus::proposed_block own_block(std::size_t puppet, std::uint64_t round_num = 0);
  void send_head(std::size_t puppet, std::size_t to, std::uint64_t block_num);
  void send_blocks(std::size_t puppet, std::size_t to, std::uint64_t first, std::vector<sealed_ptr> blocks);

private:
  bool passes(std::size_t from, std::size_t to, const packet& what);
  const bytes& find_said(std::size_t author, consensus::message_code code, std::uint64_t round_num,
                         std::uint64_t block_num) const;

  using place = std::tuple<std::size_t, consensus::message_code, std::uint64_t, std::uint64_t>;

  bool mistaken_;
  std::size_t variant_;
  std::size_t variant_count_;
  world world_;
  std::set<std::size_t> puppets_;
  std::function<bool(const passing&)> rule_;
  std::set<std::size_t> cut_;
  std::map<place, consensus::shared_bytes> said_; ///< by author, code, block and round; the first
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> questions_;
  std::uint64_t next_work_ = 0;
  std::set<std::uint64_t> own_work_;
};

} // namespace swarm::simulator
