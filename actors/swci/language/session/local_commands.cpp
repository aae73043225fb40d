#include "actors/swci/language/help.hpp"
#include "actors/swci/language/session/session_machine.hpp"

/// The commands that need nothing but the session itself, and what others change in it.
namespace swarm::swci {

namespace {

template <class... Handlers>
struct cases : Handlers... {
  using Handlers::operator()...;
};

} // namespace

bool session_machine::done_here(const command& what) {
  const auto env_of = [&](const std::string& name) -> const auto& {
    return contexts_.all().at(name).variables;
  };
  const cases handlers{
      [&](const commands::exit_session&) {
        ++count_;
        finish(exit_code_good);
        return true;
      },
      [&](const commands::exit_on_failure& order) {
        exit_on_failure_ = order.on;
        succeeded(answers::exit_on_failure{order.on});
        return true;
      },
      [&](const commands::help& order) {
        succeeded(answers::text{order.command.empty() ? command_names() : help_lines(order.command)});
        return true;
      },
      [&](const commands::show_folder&) {
        succeeded(answers::folder{user_folder::shown(working_)});
        return true;
      },
      [&](const commands::switch_context& order) {
        answer_or_fail(contexts_.make_default(order.context),
                       answers::done{"DEFAULT CONTEXT SET TO", order.context});
        return true;
      },
      [&](const commands::list_contexts&) {
        answers::contexts all;
        for (const auto& [name, entry] : contexts_.all())
          all.all.push_back({name, entry.sn, name == contexts_.default_name()});
        succeeded(std::move(all));
        return true;
      },
      [&](const commands::list_context_env& order) {
        const auto name = contexts_.named(order.context);
        if (!name) return failed(name.error()), true;
        answers::variables all{*name, {}};
        for (const auto& each : env_of(*name))
          all.all.emplace_back(each);
        succeeded(std::move(all));
        return true;
      },
      [&](const commands::get_context_env& order) {
        const auto name = contexts_.named(order.context);
        if (!name) return failed(name.error()), true;
        const auto found = env_of(*name).find(order.variable);
        if (found == env_of(*name).end())
          failed(make_error(errc::not_found,
                            fmt::format("context '{}' has no variable {}", *name, order.variable)));
        else
          succeeded(answers::variables{*name, {*found}});
        return true;
      },
      [&](const commands::set_context_env& order) {
        answer_or_fail(contexts_.set_variable(order.context, order.variable, order.value),
                       answers::done{"VARIABLE SET", order.variable});
        return true;
      },
      [](const auto&) { return false; }};
  return std::visit(handlers, what);
}

result<std::optional<answer>> session_machine::apply(const command& what) {
  if (const auto* create = std::get_if<commands::create_context>(&what)) {
    SWARM_CHECK(contexts_.add(create->context, create->sn));
    return answers::done{"CONTEXT CREATED", create->context};
  }
  if (const auto* change = std::get_if<commands::change_folder>(&what)) {
    working_ = change->folder;
    return answers::folder{user_folder::shown(working_), true};
  }
  return std::nullopt;
}

} // namespace swarm::swci
