#include "contracts/registry/node_records.hpp"
#include "contracts/taskrunner/taskrunner_call.hpp"

// SWOPs come, take part and go.
namespace swarm::contracts {

result<> taskrunner_call::on(const listen_args& args) {
  const auto& account = context_.caller;
  SWARM_CHECK(require_active_node(host_, account, {node_type::swop}));
  if (args.slots > swop_slots_max)
    return refuse("a SWOP has at most {} SL nodes, got {}", swop_slots_max, args.slots);
  auto& counts = storage_.counts;
  auto listener = storage_.listener(account);
  if (listener.place != 0 && listener.slots == args.slots) return {};
  if (listener.place == 0) {
    if (counts.listening >= listeners_max)
      return refuse("{} SWOPs listen on this taskrunner, no more are possible: a SWCI can dismiss those that "
                    "are gone",
                    counts.listening);
    storage_.set_listener_at(counts.listening, account);
    listener.place = ++counts.listening;
  }
  counts.slots += args.slots - listener.slots;
  listener.slots = args.slots;
  storage_.set_listener(account, listener);
  emit(swop_listens{account, args.slots});
  storage_.save();
  return {};
}

result<> taskrunner_call::on(const unlisten_args& args) {
  if (context_.caller != args.swop)
    SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::swci}));
  const auto listener = storage_.listener(args.swop);
  if (listener.place == 0) return refuse("{} does not listen on this taskrunner", to_hex(args.swop.view()));
  auto& counts = storage_.counts;
  const auto last = storage_.listener_at(--counts.listening);
  if (last != args.swop) {
    auto moved = storage_.listener(last);
    moved.place = listener.place;
    storage_.set_listener(last, moved);
    storage_.set_listener_at(listener.place - 1, last);
  }
  storage_.set_listener_at(counts.listening, {});
  storage_.set_listener(args.swop, {});
  counts.slots -= listener.slots;
  emit(swop_left{args.swop, context_.caller});
  if (storage_.runner.state == taskrunner_state::idle) {
    storage_.save();
    return {};
  }
  fail_part(args.swop);
  return settle();
}

/// The part of a SWOP that is gone, if it takes part in the run and has not ended.
void taskrunner_call::fail_part(const address& account) {
  const auto index = storage_.find(account);
  if (!index) return;
  const auto swop = storage_.swop(*index);
  if (swop.status == part_status::complete || swop.status == part_status::failed) return;
  auto after = swop;
  after.status = part_status::failed;
  after.failure = task_failure::left;
  after.active = 0;
  report_swop({*index, swop}, after, 0);
}

result<> taskrunner_call::check_run(std::uint64_t run) const {
  const auto& runner = storage_.runner;
  if (run != runner.run) return refuse("run {} is in force, the call is for run {}", runner.run, run);
  if (run == 0) return refuse("no task was assigned yet");
  if (runner.state == taskrunner_state::idle) return refuse("run {} was reset", run);
  return {};
}

/// Whether a SWOP may enrol that nobody invited.
result<> taskrunner_call::check_open() const {
  const auto& runner = storage_.runner;
  const auto& counts = storage_.counts;
  if (runner.mode == assign_mode::target)
    return refuse("run {} is only for SWOPs that are invited", runner.run);
  if (runner.state == taskrunner_state::complete || runner.state == taskrunner_state::error)
    return refuse("run {} is {}", runner.run, to_string(runner.state));
  if (counts.enrolled + counts.invited >= runner.quorum)
    return refuse("run {} needs {} peers and has {}", runner.run, runner.quorum,
                  counts.enrolled + counts.invited);
  return {};
}

result<> taskrunner_call::on(const enrol_args& args) {
  const auto& account = context_.caller;
  SWARM_CHECK(require_active_node(host_, account, {node_type::swop}));
  SWARM_CHECK(check_run(args.run));
  const auto listener = storage_.listener(account);
  if (listener.place == 0)
    return refuse("{} does not listen on this taskrunner: call listen first", to_hex(account.view()));
  if (runs_pairs() && listener.slots == 0)
    return refuse("{} has no SL nodes, which the task needs", to_hex(account.view()));

  swop_slot before{.account = account};
  std::uint16_t index = 0;
  if (const auto known = storage_.find(account)) {
    index = *known;
    before = storage_.swop(index);
    if (before.status != part_status::invited)
      return refuse("{} has enrolled in run {} already", to_hex(account.view()), args.run);
  } else {
    SWARM_CHECK(check_open());
    SWARM_TRY(index, add_swop(account));
  }
  auto after = before;
  after.status = part_status::active;
  after.pairs = after.active = static_cast<std::uint8_t>(runs_pairs() ? listener.slots : 0);
  after.attempt = std::max(before.attempt, 1u);
  if (storage_.runner.mode == assign_mode::target)
    storage_.runner.quorum += peers_of(after.pairs) - peers_of(before.pairs);
  put(index, before, after);
  storage_.set_swop_step(index, {.since_block = context_.block_num, .enrolled_block = context_.block_num});
  emit(swop_enrolled{args.run, account, peers_of(after.pairs)});
  return settle();
}

} // namespace swarm::contracts
