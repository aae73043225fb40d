#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/runtime/page.hpp"
#include "contracts/runtime/reset_view.hpp"
#include "contracts/task/interface.hpp"
#include "contracts/taskrunner/codes.hpp"

/// interfaces/ITaskrunner.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// The taskrunner that every chain has from genesis on.
inline constexpr std::string_view default_taskrunner_name = "defaulttaskbb.taskdb.sml.hpe";

/// Where the taskrunner called `name` lives: last 20 bytes of keccak256("swarmd/taskrunner/" || name).
address taskrunner_address(std::string_view name);

inline constexpr std::size_t taskrunner_name_bytes_max = 64;
/// True for 1 to 64 characters of A-Z a-z 0-9 . _ -
bool is_taskrunner_name(std::string_view name);

inline constexpr std::uint32_t listeners_max = 1024; ///< SWOPs that listen on one taskrunner
inline constexpr std::uint32_t run_swops_max = 1024; ///< SWOPs that take part in one run
inline constexpr std::uint32_t swop_slots_max = 64;  ///< SL nodes of one SWOP
inline constexpr std::uint32_t run_peers_max = run_swops_max * swop_slots_max;

/// Numbers of blocks, 0: not yet. All but the first and the last are of the current run.
struct taskrunner_times {
  std::uint64_t created = 0;
  std::uint64_t assigned = 0;
  std::uint64_t enrolled = 0;
  std::uint64_t started = 0;
  std::uint64_t ended = 0;
  std::uint64_t last_reset = 0;
  bool operator==(const taskrunner_times&) const = default;
};

/// Peers are pairs of SL and ML when the task is a RUN_SWARM, and SWOPs otherwise.
struct taskrunner_head_view {
  std::uint64_t run = 0; ///< the newest assignment, 0: none yet
  taskrunner_state state = taskrunner_state::idle;
  assign_mode mode = assign_mode::with_peers;
  task_type type = task_type::root;
  std::string task; ///< empty when idle
  address assigned_by;
  std::uint32_t quorum = 0;    ///< peers that have to complete
  std::uint32_t listening = 0; ///< SWOPs that listen, in this run or not
  std::uint32_t slots = 0;     ///< SL nodes that all of them have together
  std::uint32_t swops = 0;     ///< SWOPs that take part in the run
  std::uint32_t invited = 0;   ///< peers of SWOPs that are invited and have not enrolled
  std::uint32_t enrolled = 0;  ///< peers of SWOPs that have enrolled: active, complete and failed ones
  std::uint32_t active = 0;
  std::uint32_t complete = 0;
  std::uint32_t failed = 0;
  taskrunner_times times;
  bool operator==(const taskrunner_head_view&) const = default;
};

struct swop_view {
  address account; ///< zero: it neither listens nor takes part
  bool listening = false;
  std::uint32_t slots = 0; ///< SL nodes that it has
  part_status status = part_status::none;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;      ///< what it says follows from step or failure, see codes.hpp
  std::uint64_t since_block = 0; ///< when status, step or failure last changed
  std::uint32_t attempt = 0;     ///< how often it has been told to do its part, 1 at first
  std::uint32_t pairs = 0;       ///< in the run; 0 unless the task is a RUN_SWARM
  std::uint32_t active = 0;      ///< of the pairs
  std::uint32_t complete = 0;
  std::uint32_t failed = 0;
  std::string name; ///< from the NodeRegistry
  bool operator==(const swop_view&) const = default;
};

/// All that one SWOP has to know.
struct taskrunner_head_for_view {
  taskrunner_head_view head;
  swop_view swop;
  bool operator==(const taskrunner_head_for_view&) const = default;
};

/// An SL of a SWOP's and the ML that trains with it.
struct pair_view {
  address sl; ///< zero until known
  part_status status = part_status::none;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;
  std::uint64_t since_block = 0;
  std::string name; ///< of the SL, from the NodeRegistry
  bool operator==(const pair_view&) const = default;
};

// First the functions that change the taskrunner, then those that only answer.

