#include "tests/simulator/organisations/faulty_rules.hpp"

#include "contracts/abi/function.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/members.hpp"
#include "contracts/organisations/motion_records.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/registry/organisation_tallies.hpp"
#include "contracts/registry/validators.hpp"
#include "ledger/space_rule.hpp"

#include <algorithm>
#include <array>

namespace swarm::simulator {

using contracts::organisation_id;
using ledger::call_context;
using ledger::contract_host;

namespace {

/// The arguments when `input` is a call of this function.
template <class Args>
std::optional<Args> decoded(bytes_view input) {
  const auto& id = contracts::abi::selector_of<Args>();
  if (input.size() < id.size() || !std::equal(id.begin(), id.end(), input.begin())) return std::nullopt;
  auto out = contracts::abi::decode_members<Args>(input.subspan(id.size()));
  if (!out) return std::nullopt;
  return std::move(*out);
}

bool holds(const std::vector<organisation_id>& list, organisation_id id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

/// A contract that does something else than the shipped one in some calls.
class bent_contract : public ledger::native_contract {
public:
  explicit bent_contract(std::shared_ptr<const native_contract> inner) : inner_(std::move(inner)) {}

protected:
  ledger::call_outcome inner(contract_host& host, const call_context& context, bytes_view input) const {
    return inner_->call(host, context, input);
  }
  /// The same call, made by an SN of an organisation of which `wanted` is true, if there is one.
  template <class Wanted>
  ledger::call_outcome by_another(contract_host& host, const call_context& context, bytes_view input,
                                  const Wanted& wanted) const {
    const contracts::node_records nodes(host);
    for (std::uint64_t i = 0, all = nodes.list().size(); i < all; ++i) {
      const auto account = nodes.list().at(i);
      const auto status = nodes.of(account).status();
      if (status.type != contracts::node_type::sn || !contracts::is_member(host, status)
          || !wanted(status.organisation))
        continue;
      auto other = context;
      other.caller = account;
      return inner(host, other, input);
    }
    return inner(host, context, input);
  }

private:
  std::shared_ptr<const native_contract> inner_;
};

class seats_for_all final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    const contracts::validator_records seats(host);
    const auto before = seats.members();
    auto out = inner(host, context, input);
    const auto members = seats.members();
    if (!out.ok || context.read_only || members == before) return out;
    std::vector<contracts::seat_candidate> all;
    for (const auto& each : members)
      all.push_back({each, 0});
    seats.set_members(all, context.block_num);
    return out;
  }
};

class vouches_by_node final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    const auto vouch = decoded<contracts::vouch_args>(input);
    if (!vouch) return inner(host, context, input);
    const contracts::node_records nodes(host);
    const auto vouchers = nodes.of(vouch->account).vouchers().load();
    if (!holds(vouchers, nodes.of(context.caller).status().organisation)) return inner(host, context, input);
    return by_another(host, context, input, [&](auto id) { return !holds(vouchers, id); });
  }
};

class removals_by_node final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    const auto removal = decoded<contracts::remove_node_args>(input);
    if (!removal) return inner(host, context, input);
    const contracts::node_records nodes(host);
    const auto voters = nodes.of(removal->account).removal_voters().load();
    if (!holds(voters, nodes.of(context.caller).status().organisation)) return inner(host, context, input);
    const auto own = nodes.of(removal->account).status().organisation;
    return by_another(host, context, input, [&](auto id) { return id != own && !holds(voters, id); });
  }
};

class no_own_vouch final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    auto out = inner(host, context, input);
    const auto vouch = decoded<contracts::vouch_args>(input);
    if (!out.ok || context.read_only || !vouch) return out;
    const auto record = contracts::node_records(host).of(vouch->account);
    const auto waits = record.pending();
    if (waits.type == contracts::node_type{}) return out;
    const auto live = contracts::organisation_tallies(host).live();
    if (2 * record.vouchers().load().size() <= live.size()) return out;
    return by_another(host, context, input, [&](auto id) { return id == waits.organisation; });
  }
};

class harmless_double_votes final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    if (decoded<contracts::report_double_vote_args>(input)) return {};
    return inner(host, context, input);
  }
};

