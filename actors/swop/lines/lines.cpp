#include "actors/swop/lines/lines.hpp"

#include "actors/supervision/role_actor.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/pair_plan.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

namespace swarm::actors {

namespace {

/// From the server's threads.
struct lines_wanted {
  swop::part_id part;
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

std::vector<swop::program_lines> failed_programs(managers::manager& from, const swop::part_id& part) {
  std::vector<swop::program_lines> out;
  for (const auto& each : from.programs()) {
    const auto name = parse_program_name(each.name);
    if (!name || name->part != part || !each.how) continue;
    const auto why = failure_of(*each.how, name->kind);
    if (why.code == swop::task_failure::none) continue;
    auto lines = from.last_lines(each.name, swop::last_lines_max);
    out.push_back({name->index, name->kind, swop::ended_text(why),
                   lines ? std::move(*lines) : std::vector<std::string>{}});
  }
  return out;
}

caf::behavior lines_behavior(role_actor<lines_state>* self) {
  self->state().context->lines->answered_by([env = self->shared_env(), path = self->path()](
                                                const swop::part_id& part, swop::lines_server::reply reply) {
    return env->dir.send(path, lines_wanted{part, std::move(reply)});
  });
  return {
      [=](const lines_wanted& ask) {
        auto& s = self->state();
        ask.reply(swop::encode_last_lines(failed_programs(*s.context->manager, ask.part)));
        ++s.told;
      },
  };
}

} // namespace

start_function lines_actor(std::shared_ptr<const swop_context> context) {
  return role<lines_state>(lines_behavior, std::move(context));
}

} // namespace swarm::actors