struct listen_args {
  static constexpr abi::call<> function{"listen"};
  std::uint32_t slots = 0;
};
struct unlisten_args {
  static constexpr abi::call<> function{"unlisten"};
  address swop;
};
struct assign_args {
  static constexpr abi::call<> function{"assign"};
  std::string task;
  std::uint32_t peers = 0;
  bool all_peers = false;
};
struct assign_to_args {
  static constexpr abi::call<> function{"assignTo"};
  std::string task;
  address swop;
};
struct enrol_args {
  static constexpr abi::call<> function{"enrol"};
  std::uint64_t run = 0;
};
struct report_args {
  static constexpr abi::call<> function{"report"};
  std::uint64_t run = 0;
  part_status status = part_status::active;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;
  constexpr std::uint64_t since_rules() const { return rules_of(step, failure); }
};
struct report_pair_args {
  static constexpr abi::call<> function{"reportPair"};
  std::uint64_t run = 0;
  std::uint32_t index = 0;
  address sl;
  part_status status = part_status::active;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;
  constexpr std::uint64_t since_rules() const { return rules_of(step, failure); }
};
struct reset_taskrunner_args {
  static constexpr abi::call<> function{"reset"};
};
/// The same with a reason that everybody sees.
struct reset_taskrunner_with_note_args {
  static constexpr abi::call<> function{"resetWithNote", 3};
  std::string note;
};
struct last_taskrunner_reset_args {
  static constexpr abi::view<reset_view> function{"lastReset", 3};
};
struct taskrunner_name_args {
  static constexpr abi::view<std::string> function{"name"};
};
struct taskrunner_head_args {
  static constexpr abi::view<taskrunner_head_view> function{"head"};
};
struct taskrunner_head_for_args {
  static constexpr abi::view<taskrunner_head_for_view> function{"headFor"};
  address swop;
};
struct swops_args {
  static constexpr abi::view<std::vector<swop_view>> function{"swops"};
  u256 first;
  u256 count;
};
struct listeners_args {
  static constexpr abi::view<std::vector<swop_view>> function{"listeners"};
  u256 first;
  u256 count;
};
struct pairs_args {
  static constexpr abi::view<std::vector<pair_view>> function{"pairs"};
  address swop;
  u256 first;
  u256 count;
};

// Events, in the order of the interface file.

struct swop_listens {
  static constexpr abi::event event{"SwopListens", {1}};
  address swop;
  std::uint32_t slots = 0;
  bool operator==(const swop_listens&) const = default;
};
struct swop_left {
  static constexpr abi::event event{"SwopLeft", {1, 2}};
  address swop;
  address by;
  bool operator==(const swop_left&) const = default;
};
struct task_assigned {
  static constexpr abi::event event{"TaskAssigned", {1, 5}};
  std::uint64_t run = 0;
  std::string task;
  assign_mode mode = assign_mode::with_peers;
  std::uint32_t quorum = 0;
  address by;
  bool operator==(const task_assigned&) const = default;
};
/// The SWOP is to enrol, for the first time or once more.
struct swop_invited {
  static constexpr abi::event event{"SwopInvited", {1, 2, 4}};
  std::uint64_t run = 0;
  address swop;
  std::uint32_t attempt = 0;
  address by;
  bool operator==(const swop_invited&) const = default;
};
struct swop_enrolled {
  static constexpr abi::event event{"SwopEnrolled", {1, 2}};
  std::uint64_t run = 0;
  address swop;
  std::uint32_t peers = 0;
  bool operator==(const swop_enrolled&) const = default;
};
struct swop_reported {
  static constexpr abi::event event{"SwopReported", {1, 2}};
  std::uint64_t run = 0;
  address swop;
  part_status status = part_status::active;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;
  bool operator==(const swop_reported&) const = default;
};
struct pair_reported {
  static constexpr abi::event event{"PairReported", {1, 2}};
  std::uint64_t run = 0;
  address swop;
  std::uint32_t index = 0;
  address sl;
  part_status status = part_status::active;
  task_step step = task_step::enrolled;
  task_failure failure = task_failure::none;
  std::uint64_t number = 0;
  bool operator==(const pair_reported&) const = default;
};
struct taskrunner_state_changed {
  static constexpr abi::event event{"StateChanged", {1}};
  std::uint64_t run = 0;
  taskrunner_state state = taskrunner_state::idle;
  bool operator==(const taskrunner_state_changed&) const = default;
};
/// What was said with a reset that ends this run. Comes before that.
struct taskrunner_reset_noted {
  static constexpr abi::event event{"ResetNoted", {1, 2}};
  std::uint64_t run = 0;
  address by;
  std::string note;
  bool operator==(const taskrunner_reset_noted&) const = default;
};
struct taskrunner_reset {
  static constexpr abi::event event{"TaskrunnerReset", {1, 2}};
  std::uint64_t run = 0;
  address by;
  bool operator==(const taskrunner_reset&) const = default;
};

using taskrunner_event =
    std::variant<swop_listens, swop_left, task_assigned, swop_invited, swop_enrolled, swop_reported,
                 pair_reported, taskrunner_state_changed, taskrunner_reset_noted, taskrunner_reset>;

struct taskrunner_interface {
  static constexpr std::string_view name = "Taskrunner";
  using functions =
      type_list<listen_args, unlisten_args, assign_args, assign_to_args, enrol_args, report_args,
                report_pair_args, reset_taskrunner_args, reset_taskrunner_with_note_args,
                last_taskrunner_reset_args, taskrunner_name_args, taskrunner_head_args,
                taskrunner_head_for_args, swops_args, listeners_args, pairs_args>;
  using event = taskrunner_event;
};

} // namespace swarm::contracts
