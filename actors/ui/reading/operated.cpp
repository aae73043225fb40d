// Tasks and taskrunners, as the reader reads them.
#include "actors/sn_client/session/views.hpp"
#include "actors/swci/commands/reads.hpp"
#include "actors/ui/history/block_times.hpp"
#include "actors/ui/reading/chain_reader.hpp"
#include "contracts/task/client.hpp"
#include "contracts/taskrunner/client.hpp"
#include "contracts/taskrunner_registry/client.hpp"

#include <algorithm>

namespace swarm::ui {

using contracts::page_entries_max;
using session::eth_call;
using session::view_at;

namespace {

constexpr std::size_t tasks_at_once = 64;
constexpr std::size_t tasks_shown_max = 2048; ///< the newest

} // namespace

/// Tasks that are finalized never change, so only others are read again.
result<> chain_reader::look_at_tasks(swci::network& sns) {
  if (!tasks_stale_) return {};
  const auto registry = contracts::task_registry_address();
  constexpr auto page = contracts::task_names_max;
  SWARM_TRY(auto names, swci::read_pages(sns, registry, page, [](std::size_t first) {
              return contracts::task_names_args{first, page};
            }));
  if (names.size() > tasks_shown_max)
    names.erase(names.begin(), names.end() - static_cast<std::ptrdiff_t>(tasks_shown_max));
  std::erase_if(tasks_,
                [&](const auto& each) { return std::ranges::find(names, each.first) == names.end(); });
  std::vector<std::string> wanted;
  for (const auto& name : names)
    if (const auto found = tasks_.find(name); found == tasks_.end() || !found->second.finalized)
      wanted.push_back(name);
  for (std::size_t first = 0; first < wanted.size(); first += tasks_at_once) {
    std::vector<session::rpc_call> calls;
    for (auto i = first; i < std::min(first + tasks_at_once, wanted.size()); ++i)
      calls.push_back(eth_call(registry, contracts::encode(contracts::task_args{wanted[i]})));
    SWARM_TRY(const auto responses, sns.ask(std::move(calls)));
    for (std::size_t i = 0; i < responses.size(); ++i) {
      SWARM_TRY(auto task, view_at<contracts::task_args>(responses, i));
      tasks_[wanted[first + i]] = std::move(task);
    }
  }
  tasks_stale_ = false;
  tasks_known_ = true;
  return {};
}

result<> chain_reader::look_at_taskrunners(swci::network& sns) {
  if (taskrunner_names_stale_) {
    const auto registry = contracts::taskrunner_registry_address();
    SWARM_TRY(const auto names, swci::read_pages(sns, registry, page_entries_max, [](std::size_t first) {
                return contracts::taskrunner_names_args{first, page_entries_max};
              }));
    for (const auto& name : names) {
      auto& one = taskrunners_[name].picture;
      one.name = name;
      one.at = contracts::taskrunner_address(name);
      taskrunner_names_[one.at] = name;
      SWARM_TRY(one.owner, swci::read(sns, registry, contracts::taskrunner_owner_args{name}));
    }
    std::erase_if(taskrunners_,
                  [&](const auto& each) { return std::ranges::find(names, each.first) == names.end(); });
    taskrunner_names_stale_ = false;
  }
  for (auto& [name, each] : taskrunners_)
    if (each.is_stale) SWARM_CHECK(look_at_taskrunner(sns, each));
  taskrunners_known_ = true;
  return {};
}

result<> chain_reader::look_at_taskrunner(swci::network& sns, taskrunner_seen& which) {
  auto& to = which.picture;
  SWARM_TRY(to.head, swci::read(sns, to.at, contracts::taskrunner_head_args{}));
  SWARM_TRY(auto swops, swci::read_pages(sns, to.at, page_entries_max, [](std::size_t first) {
              return contracts::swops_args{first, page_entries_max};
            }));
  SWARM_TRY(auto listeners, swci::read_pages(sns, to.at, page_entries_max, [](std::size_t first) {
              return contracts::listeners_args{first, page_entries_max};
            }));
  to.swops.clear();
  for (auto& each : swops) {
    swop_picture one{std::move(each), {}};
    if (one.swop.pairs > 0) {
      SWARM_TRY(one.pairs, swci::read(sns, to.at,
                                      contracts::pairs_args{one.swop.account, 0, contracts::swop_slots_max}));
    }
    to.swops.push_back(std::move(one));
  }
  for (auto& each : listeners)
    if (std::ranges::none_of(to.swops, [&](const auto& other) { return other.swop.account == each.account; }))
      to.swops.push_back({std::move(each), {}});
  SWARM_CHECK(learn_times(sns, to));
  which.is_stale = false;
  which.is_known = true;
  return {};
}

/// When the blocks were made that a taskrunner names.
result<> chain_reader::learn_times(swci::network& sns, const taskrunner_picture& of) {
  const auto& times = of.head.times;
  std::set<std::uint64_t> wanted{times.created, times.assigned, times.enrolled,
                                 times.started, times.ended,    times.last_reset};
  for (const auto& each : of.swops) {
    wanted.insert(each.swop.since_block);
    for (const auto& pair : each.pairs)
      wanted.insert(pair.since_block);
  }
  return ui::learn_times(times_, wanted, sns);
}

} // namespace swarm::ui
