#include "contracts/registry/contract.hpp"

#include "contracts/registry/evidence.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/registry/memberships.hpp"
#include "contracts/registry/rules_votes.hpp"
#include "contracts/registry/seat_leases.hpp"
#include "contracts/registry/seat_limits.hpp"
#include "contracts/runtime/genesis.hpp"
#include "contracts/runtime/typed_contract.hpp"

namespace swarm::contracts {

namespace {

/// The part of `list` that `args` ask for, each account as `view` shows it.
template <class Args, class View>
auto page_through(const account_list& list, const Args& args, const View& view) {
  const auto part = page_of(args.first, args.count, list.size(), page_entries_max);
  std::vector<decltype(view(address{}))> out;
  for (auto i = part.begin; i < part.end; ++i)
    out.push_back(view(list.at(i)));
  return out;
}

class node_registry_call {
public:
  node_registry_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), records_(host), tallies_(host), validators_(host), memberships_(host, context),
        seats_(host, context), double_votes_(host, context), limits_(host, context), leases_(host, context),
        rules_(host, context) {}

  result<> on(const register_node_args& args) { return memberships_.enter(args); }
  result<> on(const vouch_args& args) { return memberships_.vouch(args); }
  result<> on(const leave_node_args&) { return memberships_.leave(); }
  result<> on(const remove_node_args& args) { return memberships_.remove(args.account); }
  result<> on(const accuse_args& args) { return memberships_.accuse(args.organisation); }
  result<> on(const answer_args&) { return memberships_.answer(); }
  result<> on(const settle_args& args) { return memberships_.settle(args.account); }
  result<> on(const propose_validator_vote_args& args) {
    if (args.add) SWARM_CHECK(double_votes_.check_never(args.account));
    return seats_.propose(args);
  }
  result<> on(const discard_validator_vote_args& args) { return seats_.discard(args.account); }

  result<> on(const report_double_vote_args& args) { return double_votes_.report(args); }
  result<u256> on(const removal_of_args& args) const { return u256(records_.removal_of(args.identity)); }
  result<u256> on(const double_vote_of_args& args) const {
    return u256(double_votes_.proved_in(args.account));
  }

  result<> on(const limit_seats_args& args) { return limits_.limit(args); }
  result<> on(const vote_seats_args& args) { return limits_.vote(args); }
  result<std::vector<seat_limit_view>> on(const seat_limits_args& args) const {
    return limits_.view(args.organisation);
  }
  result<std::vector<seat_vote_view>> on(const seat_votes_args& args) const { return limits_.votes(args); }
  result<> on(const accuse_node_args& args) { return leases_.accuse(args); }
  result<> on(const answer_for_node_args& args) { return leases_.answer(args); }
  result<std::vector<seat_lease_view>> on(const seat_leases_args& args) const {
    return leases_.view(args.organisation);
  }

  result<> on(const vote_rules_args& args) { return rules_.vote(args); }
  result<rules_view> on(const rules_args&) const { return rules_.view(); }

  result<std::vector<address>> on(const get_validators_args&) const { return validators_.validators(); }
  result<std::vector<address>> on(const validator_members_args&) const { return validators_.members(); }
  result<std::vector<seat_power>> on(const seat_powers_args&) const { return seats_.powers(); }
  result<std::vector<address>> on(const voters_on_args& args) const {
    return validators_.voters_on(args.account);
  }

  result<node_view> on(const node_args& args) const { return view_of(args.account); }
  result<u256> on(const node_count_args&) const { return u256(records_.list().size()); }
  result<std::vector<node_view>> on(const nodes_args& args) const {
    return page_through(records_.list(), args, [this](const address& one) { return view_of(one); });
  }

  result<pending_view> on(const pending_of_args& args) const { return pending_of(args.account); }
  result<std::vector<pending_view>> on(const pending_nodes_args& args) const {
    return page_through(tallies_.waiting(args.organisation), args,
                        [this](const address& one) { return pending_of(one); });
  }
  result<standing_view> on(const standing_args& args) const {
    const auto tally = tallies_.of(args.organisation);
    const auto waiting = static_cast<std::uint32_t>(tallies_.waiting(args.organisation).size());
    const bool live = tallies_.organisations().exists(args.organisation) && tallies_.is_live(tally);
    return standing_view{tally.nodes, tally.sns, tally.voters, waiting, live, tally.accused_at};
  }

private:
  node_view view_of(const address& account) const {
    const auto record = records_.of(account);
    const auto status = record.status();
    const auto waits = record.pending();
    const bool pending = waits.type != node_type{};
    if (status.type == node_type{} && !pending) return {};
    const auto shown =
        status.type == node_type{} ? pending_statement(account, record) : statement_in_force(account, record);
    return {account,
            shown.role,
            is_member(host_, status),
            pending,
            status.type == node_type{} ? record.since().block_num : status.since_block,
            shown.organisation,
            shown.identity,
            shown.expiry,
            shown.sequence,
            record.parent(),
            record.name(),
            record.endpoint()};
  }

  pending_view pending_of(const address& account) const {
    const auto record = records_.of(account);
    if (record.pending().type == node_type{}) return {};
    const auto what = pending_statement(account, record);
    const auto since = record.since();
    return {what, statement_hash(what), since.block_num, since.time + pending_seconds,
            record.vouchers().load()};
  }

  ledger::contract_host& host_;
  node_records records_;
  organisation_tallies tallies_;
  validator_records validators_;
  memberships memberships_;
  seats seats_;
  double_votes double_votes_;
  seat_limits limits_;
  seat_leases leases_;
  rules_votes rules_;
};

} // namespace

std::shared_ptr<const ledger::native_contract> make_node_registry() {
  return std::make_shared<typed_contract<node_registry_call, node_registry_interface>>();
}

std::vector<std::pair<hash32, hash32>> node_registry_genesis(const std::vector<ledger::founder>& founders) {
  return record_stores([&founders](const slots& in) {
    const node_records records(in);
    organisation_id id = 0;
    for (const auto& founder : founders) {
      ++id;
      for (const auto& account : founder.validators)
        records.set_founder(account, id);
    }
  });
}

} // namespace swarm::contracts
