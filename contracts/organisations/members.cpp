#include "contracts/organisations/members.hpp"

#include "contracts/registry/node_records.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(8);
constexpr hash32 accounts_slot = u256(9);
} // namespace

std::uint64_t organisation_members::size() const {
  return u256(slots_.load(count_slot)).to_u64();
}

organisation_members::entry organisation_members::at(std::uint64_t index) const {
  return slots_.get<entry>(slot_after(slots_.items(accounts_slot), index));
}

bool organisation_members::is_active(const address& account) const {
  const auto status = node_records(slots_.host()).of(account).status();
  return status.active && (status.type == node_type::sn || status.type == node_type::swci);
}

organisation_id organisation_members::organisation_of(const address& account) const {
  for (std::uint64_t i = 0, all = size(); i < all; ++i)
    if (const auto one = at(i); one.account == account)
      return node_records(slots_.host()).of(account).status().active ? one.organisation : organisation_id{0};
  return 0;
}

std::map<organisation_id, std::uint32_t> organisation_members::counts() const {
  std::map<organisation_id, std::uint32_t> out;
  for (std::uint64_t i = 0, all = size(); i < all; ++i)
    if (const auto one = at(i); is_active(one.account)) ++out[one.organisation];
  return out;
}

void organisation_members::add(const address& account, organisation_id organisation) const {
  const auto index = size();
  slots_.put(slot_after(slots_.items(accounts_slot), index), entry{account, organisation});
  slots_.store(count_slot, u256(index + 1));
}

} // namespace swarm::contracts
