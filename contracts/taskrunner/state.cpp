#include "contracts/taskrunner/state.hpp"

#include "base/u256.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 name_slot = u256(0);
constexpr hash32 runner_number = u256(1);
constexpr hash32 counts_number = u256(2);
constexpr hash32 times_number = u256(3);
constexpr hash32 task_number = u256(4);
constexpr hash32 assigned_by_number = u256(5);
constexpr hash32 listeners_number = u256(6);
constexpr hash32 listener_number = u256(7);
constexpr hash32 swops_number = u256(8);
constexpr hash32 index_number = u256(9);
constexpr hash32 pairs_number = u256(10);
constexpr hash32 last_reset_number = u256(11); // and the two after it

constexpr std::uint64_t slots_per_part = 2;

/// A mapping's key that begins with the number of the run.
hash32 run_key(std::uint64_t run, hash32 rest = {}) {
  put_be64(rest.data(), run);
  return rest;
}

address account_in(const hash32& word) {
  address out;
  std::copy(word.begin() + 12, word.end(), out.begin());
  return out;
}

} // namespace

runner_storage::runner_storage(const slots& in) : slots_(in) {
  runner = loaded_runner_ = slots_.get<runner_slot>(runner_number);
  counts = loaded_counts_ = slots_.get<run_counts_slot>(counts_number);
  times = loaded_times_ = slots_.get<run_times_slot>(times_number);
}

void runner_storage::save() {
  if (runner != loaded_runner_) slots_.put(runner_number, runner);
  if (counts != loaded_counts_) slots_.put(counts_number, counts);
  if (times != loaded_times_) slots_.put(times_number, times);
  loaded_runner_ = runner;
  loaded_counts_ = counts;
  loaded_times_ = times;
}

std::string runner_storage::name() const {
  return slots_.load_text(name_slot);
}
void runner_storage::set_name(std::string_view name) const {
  slots_.store_text(name_slot, name);
}
reset_record runner_storage::last_reset() const {
  return {slots_, last_reset_number};
}
std::string runner_storage::task() const {
  return slots_.load_text(task_number);
}
void runner_storage::set_task(std::string_view task) const {
  slots_.store_text(task_number, task);
}
address runner_storage::assigned_by() const {
  return account_in(slots_.load(assigned_by_number));
}
void runner_storage::set_assigned_by(const address& account) const {
  slots_.store(assigned_by_number, key_of(account));
}

listener_slot runner_storage::listener(const address& account) const {
  return slots_.get<listener_slot>(slots_.mapped(key_of(account), listener_number));
}
void runner_storage::set_listener(const address& account, const listener_slot& listener) const {
  slots_.put(slots_.mapped(key_of(account), listener_number), listener);
}
address runner_storage::listener_at(std::uint32_t index) const {
  return account_in(slots_.load(slot_after(slots_.items(listeners_number), index)));
}
void runner_storage::set_listener_at(std::uint32_t index, const address& account) const {
  slots_.store(slot_after(slots_.items(listeners_number), index), key_of(account));
}

std::optional<std::uint16_t> runner_storage::find(const address& account) const {
  if (runner.state == taskrunner_state::idle) return std::nullopt;
  const auto place = slots_.mapped(run_key(runner.run, key_of(account)), index_number);
  const auto index = u256(slots_.load(place)).to_u64();
  if (index == 0) return std::nullopt;
  return static_cast<std::uint16_t>(index - 1);
}
void runner_storage::set_index(const address& account, std::uint16_t index) const {
  slots_.store(slots_.mapped(run_key(runner.run, key_of(account)), index_number), u256(index + 1u));
}

hash32 runner_storage::swop_place(std::uint16_t index) const {
  if (!swops_base_ || swops_base_->first != runner.run)
    swops_base_.emplace(runner.run, slots_.mapped(run_key(runner.run), swops_number));
  return slot_after(swops_base_->second, index * slots_per_part);
}

runner_storage::pair_list runner_storage::pairs_of(std::uint16_t index, const swop_slot& swop) const {
  auto key = run_key(runner.run);
  put_be64(key.data() + 16, index);
  put_be64(key.data() + 24, swop.attempt);
  return {slots_, slots_.mapped(key, pairs_number), swop_step(index).enrolled_block};
}

pair_slot runner_storage::pair_list::pair(std::uint32_t index) const {
  auto out = slots_.get<pair_slot>(slot_after(base_, index * slots_per_part));
  if (out.status == part_status::none) out.status = part_status::active;
  return out;
}
void runner_storage::pair_list::set_pair(std::uint32_t index, const pair_slot& pair) const {
  slots_.put(slot_after(base_, index * slots_per_part), pair);
}
step_slot runner_storage::pair_list::step(std::uint32_t index) const {
  auto out = slots_.get<step_slot>(slot_after(base_, index * slots_per_part + 1));
  if (out.since_block == 0) out.since_block = enrolled_block_;
  return out;
}
void runner_storage::pair_list::set_step(std::uint32_t index, const step_slot& step) const {
  slots_.put(slot_after(base_, index * slots_per_part + 1), step);
}

} // namespace swarm::contracts
