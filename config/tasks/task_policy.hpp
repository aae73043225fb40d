#pragma once

#include "base/result.hpp"
#include "config/schema/finding.hpp"
#include "config/tasks/task.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::tasks {

/// Whose tasks a SWOP carries out: the rules of the file that `policyuri` of its profile names.
struct task_policy {
  struct rule {
    std::vector<std::string> organisations; ///< names in small letters; '*' stands for any characters
    std::vector<task_type> types;           ///< empty: all
    bool take = false;
    std::size_t line = 0;
  };
  std::string file;
  std::vector<rule> rules;
};

/// Fails unless a task of this type and of the organisation with this name is taken; the message names file and line of
/// the rule. A chain without organisations has tasks of none, whose name is empty: only '*' fits them.
result<> allows(const task_policy& policy, std::string_view organisation, task_type type);

enum class policy_errc {
  not_a_document = 1, ///< it is not YAML that is read here
  against_schema,     ///< it breaks rules of config/schema/task-policy.schema.json
  not_allowed,        ///< a task is not taken
};
constexpr std::string_view error_category(policy_errc) {
  return "task policy";
}

inline constexpr std::size_t policy_bytes_max = 1024 * 1024;

struct policy_read {
  /// The rules, or an error whose message has a line for each thing that is wrong: file, line, column, what to do.
  result<task_policy> value;
  schema::findings warnings; ///< what was tolerated
};

/// Reads the text of a policy; `name` is the file's, for messages.
policy_read read_task_policy(std::string_view text, std::string_view name);

} // namespace swarm::tasks
