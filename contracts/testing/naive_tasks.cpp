#include "contracts/testing/naive_tasks.hpp"

#include <algorithm>

namespace swarm::contracts {

naive_tasks::naive_tasks() {
  entry root;
  root.head = {.name = "ROOTTASK", .author = "swarmd", .outcome = "ROOTTASK", .finalized = true};
  root.body = {"---"};
  tasks_.push_back(root);
}

naive_tasks::entry* naive_tasks::find(const std::string& name) {
  for (auto& one : tasks_)
    if (one.head.name == name) return &one;
  return nullptr;
}

organisation_id naive_tasks::home_of(const address& account) const {
  return homes.contains(account) ? homes.at(account) : organisation_id{0};
}

naive_tasks::entry* naive_tasks::changeable(const std::string& name, const address& caller) {
  auto* task = find(name);
  if (task == nullptr || task->head.finalized) return nullptr;
  const auto author = task->head.organisation;
  return author == 0 || author == home_of(caller) ? task : nullptr;
}

bool naive_tasks::call(const address& caller, const create_task_args& args) {
  const auto control = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; });
  };
  if (args.type == task_type::root || args.name.empty() || args.name.size() > 160
      || args.name.find(' ') != std::string::npos || control(args.name))
    return false;
  if (args.author.size() > 160 || args.outcome.size() > 160 || control(args.author) || control(args.outcome))
    return false;
  if (find(args.name) != nullptr || find(args.prereq) == nullptr) return false;
  entry task;
  task.head = {.name = args.name,
               .type = args.type,
               .author = args.author,
               .prereq = args.prereq,
               .outcome = args.outcome,
               .creator = caller,
               .created_block = block_num,
               .organisation = home_of(caller)};
  task.body = {"---"};
  tasks_.push_back(task);
  events.emplace_back(task_created{args.name, caller, args.type});
  return true;
}

bool naive_tasks::call(const address& caller, const append_task_body_args& args) {
  auto* task = changeable(args.name, caller);
  if (task == nullptr || args.lines.empty() || args.lines.size() > 64 || args.first == 0
      || args.first > task->body.size() || args.first + args.lines.size() > 512)
    return false;
  auto body = task->body;
  body.resize(std::max(body.size(), args.first + args.lines.size()));
  std::copy(args.lines.begin(), args.lines.end(), body.begin() + args.first);
  std::size_t size = 0, sent = 0;
  for (const auto& line : body)
    size += line.size();
  for (const auto& line : args.lines) {
    sent += line.size();
    if (line.size() > 1024) return false;
  }
  if (sent > 16384 || size > 65536) return false;
  task->body = body;
  events.emplace_back(
      task_body_written{args.name, args.first, static_cast<std::uint32_t>(args.lines.size()), caller});
  return true;
}

bool naive_tasks::call(const address& caller, const finalize_task_args& args) {
  auto* task = changeable(args.name, caller);
  if (task == nullptr || find(task->head.prereq) == nullptr) return false;
  task->head.finalized = true;
  task->head.finalized_block = block_num;
  events.emplace_back(task_finalized{args.name, caller});
  return true;
}

bool naive_tasks::call(const address& caller, const remove_task_args& args) {
  auto* task = changeable(args.name, caller);
  if (task == nullptr) return false;
  *task = entry(tasks_.back());
  tasks_.pop_back();
  events.emplace_back(task_removed{args.name, caller});
  return true;
}

} // namespace swarm::contracts
