#include "actors/sn/membership/chain_facts.hpp"

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

  result<std::vector<contracts::node_view>> nodes() const {
    std::vector<contracts::node_view> out;
    SWARM_TRY(const auto count_raw, ask(contracts::encode_node_count()));
    SWARM_TRY(const auto count, contracts::decode_node_count(count_raw));
    while (out.size() < count) {
      SWARM_TRY(const auto raw, ask(contracts::encode_nodes(out.size(), contracts::page_entries_max)));
      SWARM_TRY(auto page, contracts::decode_nodes(raw));
      if (page.empty()) break;
      out.insert(out.end(), page.begin(), page.end());
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

} // namespace

result<chain_facts> read_chain_facts(const ledger::chain& chain, const address& self,
                                     const action::read_facts& wanted) {
  const registry_view registry(chain, self);
  chain_facts out;
  out.block_num = chain.head()->header.block_num;
  SWARM_TRY(const auto stored, chain.account_of(self));
  SWARM_TRY(const auto next, chain.pending_nonce(self));
  out.pending = next != stored.nonce;
  SWARM_TRY(const auto self_raw, registry.ask(contracts::encode_node(self)));
  if (auto known = contracts::decode_node(self_raw)) out.self = std::move(*known);
  SWARM_TRY(out.validators, chain.validators_after(out.block_num));
  SWARM_TRY(const auto members_raw, registry.ask(contracts::encode_validator_members()));
  SWARM_TRY(out.members, contracts::decode_validator_members(members_raw));
  SWARM_TRY(out.nodes, registry.nodes());
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
