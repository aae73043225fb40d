#include "actors/swop/managers/process/testing/program_room.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

namespace swarm::managers::testing {

namespace fs = std::filesystem;

program_room::program_room(const prologue& before) {
  REQUIRE(::chmod(where_.c_str(), 0755) == 0);
  if (before) before(where_ / "programs", shell("exec sleep 600"));
  make_manager({});
}

program_room::~program_room() {
  clean_up();
}

void program_room::make_manager(const fs::path& shim) {
  manager_.reset();
  process_manager_options options;
  options.folder = where_ / "programs";
  options.shim = shim;
  options.hidden = {where_ / "data"};
  options.volumes = {where_ / "data" / "volumes"};
  options.uid = options.gid = program_uid();
  auto made = make_process_manager(std::move(options), listener());
  REQUIRE(made);
  manager_ = std::move(*made);
}

bool program_room::has_sandboxes() {
  static const bool there = [] {
    program_room room;
    const auto can = room.manager().check();
    if (!can) MESSAGE("not tried: no sandboxes on this host: ", can.error().message);
    return can.has_value();
  }();
  return there;
}

void program_room::restart() {
  make_manager({});
}

void program_room::use_shim(const fs::path& shim) {
  make_manager(shim);
}

program_spec program_room::words(std::vector<std::string> argv, std::string name) const {
  program_spec out;
  out.name = std::move(name);
  out.argv = std::move(argv);
  out.working_directory = "/tmp";
  out.uid = out.gid = program_uid();
  return out;
}

program_spec program_room::shell(std::string command, std::string name) const {
  return words({"/bin/sh", "-c", std::move(command)}, std::move(name));
}

} // namespace swarm::managers::testing
