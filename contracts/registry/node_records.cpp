#include "contracts/registry/node_records.hpp"

#include "base/u256.hpp"
#include "contracts/organisations/records.hpp"
#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {
constexpr hash32 count_slot = u256(0);
constexpr hash32 accounts_slot = u256(1);
constexpr hash32 records_slot = u256(2);
constexpr hash32 founders_slot = u256(17);
constexpr hash32 removals_slot = u256(18);
} // namespace

node_records::node_records(const slots& in) : slots_(in), list_(in, count_slot, accounts_slot) {}

node_records::record node_records::of(const address& account) const {
  return {slots_, slots_.mapped(key_of(account), records_slot)};
}

organisation_id node_records::founder_of(const address& account) const {
  return static_cast<organisation_id>(
      u256(slots_.load(slots_.mapped(key_of(account), founders_slot))).to_u64());
}
void node_records::set_founder(const address& account, organisation_id organisation) const {
  slots_.store(slots_.mapped(key_of(account), founders_slot), u256(organisation));
}

std::uint64_t node_records::removal_of(const hash32& identity) const {
  return u256(slots_.load(slots_.mapped(identity, removals_slot))).to_u64();
}
void node_records::set_removal(const hash32& identity, std::uint64_t block_num) const {
  slots_.store(slots_.mapped(identity, removals_slot), u256(block_num));
}

address node_records::record::parent() const {
  const auto word = slots_.load(slot_after(base_, 2));
  address out;
  std::copy(word.begin() + 12, word.end(), out.begin());
  return out;
}

void node_records::record::set_details(const address& parent, std::string_view name,
                                       std::string_view endpoint) const {
  slots_.store(slot_after(base_, 2), key_of(parent));
  slots_.store_text(slot_after(base_, 3), name);
  slots_.store_text(slot_after(base_, 4), endpoint);
}

void node_records::record::begin_pending(const pending_slot& waits, const hash32& identity,
                                         const pending_since& since) const {
  set_pending(waits);
  slots_.store(slot_after(base_, 6), identity);
  slots_.put(slot_after(base_, 7), since);
}

void node_records::record::clear_pending() const {
  vouchers().store({});
  begin_pending({}, {}, {});
}

node_statement statement_in_force(const address& account, const node_records::record& record) {
  const auto status = record.status();
  return {account, status.organisation, status.type, record.identity(), status.expiry, status.sequence};
}

node_statement pending_statement(const address& account, const node_records::record& record) {
  const auto waits = record.pending();
  return {account, waits.organisation, waits.type, record.pending_identity(), waits.expiry, waits.sequence};
}

bool is_member(ledger::contract_host& host, const node_slot& status) {
  return status.active && !is_past(status.expiry, host.block_time())
         && (status.organisation == 0 || organisation_records(host).exists(status.organisation));
}

namespace {
/// Why a node of a fitting type is no member.
std::string why_no_member(ledger::contract_host& host, const node_slot& status) {
  if (!status.active) return fmt::format("it left the network in block {}", status.since_block);
  if (is_past(status.expiry, host.block_time()))
    return fmt::format("its certificate expired at second {}: renew it", status.expiry);
  return fmt::format("its organisation {} was removed", status.organisation);
}
} // namespace

result<> require_active_node(ledger::contract_host& host, const address& account,
                             std::initializer_list<node_type> types) {
  const auto record = node_records(host).of(account);
  const auto status = record.status();
  const bool fits = std::find(types.begin(), types.end(), status.type) != types.end();
  if (fits && is_member(host, status)) return {};
  std::string wanted;
  for (auto type : types)
    wanted += fmt::format("{}{}", wanted.empty() ? "" : " or ", to_string(type));
  const std::string found = status.type == node_type{} ? (record.pending().type == node_type{}
                                                              ? "the NodeRegistry does not know it"
                                                              : "its registration waits for vouches")
                            : !fits ? fmt::format("the NodeRegistry has it as {}", to_string(status.type))
                                    : why_no_member(host, status);
  return refuse("{} is not registered as an active {}: {}", to_hex(account.view()), wanted, found);
}

} // namespace swarm::contracts
