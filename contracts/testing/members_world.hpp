#pragma once

#include "contracts/registry/client.hpp"
#include "contracts/testing/memory_host.hpp"

namespace swarm::contracts {

/// A world in memory whose organisations 1 to n were founded with an SN each: `sn(1)` to `sn(n)`. Calls return the text of
/// their refusal, or nothing.
class members_world {
public:
  explicit members_world(std::uint16_t organisations);

  static address sn(organisation_id of) { return test_account(of); }

  /// A registration of organisation `of` with the next sequence.
  register_node_args claim(organisation_id of, node_type type = node_type::sl);
  std::string enter(const address& account, const register_node_args& args);
  /// Vouches for whatever of the account waits.
  std::string vouch(const address& by, const address& account);
  /// The SNs of these organisations vouch for it.
  void admit(const address& account, const std::vector<organisation_id>& by);
  template <class Args>
  std::string send(const address& from, const Args& args) {
    return reason(world.send(from, node_registry_address(), encode(args)));
  }

  template <class Args>
  abi::answer_of<Args> ask(const Args& args) const {
    const auto out = world.view({}, node_registry_address(), encode(args));
    return decode_answer<Args>(out.ok ? bytes_view(out.output) : bytes_view()).value();
  }
  node_view node(const address& account) const { return ask(node_args{account}); }
  bool active(const address& account) const { return node(account).active; }
  pending_view pending(const address& account) const { return ask(pending_of_args{account}); }
  standing_view standing(organisation_id of) const { return ask(standing_args{of}); }
  std::uint64_t node_count() const { return ask(node_count_args{}).to_u64(); }
  /// All nodes and waiting statements agree with what is counted; empty when they do.
  std::string broken_invariant() const;

  memory_world world;
  std::vector<ledger::log_entry> events; ///< of the last call that was not refused
  std::uint64_t gas = 0;                 ///< of the last call

private:
  std::string reason(memory_world::outcome done);
  std::uint64_t sequence_ = 0;
};

} // namespace swarm::contracts
