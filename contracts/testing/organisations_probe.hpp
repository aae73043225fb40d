#pragma once

#include "contracts/organisations/client.hpp"
#include "contracts/testing/memory_host.hpp"

namespace swarm::contracts {

/// Reads the organisations of a world through the views of their registry; a view that reverts or does not decode ends
/// the test.
class organisations_probe {
public:
  explicit organisations_probe(const memory_world& world) : world_(world) {}

  std::vector<organisation_view> organisations() const;
  std::vector<motion_view> motions() const;
  organisation_view organisation(organisation_id id) const { return ask(organisation_args{id}); }
  organisation_id named(const std::string& name) const { return ask(organisation_named_args{name}); }
  organisation_id owner_of(const hash32& anchor) const { return ask(anchor_owner_args{anchor}); }
  organisation_id of(const address& account) const { return ask(organisation_of_args{account}); }

  /// The invariant of the state that does not hold; empty when all do.
  std::string broken_invariant() const;

private:
  template <class Call>
  abi::answer_of<Call> ask(const Call& call) const {
    const auto out = world_.view({}, organisation_registry_address(), encode(call));
    return decode_answer<Call>(out.ok ? bytes_view(out.output) : bytes_view()).value();
  }

  const memory_world& world_;
};

/// The anchor of this number.
inline hash32 test_anchor(std::uint8_t number) {
  hash32 out;
  out.fill(0xc0);
  out[31] = number;
  return out;
}

} // namespace swarm::contracts
