#include "actors/swop/plan/failures.hpp"

#include "actors/swop/content/errors.hpp"
#include "actors/swop/lines/last_lines.hpp"
#include "actors/swop/managers/docker/volumes/engine_volumes.hpp"
#include "actors/swop/managers/process/build/environment.hpp"
#include "actors/swop/plan/pair_plan.hpp"
#include "base/file.hpp"
#include "config/tasks/task_policy.hpp"

namespace swarm::actors {

using swop::program_kind;

namespace {

task_failure code_of(plan_errc code) {
  switch (code) {
  case plan_errc::path_not_allowed:
    return task_failure::path_not_allowed;
  case plan_errc::path_missing:
    return task_failure::path_missing;
  case plan_errc::volume_missing:
    return task_failure::volume_missing;
  case plan_errc::prerequisite_missing:
    return task_failure::prerequisite_missing;
  case plan_errc::task_not_valid:
    return task_failure::task_not_valid;
  case plan_errc::needs_container_engine:
    return task_failure::needs_container_engine;
  case plan_errc::disk_failed:
    return task_failure::disk_failed;
  }
  return task_failure::swop_failed;
}

task_failure code_of(managers::manager_errc code) {
  using enum managers::manager_errc;
  switch (code) {
  case path_missing:
    return task_failure::path_missing;
  case path_not_allowed:
    return task_failure::path_not_allowed;
  case not_installed:
  case forbidden:
    return task_failure::sandbox_forbidden;
  case io:
    return task_failure::disk_failed;
  default:
    return task_failure::cannot_start;
  }
}

task_failure code_of(engine::engine_errc code) {
  using enum engine::engine_errc;
  switch (code) {
  case absent:
  case too_old:
  case died:
    return task_failure::needs_container_engine;
  case forbidden:
    return task_failure::sandbox_forbidden;
  case stopped:
    return task_failure::swop_stopped;
  case not_found:
    return task_failure::prerequisite_missing;
  default:
    return task_failure::swop_failed;
  }
}

task_failure code_of(content::content_errc code) {
  using enum content::content_errc;
  switch (code) {
  case bad_operation:
  case bad_url:
    return task_failure::task_not_valid;
  case forbidden_path:
    return task_failure::path_not_allowed;
  case too_large:
  case archive_bomb:
    return task_failure::too_large;
  case wrong_digest:
    return task_failure::wrong_checksum;
  case bad_archive:
  case unsafe_archive:
    return task_failure::archive_refused;
  case no_such_file:
    return task_failure::path_missing;
  case no_volume:
  case volume_in_use:
    return task_failure::volume_missing;
  case stopped:
    return task_failure::swop_stopped;
  default:
    return task_failure::download_failed;
  }
}

task_failure code_of(build::build_errc code) {
  using enum build::build_errc;
  switch (code) {
  case needs_engine:
    return task_failure::needs_container_engine;
  case no_environment:
    return task_failure::prerequisite_missing;
  case stopped:
    return task_failure::swop_stopped;
  case out_of_time:
    return task_failure::time_limit;
  default:
    return task_failure::build_failed;
  }
}

template <class Code>
bool is_of(const error& why) {
  return why.category == error_category(Code{});
}

} // namespace

swop::failure failure_of(const error& why) {
  if (why.is(tasks::policy_errc::not_allowed)) return {task_failure::not_allowed, 0};
  if (is_of<task_failure>(why)) return {static_cast<task_failure>(why.code), 0};
  if (is_of<plan_errc>(why)) return {code_of(static_cast<plan_errc>(why.code)), 0};
  if (is_of<managers::manager_errc>(why)) return {code_of(static_cast<managers::manager_errc>(why.code)), 0};
  if (is_of<engine::engine_errc>(why)) return {code_of(static_cast<engine::engine_errc>(why.code)), 0};
  if (is_of<engine::volume_errc>(why)) return {task_failure::volume_missing, 0};
  if (is_of<content::content_errc>(why)) return {code_of(static_cast<content::content_errc>(why.code)), 0};
  if (is_of<build::build_errc>(why)) return {code_of(static_cast<build::build_errc>(why.code)), 0};
  if (is_of<file_errc>(why)) return {task_failure::disk_failed, 0};
  return {task_failure::swop_failed, 0};
}

swop::failure failure_of(const managers::ending& how, program_kind kind) {
  using enum managers::ending_cause;
  const auto exited = [&](std::uint64_t code) -> swop::failure {
    if (code == 0) return {};
    return {kind == program_kind::sl ? task_failure::sl_exited : task_failure::program_exited, code};
  };
  switch (how.cause) {
  case itself:
    if (!how.signal) return exited(static_cast<std::uint64_t>(how.exit_code.value_or(0)));
    if (kind == program_kind::sl) return exited(128 + static_cast<std::uint64_t>(*how.signal));
    return {task_failure::program_killed, static_cast<std::uint64_t>(*how.signal)};
  case told: // a program never is while all is well
    return kind != program_kind::ml ? swop::failure{} : swop::failure{task_failure::swop_stopped, 0};
  case deadline:
    return {task_failure::time_limit, 0};
  case out_of_memory:
    return {task_failure::out_of_memory, 0};
  case process_limit:
  case not_started:
  case no_such_command:
    return {task_failure::cannot_start, 0};
  case lost:
    return {task_failure::processes_lost, 0};
  }
  return {task_failure::swop_failed, 0};
}

std::string ended_with_lines(managers::manager& of, const managers::program& one, program_kind kind) {
  const auto why = one.how ? failure_of(*one.how, kind) : swop::failure{};
  std::string text;
  if (const auto lines = of.last_lines(one.name, swop::last_lines_max))
    for (const auto& line : *lines)
      text += "\n    " + line;
  const auto more = one.how && !one.how->message.empty() ? fmt::format(" ({})", one.how->message) : "";
  return fmt::format("{}{}{}", why.code == task_failure::none ? "as it was told" : swop::ended_text(why),
                     more, text.empty() ? std::string("; it wrote nothing") : "; its last lines:" + text);
}

} // namespace swarm::actors
