#include "contracts/taskrunner/taskrunner_call.hpp"

// What follows from a change: counters, and the state that they call for.
namespace swarm::contracts {

void taskrunner_call::count(const swop_slot& swop, int sign) {
  auto& counts = storage_.counts;
  const auto add = [sign](std::uint32_t& to, std::uint32_t peers) { to += sign > 0 ? peers : 0 - peers; };
  const auto peers = peers_of(swop.pairs);
  if (swop.status == part_status::none) return;
  if (swop.status == part_status::invited) return add(counts.invited, peers);
  add(counts.enrolled, peers);
  if (runs_pairs()) {
    add(counts.active, swop.active);
    add(counts.complete, swop.complete);
    return add(counts.failed, static_cast<std::uint32_t>(swop.pairs - swop.active - swop.complete));
  }
  add(swop.status == part_status::active     ? counts.active
      : swop.status == part_status::complete ? counts.complete
                                             : counts.failed,
      1);
}

void taskrunner_call::put(std::uint16_t index, const swop_slot& before, const swop_slot& after) {
  count(before, -1);
  count(after, 1);
  storage_.set_swop(index, after);
}

result<std::uint16_t> taskrunner_call::add_swop(const address& account) {
  auto& swops = storage_.counts.swops;
  if (swops >= run_swops_max) return refuse("{} SWOPs take part in the run, no more are possible", swops);
  storage_.set_index(account, swops);
  return swops++;
}

taskrunner_state taskrunner_call::due_state() const {
  const auto& counts = storage_.counts;
  const auto quorum = storage_.runner.quorum;
  if (counts.complete >= quorum) return taskrunner_state::complete;
  const auto missing = quorum > counts.enrolled ? quorum - counts.enrolled : 0;
  const auto to_come = std::max(missing, counts.invited);
  if (counts.complete + counts.active + to_come < quorum) return taskrunner_state::error;
  return to_come > 0 ? taskrunner_state::enrolling : taskrunner_state::running;
}

result<> taskrunner_call::settle() {
  const auto next = due_state();
  const bool complete = next == taskrunner_state::complete;
  const bool ended = complete || next == taskrunner_state::error;
  auto& times = storage_.times;
  if ((complete || next == taskrunner_state::running) && times.enrolled == 0)
    times.enrolled = context_.block_num;
  if (next != storage_.runner.state) {
    times.ended = ended ? context_.block_num : 0;
    change_state(next);
  }
  storage_.save();
  return {};
}

void taskrunner_call::change_state(taskrunner_state next) {
  storage_.runner.state = next;
  emit(taskrunner_state_changed{storage_.runner.run, next});
}

} // namespace swarm::contracts
