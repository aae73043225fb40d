#include "contracts/testing/memory_host.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"

#include <optional>
#include <ranges>

namespace swarm::contracts {

/// Writes at once and remembers what was there before.
class memory_world::host final : public ledger::contract_host {
public:
  host(world_state& state, std::uint64_t block_time, std::uint64_t gas_limit)
      : state_(state), block_time_(block_time), gas_left_(gas_limit), gas_limit_(gas_limit) {}

  hash32 load(const address& contract, const hash32& key) override {
    ++loads;
    charge(load_gas);
    const auto found = state_.slots.find({contract, key});
    return found == state_.slots.end() ? hash32{} : found->second;
  }

  void store(const address& contract, const hash32& key, const hash32& value) override {
    ++stores;
    charge(store_gas);
    auto& slots = state_.slots;
    const auto found = slots.find({contract, key});
    undo_slots_.emplace_back(std::pair{contract, key}, found == slots.end() ? hash32{} : found->second);
    put(undo_slots_.back().first, value);
  }

  void emit(ledger::log_entry entry) override {
    charge(event_gas * (1 + entry.topics.size()) + 8 * entry.data.size());
    events.push_back(std::move(entry));
  }

  bool has_code(const address& account) override {
    charge(load_gas);
    return state_.code.contains(account);
  }

  std::uint64_t block_time() const override { return block_time_; }

  void deploy(const address& account, std::uint8_t kind) override {
    charge(store_gas);
    SWARM_ASSERT(!state_.code.contains(account));
    state_.code[account] = kind;
    deployed_.push_back(account);
  }

  void charge(std::uint64_t gas) override {
    if (gas > gas_left_) throw ledger::out_of_gas{};
    gas_left_ -= gas;
  }

  void undo() {
    for (auto& undo_slot : std::ranges::reverse_view(undo_slots_))
      put(undo_slot.first, undo_slot.second);
    for (const auto& account : deployed_)
      state_.code.erase(account);
    events.clear();
  }
  std::uint64_t gas_used() const { return gas_limit_ - gas_left_; }

  std::vector<ledger::log_entry> events;
  std::uint64_t loads = 0;
  std::uint64_t stores = 0;

private:
  void put(const std::pair<address, hash32>& slot, const hash32& value) {
    if (value.is_zero())
      state_.slots.erase(slot);
    else
      state_.slots[slot] = value;
  }

  world_state& state_;
  std::uint64_t block_time_;
  std::uint64_t gas_left_;
  std::uint64_t gas_limit_;
  std::vector<std::pair<std::pair<address, hash32>, hash32>> undo_slots_;
  std::vector<address> deployed_;
};

memory_world::memory_world(ledger::native_contract_set contracts, std::vector<address> validators,
                           const std::vector<ledger::founder>& founders, std::uint64_t rules)
    : contracts_(std::move(contracts)), founders_(founders) {
  for (const auto& account : contracts_.genesis) {
    state_.code[account.where] = account.kind;
    auto storage = account.storage;
    if (account.founders_storage)
      for (auto& one : account.founders_storage(founders))
        storage.push_back(std::move(one));
    for (const auto& [slot, value] : storage) {
      SWARM_ASSERT(!value.is_zero());
      state_.slots[{account.where, slot}] = value;
    }
  }
  auto write = [this](std::uint64_t slot, const hash32& value) {
    state_.slots[{ledger::validators_account(), u256(slot)}] = value;
  };
  std::sort(validators.begin(), validators.end());
  if (!validators.empty()) write(ledger::validator_count_slot, u256(validators.size()));
  for (std::size_t i = 0; i < validators.size(); ++i) {
    hash32 word;
    std::copy(validators[i].begin(), validators[i].end(), word.begin() + 12);
    write(ledger::first_validator_slot + i, word);
  }
  begin_rules(rules);
}

void memory_world::begin_rules(std::uint64_t version) {
  const slot_key schedule{ledger::validators_account(), u256(ledger::rules_slot)};
  const auto word = ledger::word_of(ledger::rules_schedule{.version = version});
  if (word.is_zero())
    state_.slots.erase(schedule);
  else
    state_.slots[schedule] = word;
}

memory_world::outcome memory_world::run(world_state& state, const address& from, const address& to,
                                        bytes_view input, std::uint64_t gas_limit, bool read_only) const {
  const auto kind = state.code.at(to);
  const auto code = std::find_if(contracts_.kinds.begin(), contracts_.kinds.end(),
                                 [kind](const auto& entry) { return entry.kind == kind; });
  SWARM_ASSERT(code != contracts_.kinds.end());
  host host_of_call(state, block_time_, gas_limit);
  const auto schedule = state.slots.find({ledger::validators_account(), u256(ledger::rules_slot)});
  const auto rules = ledger::rules_in(schedule == state.slots.end() ? hash32{} : schedule->second);
  const ledger::call_context context{from, to, 1337, block_num_ + 1, read_only, {}, rules.at(block_num_ + 1)};
  outcome out;
  try {
    auto done = code->code->call(host_of_call, context, input);
    out.ok = done.ok;
    out.output = std::move(done.output);
  } catch (const ledger::out_of_gas&) {
    out.out_of_gas = true;
  }
  if (!out.ok || read_only) host_of_call.undo();
  out.events = std::move(host_of_call.events);
  out.gas = host_of_call.gas_used();
  out.loads = host_of_call.loads;
  out.stores = host_of_call.stores;
  return out;
}

memory_world::outcome memory_world::send(const address& from, const address& to, bytes_view input,
                                         std::uint64_t gas_limit) {
  auto out = run(state_, from, to, input, gas_limit, false);
  ++block_num_;
  return out;
}

memory_world::outcome memory_world::view(const address& from, const address& to, bytes_view input) const {
  // The call undoes whatever it writes before it returns.
  return run(const_cast<world_state&>(state_), from, to, input, ~std::uint64_t{0}, true);
}

address test_account(std::uint16_t number) {
  address out;
  out.fill(0xaa);
  out[18] = static_cast<std::uint8_t>(number >> 8);
  out[19] = static_cast<std::uint8_t>(number);
  return out;
}

} // namespace swarm::contracts
