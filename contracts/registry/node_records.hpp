#pragma once

#include "contracts/organisations/id_list.hpp"
#include "contracts/registry/account_list.hpp"
#include "contracts/registry/interface.hpp"

#include <initializer_list>

namespace swarm::contracts {

/// The first slot of a node's record: all that other contracts ask about. It fills the slot.
struct node_slot {
  node_type type{};                 ///< 0: it never was a member
  bool active = false;              ///< admitted, and neither left nor removed since; see is_member
  organisation_id organisation = 0; ///< 0 on a chain without organisations
  std::uint64_t since_block = 0;
  std::uint64_t expiry = 0; ///< of the statement in force, as everything here
  std::uint64_t sequence = 0;
  std::uint32_t index = 0; ///< of an active node, in the list
};

/// The first slot of the statement of a node that waits for vouches.
struct pending_slot {
  node_type type{}; ///< 0: none waits
  organisation_id organisation = 0;
  std::uint64_t expiry = 0;
  std::uint64_t sequence = 0;
  std::uint32_t index = 0; ///< in the list of its organisation
  bool own_vouch = false;  ///< its organisation is among the vouchers
  std::uint16_t vouches = 0;
};
/// Its second.
struct pending_since {
  std::uint64_t block_num = 0; ///< whose NodeRegistered has the proof
  std::uint64_t time = 0;
};

/// The slots of the NodeRegistry, for itself and for contracts that read it. Validators are in validator_records, what
/// is counted for each organisation in organisation_tallies.
///
///     slot 0             number of active nodes
///     slot 1             array of their accounts; when one goes, the last takes its place
///     slot 2             mapping account -> record: node_slot, identity, parent, name, endpoint; pending_slot, its
///                        identity, pending_since, vouchers (an id_list); who votes for its removal (an id_list)
///     slot 17            mapping account -> the organisation whose founding validator it is
///     slot 18            mapping identity -> block in which a member that had it was removed by vote
///
/// A record outlives membership, as trainings name those who took part. What never became a member leaves nothing.
class node_records {
public:
  explicit node_records(ledger::contract_host& host) : node_records(slots(host, node_registry_address())) {}
  explicit node_records(const slots& in);

  const account_list& list() const { return list_; }

  /// One account's record. Finding its place costs one hash.
  class record {
  public:
    record(const slots& in, const hash32& base) : slots_(in), base_(base) {}
    node_slot status() const { return slots_.get<node_slot>(base_); }
    hash32 identity() const { return slots_.load(slot_after(base_, 1)); }
    address parent() const;
    std::string name() const { return slots_.load_text(slot_after(base_, 3)); }
    std::string endpoint() const { return slots_.load_text(slot_after(base_, 4)); }
    pending_slot pending() const { return slots_.get<pending_slot>(slot_after(base_, 5)); }
    hash32 pending_identity() const { return slots_.load(slot_after(base_, 6)); }
    pending_since since() const { return slots_.get<pending_since>(slot_after(base_, 7)); }
    id_list vouchers() const { return {slots_, slot_after(base_, 8)}; }
    id_list removal_voters() const { return {slots_, slot_after(base_, 9)}; }

    void set_status(const node_slot& status) const { slots_.put(base_, status); }
    void set_identity(const hash32& identity) const { slots_.store(slot_after(base_, 1), identity); }
    void set_details(const address& parent, std::string_view name, std::string_view endpoint) const;
    void set_pending(const pending_slot& waits) const { slots_.put(slot_after(base_, 5), waits); }
    /// A statement begins to wait.
    void begin_pending(const pending_slot& waits, const hash32& identity, const pending_since& since) const;
    /// None waits any more.
    void clear_pending() const;

  private:
    slots slots_;
    hash32 base_;
  };
  record of(const address& account) const;

  /// The organisation that founded the chain with `account` as its validator; 0 for none, or since it was removed.
  organisation_id founder_of(const address& account) const;
  void set_founder(const address& account, organisation_id organisation) const;

  /// The block in which a member with this identity was removed by vote; 0: none was.
  std::uint64_t removal_of(const hash32& identity) const;
  void set_removal(const hash32& identity, std::uint64_t block_num) const;

private:
  slots slots_;
  account_list list_;
};

/// The statements that `record` of `account` has.
node_statement statement_in_force(const address& account, const node_records::record& record);
node_statement pending_statement(const address& account, const node_records::record& record);

/// Whether a node with this status is a member in the block that is built: active, not expired, and its organisation
/// is still there. Everything that asks for membership asks this.
bool is_member(ledger::contract_host& host, const node_slot& status);

/// Whether `time` is past an expiry.
constexpr bool is_past(std::uint64_t expiry, std::uint64_t time) {
  return expiry != 0 && time > expiry;
}

/// Fails unless `account` is a member of one of `types`; the text says what it is instead.
result<> require_active_node(ledger::contract_host& host, const address& account,
                             std::initializer_list<node_type> types);

} // namespace swarm::contracts
