#include "contracts/registry/seats.hpp"

#include "contracts/registry/turns.hpp"
#include "contracts/runtime/typed_contract.hpp"
#include "ledger/formats/seal.hpp"

#include <map>

namespace swarm::contracts {

namespace {
bool holds(const std::vector<address>& list, const address& account) {
  return std::find(list.begin(), list.end(), account) != list.end();
}
} // namespace

bool seats::has(const address& account) const {
  return holds(validators_.members(), account);
}

result<> seats::check_identity(const address& account, const hash32& identity) const {
  for (const auto& member : validators_.members()) {
    if (member == account || records_.of(member).identity() != identity) continue;
    return refuse("the certificate of {} is that of the validator {}; each needs its own",
                  to_hex(account.view()), to_hex(member.view()));
  }
  return {};
}

result<> seats::propose(const propose_validator_vote_args& vote) const {
  const auto members = validators_.members();
  SWARM_CHECK(check_voter(vote.account));
  if (vote.add)
    SWARM_CHECK(check_addable(vote.account, members));
  else if (!holds(members, vote.account))
    return refuse("{} is no member of the validators", to_hex(vote.account.view()));
  auto voters = validators_.voters_on(vote.account);
  if (holds(voters, context_.caller))
    return refuse("{} votes so on {} already", to_hex(context_.caller.view()), to_hex(vote.account.view()));
  voters.push_back(context_.caller);
  host_.emit(abi::encode_event(context_.self, validator_voted{context_.caller, vote.account, vote.add}));
  const auto validators = validators_.validators();
  const auto votes = static_cast<std::size_t>(std::count_if(
      voters.begin(), voters.end(), [&](const address& voter) { return holds(validators, voter); }));
  if (votes >= ledger::seal_quorum(validators.size())) return change(vote.account, vote.add);
  validators_.set_voters_on(vote.account, voters);
  return {};
}

result<> seats::discard(const address& account) const {
  auto voters = validators_.voters_on(account);
  if (std::erase(voters, context_.caller) == 0)
    return refuse("{} has no vote on {}", to_hex(context_.caller.view()), to_hex(account.view()));
  validators_.set_voters_on(account, voters);
  return {};
}

result<> seats::check_voter(const address& account) const {
  if (!holds(validators_.validators(), context_.caller))
    return refuse("{} is no validator and has no vote", to_hex(context_.caller.view()));
  if (account == context_.caller)
    return refuse("{} would vote on itself: leave() is for that", to_hex(account.view()));
  return {};
}

result<> seats::check_addable(const address& account, const std::vector<address>& members) const {
  if (holds(members, account))
    return refuse("{} is a member of the validators already", to_hex(account.view()));
  SWARM_CHECK(require_active_node(host_, account, {node_type::sn}));
  SWARM_CHECK(check_room(account, members));
  return check_identity(account, records_.of(account).identity());
}

/// The list of members has room for all: no organisation fills it with SNs that only wait.
result<> seats::check_room(const address& account, const std::vector<address>& members) const {
  if (members.size() >= ledger::validators_max)
    return refuse("there are {} validators, no more are possible", members.size());
  const auto own = records_.of(account).status().organisation;
  if (own == 0) return {};
  std::map<organisation_id, std::size_t> counts;
  for (const auto& each : with_organisations(members))
    ++counts[each.organisation];
  const auto most = ledger::validators_max / std::max<std::size_t>(4, counts.size());
  if (counts[own] < most) return {};
  return refuse("the organisation {} has {} SNs that are validators or wait to be, no more are possible", own,
                counts[own]);
}

organisation_id seats::organisation_of(const address& account) const {
  return organisation_of_validator(records_, account);
}

std::vector<seat_candidate> seats::with_organisations(const std::vector<address>& accounts) const {
  std::vector<seat_candidate> out;
  for (const auto& account : accounts)
    out.push_back({account, organisation_of(account)});
  return out;
}

std::vector<seat_power> seats::powers() const {
  return powers_of(with_organisations(validators_.validators()));
}

result<> seats::change(const address& account, bool add) const {
  if (validators_.last_change() == context_.block_num)
    return refuse("the validators changed in this block already: vote again in the next");
  auto members = validators_.members();
  if (add)
    members.push_back(account);
  else
    std::erase(members, account);
  if (members.empty()) return refuse("{} is the last validator and has to stay", to_hex(account.view()));
  validators_.set_members(with_organisations(members), context_.block_num);
  validators_.set_voters_on(account, {});
  host_.emit(abi::encode_event(context_.self, validators_changed{account, add, validators_.validators()}));
  return {};
}

} // namespace swarm::contracts
