#include "contracts/registry/node_records.hpp"

#include "base/u256.hpp"
#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(0);
constexpr hash32 accounts_slot = u256(1);
constexpr hash32 records_slot = u256(2);
} // namespace

std::uint64_t node_records::count() const {
  return u256(slots_.load(count_slot)).to_u64();
}

address node_records::account_at(std::uint64_t index) const {
  const auto word = slots_.load(slot_after(slots_.items(accounts_slot), index));
  address out;
  std::copy(word.begin() + 12, word.end(), out.begin());
  return out;
}

void node_records::add_account(const address& account, std::uint64_t index) {
  slots_.store(slot_after(slots_.items(accounts_slot), index), key_of(account));
  slots_.store(count_slot, u256(index + 1));
}

node_records::record node_records::of(const address& account) const {
  return {slots_, slots_.mapped(key_of(account), records_slot)};
}

void node_records::record::set_details(const hash32& cert_fingerprint, std::string_view name,
                                       std::string_view endpoint) {
  slots_.store(slot_after(base_, 1), cert_fingerprint);
  slots_.store_text(slot_after(base_, 2), name);
  slots_.store_text(slot_after(base_, 3), endpoint);
}

result<> require_active_node(ledger::contract_host& host, const address& account,
                             std::initializer_list<node_type> types) {
  const auto status = node_records(host).of(account).status();
  const bool fits = std::find(types.begin(), types.end(), status.type) != types.end();
  if (fits && status.active) return {};
  std::string wanted;
  for (auto type : types)
    wanted += fmt::format("{}{}", wanted.empty() ? "" : " or ", to_string(type));
  const std::string found = status.type == node_type{} ? "the NodeRegistry does not know it"
                            : !fits ? fmt::format("the NodeRegistry has it as {}", to_string(status.type))
                                    : fmt::format("it left the network in block {}", status.since_block);
  return refuse("{} is not registered as an active {}: {}", to_hex(account.view()), wanted, found);
}

} // namespace swarm::contracts
