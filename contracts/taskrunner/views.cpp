#include "contracts/registry/node_records.hpp"
#include "contracts/taskrunner/taskrunner_call.hpp"

namespace swarm::contracts {

result<reset_view> taskrunner_call::on(const last_taskrunner_reset_args&) const {
  return storage_.last_reset().load();
}

result<std::string> taskrunner_call::on(const taskrunner_name_args&) const {
  return storage_.name();
}

result<taskrunner_head_view> taskrunner_call::on(const taskrunner_head_args&) const {
  const auto& runner = storage_.runner;
  const auto& counts = storage_.counts;
  const auto& times = storage_.times;
  return taskrunner_head_view{.run = runner.run,
                              .state = runner.state,
                              .mode = runner.mode,
                              .type = runner.type,
                              .task = storage_.task(),
                              .assigned_by = storage_.assigned_by(),
                              .quorum = runner.quorum,
                              .listening = counts.listening,
                              .slots = counts.slots,
                              .swops = counts.swops,
                              .invited = counts.invited,
                              .enrolled = counts.enrolled,
                              .active = counts.active,
                              .complete = counts.complete,
                              .failed = counts.failed,
                              .times = {runner.created_block, times.assigned, times.enrolled, times.started,
                                        times.ended, runner.reset_block}};
}

result<taskrunner_head_for_view> taskrunner_call::on(const taskrunner_head_for_args& args) const {
  SWARM_TRY(auto head, on(taskrunner_head_args{}));
  return taskrunner_head_for_view{std::move(head), view_of(args.swop)};
}

swop_view taskrunner_call::view_of(const address& account) const {
  const auto listener = storage_.listener(account);
  const auto index = storage_.find(account);
  swop_view out;
  if (listener.place == 0 && !index) return out;
  out.account = account;
  out.listening = listener.place != 0;
  out.slots = listener.slots;
  out.name = node_records(host_).of(account).name();
  if (!index) return out;
  const auto swop = storage_.swop(*index);
  const auto step = storage_.swop_step(*index);
  out.status = swop.status;
  out.step = swop.step;
  out.failure = swop.failure;
  out.number = step.number;
  out.since_block = step.since_block;
  out.attempt = swop.attempt;
  out.pairs = swop.pairs;
  if (swop.status == part_status::invited) return out;
  out.active = swop.active;
  out.complete = swop.complete;
  out.failed = static_cast<std::uint32_t>(swop.pairs - swop.active - swop.complete);
  return out;
}

result<std::vector<swop_view>> taskrunner_call::on(const swops_args& args) const {
  const auto part = page_of(args.first, args.count, storage_.counts.swops, page_entries_max);
  std::vector<swop_view> out;
  for (auto i = part.begin; i < part.end; ++i)
    out.push_back(view_of(storage_.swop(static_cast<std::uint16_t>(i)).account));
  return out;
}

result<std::vector<swop_view>> taskrunner_call::on(const listeners_args& args) const {
  const auto part = page_of(args.first, args.count, storage_.counts.listening, page_entries_max);
  std::vector<swop_view> out;
  for (auto i = part.begin; i < part.end; ++i)
    out.push_back(view_of(storage_.listener_at(static_cast<std::uint32_t>(i))));
  return out;
}

/// A pair that has not ended of itself ends with its SWOP.
result<std::vector<pair_view>> taskrunner_call::on(const pairs_args& args) const {
  const auto index = storage_.find(args.swop);
  if (!index) return {};
  const auto swop = storage_.swop(*index);
  if (swop.status == part_status::invited) return {};
  const auto swop_step = storage_.swop_step(*index);
  const auto pairs = storage_.pairs_of(*index, swop);
  const node_records nodes(host_);
  const auto part = page_of(args.first, args.count, swop.pairs, swop_slots_max);
  std::vector<pair_view> out;
  for (auto at = part.begin; at < part.end; ++at) {
    const auto i = static_cast<std::uint32_t>(at);
    const auto pair = pairs.pair(i);
    const auto step = pairs.step(i);
    auto& view = out.emplace_back(
        pair_view{pair.sl, pair.status, pair.step, pair.failure, step.number, step.since_block, {}});
    if (!pair.sl.is_zero()) view.name = nodes.of(pair.sl).name();
    if (view.status == part_status::active && swop.status == part_status::failed) {
      view.status = part_status::failed;
      view.failure = swop.failure;
      view.number = swop_step.number;
      view.since_block = swop_step.since_block;
    }
  }
  return out;
}

} // namespace swarm::contracts
