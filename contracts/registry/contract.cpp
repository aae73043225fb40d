#include "contracts/registry/contract.hpp"

#include "contracts/registry/evidence.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/registry/rules_votes.hpp"
#include "contracts/registry/validators.hpp"
#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool holds(const std::vector<address>& list, const address& account) {
  return std::find(list.begin(), list.end(), account) != list.end();
}

result<> check_details(const register_node_args& args) {
  if (args.type == node_type{})
    return refuse("nodeType 0 is unknown, expected 1 (SN), 2 (SL), 3 (SWOP) or 4 (SWCI)");
  if (args.type == node_type::sn && !args.parent.is_zero())
    return refuse("an SN has no parent, got {}", to_hex(args.parent.view()));
  SWARM_CHECK(check_text("name", args.name, node_name_bytes_max));
  SWARM_CHECK(check_text("endpoint", args.endpoint, node_endpoint_bytes_max));
  if (!is_printable_ascii(args.endpoint))
    return refuse("endpoint {} has characters other than printable ASCII", quoted(args.endpoint));
  return {};
}

class node_registry_call {
public:
  node_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(host), validators_(host), double_votes_(host, context),
        rules_(host, context) {}

  result<> on(const register_node_args& args) {
    SWARM_CHECK(check_details(args));
    const auto& account = context_.caller;
    auto record = records_.of(account);
    auto status = record.status();
    if (const auto members = validators_.members(); holds(members, account))
      SWARM_CHECK(check_unused(args.cert_fingerprint, account, members));
    if (status.type == node_type{}) {
      const auto count = records_.count();
      if (count >= nodes_max) return refuse("the network is full: {} nodes are registered", count);
      status.index = static_cast<std::uint16_t>(count);
      records_.add_account(account, count);
    } else if (status.type != args.type) {
      return refuse("{} is registered as {} and cannot become {}", to_hex(account.view()),
                    to_string(status.type), to_string(args.type));
    }
    status.type = args.type;
    status.active = true;
    status.since_block = context_.block_num;
    status.parent = args.parent;
    record.set_status(status);
    record.set_details(args.cert_fingerprint, args.name, args.endpoint);
    host_.emit(abi::encode_event(context_.self, node_registered{account, args.type, args.cert_fingerprint,
                                                                args.parent, args.name, args.endpoint}));
    return {};
  }

  result<> on(const leave_node_args&) {
    const auto& account = context_.caller;
    auto record = records_.of(account);
    auto status = record.status();
    if (status.type == node_type{}) return refuse("{} is not registered", to_hex(account.view()));
    if (!status.active)
      return refuse("{} left already, in block {}", to_hex(account.view()), status.since_block);
    status.active = false;
    status.since_block = context_.block_num;
    record.set_status(status);
    host_.emit(abi::encode_event(context_.self, node_left{account, status.type}));
    if (holds(validators_.members(), account)) return change_membership(account, false);
    return {};
  }

  result<> on(const propose_validator_vote_args& args) {
    const auto members = validators_.members();
    SWARM_CHECK(check_voter(args.account));
    SWARM_CHECK(args.add ? check_addable(args.account, members) : check_removable(args.account, members));
    auto voters = validators_.voters_on(args.account);
    if (holds(voters, context_.caller))
      return refuse("{} votes so on {} already", to_hex(context_.caller.view()), to_hex(args.account.view()));
    voters.push_back(context_.caller);
    host_.emit(abi::encode_event(context_.self, validator_voted{context_.caller, args.account, args.add}));
    const auto validators = validators_.validators();
    const auto votes = static_cast<std::size_t>(std::count_if(
        voters.begin(), voters.end(), [&](const address& voter) { return holds(validators, voter); }));
    if (2 * votes > validators.size()) return change_membership(args.account, args.add);
    validators_.set_voters_on(args.account, voters);
    return {};
  }

