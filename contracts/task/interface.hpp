#pragma once

#include "base/u256.hpp"
#include "contracts/abi/description.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/page.hpp"

#include <optional>

/// interfaces/ITaskRegistry.sol in C++ types; tests/contracts/check_interfaces compares the two.
namespace swarm::contracts {

/// 0x0000000000000000000000000000000000005003, from genesis on.
constexpr address task_registry_address() {
  address out;
  out[18] = 0x50;
  out[19] = 0x03;
  return out;
}

/// The task that every chain has from genesis on, prerequisite of those that need none.
inline constexpr std::string_view root_task_name = "ROOTTASK";
/// Line 0 of every body.
inline constexpr std::string_view task_body_head = "---";

inline constexpr std::uint32_t tasks_max = 65'536; ///< of a chain without organisations
inline constexpr std::uint32_t creator_tasks_max =
    16'384; ///< of an organisation; of an account where there is none
inline constexpr std::uint64_t task_names_max = 1024; ///< in one answer
inline constexpr std::size_t task_text_characters_max = 160;
inline constexpr std::uint32_t body_lines_max = 512;
inline constexpr std::size_t body_line_bytes_max = 1024;
inline constexpr std::size_t body_bytes_max = 65'536;      ///< of all lines together
inline constexpr std::size_t append_lines_max = 64;        ///< in one call
inline constexpr std::size_t append_bytes_max = 16 * 1024; ///< in one call

/// True for 1 to 160 characters without blanks and control characters.
bool is_task_name(std::string_view name);

enum class task_type : std::uint8_t {
  root, ///< only of ROOTTASK
  run_swarm,
  make_user_container,
  make_swarm_user_content,
  pull_image,
  run_node ///< since version 3 of the chain's rules
};
constexpr task_type last_value(task_type) {
  return task_type::run_node;
}
/// The words of task files, "RUN_SWARM" for example; "ROOT" for that of ROOTTASK.
std::string_view to_string(task_type type);
/// The reverse of `to_string`, for the types that a task can be created with.
std::optional<task_type> parse_task_type(std::string_view words);

struct task_view {
  std::string name; ///< empty: there is no such task
  task_type type = task_type::root;
  std::string author;
  std::string prereq; ///< empty only for ROOTTASK
  std::string outcome;
  std::uint32_t lines = 0;
  std::uint32_t body_bytes = 0;
  bool finalized = false;
  address creator; ///< zero for ROOTTASK
  std::uint64_t created_block = 0;
  std::uint64_t finalized_block = 0;
  organisation_id organisation = 0; ///< of the creator when it created the task; 0: the chain has none
  std::string organisation_name;    ///< empty once the organisation was removed
  bool operator==(const task_view&) const = default;
};

struct create_task_args {
  static constexpr abi::call<> function{"create"};
  task_type type = task_type::root;
  std::string name;
  std::string author;
  std::string prereq;
  std::string outcome;
  constexpr std::uint64_t since_rules() const { return type > task_type::pull_image ? 3 : 1; }
};
struct append_task_body_args {
  static constexpr abi::call<> function{"appendBody"};
  std::string name;
  std::uint32_t first = 0;
  std::vector<std::string> lines;
};
struct finalize_task_args {
  static constexpr abi::call<> function{"finalize"};
  std::string name;
};
struct remove_task_args {
  static constexpr abi::call<> function{"remove"};
  std::string name;
};
struct task_args {
  static constexpr abi::view<task_view> function{"task"};
  std::string name;
};
struct task_body_args {
  static constexpr abi::view<std::vector<std::string>> function{"body"};
  std::string name;
  u256 first;
  u256 count;
};
struct task_count_args {
  static constexpr abi::view<u256> function{"count"};
};
struct task_names_args {
  static constexpr abi::view<std::vector<std::string>> function{"names"};
  u256 first;
  u256 count;
};

struct task_created {
  static constexpr abi::event event{"TaskCreated", {2, 3}};
  std::string name;
  address creator;
  task_type type = task_type::root;
  bool operator==(const task_created&) const = default;
};
struct task_body_written {
  static constexpr abi::event event{"TaskBodyWritten", {4}};
  std::string name;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  address by;
  bool operator==(const task_body_written&) const = default;
};
struct task_finalized {
  static constexpr abi::event event{"TaskFinalized", {2}};
  std::string name;
  address by;
  bool operator==(const task_finalized&) const = default;
};
struct task_removed {
  static constexpr abi::event event{"TaskRemoved", {2}};
  std::string name;
  address by;
  bool operator==(const task_removed&) const = default;
};
using task_event = std::variant<task_created, task_body_written, task_finalized, task_removed>;

struct task_registry_interface {
  static constexpr std::string_view name = "TaskRegistry";
  using functions = type_list<create_task_args, append_task_body_args, finalize_task_args, remove_task_args,
                              task_args, task_body_args, task_count_args, task_names_args>;
  using event = task_event;
};

} // namespace swarm::contracts
