#include "actors/ui/acting/act.hpp"

#include "actors/swci/commands/votes.hpp"
#include "actors/swci/commands/world.hpp"
#include "actors/swci/language/render/render.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "config/tasks/task.hpp"
#include "transport/tls/trust_anchors.hpp"

#include <algorithm>

namespace swarm::ui {

namespace json = boost::json;
namespace commands = swci::commands;

namespace {

constexpr std::string_view task_file = "task.yaml";
constexpr std::string_view anchors_file = "anchors.pem";
constexpr std::string_view task_shown = "the task";

json::value answer_of(std::string done, const std::vector<std::string>& warnings = {}) {
  json::object out{{"done", std::move(done)}};
  if (!warnings.empty()) out["warnings"] = json::array(warnings.begin(), warnings.end());
  return out;
}

/// What the file of an order is called in messages.
std::string named(std::string text) {
  const auto shown = swci::user_folder::shown(task_file);
  for (auto at = text.find(shown); at != std::string::npos; at = text.find(shown, at))
    text.replace(at, shown.size(), task_shown);
  return text;
}

std::string text_of(const swci::answer& from) {
  std::string out;
  for (const auto& line : swci::text_of(from, true))
    out += (out.empty() ? "" : "; ") + line;
  return out;
}

/// One order, carried out by commands of SWCI.
class carrier {
public:
  explicit carrier(const acting& with) : with_(with) {}

  result<json::value> operator()(const order::create_contract& what) {
    return run(commands::create_contract{what.contract});
  }
  result<json::value> operator()(const order::reset_contract& what) {
    return run(commands::reset_contract{what.contract, what.note});
  }
  result<json::value> operator()(const order::invite& what) {
    return run(commands::invite{what.organisation, what.contract});
  }
  result<json::value> operator()(const order::verify_merges& what) {
    using enum contracts::verify_mode;
    const auto when = what.when == off      ? commands::when_verified::never
                      : what.when == behind ? commands::when_verified::behind
                                            : commands::when_verified::before;
    return run(commands::verify_merges{what.contract, when});
  }
  result<json::value> operator()(const order::create_task& what);
  result<json::value> operator()(const order::finalize_task& what) {
    return run(commands::finalize_task{what.task});
  }
  result<json::value> operator()(const order::delete_task& what) {
    return run(commands::delete_task{what.task});
  }
  result<json::value> operator()(const order::create_taskrunner& what) {
    return run(commands::create_taskrunner{what.taskrunner});
  }
  result<json::value> operator()(const order::reset_taskrunner& what) {
    return run(commands::reset_taskrunner{what.taskrunner, what.note});
  }
  result<json::value> operator()(const order::assign_task& what) {
    commands::assign_task out{what.task, what.taskrunner, commands::with_all_peers{}};
    if (what.peers) out.to = commands::with_peers{static_cast<std::uint32_t>(*what.peers)};
    if (what.swop) out.to = commands::one_swop{*what.swop};
    return run(out);
  }
  result<json::value> operator()(const order::admit_organisation& what) {
    SWARM_TRY(auto anchors, anchors_of(what.anchors));
    return run(commands::admit_organisation{what.organisation, std::move(anchors)});
  }
  result<json::value> operator()(const order::remove_organisation& what) {
    return run(commands::remove_organisation{what.organisation});
  }
  result<json::value> operator()(const order::replace_ca& what) {
    SWARM_TRY(auto anchors, anchors_of(what.anchors));
    return run(commands::replace_ca{what.organisation, std::move(anchors)});
  }
  result<json::value> operator()(const order::remove_node& what) {
    return run(commands::remove_node{what.node});
  }
  result<json::value> operator()(const order::vote_for& what) {
    SWARM_TRY(const auto answered, swci::vote_for(with_.sns, what.motion));
    return answer_of(answered ? text_of(*answered) : std::string{});
  }

private:
  /// What the command answers.
  result<std::string> carry_out(const swci::command& what) {
    swci::command_world world{.contexts = {}, .folder = swci::user_folder(with_.folder.native())};
    world.sns = &with_.sns;
    world.stop = with_.stop;
    world.say = [this](const swci::answer& said) { warnings_.push_back(text_of(said)); };
    world.show_anew = world.say;
    world.waits = [] {};
    auto answered = swci::carry_out(what, world);
    if (!answered) {
      auto why = std::move(answered).error();
      why.message = named(std::move(why.message));
      return tl::unexpected(std::move(why));
    }
    if (!*answered) return std::string{};
    if (const auto* task = std::get_if<swci::answers::task_registered>(&**answered))
      for (const auto& each : task->warnings)
        warnings_.push_back(named(each));
    return text_of(**answered);
  }
  result<json::value> run(const swci::command& what) {
    SWARM_TRY(auto done, carry_out(what));
    return answer_of(std::move(done), warnings_);
  }
  /// What a command takes as its file: a trust domain as it is named, or the file with this PEM text.
  result<std::string> anchors_of(const std::string& given) const {
    if (transport::names_trust_domain(given)) return given;
    SWARM_CHECK(keep(anchors_file, given));
    return std::string(anchors_file);
  }
  result<> keep(std::string_view name, const std::string& content) const {
    SWARM_CHECK(make_folders(with_.folder, 0700));
    return replace_file(with_.folder / name, as_bytes(content));
  }

  const acting& with_;
  std::vector<std::string> warnings_;
};

result<json::value> carrier::operator()(const order::create_task& what) {
  auto read = tasks::read_task(what.yaml, std::string(task_shown));
  if (!read.value) return tl::unexpected(std::move(read.value).error());
  for (const auto& each : read.warnings)
    warnings_.push_back(schema::told(each, task_shown));
  const auto name = read.value->name;
  if (what.dry_run) return answer_of(fmt::format("the task {} could be created", name), warnings_);
  warnings_.clear(); // the command says them again
  SWARM_CHECK(keep(task_file, what.yaml));
  SWARM_CHECK(carry_out(commands::create_task_from{std::string(task_file)}));
  if (!what.finalize) return answer_of("TASK CREATED : " + name, warnings_);
  SWARM_CHECK(carry_out(commands::finalize_task{name}));
  return answer_of("TASK FINALIZED : " + name, warnings_);
}

} // namespace

result<json::value> act(const any_order& what, const std::string& by, const acting& with) {
  auto done = std::visit(carrier(with), what);
  const auto outcome = done ? json::serialize(*done) : done.error().message;
  log::info(with.log_source, "an order of {}: {}", swci::one_line(by), swci::one_line(outcome));
  return done;
}

} // namespace swarm::ui
