// The process that process.test.cpp starts: supervision_playground MODE

#include "actors/supervision/process.hpp"
#include "actors/supervision/role_actor.hpp"
#include "base/log.hpp"

#include <stdexcept>
#include <thread>

struct hang {};
struct announce {};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hang)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(announce)

using namespace swarm;
using namespace swarm::actors;
using namespace std::chrono_literals;

namespace {

struct player_state {
  player_state(std::string mine, std::string what) : name(std::move(mine)), mode(std::move(what)) {
    if (mode == "give-up") throw std::runtime_error("nothing to play with");
  }
  ~player_state() { log::info("swarm.test", "state of {} is gone", name); }
  std::string name;
  std::string mode;
};

caf::behavior player(role_actor<player_state>* self) {
  if (self->state().mode == "end-role") self->end_role(0, "training over");
  if (self->state().mode.starts_with("stuck")) self->send(self, hang{});
  if (self->state().mode == "good") self->send(self, announce{});
  return {
      [](announce) { log::info("swarm.test", "playing"); },
      [self](hang) {
        if (self->state().mode == "stuck-end") self->end_process(0, "enough played");
        log::info("swarm.test", "playing");
        for (;;)
          std::this_thread::sleep_for(1h);
      },
  };
}

int play(const std::string& mode) {
  if (mode == "throw") throw std::runtime_error("nothing works");
  const bool is_patient = mode == "stuck-patient" || mode == "stuck-end";
  const auto part = [=](std::string name, std::string how) {
    return child_spec{.name = name,
                      .start = role<player_state>(player, name, how),
                      .shutdown_timeout = is_patient ? 1h : std::chrono::milliseconds(50)};
  };
  supervisor_spec sl{.name = "sl", .intensity = {0, 10s}, .children = {part("a", "quiet"), part("b", mode)}};
  process_options options;
  options.log_source = "swarm.test";
  options.stop_limit = mode == "stuck-long" ? std::chrono::milliseconds(1h) : 200ms;
  if (mode == "stuck-all") options.threads = 1;
  return run_process({.name = "root", .intensity = {0, 10s}, .children = {nested(sl)}}, options);
}

} // namespace

int main(int argc, char** argv) {
  return run_main("playground", [&] { return play(argc > 1 ? argv[1] : ""); });
}
