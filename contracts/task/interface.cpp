#include "contracts/task/interface.hpp"

#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {
constexpr std::array<std::string_view, 6> type_names{
    "ROOT", "RUN_SWARM", "MAKE_USER_CONTAINER", "MAKE_SWARM_USER_CONTENT", "PULL_IMAGE", "RUN_NODE"};
static_assert(type_names.size() == static_cast<std::size_t>(last_value(task_type{})) + 1);
} // namespace

std::string_view to_string(task_type type) {
  return type_names.at(static_cast<std::size_t>(type));
}

std::optional<task_type> parse_task_type(std::string_view words) {
  const auto* found = std::find(type_names.begin() + 1, type_names.end(), words);
  if (found == type_names.end()) return std::nullopt;
  return static_cast<task_type>(found - type_names.begin());
}

bool is_task_name(std::string_view name) {
  return !name.empty() && name.find(' ') == std::string_view::npos
         && check_characters("name", name, task_text_characters_max).has_value();
}

} // namespace swarm::contracts
