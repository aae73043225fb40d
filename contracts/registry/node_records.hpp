#pragma once

#include "contracts/registry/interface.hpp"
#include "contracts/runtime/slots.hpp"

#include <initializer_list>

namespace swarm::contracts {

/// The first slot of a node's record: all that other contracts ask about.
struct node_slot {
  node_type type{}; ///< 0: never registered
  bool active = false;
  std::uint64_t since_block = 0;
  std::uint16_t index = 0; ///< order of first registration
  address parent;
};

/// The slots of the NodeRegistry, for itself and for contracts that read it.
///
///     slot 0             number of nodes
///     slot 1             array of accounts, in order of first registration
///     slot 2             mapping account -> record: node_slot, certificate fingerprint, name, endpoint
class node_records {
public:
  explicit node_records(ledger::contract_host& host) : slots_(host, node_registry_address()) {}

  std::uint64_t count() const;
  address account_at(std::uint64_t index) const;
  /// Appends `account` to the list.
  void add_account(const address& account, std::uint64_t index);

  /// One account's record. Finding its place costs one hash.
  class record {
  public:
    record(const slots& in, const hash32& base) : slots_(in), base_(base) {}
    node_slot status() const { return slots_.get<node_slot>(base_); }
    hash32 cert_fingerprint() const { return slots_.load(slot_after(base_, 1)); }
    std::string name() const { return slots_.load_text(slot_after(base_, 2)); }
    std::string endpoint() const { return slots_.load_text(slot_after(base_, 3)); }

    void set_status(const node_slot& status) { slots_.put(base_, status); }
    void set_details(const hash32& cert_fingerprint, std::string_view name, std::string_view endpoint);

  private:
    slots slots_;
    hash32 base_;
  };
  record of(const address& account) const;

private:
  slots slots_;
};

/// Fails unless `account` is registered, active and of one of `types`; the text says what it is instead.
result<> require_active_node(ledger::contract_host& host, const address& account,
                             std::initializer_list<node_type> types);

} // namespace swarm::contracts
