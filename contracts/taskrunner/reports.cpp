#include "contracts/registry/node_records.hpp"
#include "contracts/taskrunner/taskrunner_call.hpp"

// SWOPs say how far they are, each for itself.
namespace swarm::contracts {

namespace {

bool has_ended(part_status status) {
  return status == part_status::complete || status == part_status::failed;
}

/// Whether a part says the same before and after a report.
template <class Slot>
bool same_step(const Slot& a, const Slot& b) {
  return a.status == b.status && a.step == b.step && a.failure == b.failure;
}

result<> check_status(part_status status, task_failure failure) {
  if (status == part_status::none || status == part_status::invited)
    return refuse("a report says ACTIVE, COMPLETE or FAILED, got {}", to_string(status));
  if (failure == task_failure::left)
    return refuse("the failure '{}' is only for the contract to set", to_string(failure));
  if ((status == part_status::failed) != (failure != task_failure::none))
    return refuse("a report of {} has {} failure", to_string(status),
                  status == part_status::failed ? "a" : "no");
  return {};
}

} // namespace

result<taskrunner_call::found_swop> taskrunner_call::reporting_swop(std::uint64_t run) const {
  const auto& account = context_.caller;
  SWARM_CHECK(require_active_node(host_, account, {node_type::swop}));
  SWARM_CHECK(check_run(run));
  const auto index = storage_.find(account);
  if (!index) return refuse("{} takes no part in run {}", to_hex(account.view()), run);
  found_swop out{*index, storage_.swop(*index)};
  if (out.slot.status == part_status::invited)
    return refuse("{} has not enrolled in run {}", to_hex(account.view()), run);
  return out;
}

/// Writes and announces what a SWOP's part is now.
void taskrunner_call::report_swop(const found_swop& swop, const swop_slot& after, std::uint64_t number) {
  auto step = storage_.swop_step(swop.index);
  if (!same_step(swop.slot, after)) step.since_block = context_.block_num;
  step.number = number;
  put(swop.index, swop.slot, after);
  storage_.set_swop_step(swop.index, step);
  emit(swop_reported{storage_.runner.run, after.account, after.status, after.step, after.failure, number});
}

result<> taskrunner_call::on(const report_args& args) {
  SWARM_TRY(const auto swop, reporting_swop(args.run));
  SWARM_CHECK(check_status(args.status, args.failure));
  auto after = swop.slot;
  after.status = args.status;
  after.step = args.step;
  after.failure = args.failure;
  if (same_step(swop.slot, after) && storage_.swop_step(swop.index).number == args.number) return {};
  if (has_ended(swop.slot.status))
    return refuse("the part of {} in run {} has ended: {}", to_hex(after.account.view()), args.run,
                  to_string(swop.slot.status));
  if (runs_pairs() && args.status == part_status::complete)
    return refuse("a SWOP's part in a {} is complete when its pairs are", to_string(storage_.runner.type));
  if (args.status == part_status::failed) after.active = 0;
  if (storage_.times.started == 0) storage_.times.started = context_.block_num;
  report_swop(swop, after, args.number);
  return settle();
}

result<> taskrunner_call::on(const report_pair_args& args) {
  SWARM_TRY(const auto swop, reporting_swop(args.run));
  SWARM_CHECK(check_status(args.status, args.failure));
  if (!runs_pairs()) return refuse("a {} has no pairs", to_string(storage_.runner.type));
  if (args.index >= swop.slot.pairs)
    return refuse("{} has the pairs 0 to {} in run {}, got {}", to_hex(context_.caller.view()),
                  swop.slot.pairs - 1, args.run, args.index);
  if (!args.sl.is_zero() && node_records(host_).of(args.sl).status().type != node_type::sl)
    return refuse("{} is no SL that the NodeRegistry knows", to_hex(args.sl.view()));

  const auto pairs = storage_.pairs_of(swop.index, swop.slot);
  const auto before = pairs.pair(args.index);
  auto step = pairs.step(args.index);
  const pair_slot after{args.sl, args.status, args.step, args.failure};
  const bool same = same_step(before, after);
  // Pairs that had not ended went with their SWOP.
  const bool went = has_ended(swop.slot.status) && !has_ended(before.status);
  if (same && !went && before.sl == after.sl && step.number == args.number) return {};
  if (has_ended(swop.slot.status) || has_ended(before.status))
    return refuse("pair {} of {} in run {} has ended: {}", args.index, to_hex(context_.caller.view()),
                  args.run, to_string(has_ended(before.status) ? before.status : swop.slot.status));
  if (!same) step.since_block = context_.block_num;
  step.number = args.number;
  pairs.set_pair(args.index, after);
  pairs.set_step(args.index, step);
  if (storage_.times.started == 0) storage_.times.started = context_.block_num;
  emit(pair_reported{args.run, context_.caller, args.index, args.sl, args.status, args.step, args.failure,
                     args.number});
  if (has_ended(args.status)) end_pair(swop, args.status);
  return settle();
}

/// One of the SWOP's pairs has ended with `status`; with the last one the SWOP's part ends.
void taskrunner_call::end_pair(const found_swop& swop, part_status status) {
  auto after = swop.slot;
  --after.active;
  if (status == part_status::complete) ++after.complete;
  if (after.active > 0) return put(swop.index, swop.slot, after);
  after.step = task_step::ended;
  if (after.complete == after.pairs) {
    after.status = part_status::complete;
    return report_swop(swop, after, 0);
  }
  const auto pairs = storage_.pairs_of(swop.index, swop.slot);
  std::uint32_t failed = 0;
  while (failed + 1u < after.pairs && pairs.pair(failed).status != part_status::failed)
    ++failed;
  after.status = part_status::failed;
  after.failure = pairs.pair(failed).failure;
  report_swop(swop, after, pairs.step(failed).number);
}

} // namespace swarm::contracts
