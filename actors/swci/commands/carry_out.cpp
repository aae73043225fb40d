#include "actors/swci/commands/groups.hpp"

namespace swarm::swci {

namespace {

template <class Command>
concept is_carried_out = requires(const Command& what, command_world& world) {
  run(what, world);
};

} // namespace

result<std::optional<answer>> carry_out(const command& what, command_world& world) {
  return std::visit(
      [&](const auto& each) -> outcome {
        if constexpr (is_carried_out<std::decay_t<decltype(each)>>)
          return run(each, world);
        else
          return fail(errc::internal, "the session does that itself");
      },
      what);
}

} // namespace swarm::swci
