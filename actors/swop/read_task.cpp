#include "actors/swop/read_task.hpp"

#include "base/assert.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/task/client.hpp"

namespace swarm::actors {

namespace {

session::rpc_call read(const auto& question) {
  return session::eth_call(contracts::task_registry_address(), contracts::encode(question));
}

tasks::task_type type_of(contracts::task_type type) {
  switch (type) {
  case contracts::task_type::make_swarm_user_content:
    return tasks::task_type::make_swarm_user_content;
  case contracts::task_type::make_user_container:
    return tasks::task_type::make_user_container;
  case contracts::task_type::pull_image:
    return tasks::task_type::pull_image;
  case contracts::task_type::run_node:
    return tasks::task_type::run_node;
  default:
    return tasks::task_type::run_swarm;
  }
}

} // namespace

session::event::ask task_reader::ask(std::vector<session::rpc_call> calls) {
  return {++last_id_, std::move(calls)};
}

session::event::ask task_reader::begin(std::string task) {
  task_ = std::move(task);
  definition_.reset();
  std::vector<session::rpc_call> calls{
      read(contracts::task_args{task_}),
      session::eth_call(contracts::node_registry_address(), contracts::encode(contracts::node_args{own_}))};
  for (std::uint32_t first = 0; first < contracts::body_lines_max; first += contracts::page_entries_max)
    calls.push_back(read(contracts::task_body_args{task_, first, contracts::page_entries_max}));
  return ask(std::move(calls));
}

task_reader::found task_reader::fail_with(error why) {
  return {std::exchange(task_, {}), tl::unexpected(std::move(why)), {}};
}

std::optional<std::variant<session::event::ask, task_reader::found>>
task_reader::take(const session::action::answered& from) {
  if (from.id != last_id_ || task_.empty()) return std::nullopt;
  if (!from.responses) return fail_with(from.responses.error());
  if (!definition_) {
    if (auto taken = take_task(*from.responses); !taken) return fail_with(std::move(taken).error());
    if (definition_->prereq != contracts::root_task_name)
      return ask({read(contracts::task_args{definition_->prereq})});
    return found{std::exchange(task_, {}), std::move(*std::exchange(definition_, std::nullopt)), {}};
  }
  SWARM_ASSERT(!from.responses->empty());
  const auto output = session::output_of(from.responses->front());
  if (!output) return fail_with(output.error());
  const auto prerequisite = contracts::decode_answer<contracts::task_args>(*output);
  if (!prerequisite) return fail_with(prerequisite.error());
  if (const auto allowed = check_policy(*prerequisite); !allowed) return fail_with(allowed.error());
  return found{std::exchange(task_, {}), std::move(*std::exchange(definition_, std::nullopt)),
               prerequisite->outcome};
}

/// A task of an organisation that was removed is nobody's any more, so no rule can take it.
result<> task_reader::check_policy(const contracts::task_view& task) const {
  if (task.organisation != 0 && task.organisation_name.empty())
    return fail(tasks::policy_errc::not_allowed,
                "the organisation whose SWCI created the task '{}' was removed: have it created anew",
                task.name);
  if (!policy_ || task.name.empty()) return {};
  auto verdict = tasks::allows(*policy_, task.organisation_name, type_of(task.type));
  if (verdict) return {};
  return fail(tasks::policy_errc::not_allowed, "'{}' (author {}): {}", task.name, task.author,
              verdict.error().message);
}

/// Nodes are what a network stands on: whoever opens them to others says so in rules.
result<> task_reader::check_own(const contracts::task_view& task, const boost::json::value& response) const {
  if (policy_ || task.type != contracts::task_type::run_node) return {};
  SWARM_TRY(const auto output, session::output_of(response));
  SWARM_TRY(const auto own, contracts::decode_answer<contracts::node_args>(output));
  if (own.organisation == task.organisation) return {};
  return fail(
      tasks::policy_errc::not_allowed,
      "'{}' (author {}) is of the organisation '{}': a RUN_NODE of another organisation is carried out only "
      "where rules say so (policyuri of the SWOP profile)",
      task.name, task.author, task.organisation_name);
}

result<> task_reader::take_task(const std::vector<boost::json::value>& responses) {
  SWARM_TRY(const auto output, session::output_of(responses.front()));
  SWARM_TRY(const auto view, contracts::decode_answer<contracts::task_args>(output));
  if (view.name != task_) return fail(errc::not_found, "there is no task '{}' on the chain", task_);
  SWARM_CHECK(check_policy(view));
  SWARM_CHECK(check_own(view, responses.at(1)));
  std::vector<std::string> lines;
  for (std::size_t i = 2; i < responses.size(); ++i) {
    SWARM_TRY(const auto page_output, session::output_of(responses[i]));
    SWARM_TRY(auto page, contracts::decode_answer<contracts::task_body_args>(page_output));
    lines.insert(lines.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
  }
  auto read = tasks::task_of({view.name, type_of(view.type), view.author, view.prereq, view.outcome}, lines);
  if (!read.value) return tl::unexpected(std::move(read.value).error());
  definition_ = std::move(*read.value);
  return {};
}

} // namespace swarm::actors
