#include "actors/swop/managers/process/folder_manager.hpp"

#include "actors/swop/managers/process/output_log.hpp"
#include "actors/swop/managers/process/spec_json.hpp"

#include <algorithm>

namespace swarm::managers {

namespace fs = std::filesystem;

std::vector<std::string> folder_manager::names() const {
  std::vector<std::string> out;
  std::error_code problem;
  for (const auto& each : fs::directory_iterator(folder_, problem))
    if (auto name = each.path().filename().string(); is_program_name(name) && each.is_directory(problem))
      out.push_back(std::move(name));
  std::ranges::sort(out);
  return out;
}

std::vector<program> folder_manager::programs() {
  std::vector<program> out;
  for (const auto& each : names())
    out.push_back(program_of(each));
  return out;
}

result<> folder_manager::check_there(const std::string& name) const {
  std::error_code ignored;
  if (is_program_name(name) && fs::is_directory(folder_ / name, ignored)) return {};
  return fail(manager_errc::no_such_program, "{}: there is no such program", name);
}

result<program> folder_manager::look(const std::string& name) {
  SWARM_CHECK(check_there(name));
  return program_of(name);
}

result<std::vector<std::string>> folder_manager::last_lines(const std::string& name, std::size_t count) {
  SWARM_CHECK(check_there(name));
  const auto in = folder_of(name);
  const auto spec = in.spec();
  return last_lines_in(spec ? in.output(*spec) : in.where(), count);
}

result<> folder_manager::remove(const std::string& name) {
  SWARM_CHECK(check_there(name));
  if (program_of(name).phase != program_phase::ended)
    return fail(manager_errc::still_running, "{}: still runs; stop it first", name);
  return forget(folder_of(name));
}

} // namespace swarm::managers