/// A vote that would be the last one needed is lost as long as it would not be with the target among those counted.
class target_counts final : public bent_contract {
public:
  using bent_contract::bent_contract;
  ledger::call_outcome call(contract_host& host, const call_context& context,
                            bytes_view input) const override {
    const auto removal = decoded<contracts::remove_organisation_args>(input);
    if (!removal || context.read_only) return inner(host, context, input);
    const contracts::motion_records motions(contracts::slots(host, context.self));
    const auto counts = contracts::organisation_members(host).counts();
    for (std::uint64_t i = 0; i < motions.count(); ++i) {
      const auto what = motions.read(motions.key_at(i));
      if (what.kind != contracts::motion_kind::remove || what.organisation != removal->organisation) continue;
      const auto votes = motions.of(what.key).voters().load().size() + 1;
      if (2 * votes <= counts.size()) return {};
    }
    return inner(host, context, input);
  }
};

/// A rule on space that knows no strangers, no end of a day, or no end of a membership.
class bent_space final : public ledger::space_rule {
public:
  bent_space(std::shared_ptr<const space_rule> inner, faulty_rule rule)
      : inner_(std::move(inner)), rule_(rule) {}

  result<ledger::space_account> account_of(contract_host& host,
                                           const ledger::space_question& asked) const override {
    auto out = inner_->account_of(host, asked);
    if (out || !out.error().is(ledger::space_errc::no_member)) return out;
    if (rule_ == faulty_rule::strangers_send) return ledger::space_account{};
    const auto status = contracts::node_records(host).of(asked.sender).status();
    if (rule_ == faulty_rule::endless_membership && status.type != contracts::node_type{})
      return ledger::space_account{status.organisation, 0, {}};
    return out;
  }
  result<> check_room(contract_host& host, const ledger::space_account& account,
                      std::uint64_t size) const override {
    if (rule_ == faulty_rule::endless_days) return {};
    return inner_->check_room(host, account, size);
  }
  result<> charge(contract_host& host, const ledger::space_account& account,
                  std::uint64_t size) const override {
    if (rule_ == faulty_rule::endless_days) return {};
    return inner_->charge(host, account, size);
  }

private:
  std::shared_ptr<const space_rule> inner_;
  faulty_rule rule_;
};

template <class Bent>
void bend(ledger::native_contract_set& contracts, std::uint8_t kind) {
  for (auto& each : contracts.kinds)
    if (each.kind == kind) each.code = std::make_shared<Bent>(each.code);
}

} // namespace

std::span<const faulty_rule_name> faulty_rules() {
  static constexpr std::array<faulty_rule_name, 8> all{{
      {faulty_rule::seats_for_all, "seats-for-all", "seats"},
      {faulty_rule::vouches_by_node, "vouches-by-node", "an invented node"},
      {faulty_rule::removals_by_node, "removals-by-node", "an honest node"},
      {faulty_rule::strangers_send, "strangers-send", "a stranger's"},
      {faulty_rule::endless_days, "endless-days", "bytes"},
      {faulty_rule::endless_membership, "endless-membership", "a stranger's"},
      {faulty_rule::target_counts, "target-counts", "the votes"},
      {faulty_rule::harmless_double_votes, "harmless-double-votes", "a double vote"},
  }};
  return all;
}

ledger::native_contract_set with_mistake(ledger::native_contract_set contracts, faulty_rule rule) {
  const auto nodes = contracts::node_registry_kind;
  switch (rule) {
  case faulty_rule::none:
    break;
  case faulty_rule::seats_for_all:
    bend<seats_for_all>(contracts, nodes);
    break;
  case faulty_rule::vouches_by_node:
    bend<vouches_by_node>(contracts, nodes);
    break;
  case faulty_rule::removals_by_node:
    bend<removals_by_node>(contracts, nodes);
    break;
  case faulty_rule::no_own_vouch:
    bend<no_own_vouch>(contracts, nodes);
    break;
  case faulty_rule::harmless_double_votes:
    bend<harmless_double_votes>(contracts, nodes);
    break;
  case faulty_rule::target_counts:
    bend<target_counts>(contracts, contracts::organisation_registry_kind);
    break;
  case faulty_rule::strangers_send:
  case faulty_rule::endless_days:
  case faulty_rule::endless_membership:
    contracts.space = std::make_shared<bent_space>(contracts.space, rule);
    break;
  case faulty_rule::nobody_rests:
    contracts.turns = nullptr;
  }
  return contracts;
}

} // namespace swarm::simulator
