// Tasks: made of files, line by line, read again.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/host_files.hpp"
#include "actors/swci/commands/reads.hpp"
#include "base/file.hpp"
#include "config/tasks/task.hpp"
#include "contracts/task/client.hpp"

namespace swarm::swci {

namespace {

constexpr std::size_t task_file_bytes_max = 1 << 20;
constexpr std::size_t batch_lines = 4;

contracts::task_type type_of(tasks::task_type type) {
  switch (type) {
  case tasks::task_type::make_swarm_user_content:
    return contracts::task_type::make_swarm_user_content;
  case tasks::task_type::make_user_container:
    return contracts::task_type::make_user_container;
  case tasks::task_type::pull_image:
    return contracts::task_type::pull_image;
  case tasks::task_type::run_node:
    return contracts::task_type::run_node;
  case tasks::task_type::run_swarm:
    break;
  }
  return contracts::task_type::run_swarm;
}

result<> call(network& sns, bytes input, const char* what) {
  return sns.submit(contracts::task_registry_address(), std::move(input), what);
}

result<contracts::task_view> find_task(network& sns, const std::string& name) {
  SWARM_TRY(auto out, read(sns, contracts::task_registry_address(), contracts::task_args{name}));
  if (out.name.empty())
    return fail(errc::not_found, "there is no task '{}': LIST TASKS shows those there are", name);
  return out;
}

/// What a chain does not take is refused before anything is written.
result<> check_for_chain(const tasks::task_definition& task, const std::vector<std::string>& lines) {
  if (!contracts::is_task_name(task.name))
    return fail(errc::invalid, "Name: '{}' has blanks, which the name of a task on the chain has not",
                task.name);
  std::size_t size = 0;
  for (const auto& line : lines)
    size += line.size();
  if (lines.size() > contracts::body_lines_max || size > contracts::body_bytes_max)
    return fail(errc::limit, "Body: {} lines of {} bytes together; the chain takes {} lines of {} bytes",
                lines.size(), size, contracts::body_lines_max, contracts::body_bytes_max);
  return {};
}

/// Appends a body; a task that cannot be completed is taken back.
result<std::vector<answers::task_registered::batch>> append_body(network& sns, const std::string& task,
                                                                 const std::vector<std::string>& lines) {
  std::vector<answers::task_registered::batch> out;
  // Line 0 is there from the start.
  for (std::size_t first = 1; first < lines.size(); first += batch_lines) {
    const auto last = std::min(first + batch_lines, lines.size());
    contracts::append_task_body_args args{task,
                                          static_cast<std::uint32_t>(first),
                                          {lines.begin() + static_cast<std::ptrdiff_t>(first),
                                           lines.begin() + static_cast<std::ptrdiff_t>(last)}};
    if (auto appended = call(sns, contracts::encode(args), "append task body"); !appended) {
      (void)call(sns, contracts::encode(contracts::remove_task_args{task}), "take back a task");
      return fail_with(std::move(appended).error(), fmt::format("the body of '{}' cannot be appended", task));
    }
    out.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last - first)});
  }
  return out;
}

} // namespace

outcome run(const commands::create_task_from& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto file, existing_inside(world.folder, what.file));
  SWARM_TRY(const auto text, read_file(file, task_file_bytes_max));
  auto read = tasks::read_task(text, user_folder::shown(what.file));
  if (!read.value) return tl::unexpected(std::move(read.value).error());
  const auto& task = *read.value;
  const auto lines = tasks::body_lines(task);
  SWARM_CHECK(check_for_chain(task, lines));
  SWARM_CHECK(call(*sns,
                   contracts::encode(contracts::create_task_args{type_of(task.type()), task.name, task.author,
                                                                 task.prereq, task.outcome}),
                   "create task"));
  answers::task_registered out;
  out.task = task.name;
  for (const auto& each : read.warnings)
    out.warnings.push_back(schema::told(each, user_folder::shown(what.file)));
  SWARM_TRY(out.batches, append_body(*sns, task.name, lines));
  return out;
}

outcome run(const commands::create_task& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  const auto type = contracts::parse_task_type(what.type);
  if (!type) return fail(errc::invalid, "'{}' is no type of a task", what.type);
  SWARM_CHECK(call(*sns,
                   contracts::encode(contracts::create_task_args{*type, what.task, what.author,
                                                                 what.prerequisite, what.outcome}),
                   "create task"));
  return answers::done{"Task Registered", what.task};
}

outcome run(const commands::append_task_body& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(call(*sns,
                   contracts::encode(contracts::append_task_body_args{what.task, what.line_num, {what.line}}),
                   "append task body"));
  return answers::done{"TASK BODY APPENDED", what.task};
}

outcome run(const commands::finalize_task& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(call(*sns, contracts::encode(contracts::finalize_task_args{what.task}), "finalize task"));
  return answers::done{"TASK FINALIZED", what.task};
}

outcome run(const commands::delete_task& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(call(*sns, contracts::encode(contracts::remove_task_args{what.task}), "delete task"));
  return answers::done{"TASK DELETED", what.task};
}

outcome run(const commands::get_task_info& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto task, find_task(*sns, what.task));
  SWARM_TRY(const auto when, moments_of(*sns, {task.created_block, task.finalized_block}));
  answers::task_info out;
  out.name = task.name;
  out.type = contracts::to_string(task.type);
  out.author = task.author;
  out.prerequisite = task.prereq;
  out.outcome = task.outcome;
  out.finalized = task.finalized;
  out.lines = task.lines;
  out.body_bytes = task.body_bytes;
  out.created_by = uid_of(task.creator);
  out.organisation = task.organisation_name;
  out.created = when.at(task.created_block);
  out.finalized_at = when.at(task.finalized_block);
  return out;
}

outcome run(const commands::get_task_body& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto task, find_task(*sns, what.task));
  SWARM_TRY(auto lines,
            read_pages(*sns, contracts::task_registry_address(), contracts::page_entries_max,
                       [&](std::size_t first) {
                         return contracts::task_body_args{task.name, first, contracts::page_entries_max};
                       }));
  return answers::task_body{task.name, std::move(lines)};
}

outcome run(const commands::list_tasks&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(auto all, read_pages(*sns, contracts::task_registry_address(), contracts::task_names_max,
                                 [](std::size_t first) {
                                   return contracts::task_names_args{first, contracts::task_names_max};
                                 }));
  return answers::names{"tasks", std::move(all)};
}

} // namespace swarm::swci
