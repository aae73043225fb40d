#include "contracts/testing/taskrunner_probe.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace swarm::contracts {

namespace {

/// All pages of a list, where `ask(first)` answers one.
template <class Ask>
auto all_pages(const Ask& ask) {
  auto out = ask(0);
  for (auto part = out; !part.empty();) {
    part = ask(out.size());
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

} // namespace

std::vector<swop_view> taskrunner_probe::swops() const {
  return all_pages([this](std::size_t first) { return ask(where_, swops_args{first, page_entries_max}); });
}

std::vector<swop_view> taskrunner_probe::listeners() const {
  return all_pages([this](std::size_t first) {
    return ask(where_, listeners_args{first, page_entries_max});
  });
}

std::vector<std::string> taskrunner_probe::body(std::string_view name) const {
  return all_pages([&](std::size_t first) {
    return ask(task_registry_address(), task_body_args{std::string(name), first, page_entries_max});
  });
}

std::vector<std::string> taskrunner_probe::task_names() const {
  return all_pages([this](std::size_t first) {
    return ask(task_registry_address(), task_names_args{first, task_names_max});
  });
}

std::string taskrunner_probe::broken_invariant() const {
  const auto now = head();
  const auto in_run = swops();
  const auto all = listeners();
  if (now.listening != all.size()) return "listening is not the number of listeners";
  if (now.swops != in_run.size()) return "swops is not the number of SWOPs that take part";
  std::uint32_t slots = 0;
  for (const auto& one : all)
    slots += one.slots;
  if (now.slots != slots) return "slots is not what the listeners have together";
  if (now.enrolled != now.active + now.complete + now.failed) return "enrolled is not the sum of its parts";
  const bool idle = now.state == taskrunner_state::idle;
  if (idle != now.task.empty()) return "a task if and only if not idle";
  if (idle && (now.quorum != 0 || now.swops != 0 || now.times.assigned != 0))
    return "something is left when idle";
  if (!idle && now.quorum == 0) return "a run without a quorum";
  if (now.state == taskrunner_state::complete && now.complete < now.quorum)
    return "complete below the quorum";
  const bool ended = now.state == taskrunner_state::complete || now.state == taskrunner_state::error;
  if (ended != (now.times.ended != 0)) return "an end if and only if it has ended";
  const bool open = std::any_of(in_run.begin(), in_run.end(), [](const auto& one) {
    return one.status == part_status::active || one.status == part_status::invited;
  });
  if (now.state == taskrunner_state::running && !open) return "it runs and nobody is at work";
  return {};
}

void make_task(memory_world& world, const address& by, std::string_view name, task_type type) {
  const create_task_args args{type, std::string(name), "author", std::string(root_task_name), "outcome"};
  SWARM_ASSERT(world.send(by, task_registry_address(), encode(args)).ok);
  SWARM_ASSERT(world.send(by, task_registry_address(), encode(finalize_task_args{std::string(name)})).ok);
}

} // namespace swarm::contracts
