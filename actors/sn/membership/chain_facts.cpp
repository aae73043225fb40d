#include "actors/sn/membership/chain_facts.hpp"

#include "actors/sn/membership/organisation_places.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"

#include <algorithm>

namespace swarm::membership {

namespace {

/// Asks the registry, as `self`.
class registry_view {
public:
  registry_view(const ledger::chain& chain, const address& self) : chain_(chain), self_(self) {}

  result<bytes> ask(bytes input) const {
    SWARM_TRY(
        auto answer,
        chain_.call({.from = self_, .to = contracts::node_registry_address(), .input = std::move(input)}));
    return std::move(answer.output);
  }

  /// Of all types, but only SNs are kept.
  result<std::vector<contracts::node_view>> sns() const {
    std::vector<contracts::node_view> out;
    SWARM_TRY(const auto count_raw, ask(contracts::encode_node_count()));
    SWARM_TRY(const auto count, contracts::decode_node_count(count_raw));
    for (std::uint64_t seen = 0; seen < count;) {
      SWARM_TRY(const auto raw, ask(contracts::encode_nodes(seen, contracts::page_entries_max)));
      SWARM_TRY(auto page, contracts::decode_nodes(raw));
      if (page.empty()) break;
      seen += page.size();
      std::erase_if(page, [](const auto& node) { return node.type != contracts::node_type::sn; });
      std::move(page.begin(), page.end(), std::back_inserter(out));
    }
    return out;
  }

  result<bool> has_voted_on(const address& who) const {
    SWARM_TRY(const auto raw, ask(contracts::encode_voters_on(who)));
    SWARM_TRY(const auto voters, contracts::decode_voters_on(raw));
    return std::find(voters.begin(), voters.end(), self_) != voters.end();
  }

  result<bool> has_voted_twice(const address& who) const {
    SWARM_TRY(const auto raw, ask(contracts::encode(contracts::double_vote_of_args{who})));
    SWARM_TRY(const auto block_num, contracts::decode_answer<contracts::double_vote_of_args>(raw));
    return block_num != u256(0);
  }

private:
  const ledger::chain& chain_;
  const address& self_;
};

/// Of `members` those whose organisation is none of the chain any more. One that has not registered yet is its founder's.
result<std::set<address>> homeless_of(const std::vector<address>& members, const registry_view& registry,
                                      const std::map<hash32, anchor_owner>& anchors) {
  std::set<contracts::organisation_id> organisations{0};
  for (const auto& [anchor, owner] : anchors)
    organisations.insert(owner.organisation);
  std::set<address> out;
  for (const auto& member : members) {
    SWARM_TRY(const auto raw, registry.ask(contracts::encode_node(member)));
    SWARM_TRY(const auto node, contracts::decode_node(raw));
    if (!organisations.contains(node.organisation)) out.insert(member);
  }
  return out;
}

result<hash32> storage_of(const ledger::chain& chain, const address& contract) {
  SWARM_TRY(const auto stored, chain.account_of(contract));
  return stored.storage_root;
}

result<> refresh(known_registry& known, const ledger::chain& chain, const registry_view& registry) {
  SWARM_TRY(const auto nodes, storage_of(chain, contracts::node_registry_address()));
  SWARM_TRY(const auto organisations, storage_of(chain, contracts::organisation_registry_address()));
  const auto time = chain.head()->header.timestamp;
  if (known.nodes_root == nodes && known.organisations_root == organisations && time <= known.good_until)
    return {};
  SWARM_TRY(known.sns, registry.sns());
  SWARM_TRY(known.anchors, read_anchor_owners(chain));
  SWARM_TRY(const auto powers, registry.ask(contracts::encode(contracts::seat_powers_args{})));
  SWARM_TRY(known.powers, contracts::decode_answer<contracts::seat_powers_args>(powers));
  known.nodes_root = nodes;
  known.organisations_root = organisations;
  known.good_until = std::numeric_limits<std::uint64_t>::max();
  for (const auto& node : known.sns)
    if (node.active && node.expiry != 0) known.good_until = std::min(known.good_until, node.expiry);
  return {};
}

} // namespace

result<chain_facts> read_chain_facts(const ledger::chain& chain, const address& self,
                                     const action::read_facts& wanted, known_registry& known) {
  const registry_view registry(chain, self);
  chain_facts out;
  out.block_num = chain.head()->header.block_num;
  SWARM_TRY(const auto stored, chain.account_of(self));
  SWARM_TRY(const auto next, chain.pending_nonce(self));
  out.pending = next != stored.nonce;
  SWARM_TRY(const auto self_raw, registry.ask(contracts::encode_node(self)));
  if (auto node = contracts::decode_node(self_raw); node && !node->account.is_zero())
    out.self = std::move(*node);
  if (out.self && !out.self->active) {
    SWARM_TRY(const auto removed,
              registry.ask(contracts::encode(contracts::removal_of_args{out.self->identity})));
    SWARM_TRY(const auto block_num, contracts::decode_answer<contracts::removal_of_args>(removed));
    out.removed = block_num.to_u64();
  }
  SWARM_TRY(const auto waits_raw, registry.ask(contracts::encode(contracts::pending_of_args{self})));
  SWARM_TRY(out.waits, contracts::decode_pending_of(waits_raw));
  out.chain = {chain.chain_id(), chain.genesis_hash()};
  SWARM_TRY(out.validators, chain.validators_after(out.block_num));
  SWARM_TRY(const auto members_raw, registry.ask(contracts::encode_validator_members()));
  SWARM_TRY(out.members, contracts::decode_validator_members(members_raw));
  SWARM_CHECK(refresh(known, chain, registry));
  out.nodes = known.sns;
  out.powers = known.powers;
  out.anchors = known.anchors;
  SWARM_TRY(out.homeless, homeless_of(out.members, registry, known.anchors));
  std::set<address> subjects(out.members.begin(), out.members.end());
  subjects.insert(wanted.connected.begin(), wanted.connected.end());
  for (const auto& subject : subjects) {
    SWARM_TRY(const bool voted, registry.has_voted_on(subject));
    if (voted) out.voted_on.insert(subject);
  }
  for (const auto& who : wanted.connected) {
    SWARM_TRY(const bool barred, registry.has_voted_twice(who));
    if (barred) out.barred.insert(who);
  }
  for (const auto& name : wanted.trainings) {
    SWARM_TRY(const auto code, chain.code_of(contracts::training_address(name)));
    if (code.empty()) out.trainings_wanted.push_back(name);
  }
  return out;
}

} // namespace swarm::membership
