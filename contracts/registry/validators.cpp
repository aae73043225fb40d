#include "contracts/registry/validators.hpp"

#include "contracts/registry/interface.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 members_slot = u256(3);
constexpr hash32 voters_slot = u256(4);
constexpr hash32 last_change_slot = u256(5);
constexpr hash32 validator_count_slot = u256(ledger::validator_count_slot);
constexpr hash32 first_validator_slot = u256(ledger::first_validator_slot);

address address_in(const hash32& word) {
  address out;
  std::copy(word.begin() + 12, word.end(), out.begin());
  return out;
}

} // namespace

validator_records::validator_records(ledger::contract_host& host) : slots_(host, node_registry_address()) {}

std::vector<address> validator_records::members() const {
  auto out = load_list(members_slot, slots_.items(members_slot));
  return out.empty() ? validators() : out;
}

void validator_records::set_members(const std::vector<seat_candidate>& members,
                                    std::uint64_t block_num) const {
  std::vector<address> accounts;
  for (const auto& member : members)
    accounts.push_back(member.account);
  store_list(members_slot, slots_.items(members_slot), accounts);
  store_list(validator_count_slot, first_validator_slot, seats_of(members));
  slots_.store(last_change_slot, u256(block_num));
}

std::vector<address> validator_records::validators() const {
  return load_list(validator_count_slot, first_validator_slot);
}

std::uint64_t validator_records::last_change() const {
  return u256(slots_.load(last_change_slot)).to_u64();
}

std::vector<address> validator_records::voters_on(const address& account) const {
  const auto base = slots_.mapped(key_of(account), voters_slot);
  return load_list(base, slots_.items(base));
}

void validator_records::set_voters_on(const address& account, const std::vector<address>& voters) const {
  const auto base = slots_.mapped(key_of(account), voters_slot);
  store_list(base, slots_.items(base), voters);
}

std::vector<address> validator_records::load_list(const hash32& count_slot, const hash32& first_slot) const {
  std::vector<address> out(u256(slots_.load(count_slot)).to_u64());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = address_in(slots_.load(slot_after(first_slot, i)));
  return out;
}

void validator_records::store_list(const hash32& count_slot, const hash32& first_slot,
                                   const std::vector<address>& list) const {
  const auto before = u256(slots_.load(count_slot)).to_u64();
  for (std::size_t i = 0; i < list.size(); ++i)
    slots_.store(slot_after(first_slot, i), key_of(list[i]));
  for (auto i = list.size(); i < before; ++i)
    slots_.store(slot_after(first_slot, i), hash32{});
  slots_.store(count_slot, u256(list.size()));
}

} // namespace swarm::contracts
