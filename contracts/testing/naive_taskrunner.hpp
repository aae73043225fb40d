#pragma once

#include "contracts/registry/interface.hpp"
#include "contracts/taskrunner/interface.hpp"

#include <map>

namespace swarm::contracts {

/// The taskrunner contract written once more as simply as possible: without slots or counters, everything is counted
/// anew each time. Random calls compare the contract with this twin.
class naive_taskrunner {
public:
  /// Returns whether the call is accepted; `events` then holds what it emitted.
  bool call(const address& caller, const listen_args& args);
  bool call(const address& caller, const unlisten_args& args);
  bool call(const address& caller, const assign_args& args);
  bool call(const address& caller, const assign_to_args& args);
  bool call(const address& caller, const enrol_args& args);
  bool call(const address& caller, const report_args& args);
  bool call(const address& caller, const report_pair_args& args);
  bool call(const address& caller, const reset_taskrunner_args& args);
  bool call(const address& caller, const reset_taskrunner_with_note_args& args);

  /// Nodes of the network, and tasks that can be assigned.
  std::map<address, node_type> nodes;
  std::map<std::string, task_type> tasks;
  /// The block that the call is in, set before each call.
  std::uint64_t block_num = 0;
  std::vector<taskrunner_event> events;

  taskrunner_head_view head() const;
  /// Both without names.
  std::vector<swop_view> swops() const;
  std::vector<swop_view> listeners() const;
  swop_view swop(const address& account) const;
  /// Without names.
  std::vector<pair_view> pairs(const address& swop) const;

private:
  struct listener {
    address account;
    std::uint32_t slots = 0;
  };
  /// A SWOP's part in the run.
  struct swop_part {
    address account;
    part_status status = part_status::invited;
    task_step step = task_step::enrolled;
    task_failure failure = task_failure::none;
    std::uint64_t number = 0;
    std::uint64_t since = 0;
    std::uint32_t attempt = 1;
    std::vector<pair_view> pairs; ///< those to come, while it is invited
  };

  bool is(const address& account, node_type type) const;
  bool swarm() const { return type_ == task_type::run_swarm; }
  listener* find_listener(const address& account);
  swop_part* find_part(const address& account);
  swop_part* reporting(const address& caller, std::uint64_t run);
  std::uint32_t peers_of(const swop_part& one) const;
  std::uint32_t peers_with(part_status status) const;
  std::uint32_t quorum() const;
  bool says_anything(part_status status, task_failure failure) const;

  void begin(const std::string& task, assign_mode mode, std::uint32_t quorum, const address& by);
  void give_pairs(swop_part& one, std::uint32_t count) const;
  void say(swop_part& one, part_status status, task_step step, task_failure failure, std::uint64_t number);
  void settle();

  std::vector<listener> listeners_;
  std::vector<swop_part> parts_;
  std::uint64_t run_ = 0;
  taskrunner_state state_ = taskrunner_state::idle;
  assign_mode mode_ = assign_mode::with_peers;
  task_type type_ = task_type::root;
  std::string task_;
  address by_;
  std::uint32_t asked_ = 0; ///< the quorum of a run begun by assign
  taskrunner_times times_;
};

} // namespace swarm::contracts
