#include "contracts/registry/node_records.hpp"
#include "contracts/task/records.hpp"
#include "contracts/taskrunner/taskrunner_call.hpp"

// Operators have tasks carried out, and end that.
namespace swarm::contracts {

result<task_type> taskrunner_call::check_task(std::string_view name) const {
  const task_records tasks(host_);
  const auto task = tasks.of(name);
  const auto head = task.head();
  if (head.lines == 0) return refuse("there is no task {}", in_quotes(name));
  if (head.type == task_type::root) return refuse("{} is nothing to carry out", root_task_name);
  if (!head.finalized) return refuse("the task {} is not finalized", in_quotes(name));
  if (const auto prereq = task.prereq(); !tasks.exist(prereq))
    return refuse("there is no task {} any more, the prerequisite of {}", in_quotes(prereq), in_quotes(name));
  return head.type;
}

result<> taskrunner_call::check_idle() const {
  if (storage_.runner.state == taskrunner_state::idle) return {};
  return refuse("the taskrunner has the task {}, which is {}: reset it first", in_quotes(storage_.task()),
                to_string(storage_.runner.state));
}

void taskrunner_call::begin_run(std::string_view task, task_type type, assign_mode mode,
                                std::uint32_t quorum) {
  auto& runner = storage_.runner;
  ++runner.run;
  runner.mode = mode;
  runner.type = type;
  runner.quorum = quorum;
  storage_.times = {.assigned = context_.block_num};
  storage_.set_task(task);
  storage_.set_assigned_by(context_.caller);
  emit(task_assigned{runner.run, std::string(task), mode, quorum, context_.caller});
}

result<> taskrunner_call::on(const assign_args& args) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
  SWARM_CHECK(check_idle());
  SWARM_TRY(const auto type, check_task(args.task));
  const auto& counts = storage_.counts;
  const bool pairs = type == task_type::run_swarm;
  const auto most = args.all_peers ? (pairs ? counts.slots : counts.listening) : run_peers_max;
  if (args.all_peers && most == 0)
    return refuse("no SWOP {} here", pairs ? "with an SL node listens" : "listens");
  if (args.peers == 0 || args.peers > most)
    return refuse("{} peers are to complete, expected 1 to {}{}", args.peers, most,
                  args.all_peers ? ", all that listen" : "");
  begin_run(args.task, type, args.all_peers ? assign_mode::all_peers : assign_mode::with_peers, args.peers);
  return settle();
}

result<> taskrunner_call::on(const assign_to_args& args) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
  const auto& runner = storage_.runner;
  const bool begins = runner.state == taskrunner_state::idle;
  if (!begins && storage_.task() != args.task) SWARM_CHECK(check_idle());
  if (runner.state == taskrunner_state::complete && runner.mode != assign_mode::target)
    SWARM_CHECK(check_idle());
  SWARM_TRY(const auto type, check_task(args.task));
  const auto listener = storage_.listener(args.swop);
  if (listener.place == 0) return refuse("{} does not listen on this taskrunner", to_hex(args.swop.view()));
  const bool swarm = type == task_type::run_swarm;
  const auto pairs = swarm ? listener.slots : 0;
  if (swarm && pairs == 0)
    return refuse("{} has no SL nodes, which the task needs", to_hex(args.swop.view()));
  if (begins) begin_run(args.task, type, assign_mode::target, swarm ? pairs : 1);
  return invite(args.swop, pairs);
}

result<> taskrunner_call::invite(const address& account, std::uint32_t pairs) {
  auto& runner = storage_.runner;
  const bool begins = runner.state == taskrunner_state::idle; // its quorum has the SWOP's peers already
  swop_slot before;
  std::uint16_t index = 0;
  if (const auto known = storage_.find(account)) {
    index = *known;
    before = storage_.swop(index);
  } else {
    SWARM_TRY(index, add_swop(account));
  }
  if (runner.mode == assign_mode::target && !begins) {
    if (before.status != part_status::none) runner.quorum -= peers_of(before.pairs);
    runner.quorum += peers_of(pairs);
  }
  const swop_slot after{.account = account,
                        .status = part_status::invited,
                        .pairs = static_cast<std::uint8_t>(pairs),
                        .attempt = before.attempt + 1};
  put(index, before, after);
  storage_.set_swop_step(index, {.since_block = context_.block_num});
  emit(swop_invited{runner.run, account, after.attempt, context_.caller});
  return settle();
}

result<> taskrunner_call::reset(const std::string& note) {
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
  if (storage_.runner.state == taskrunner_state::idle) return {};
  const auto& old = storage_.runner;
  const runner_slot fresh{
      .run = old.run, .created_block = old.created_block, .reset_block = context_.block_num};
  storage_.counts = {.listening = storage_.counts.listening, .slots = storage_.counts.slots};
  storage_.times = {};
  storage_.set_task({});
  storage_.set_assigned_by({});
  if (context_.has_rules(3))
    storage_.last_reset().store({context_.block_num, old.run, context_.caller, note});
  if (!note.empty()) emit(taskrunner_reset_noted{old.run, context_.caller, note});
  emit(taskrunner_reset{old.run, context_.caller});
  storage_.runner = fresh;
  emit(taskrunner_state_changed{fresh.run, fresh.state});
  storage_.save();
  return {};
}

result<> taskrunner_call::on(const reset_taskrunner_args&) {
  return reset({});
}
result<> taskrunner_call::on(const reset_taskrunner_with_note_args& args) {
  SWARM_CHECK(check_reset_note(args.note));
  return reset(args.note);
}

} // namespace swarm::contracts
