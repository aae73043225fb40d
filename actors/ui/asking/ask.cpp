#include "actors/ui/asking/ask.hpp"

#include "actors/swci/commands/reads.hpp"
#include "actors/swop/lines/own_log.hpp"
#include "actors/ui/asking/anchors.hpp"
#include "actors/ui/asking/ledger.hpp"
#include "actors/ui/asking/logs.hpp"
#include "actors/ui/asking/merges.hpp"
#include "actors/ui/asking/offers.hpp"
#include "actors/ui/asking/versions.hpp"
#include "actors/ui/views/pictures.hpp"
#include "base/log_tail.hpp"
#include "contracts/task/client.hpp"

#include <array>

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::size_t log_lines_max = 500; ///< in one answer

/// One question.
class answerer {
public:
  explicit answerer(const asking& with) : with_(with) {}

  result<json::value> operator()(const question::rounds& what) { return from_history(what); }
  result<json::value> operator()(const question::series& what) { return from_history(what); }
  result<json::value> operator()(const question::runs& what) { return from_history(what); }
  result<json::value> operator()(const question::block& what) {
    return block_json(with_.sns, what.block_num);
  }
  result<json::value> operator()(const question::blocks& what) {
    return blocks_json(with_.sns, what.before, what.count);
  }
  result<json::value> operator()(const question::transaction& what) {
    return transaction_json(with_.sns, what.hash);
  }
  result<json::value> operator()(const question::task& what);
  result<json::value> operator()(const question::last_lines& what);
  result<json::value> operator()(const question::proof& what) { return proof_json(what, with_); }
  result<json::value> operator()(const question::model& what) { return model_json(what, with_); }
  result<json::value> operator()(const question::anchors&) { return anchors_json(with_.identity); }
  result<json::value> operator()(const question::log& what);
  result<json::value> operator()(const question::host& what) { return offer_json(what, with_); }
  result<json::value> operator()(const question::version& what) { return version_json(what, with_); }

private:
  result<json::value> from_history(const auto& what) {
    return with_.history.answer(what, with_.sns, with_.stop);
  }

  const asking& with_;
};

result<json::value> answerer::operator()(const question::task& what) {
  const auto registry = contracts::task_registry_address();
  SWARM_TRY(const auto task, swci::read(with_.sns, registry, contracts::task_args{what.name}));
  if (task.name.empty()) return fail(errc::not_found, "there is no task '{}'", what.name);
  SWARM_TRY(const auto body,
            swci::read_pages(with_.sns, registry, contracts::body_lines_max, [&](std::size_t first) {
              return contracts::task_body_args{what.name, first, contracts::body_lines_max};
            }));
  return json::object{{"task", task_json(task)}, {"body", json::array(body.begin(), body.end())}};
}

result<json::value> answerer::operator()(const question::last_lines& what) {
  if (with_.may != rights::acts) return fail(errc::denied, "last lines are shown to operators only");
  swci::command_world world{.contexts = {}, .folder = swci::user_folder("/")};
  world.sns = &with_.sns;
  world.stop = with_.stop;
  world.ask_node = with_.ask_node;
  world.follows_lines = what.all;
  SWARM_TRY(const auto answered,
            swci::carry_out(swci::commands::get_taskrunner_peer_status{what.taskrunner, what.swop}, world));
  const auto* status = answered ? std::get_if<swci::answers::taskrunner_peer_status>(&*answered) : nullptr;
  if (status == nullptr) return fail(errc::internal, "the command says something else");
  json::array outputs;
  for (const auto& each : status->outputs)
    outputs.push_back(
        json::object{{"of", each.of}, {"lines", json::array(each.lines.begin(), each.lines.end())}});
  json::object out{{"outputs", std::move(outputs)}};
  if (!status->no_outputs.empty()) out["no_outputs"] = status->no_outputs;
  return out;
}

result<json::value> answerer::operator()(const question::log& what) {
  if (with_.may != rights::acts) return fail(errc::denied, "the log is shown to operators only");
  if (what.node) return node_log_json(*what.node, what.after, with_);
  json::array lines;
  for (const auto& each : log::tail_after(what.after, log_lines_max))
    lines.push_back(swop::log_line_json(each));
  return json::object{{"lines", std::move(lines)}};
}

} // namespace

answered_from source_of(const any_question& what) {
  using namespace question;
  if (std::holds_alternative<model>(what)) return answered_from::models;
  const bool is_history = std::holds_alternative<rounds>(what) || std::holds_alternative<series>(what)
                          || std::holds_alternative<runs>(what);
  return is_history ? answered_from::histories : answered_from::nodes;
}

std::string_view word_of(const any_question& what) {
  constexpr std::array<std::string_view, std::variant_size_v<any_question>> words{
      "rounds",     "series", "runs",  "block",   "blocks", "transaction", "task",
      "last_lines", "proof",  "model", "anchors", "log",    "host",        "version"};
  return words.at(what.index());
}

result<json::value> ask(const any_question& what, const asking& with) {
  return std::visit(answerer(with), what);
}

} // namespace swarm::ui