  result<> on(const discard_validator_vote_args& args) {
    auto voters = validators_.voters_on(args.account);
    if (std::erase(voters, context_.caller) == 0)
      return refuse("{} has no vote on {}", to_hex(context_.caller.view()), to_hex(args.account.view()));
    validators_.set_voters_on(args.account, voters);
    return {};
  }

  result<> on(const report_double_vote_args& args) { return double_votes_.report(args); }
  result<u256> on(const double_vote_of_args& args) const {
    return u256(double_votes_.proved_in(args.account));
  }

  result<> on(const vote_rules_args& args) { return rules_.vote(args); }
  result<rules_view> on(const rules_args&) const { return rules_.view(); }

  result<std::vector<address>> on(const get_validators_args&) const { return validators_.validators(); }
  result<std::vector<address>> on(const validator_members_args&) const { return validators_.members(); }
  result<std::vector<address>> on(const voters_on_args& args) const {
    return validators_.voters_on(args.account);
  }

  result<node_view> on(const node_args& args) const { return view_of(args.account); }

  result<u256> on(const node_count_args&) const { return u256(records_.count()); }

  result<std::vector<node_view>> on(const nodes_args& args) const {
    const auto part = page_of(args.first, args.count, records_.count(), page_entries_max);
    std::vector<node_view> out;
    for (auto i = part.begin; i < part.end; ++i)
      out.push_back(view_of(records_.account_at(i)));
    return out;
  }

private:
  result<> check_voter(const address& account) const {
    if (!holds(validators_.validators(), context_.caller))
      return refuse("{} is no validator and has no vote", to_hex(context_.caller.view()));
    if (account == context_.caller)
      return refuse("{} would vote on itself: leave() is for that", to_hex(account.view()));
    return {};
  }

  result<> check_addable(const address& account, const std::vector<address>& members) const {
    if (holds(members, account))
      return refuse("{} is a member of the validators already", to_hex(account.view()));
    if (members.size() >= ledger::validators_max)
      return refuse("there are {} validators, no more are possible", members.size());
    SWARM_CHECK(double_votes_.check_never(account));
    SWARM_CHECK(require_active_node(host_, account, {node_type::sn}));
    return check_unused(records_.of(account).cert_fingerprint(), account, members);
  }

  result<> check_removable(const address& account, const std::vector<address>& members) const {
    if (!holds(members, account)) return refuse("{} is no member of the validators", to_hex(account.view()));
    return {};
  }

  /// Checks that no other validator has this certificate: a certificate has one vote.
  result<> check_unused(const hash32& cert_fingerprint, const address& account,
                        const std::vector<address>& members) const {
    for (const auto& member : members) {
      if (member == account || records_.of(member).cert_fingerprint() != cert_fingerprint) continue;
      return refuse("the certificate of {} is that of the validator {}; each needs its own",
                    to_hex(account.view()), to_hex(member.view()));
    }
    return {};
  }

  result<> change_membership(const address& account, bool add) {
    if (validators_.last_change() == context_.block_num)
      return refuse("the validators changed in this block already: vote again in the next");
    auto members = validators_.members();
    if (add)
      members.push_back(account);
    else
      std::erase(members, account);
    if (members.empty()) return refuse("{} is the last validator and has to stay", to_hex(account.view()));
    validators_.set_members(members, context_.block_num);
    validators_.set_voters_on(account, {});
    host_.emit(abi::encode_event(context_.self, validators_changed{account, add, validators_.validators()}));
    return {};
  }

  node_view view_of(const address& account) const {
    const auto record = records_.of(account);
    const auto status = record.status();
    if (status.type == node_type{}) return {};
    return {account,       status.type,   status.active,    status.since_block, record.cert_fingerprint(),
            status.parent, record.name(), record.endpoint()};
  }

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  node_records records_;
  validator_records validators_;
  double_votes double_votes_;
  rules_votes rules_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_node_registry() {
  return std::make_shared<typed_contract<node_registry_call, node_registry_interface>>();
}

} // namespace swarm::contracts
