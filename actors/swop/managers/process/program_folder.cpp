#include "actors/swop/managers/process/program_folder.hpp"

#include "actors/swop/managers/process/output_log.hpp"
#include "actors/swop/managers/process/spec_json.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::managers {

namespace fs = std::filesystem;

result<> program_folder::make(const program_spec& spec) const {
  if (::mkdir(where_.c_str(), 0700) != 0) {
    if (errno == EEXIST)
      return fail(manager_errc::name_taken, "{}: there is such a program already; remove it first",
                  spec.name);
    return fail(manager_errc::io, "{}: cannot be made: {}", where_.native(), std::strerror(errno));
  }
  SWARM_CHECK(create_file(spec_file(), as_bytes(write_spec(spec))));
  return sync_folder(where_.parent_path());
}

result<program_spec> program_folder::spec() const {
  SWARM_TRY(const auto text, read_file(spec_file(), spec_bytes_max, open_as::no_links));
  return read_spec(text);
}

result<shim_state> program_folder::state() const {
  SWARM_TRY(const auto text, read_file(state_file(), state_bytes_max, open_as::no_links));
  return read_state(text);
}

result<> program_folder::write(const shim_state& state) const {
  return replace_file(state_file(), as_bytes(write_state(state)));
}

result<> program_folder::put_room_aside() const {
  free_room();
  SWARM_TRY(const auto reserve, file::create(where_ / "reserve"));
  return reserve.reserve(4 * state_bytes_max);
}

void program_folder::free_room() const {
  std::ignore = remove_file(where_ / "reserve");
}

bool program_folder::has_shim() const {
  std::error_code ignored;
  if (!fs::exists(lock_file(), ignored)) return false;
  const auto lock = file::lock(lock_file());
  return !lock && lock.error().is(file_errc::locked);
}

fs::path program_folder::output(const program_spec& spec) const {
  return spec.output.folder.empty() ? where_ : fs::path(spec.output.folder);
}

result<> program_folder::remove() const {
  // A shim that comes up at this moment has the lock, or gets it when there is no specification left.
  const auto lock = file::lock(lock_file());
  if (!lock && lock.error().is(file_errc::locked))
    return fail(manager_errc::still_running, "{}: still runs; stop it first", where_.filename().native());
  remove_output(where_);
  for (const char* name : {"control", "reserve", "state.json", "state.json.new", "lock", "spec.json"})
    SWARM_CHECK(remove_file(where_ / name));
  std::error_code problem;
  // `create_file` may have been killed before it gave the specification its name.
  for (const auto& each : fs::directory_iterator(where_, problem))
    if (each.path().filename().string().starts_with("spec.json.")) std::ignore = remove_file(each.path());
  if (::rmdir(where_.c_str()) != 0 && errno != ENOENT)
    return fail(manager_errc::io,
                "{}: cannot be removed: {}; it holds what is not the manager's, move it away",
                where_.native(), std::strerror(errno));
  return sync_folder(where_.parent_path());
}

program program_in(const program_folder& folder, const std::string& name) {
  program out{.name = name};
  const bool watched = folder.has_shim();
  const auto state = folder.state(); // read after the shim was looked for: what it wrote last is in it
  const auto* ended = state ? std::get_if<shim_state::ended>(&state->phase) : nullptr;
  const auto* running = state ? std::get_if<shim_state::running>(&state->phase) : nullptr;
  if (ended != nullptr) {
    out.phase = program_phase::ended;
    out.started_ms = ended->started_ms;
    out.ended_ms = ended->ended_ms;
    out.how = ended->how;
    return out;
  }
  if (running != nullptr) out.started_ms = running->started_ms;
  if (watched) {
    out.phase = running == nullptr ? program_phase::starting : program_phase::running;
    return out;
  }
  out.phase = program_phase::ended;
  out.how = ending{.cause = running == nullptr ? ending_cause::not_started : ending_cause::lost};
  if (!state && !state.error().is(file_errc::not_found)) {
    out.how = ending{.cause = ending_cause::lost, .message = state.error().message};
  } else if (running != nullptr) {
    out.how->message = state->boot == boot_id() ? "who watched it was killed; it ended with it"
                                                : "the host was started anew in the meantime";
  }
  return out;
}

std::optional<unique_fd> left_behind(const shim_state& state) {
  const auto* running = std::get_if<shim_state::running>(&state.phase);
  if (running == nullptr || state.boot != boot_id()) return std::nullopt;
  return open_process(running->init);
}

} // namespace swarm::managers
