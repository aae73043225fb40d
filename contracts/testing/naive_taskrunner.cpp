#include "contracts/testing/naive_taskrunner.hpp"

#include <algorithm>

namespace swarm::contracts {

bool naive_taskrunner::is(const address& account, node_type type) const {
  const auto found = nodes.find(account);
  return found != nodes.end() && found->second == type;
}

naive_taskrunner::listener* naive_taskrunner::find_listener(const address& account) {
  for (auto& one : listeners_)
    if (one.account == account) return &one;
  return nullptr;
}

naive_taskrunner::swop_part* naive_taskrunner::find_part(const address& account) {
  for (auto& one : parts_)
    if (one.account == account) return &one;
  return nullptr;
}

std::uint32_t naive_taskrunner::peers_of(const swop_part& one) const {
  return swarm() ? static_cast<std::uint32_t>(one.pairs.size()) : 1;
}

/// How many peers are in this status.
std::uint32_t naive_taskrunner::peers_with(part_status status) const {
  std::uint32_t out = 0;
  for (const auto& one : parts_) {
    const bool by_pair = swarm() && one.status != part_status::invited;
    if (!by_pair && one.status == status) out += peers_of(one);
    if (!by_pair) continue;
    for (const auto& pair : one.pairs)
      out += pair.status == status ? 1 : 0;
  }
  return out;
}

std::uint32_t naive_taskrunner::quorum() const {
  if (mode_ != assign_mode::target) return asked_;
  std::uint32_t out = 0;
  for (const auto& one : parts_)
    out += peers_of(one);
  return out;
}

void naive_taskrunner::settle() {
  const auto invited = peers_with(part_status::invited), active = peers_with(part_status::active),
             complete = peers_with(part_status::complete), failed = peers_with(part_status::failed);
  const auto enrolled = active + complete + failed;
  const auto to_come = std::max(invited, quorum() > enrolled ? quorum() - enrolled : 0);
  auto next = taskrunner_state::running;
  if (complete >= quorum())
    next = taskrunner_state::complete;
  else if (complete + active + to_come < quorum())
    next = taskrunner_state::error;
  else if (to_come > 0)
    next = taskrunner_state::enrolling;
  const bool full = next == taskrunner_state::running || next == taskrunner_state::complete;
  if (full && times_.enrolled == 0) times_.enrolled = block_num;
  if (next == state_) return;
  state_ = next;
  times_.ended = next == taskrunner_state::complete || next == taskrunner_state::error ? block_num : 0;
  events.emplace_back(taskrunner_state_changed{run_, state_});
}

bool naive_taskrunner::call(const address& caller, const listen_args& args) {
  if (!is(caller, node_type::swop) || args.slots > 64) return false;
  auto* known = find_listener(caller);
  if (known != nullptr && known->slots == args.slots) return true;
  if (known == nullptr) known = &listeners_.emplace_back(listener{caller, 0});
  known->slots = args.slots;
  events.emplace_back(swop_listens{caller, args.slots});
  return true;
}

bool naive_taskrunner::call(const address& caller, const unlisten_args& args) {
  if (caller != args.swop && !is(caller, node_type::swci)) return false;
  auto* known = find_listener(args.swop);
  if (known == nullptr) return false;
  *known = listeners_.back();
  listeners_.pop_back();
  events.emplace_back(swop_left{args.swop, caller});
  auto* part = find_part(args.swop);
  const bool at_work =
      part != nullptr && (part->status == part_status::invited || part->status == part_status::active);
  if (at_work) say(*part, part_status::failed, part->step, task_failure::left, 0);
  if (state_ != taskrunner_state::idle) settle();
  return true;
}

void naive_taskrunner::begin(const std::string& task, assign_mode mode, std::uint32_t quorum,
                             const address& by) {
  ++run_;
  task_ = task;
  type_ = tasks.at(task);
  mode_ = mode;
  asked_ = quorum;
  by_ = by;
  times_.assigned = block_num;
  events.emplace_back(task_assigned{run_, task, mode, quorum, by});
}

bool naive_taskrunner::call(const address& caller, const assign_args& args) {
  if (!is(caller, node_type::swci) || state_ != taskrunner_state::idle || !tasks.contains(args.task))
    return false;
  std::uint32_t all = 0;
  for (const auto& one : listeners_)
    all += tasks.at(args.task) == task_type::run_swarm ? one.slots : 1;
  if (args.peers == 0 || args.peers > 65536 || (args.all_peers && args.peers > all)) return false;
  begin(args.task, args.all_peers ? assign_mode::all_peers : assign_mode::with_peers, args.peers, caller);
  settle();
  return true;
}

void naive_taskrunner::give_pairs(swop_part& one, std::uint32_t count) const {
  one.pairs.clear();
  if (!swarm()) return;
  pair_view fresh;
  fresh.status = part_status::active;
  fresh.since_block = block_num;
  one.pairs.assign(count, fresh);
}

bool naive_taskrunner::call(const address& caller, const assign_to_args& args) {
  auto* listens = find_listener(args.swop);
  if (!is(caller, node_type::swci) || listens == nullptr || !tasks.contains(args.task)) return false;
  const bool needs_pairs = tasks.at(args.task) == task_type::run_swarm;
  if (needs_pairs && listens->slots == 0) return false;
  if (state_ == taskrunner_state::idle)
    begin(args.task, assign_mode::target, needs_pairs ? listens->slots : 1, caller);
  else if (args.task != task_ || (state_ == taskrunner_state::complete && mode_ != assign_mode::target))
    return false;
  auto* known = find_part(args.swop);
  swop_part fresh;
  fresh.account = args.swop;
  fresh.since = block_num;
  fresh.attempt = known == nullptr ? 1 : known->attempt + 1;
  give_pairs(fresh, listens->slots);
  events.emplace_back(swop_invited{run_, args.swop, fresh.attempt, caller});
  if (known == nullptr)
    parts_.push_back(fresh);
  else
    *known = fresh;
  settle();
  return true;
}

bool naive_taskrunner::call(const address& caller, const enrol_args& args) {
  auto* listens = find_listener(caller);
  if (!is(caller, node_type::swop) || state_ == taskrunner_state::idle || args.run != run_
      || listens == nullptr || (swarm() && listens->slots == 0))
    return false;
  auto* known = find_part(caller);
  if (known == nullptr) {
    std::uint32_t taken = 0;
    for (const auto& one : parts_)
      taken += peers_of(one);
    const bool open = mode_ != assign_mode::target && state_ == taskrunner_state::enrolling && taken < asked_;
    if (!open) return false;
    known = &parts_.emplace_back();
    known->account = caller;
  } else if (known->status != part_status::invited) {
    return false;
  }
  known->status = part_status::active;
  known->since = block_num;
  give_pairs(*known, listens->slots);
  events.emplace_back(swop_enrolled{run_, caller, peers_of(*known)});
  settle();
  return true;
}

naive_taskrunner::swop_part* naive_taskrunner::reporting(const address& caller, std::uint64_t run) {
  if (!is(caller, node_type::swop) || state_ == taskrunner_state::idle || run != run_) return nullptr;
  auto* part = find_part(caller);
  return part == nullptr || part->status == part_status::invited ? nullptr : part;
}

bool naive_taskrunner::says_anything(part_status status, task_failure failure) const {
  switch (status) {
  case part_status::active:
  case part_status::complete:
    return failure == task_failure::none;
  case part_status::failed:
    return failure != task_failure::none && failure != task_failure::left;
  default:
    return false;
  }
}

/// What a SWOP's part is from now on; a failed one takes its pairs with it.
void naive_taskrunner::say(swop_part& one, part_status status, task_step step, task_failure failure,
                           std::uint64_t number) {
  if (status != one.status || step != one.step || failure != one.failure) one.since = block_num;
  one.status = status;
  one.step = step;
  one.failure = failure;
  one.number = number;
  if (status == part_status::failed)
    for (auto& pair : one.pairs)
      if (pair.status == part_status::active) {
        pair.status = part_status::failed;
        pair.failure = failure;
        pair.number = number;
        pair.since_block = block_num;
      }
  events.emplace_back(swop_reported{run_, one.account, status, step, failure, number});
}

bool naive_taskrunner::call(const address& caller, const report_args& args) {
  auto* part = reporting(caller, args.run);
  if (part == nullptr || !says_anything(args.status, args.failure)) return false;
  if (part->status == args.status && part->step == args.step && part->failure == args.failure
      && part->number == args.number)
    return true;
  if (part->status != part_status::active) return false;
  if (swarm() && args.status == part_status::complete) return false;
  if (times_.started == 0) times_.started = block_num;
  say(*part, args.status, args.step, args.failure, args.number);
  settle();
  return true;
}

bool naive_taskrunner::call(const address& caller, const report_pair_args& args) {
  auto* part = reporting(caller, args.run);
  if (part == nullptr || !says_anything(args.status, args.failure)) return false;
  if (!swarm() || args.index >= part->pairs.size()) return false;
  if (!args.sl.is_zero() && !is(args.sl, node_type::sl)) return false;
  auto& pair = part->pairs[args.index];
  const bool same = pair.status == args.status && pair.step == args.step && pair.failure == args.failure;
  if (same && pair.number == args.number && pair.sl == args.sl) return true;
  if (part->status != part_status::active || pair.status != part_status::active) return false;
  if (!same) pair.since_block = block_num;
  pair.sl = args.sl;
  pair.status = args.status;
  pair.step = args.step;
  pair.failure = args.failure;
  pair.number = args.number;
  if (times_.started == 0) times_.started = block_num;
  events.emplace_back(
      pair_reported{run_, caller, args.index, args.sl, args.status, args.step, args.failure, args.number});
  const auto has = [part](part_status status) {
    return std::find_if(part->pairs.begin(), part->pairs.end(),
                        [status](const auto& one) { return one.status == status; });
  };
  if (has(part_status::active) == part->pairs.end()) {
    const auto failed = has(part_status::failed);
    if (failed == part->pairs.end())
      say(*part, part_status::complete, task_step::ended, task_failure::none, 0);
    else
      say(*part, part_status::failed, task_step::ended, failed->failure, failed->number);
  }
  settle();
  return true;
}

bool naive_taskrunner::call(const address& caller, const reset_taskrunner_with_note_args& args) {
  const bool runs = state_ != taskrunner_state::idle;
  const auto run = run_;
  if (!call(caller, reset_taskrunner_args{})) return false;
  if (runs && !args.note.empty())
    events.insert(events.begin(), taskrunner_reset_noted{run, caller, args.note});
  return true;
}

bool naive_taskrunner::call(const address& caller, const reset_taskrunner_args&) {
  if (!is(caller, node_type::swci)) return false;
  if (state_ == taskrunner_state::idle) return true;
  state_ = taskrunner_state::idle;
  mode_ = {};
  type_ = {};
  task_.clear();
  by_ = {};
  asked_ = 0;
  parts_.clear();
  times_ = {.created = times_.created, .last_reset = block_num};
  events.emplace_back(taskrunner_reset{run_, caller});
  events.emplace_back(taskrunner_state_changed{run_, state_});
  return true;
}

taskrunner_head_view naive_taskrunner::head() const {
  taskrunner_head_view out;
  out.run = run_;
  out.state = state_;
  out.mode = mode_;
  out.type = type_;
  out.task = task_;
  out.assigned_by = by_;
  out.quorum = quorum();
  out.listening = static_cast<std::uint32_t>(listeners_.size());
  for (const auto& one : listeners_)
    out.slots += one.slots;
  out.swops = static_cast<std::uint32_t>(parts_.size());
  out.invited = peers_with(part_status::invited);
  out.active = peers_with(part_status::active);
  out.complete = peers_with(part_status::complete);
  out.failed = peers_with(part_status::failed);
  out.enrolled = out.active + out.complete + out.failed;
  out.times = times_;
  return out;
}

swop_view naive_taskrunner::swop(const address& account) const {
  swop_view out;
  for (const auto& one : listeners_)
    if (one.account == account) {
      out.account = account;
      out.listening = true;
      out.slots = one.slots;
    }
  for (const auto& one : parts_) {
    if (one.account != account) continue;
    out.account = account;
    out.status = one.status;
    out.step = one.step;
    out.failure = one.failure;
    out.number = one.number;
    out.since_block = one.since;
    out.attempt = one.attempt;
    out.pairs = static_cast<std::uint32_t>(one.pairs.size());
    if (one.status == part_status::invited) continue;
    for (const auto& pair : one.pairs) {
      out.active += pair.status == part_status::active ? 1 : 0;
      out.complete += pair.status == part_status::complete ? 1 : 0;
      out.failed += pair.status == part_status::failed ? 1 : 0;
    }
  }
  return out;
}

std::vector<swop_view> naive_taskrunner::swops() const {
  std::vector<swop_view> out;
  for (const auto& one : parts_)
    out.push_back(swop(one.account));
  return out;
}

std::vector<swop_view> naive_taskrunner::listeners() const {
  std::vector<swop_view> out;
  for (const auto& one : listeners_)
    out.push_back(swop(one.account));
  return out;
}

std::vector<pair_view> naive_taskrunner::pairs(const address& swop) const {
  for (const auto& one : parts_)
    if (one.account == swop && one.status != part_status::invited) return one.pairs;
  return {};
}

} // namespace swarm::contracts
