#include "actors/swop/managers/kubernetes/testing/cluster_room.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

namespace swarm::managers::testing {

namespace fs = std::filesystem;

cluster_room::cluster_room(kubernetes::testing::cluster& in, std::string owner)
    : api_(in.api()), owner_(std::move(owner)) {
  REQUIRE(::chmod(where().c_str(), 0755) == 0);
  fs::create_directories(channels() / "one" / "channel");
  restart();
}

cluster_room::~cluster_room() {
  clean_up();
  manager_.reset(); // its threads call this
}

void cluster_room::restart() {
  manager_.reset();
  kubernetes_manager_options options;
  options.api = api_;
  options.folder = where() / "programs";
  options.owner = owner_;
  options.hidden = {where() / "data"};
  options.shown = {where() / "data" / "volumes"};
  options.place_of = [](const std::string& name) {
    const auto end = name.find('.');
    return end == std::string::npos ? pod_place{.pod = name}
                                    : pod_place{name.substr(0, end), name.substr(end + 1), 2};
  };
  options.places.channels = channels();
  options.own_pod = own_pod_;
  options.start_patience = start_patience_;
  options.image_patience = image_patience_;
  options.tell = [this](std::string text) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(text));
  };
  auto made = make_kubernetes_manager(std::move(options), listener());
  REQUIRE(made);
  manager_ = std::move(*made);
}

void cluster_room::patience(std::chrono::milliseconds start, std::chrono::milliseconds image) {
  start_patience_ = start;
  image_patience_ = image;
  restart();
}

void cluster_room::be_in(std::string pod) {
  own_pod_ = std::move(pod);
  restart();
}

std::vector<std::string> cluster_room::told() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

program_spec cluster_room::words(std::vector<std::string> argv, std::string name) const {
  program_spec out;
  out.name = std::move(name);
  out.container.emplace();
  out.container->image = "registry.example/user-env:1";
  out.container->entrypoint = {argv.front()};
  out.argv.assign(argv.begin() + 1, argv.end());
  out.working_directory = "/tmp";
  out.uid = out.gid = program_uid();
  return out;
}

program_spec cluster_room::shell(std::string command, std::string name) const {
  return words({"sh", "-c", std::move(command)}, std::move(name));
}

} // namespace swarm::managers::testing
