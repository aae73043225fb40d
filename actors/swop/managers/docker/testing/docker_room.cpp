#include "actors/swop/managers/docker/testing/docker_room.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

namespace swarm::managers::testing {

docker_room::docker_room(engine::testing::real_engine& on, std::string owner)
    : client_(std::make_shared<engine::client>(on.socket())), owner_(std::move(owner)), image_(on.image()) {
  REQUIRE(::chmod(folder_.path().c_str(), 0755) == 0);
  restart();
}

docker_room::~docker_room() {
  clean_up();
}

void docker_room::restart() {
  manager_.reset();
  auto made = make_docker_manager({.engine = client_,
                                   .owner = owner_,
                                   .folder = folder_ / "programs",
                                   .prefix = "swop-" + owner_ + "-",
                                   .hidden = {folder_ / "data"},
                                   .shown = {folder_ / "data/volumes"}},
                                  listener());
  REQUIRE(made);
  manager_ = std::move(*made);
}

program_spec docker_room::words(std::vector<std::string> argv, std::string name) const {
  program_spec out;
  out.name = std::move(name);
  out.container.emplace();
  out.container->image = image_;
  out.container->network = "host";
  out.container->entrypoint = {argv.front()};
  out.argv.assign(argv.begin() + 1, argv.end());
  out.working_directory = "/tmp";
  out.uid = out.gid = program_uid();
  return out;
}

program_spec docker_room::shell(std::string command, std::string name) const {
  return words({"sh", "-c", std::move(command)}, std::move(name));
}

} // namespace swarm::managers::testing
