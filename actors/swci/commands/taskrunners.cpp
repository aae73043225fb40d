// Taskrunners: what they are, who listens, what they do, and why something takes so long.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/last_lines.hpp"
#include "actors/swci/commands/reads.hpp"
#include "contracts/taskrunner/client.hpp"
#include "contracts/taskrunner_registry/client.hpp"

#include <algorithm>

namespace swarm::swci {

namespace {

using contracts::part_status;
using contracts::swop_view;
using contracts::taskrunner_head_view;
using contracts::taskrunner_state;

constexpr auto look_interval = std::chrono::seconds(1);
constexpr unsigned looks_per_mark = 5;

/// No SN answers at present: the task goes on, and so does a wait for it.
bool may_pass(const error& trouble) {
  return trouble.is(errc::timeout) || trouble.is(errc::unavailable);
}

result<address> find_taskrunner(network& sns, const std::string& name) {
  SWARM_TRY(const auto at,
            read(sns, contracts::taskrunner_registry_address(), contracts::taskrunner_address_of_args{name}));
  if (at.is_zero())
    return fail(errc::not_found, "there is no taskrunner '{}': LIST TASKRUNNERS shows those there are", name);
  return at;
}

result<std::vector<swop_view>> swops_of(network& sns, const address& taskrunner) {
  return read_pages(sns, taskrunner, contracts::page_entries_max, [](std::size_t first) {
    return contracts::swops_args{first, contracts::page_entries_max};
  });
}

result<std::vector<swop_view>> listeners_of(network& sns, const address& taskrunner) {
  return read_pages(sns, taskrunner, contracts::page_entries_max, [](std::size_t first) {
    return contracts::listeners_args{first, contracts::page_entries_max};
  });
}

bool is_in(const std::vector<address>& all, const address& one) {
  return std::ranges::find(all, one) != all.end();
}

/// "training (round 7)", or why it failed: "the program exited (exit code 1)".
template <class View>
std::string description_of(const View& part) {
  const auto with_number = [&](std::string_view words, std::string_view counted) {
    if (counted.empty()) return std::string(words);
    return fmt::format("{} ({} {})", words, counted, part.number);
  };
  if (part.failure != contracts::task_failure::none)
    return with_number(contracts::to_string(part.failure),
                       part.number == 0 ? std::string_view()
                                        : contracts::number_word(part.failure, part.number));
  if (part.status == part_status::none || part.status == part_status::invited) return {};
  return with_number(contracts::to_string(part.step), contracts::number_word(part.step));
}

/// What a run waits for, in words: who has to enrol, or which peers have not ended.
std::string wait_of(const taskrunner_head_view& head, const std::vector<swop_view>& swops,
                    const std::vector<address>& silent) {
  if (head.state == taskrunner_state::enrolling) {
    const auto missing = head.quorum - std::min(head.quorum, head.enrolled);
    return fmt::format("{} more {} to enrol; {} SWOPs listen, with {} SLs", missing,
                       head.type == contracts::task_type::run_swarm ? "SLs" : "SWOPs", head.listening,
                       head.slots);
  }
  if (head.state != taskrunner_state::running) return {};
  std::string out;
  for (const auto& swop : swops) {
    if (swop.status != part_status::active && swop.status != part_status::invited) continue;
    const auto step = description_of(swop);
    out += fmt::format("{}{}{}{}", out.empty() ? "" : "; ", swop.name,
                       is_in(silent, swop.account) ? " (silent: is it down?)" : "",
                       step.empty() ? std::string() : ": " + step);
  }
  return out;
}

std::string mode_of(const taskrunner_head_view& head) {
  if (head.state == taskrunner_state::idle) return {};
  if (head.mode == contracts::assign_mode::with_peers) return fmt::format("WITH {} PEERS", head.quorum);
  return std::string(contracts::to_string(head.mode));
}

/// Peers for ALL PEERS: SWOPs that listen and live, or their SLs.
result<std::uint32_t> all_peers(network& sns, const address& taskrunner, const std::string& task) {
  SWARM_TRY(const auto view, read(sns, contracts::task_registry_address(), contracts::task_args{task}));
  if (view.name.empty())
    return fail(errc::not_found, "there is no task '{}': LIST TASKS shows those there are", task);
  SWARM_TRY(const auto listeners, listeners_of(sns, taskrunner));
  SWARM_TRY(const auto silent, silent_nodes(sns));
  std::uint32_t out = 0;
  for (const auto& swop : listeners)
    if (!is_in(silent, swop.account)) out += view.type == contracts::task_type::run_swarm ? swop.slots : 1;
  if (out == 0) return fail(errc::not_found, "no SWOP that listens on this taskrunner gives a sign of life");
  return out;
}

} // namespace

outcome run(const commands::create_taskrunner& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_CHECK(sns->submit(contracts::taskrunner_registry_address(),
                          contracts::encode(contracts::create_taskrunner_args{what.taskrunner}),
                          "create taskrunner"));
  return answers::done{"TASKRUNNER CREATED", what.taskrunner};
}

outcome run(const commands::reset_taskrunner& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  SWARM_TRY(const auto head, read(*sns, at, contracts::taskrunner_head_args{}));
  if (head.state == taskrunner_state::enrolling || head.state == taskrunner_state::running)
    world.say(answers::text{{fmt::format("WARNING : task {} is {}; its programs are ended", head.task,
                                         contracts::to_string(head.state))}});
  if (!what.note.empty()) SWARM_CHECK(require_rules(*sns, 3, "a note"));
  SWARM_CHECK(sns->submit(at,
                          what.note.empty()
                              ? contracts::encode(contracts::reset_taskrunner_args{})
                              : contracts::encode(contracts::reset_taskrunner_with_note_args{what.note}),
                          "reset taskrunner"));
  return answers::done{"TASKRUNNER RESET", what.taskrunner};
}

outcome run(const commands::list_taskrunners&, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(auto all,
            read_pages(*sns, contracts::taskrunner_registry_address(), contracts::page_entries_max,
                       [](std::size_t first) {
                         return contracts::taskrunner_names_args{first, contracts::page_entries_max};
                       }));
  return answers::names{"taskrunners", std::move(all)};
}

outcome run(const commands::list_taskrunner_peers& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  SWARM_TRY(const auto swops, swops_of(*sns, at));
  answers::taskrunner_peers out{what.taskrunner, {}};
  for (const auto& swop : swops)
    out.all.push_back({static_cast<std::uint32_t>(out.all.size()), uid_of(swop.account), swop.name,
                       std::string(contracts::to_string(swop.status)), std::max(swop.pairs, 1u)});
  return out;
}

outcome run(const commands::get_taskrunner_info& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  SWARM_TRY(const auto head, read(*sns, at, contracts::taskrunner_head_args{}));
  SWARM_TRY(const auto made, creation_of(*sns, contracts::taskrunner_registry_address(),
                                         contracts::event_topic<contracts::taskrunner_created>(), at));
  answers::taskrunner_info out{what.taskrunner, to_hex(at.view()), {}, {}, head.listening, head.slots, {}};
  SWARM_TRY(const auto owner, read(*sns, contracts::taskrunner_registry_address(),
                                   contracts::taskrunner_owner_args{what.taskrunner}));
  out.organisation = owner.name;
  if (made) {
    out.created_by = uid_of(made->by);
    SWARM_TRY(const auto when, moments_of(*sns, {made->block_num}));
    out.created = when.at(made->block_num);
  }
  return out;
}

outcome run(const commands::get_taskrunner_status& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  SWARM_TRY(const auto head, read(*sns, at, contracts::taskrunner_head_args{}));
  SWARM_TRY(const auto swops, swops_of(*sns, at));
  SWARM_TRY(const auto silent, silent_nodes(*sns));
  const auto& times = head.times;
  SWARM_TRY(const auto when, moments_of(*sns, {times.created, times.assigned, times.enrolled, times.started,
                                               times.ended, times.last_reset}));
  answers::taskrunner_status out;
  out.name = what.taskrunner;
  out.task = head.task;
  out.peer_type = head.type == contracts::task_type::run_swarm ? "SL" : "SWOP";
  out.state = contracts::to_string(head.state);
  out.mode = mode_of(head);
  out.run = head.run;
  out.quorum = head.quorum;
  out.listening = head.listening;
  out.enrolled = head.enrolled;
  out.active = head.active;
  out.complete = head.complete;
  out.failed = head.failed;
  out.waits_for = wait_of(head, swops, silent);
  out.created = when.at(times.created);
  out.assigned = when.at(times.assigned);
  out.enrolled_at = when.at(times.enrolled);
  out.started = when.at(times.started);
  out.ended = when.at(times.ended);
  out.last_reset = when.at(times.last_reset);
  // An SN of release 0.2 does not know this question.
  if (const auto last = read(*sns, at, contracts::last_taskrunner_reset_args{}); last && last->block_num > 0)
    out.reset = {uid_of(last->by), out.last_reset, last->note};
  return out;
}

namespace {

result<std::uint32_t> index_of(const std::vector<swop_view>& swops,
                               const std::variant<std::uint32_t, std::string>& which) {
  if (const auto* index = std::get_if<std::uint32_t>(&which)) {
    if (*index >= swops.size())
      return fail(errc::not_found, "{} SWOPs take part: there is no one with the index {}", swops.size(),
                  *index);
    return *index;
  }
  SWARM_TRY(const auto account, account_of(std::get<std::string>(which)));
  const auto at = std::ranges::find(swops, account, &swop_view::account);
  if (at == swops.end())
    return fail(errc::not_found, "{} takes no part: LIST TASKRUNNER PEERS shows those that do",
                to_hex(account.view()));
  return static_cast<std::uint32_t>(at - swops.begin());
}

} // namespace

outcome run(const commands::get_taskrunner_peer_status& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  SWARM_TRY(const auto swops, swops_of(*sns, at));
  SWARM_TRY(const auto index, index_of(swops, what.swop));
  const auto& swop = swops[index];
  SWARM_TRY(const auto pairs,
            read(*sns, at, contracts::pairs_args{swop.account, 0, contracts::swop_slots_max}));
  std::vector<std::uint64_t> blocks{swop.since_block};
  for (const auto& pair : pairs)
    blocks.push_back(pair.since_block);
  SWARM_TRY(const auto when, moments_of(*sns, blocks));
  answers::taskrunner_peer_status out;
  out.taskrunner = what.taskrunner;
  out.index = index;
  out.uid = uid_of(swop.account);
  out.name = swop.name;
  out.runs_swarm = swop.pairs > 0;
  out.status = contracts::to_string(swop.status);
  out.description = description_of(swop);
  out.since = when.at(swop.since_block);
  out.attempt = swop.attempt;
  for (const auto& pair : pairs)
    out.pairs.push_back({uid_of(pair.sl), pair.name, std::string(contracts::to_string(pair.status)),
                         description_of(pair), when.at(pair.since_block)});
  const auto failed = [](const auto& part) { return part.failure != contracts::task_failure::none; };
  if (world.follows_lines || failed(swop) || std::ranges::any_of(pairs, failed))
    add_last_lines(out, world, at, swop);
  return out;
}

outcome run(const commands::assign_task& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  bytes input;
  if (const auto* one = std::get_if<commands::one_swop>(&what.to)) {
    SWARM_TRY(const auto swop, account_of(one->uid));
    input = contracts::encode(contracts::assign_to_args{what.task, swop});
  } else if (const auto* some = std::get_if<commands::with_peers>(&what.to)) {
    input = contracts::encode(contracts::assign_args{what.task, some->count, false});
  } else {
    SWARM_TRY(const auto count, all_peers(*sns, at, what.task));
    input = contracts::encode(contracts::assign_args{what.task, count, true});
  }
  SWARM_CHECK(sns->submit(at, std::move(input), "assign task"));
  return answers::done{"TASK ASSIGNED", what.task};
}

outcome run(const commands::wait_for_taskrunner& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto at, find_taskrunner(*sns, what.taskrunner));
  world.say(answers::wait_begins{what.taskrunner, static_cast<std::uint32_t>(world.task_wait_max.count())});
  const auto until = std::chrono::steady_clock::now() + world.task_wait_max;
  for (unsigned looks = 1;; ++looks) {
    const auto head = read(*sns, at, contracts::taskrunner_head_args{});
    if (!head && !may_pass(head.error())) return tl::unexpected(head.error());
    if (head && head->state != taskrunner_state::enrolling && head->state != taskrunner_state::running)
      return answers::wait_ended{what.taskrunner, std::string(contracts::to_string(head->state)), false};
    if (std::chrono::steady_clock::now() >= until) {
      if (!head) return tl::unexpected(head.error());
      return answers::wait_ended{what.taskrunner, std::string(contracts::to_string(head->state)), true};
    }
    if (looks % looks_per_mark == 0) world.waits();
    if (!world.pause(look_interval)) return fail(errc::cancelled, "the wait was ended; the task goes on");
  }
}

} // namespace swarm::swci
