#pragma once

#include "contracts/runtime/reset_record.hpp"
#include "contracts/runtime/slots.hpp"
#include "contracts/taskrunner/interface.hpp"

#include <optional>

/// What a taskrunner keeps in its slots, and how to read and write it. The rules are in taskrunner_call.hpp.
///
///     slot 0   name
///     slot 1   runner_slot
///     slot 2   run_counts_slot
///     slot 3   run_times_slot
///     slot 4   name of the task
///     slot 5   account that assigned it
///     slot 6   array of accounts that listen
///     slot 7   mapping account -> listener_slot
///     slot 8   mapping run -> array of SWOPs that take part, two slots each: swop_slot, step_slot
///     slot 9   mapping (run, account) -> index of the SWOP plus one
///     slot 10  mapping (run, index, attempt) -> array of pairs, two slots each: pair_slot, step_slot
///     slot 11  the last reset, a reset_record
///
/// The keys of slots 8 to 10 contain the run, so that assigning and resetting touch a fixed number of slots.
namespace swarm::contracts {

struct runner_slot {
  std::uint64_t run = 0;
  taskrunner_state state = taskrunner_state::idle;
  assign_mode mode = assign_mode::with_peers;
  task_type type = task_type::root;
  std::uint32_t quorum = 0;
  std::uint64_t created_block = 0;
  std::uint64_t reset_block = 0;
  bool operator==(const runner_slot&) const = default;
};

/// Every change keeps these counters up to date, so that no call needs to count. All but the first two are of the
/// run; all but the first three are in peers.
struct run_counts_slot {
  std::uint16_t listening = 0;
  std::uint32_t slots = 0;
  std::uint16_t swops = 0;
  std::uint32_t invited = 0;
  std::uint32_t enrolled = 0;
  std::uint32_t active = 0;
  std::uint32_t complete = 0;
  std::uint32_t failed = 0;
  bool operator==(const run_counts_slot&) const = default;
};

struct run_times_slot {
  std::uint64_t assigned = 0;
  std::uint64_t enrolled = 0;
  std::uint64_t started = 0;
  std::uint64_t ended = 0;
  bool operator==(const run_times_slot&) const = default;
};

struct listener_slot {
  std::uint32_t place = 0; ///< index in the array plus one; 0: does not listen
  std::uint32_t slots = 0;
};

struct swop_slot {
  address account;
  part_status status = part_status::none;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint8_t pairs = 0;
  std::uint8_t active = 0; ///< of the pairs
  std::uint8_t complete = 0;
  std::uint32_t attempt = 0;
};

struct pair_slot {
  address sl;
  part_status status = part_status::none; ///< none: never reported
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
};

struct step_slot {
  std::uint64_t number = 0;
  std::uint64_t since_block = 0;
  std::uint64_t enrolled_block = 0; ///< of SWOPs
};

/// The state during one call. The three head slots are read once and written by `save`; everything else at once.
class runner_storage {
public:
  explicit runner_storage(const slots& in);

  runner_slot runner;
  run_counts_slot counts;
  run_times_slot times;
  /// Writes those of the three that changed.
  void save();

  std::string name() const;
  void set_name(std::string_view name) const;
  std::string task() const;
  void set_task(std::string_view task) const;
  address assigned_by() const;
  void set_assigned_by(const address& account) const;
  reset_record last_reset() const;

  listener_slot listener(const address& account) const;
  void set_listener(const address& account, const listener_slot& listener) const;
  address listener_at(std::uint32_t index) const;
  void set_listener_at(std::uint32_t index, const address& account) const;

  /// The index of a SWOP that takes part in the run.
  std::optional<std::uint16_t> find(const address& account) const;
  void set_index(const address& account, std::uint16_t index) const;
  swop_slot swop(std::uint16_t index) const { return slots_.get<swop_slot>(swop_place(index)); }
  void set_swop(std::uint16_t index, const swop_slot& swop) const { slots_.put(swop_place(index), swop); }
  step_slot swop_step(std::uint16_t index) const {
    return slots_.get<step_slot>(slot_after(swop_place(index), 1));
  }
  void set_swop_step(std::uint16_t index, const step_slot& step) const {
    slots_.put(slot_after(swop_place(index), 1), step);
  }

  /// The pairs of one attempt of a SWOP. Those it never reported are active since it enrolled.
  class pair_list {
  public:
    pair_list(const slots& in, const hash32& base, std::uint64_t enrolled_block)
        : slots_(in), base_(base), enrolled_block_(enrolled_block) {}
    pair_slot pair(std::uint32_t index) const;
    void set_pair(std::uint32_t index, const pair_slot& pair) const;
    step_slot step(std::uint32_t index) const;
    void set_step(std::uint32_t index, const step_slot& step) const;

  private:
    slots slots_;
    hash32 base_;
    std::uint64_t enrolled_block_;
  };
  pair_list pairs_of(std::uint16_t index, const swop_slot& swop) const;

private:
  hash32 swop_place(std::uint16_t index) const;

  slots slots_;
  runner_slot loaded_runner_;
  run_counts_slot loaded_counts_;
  run_times_slot loaded_times_;
  mutable std::optional<std::pair<std::uint64_t, hash32>> swops_base_; ///< run and place
};

} // namespace swarm::contracts
