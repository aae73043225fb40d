#include "actors/swop/lines/lines.hpp"

#include "actors/supervision/role_actor.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/pair_plan.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

namespace swarm::actors {

namespace {

/// From the server's threads.
struct lines_wanted {
  swop::lines_wish wish;
  swop::lines_server::reply reply;
};

} // namespace

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::lines_wanted)

namespace swarm::actors {

namespace {

struct lines_state {
  explicit lines_state(std::shared_ptr<const swop_context> from) : context(std::move(from)) {}
  ~lines_state() { context->lines->answered_by({}); }

  std::string status() const {
    return fmt::format("at port {}, {} told, {} refused", context->lines->port(), told,
                       context->lines->refused());
  }

  std::shared_ptr<const swop_context> context;
  std::uint64_t told = 0;
};

/// How it ended, in words; none of a program whose lines are not wished for.
std::optional<std::string> end_of(const managers::program& program, swop::program_kind kind, bool of_all) {
  const auto why = program.how ? failure_of(*program.how, kind) : swop::failure{};
  if (why.code != swop::task_failure::none) return swop::ended_text(why);
  if (!of_all) return std::nullopt;
  return program.how ? "ended" : "";
}

std::vector<swop::program_lines> programs_of(managers::manager& from, const swop::lines_wish& wish) {
  const auto lines_max = wish.of_all ? swop::followed_lines_max : swop::last_lines_max;
  std::vector<swop::program_lines> out;
  for (const auto& each : from.programs()) {
    const auto name = parse_program_name(each.name);
    if (!name || name->part != wish.part) continue;
    auto ended = end_of(each, name->kind, wish.of_all);
    if (!ended) continue;
    auto lines = from.last_lines(each.name, lines_max);
    out.push_back({name->index, name->kind, std::move(*ended),
                   lines ? std::move(*lines) : std::vector<std::string>{}, name->node});
  }
  return out;
}

caf::behavior lines_behavior(role_actor<lines_state>* self) {
  self->state().context->lines->answered_by(
      [env = self->shared_env(), path = self->path()](const swop::lines_wish& wish,
                                                      swop::lines_server::reply reply) {
        return env->dir.send(path, lines_wanted{wish, std::move(reply)});
      });
  return {
      [=](const lines_wanted& ask) {
        auto& s = self->state();
        ask.reply(swop::encode_last_lines(programs_of(*s.context->manager, ask.wish),
                                          ask.wish.of_all ? swop::followed_lines_max : swop::last_lines_max));
        ++s.told;
      },
  };
}

} // namespace

start_function lines_actor(std::shared_ptr<const swop_context> context) {
  return role<lines_state>(lines_behavior, std::move(context));
}

} // namespace swarm::actors
