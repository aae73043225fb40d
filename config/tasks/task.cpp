#include "config/tasks/task.hpp"

#include "config/schema/schemas.hpp"
#include "config/schema/yaml_lines.hpp"
#include "config/tasks/detail/fields.hpp"
#include "config/tasks/detail/task_body.hpp"
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace swarm::tasks {

using schema::value;
using schema::value_type;

namespace {

constexpr std::array<std::string_view, 5> type_names{"RUN_SWARM", "MAKE_SWARM_USER_CONTENT",
                                                     "MAKE_USER_CONTAINER", "PULL_IMAGE", "RUN_NODE"};

void warn_of_body(detail::checked_document& document, const value& body) {
  for (const auto* key : {"WorkingDir", "PrivateContent"})
    detail::warn_if_relative(document, body.find(key), fmt::format("Body.{}", key));
  if (const auto* shared = body.find("SharedContent"))
    for (std::size_t i = 0; i < shared->items.size(); ++i)
      detail::warn_if_relative(document, shared->items[i].find("Tgt"),
                               fmt::format("Body.SharedContent[{}].Tgt", i));
}

reading<task_definition> finish(detail::checked_document document, std::string_view name,
                                schema::line_numbers as = schema::line_numbers::of_file) {
  if (!document.errors.empty()) {
    auto problem = detail::refused(document, name, as);
    return {tl::unexpected(std::move(problem)), std::move(document.errors), std::move(document.warnings)};
  }
  const auto& body = *document.root.find("Body");
  warn_of_body(document, body);
  task_definition out;
  out.name = detail::text_of(document.root, "Name");
  out.author = detail::text_of(document.root, "Author");
  out.prereq = detail::text_of(document.root, "Prereq");
  out.outcome = detail::text_of(document.root, "Outcome");
  out.body = detail::read_body(*task_type_of(detail::text_of(document.root, "TaskType")), body);
  return {std::move(out), {}, std::move(document.warnings)};
}

value whole_task(const task_head& head, value body) {
  std::vector<value::member> members;
  const auto add = [&](std::string_view key, std::string_view text) {
    members.push_back({std::string(key), 0, schema::make_text(std::string(text))});
  };
  add("Name", head.name);
  add("TaskType", name_of(head.type));
  add("Author", head.author);
  add("Prereq", head.prereq);
  add("Outcome", head.outcome);
  members.push_back({"Body", body.line, std::move(body)});
  return schema::make_mapping(std::move(members));
}

} // namespace

std::string_view name_of(task_type type) {
  return type_names.at(static_cast<std::size_t>(type));
}

std::optional<task_type> task_type_of(std::string_view name) {
  const auto found = std::find(type_names.begin(), type_names.end(), name);
  if (found == type_names.end()) return std::nullopt;
  return static_cast<task_type>(found - type_names.begin());
}

reading<task_definition> read_task(std::string_view text, std::string_view name) {
  return finish(detail::read_and_check(text, schema::task_schema()), name);
}

std::vector<std::string> body_lines(const task_definition& task) {
  return schema::yaml_lines(detail::body_value(task.body), body_line_bytes_max);
}

reading<task_definition> task_of(const task_head& head, std::span<const std::string> lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + '\n';
  auto document = detail::read_alone(text, "Body");
  if (document.errors.empty()) {
    document.root = whole_task(head, std::move(document.root));
    detail::tolerate_and_check(document, schema::task_schema());
  }
  return finish(std::move(document), fmt::format("task {}", config::printable(head.name)),
                schema::line_numbers::of_task_body);
}

} // namespace swarm::tasks
