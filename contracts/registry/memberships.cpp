#include "contracts/registry/memberships.hpp"

#include "contracts/runtime/typed_contract.hpp"

#include <optional>
#include <tuple>

namespace swarm::contracts {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool holds(const std::vector<organisation_id>& list, organisation_id id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

result<> check_details(const register_node_args& args) {
  if (args.type == node_type{})
    return refuse("nodeType 0 is unknown, expected 1 (SN), 2 (SL), 3 (SWOP) or 4 (SWCI)");
  if (args.type == node_type::sn && !args.parent.is_zero())
    return refuse("an SN has no parent, got {}", to_hex(args.parent.view()));
  if (args.proof.size() > proof_bytes_max)
    return refuse("the proof has {} bytes, at most {} are allowed", args.proof.size(), proof_bytes_max);
  SWARM_CHECK(check_text("name", args.name, node_name_bytes_max));
  SWARM_CHECK(check_text("endpoint", args.endpoint, node_endpoint_bytes_max));
  if (!is_printable_ascii(args.endpoint))
    return refuse("endpoint {} has characters other than printable ASCII", in_quotes(args.endpoint));
  return {};
}

/// The statement of the registration `args` of `account`.
node_statement claim_of(const address& account, const register_node_args& args) {
  return {account, args.organisation, args.type, args.identity, args.expiry, args.sequence};
}

} // namespace

template <class Event>
void memberships::emit(const Event& event) const {
  host_.emit(abi::encode_event(context_.self, event));
}

result<> memberships::enter(const register_node_args& args) const {
  SWARM_CHECK(check_details(args));
  const auto& account = context_.caller;
  const auto of = records_.of(account);
  const auto status = of.status();
  if (status.type != node_type{} && status.type != args.type)
    return refuse("{} is registered as {} and cannot become {}", to_hex(account.view()),
                  to_string(status.type), to_string(args.type));
  if (seats_.has(account)) {
    SWARM_CHECK(seats_.check_identity(account, args.identity));
    if (const auto own = seats_.organisation_of(account); own != args.organisation)
      return refuse("{} is a validator of the organisation {} and has to leave before it registers for {}",
                    to_hex(account.view()), own, args.organisation);
  }
  leases_.hear(account);
  const auto claim = claim_of(account, args);
  const bool organised = tallies_.has_organisations();
  const bool is_new =
      !(status.active && statement_in_force(account, of) == claim) && pending_statement(account, of) != claim;
  if (!organised) {
    SWARM_CHECK(count_at_once(args, of));
  } else if (is_new) {
    SWARM_CHECK(check_statement(args, of));
    begin_pending(args, of);
  }
  of.set_details(args.parent, args.name, args.endpoint);
  emit(node_registered{account, args.type, args.organisation, args.identity, args.expiry, args.sequence,
                       args.parent, args.name, args.endpoint, args.proof});
  const bool counts_at_once = args.type == node_type::sn && records_.founder_of(account) == args.organisation;
  return organised && is_new && counts_at_once ? admit(account, of) : result<>{};
}

result<> memberships::count_at_once(const register_node_args& args, const record& of) const {
  if (args.organisation != 0)
    return refuse("this chain was begun without organisations: register with organisation 0, not {}",
                  args.organisation);
  if (const auto count = records_.list().size(); !of.status().active && count >= nodes_max)
    return refuse("the network is full: {} nodes are registered", count);
  put_in_force(claim_of(context_.caller, args), of);
  return {};
}

result<> memberships::check_statement(const register_node_args& args, const record& of) const {
  if (!tallies_.organisations().exists(args.organisation))
    return refuse("there is no organisation {}", args.organisation);
  if (is_past(args.expiry, host_.block_time()))
    return refuse("the certificate expired at second {}", args.expiry);
  const auto known = std::max(of.status().sequence, of.pending().sequence);
  const bool first = of.status().type == node_type{} && of.pending().type == node_type{};
  if (!first && args.sequence <= known)
    return refuse("sequence {} is not after {}, that of an earlier statement of {}", args.sequence, known,
                  to_hex(context_.caller.view()));
  SWARM_CHECK(check_not_removed(args.identity));
  SWARM_CHECK(check_room(args.organisation, args.type, of.status()));
  return {};
}

result<> memberships::check_not_removed(const hash32& identity) const {
  const auto block_num = records_.removal_of(identity);
  if (block_num == 0) return {};
  return refuse("a node with this certificate, {}, was removed by vote in block {}: it needs another one",
                to_hex(identity.view()), block_num);
}

/// Who is a member already stays one, whatever the limits have become.
result<std::optional<address>> memberships::check_room(organisation_id organisation, node_type role,
                                                       const node_slot& status) const {
  if (status.active && status.organisation == organisation) return std::nullopt;
  const auto silent =
      limits_.is_full(organisation, role) ? leases_.given_up(organisation, role) : std::nullopt;
  const std::uint32_t given_up = silent ? 1 : 0;
  const auto nodes = tallies_.of(organisation).nodes;
  if (nodes >= tallies_.organisations().of(organisation).limits().nodes + given_up)
    return refuse("the organisation {} has {} nodes, all that its limit allows: one has to leave, or "
                  "organisations vote for another limit",
                  organisation, nodes);
  SWARM_CHECK(limits_.check_room(organisation, role, given_up));
  return silent;
}

void memberships::take_seat_of(const address& silent, const address& by) const {
  const auto of = records_.of(silent);
  emit(seat_taken{silent, of.status().type, by});
  end(of);
}

void memberships::begin_pending(const register_node_args& args, const record& of) const {
  const auto& account = context_.caller;
  if (of.pending().type != node_type{}) drop_pending(of);
  make_room_to_wait(args.organisation);
  const auto index = tallies_.waiting(args.organisation).add(account);
  of.begin_pending({args.type, args.organisation, args.expiry, args.sequence, index, false, 0}, args.identity,
                   {context_.block_num, host_.block_time()});
}

/// Of those that wait the one gives way that is stale, or has the least in its favour: its organisation's vouch, other
/// vouches, and to have come late, so that vouchers have not seen it yet.
void memberships::make_room_to_wait(organisation_id organisation) const {
  const auto list = tallies_.waiting(organisation);
  if (list.size() < pending_max) return;
  std::optional<std::tuple<bool, bool, std::uint16_t, std::uint64_t>> least;
  address gives_way;
  for (std::uint64_t i = 0, all = list.size(); i < all; ++i) {
    const auto account = list.at(i);
    const auto of = records_.of(account);
    const auto waits = of.pending();
    const std::tuple favour{!is_stale(of), waits.own_vouch, waits.vouches, of.since().block_num};
    if (least && *least <= favour) continue;
    least = favour;
    gives_way = account;
  }
  drop_pending(records_.of(gives_way));
}

void memberships::drop_pending(const record& of) const {
  const auto waits = of.pending();
  if (const auto moved = tallies_.waiting(waits.organisation).remove(waits.index); !moved.is_zero()) {
    const auto there = records_.of(moved);
    auto slot = there.pending();
    slot.index = waits.index;
    there.set_pending(slot);
  }
  of.clear_pending();
  if (of.status().type != node_type{}) return;
  of.set_details({}, {}, {}); // it never was a member, so nothing is left of it
  of.removal_voters().store({});
}

bool memberships::is_stale(const record& of) const {
  return host_.block_time() > of.since().time + pending_seconds;
}

result<> memberships::vouch(const vouch_args& args) const {
  SWARM_TRY(const auto voucher, organisation_of_caller({node_type::sn}));
  const auto of = records_.of(args.account);
  auto waits = of.pending();
  if (waits.type == node_type{})
    return refuse("no statement of {} waits for vouches", to_hex(args.account.view()));
  if (is_stale(of))
    return refuse("the statement of {} waited for more than {} s: it has to register again",
                  to_hex(args.account.view()), pending_seconds);
  if (const auto hash = statement_hash(pending_statement(args.account, of)); hash != args.statement)
    return refuse("another statement of {} waits: {}", to_hex(args.account.view()), to_hex(hash.view()));
  auto vouchers = of.vouchers().load();
  if (holds(vouchers, voucher)) return refuse("the organisation {} has vouched for this already", voucher);
  vouchers.push_back(voucher);
  of.vouchers().store(vouchers);
  ++waits.vouches;
  waits.own_vouch = waits.own_vouch || voucher == waits.organisation;
  of.set_pending(waits);
  emit(node_vouched{args.account, voucher, args.statement});
  return is_vouched_for(of) ? admit(args.account, of) : result<>{};
}

bool memberships::is_vouched_for(const record& of) const {
  const auto own = of.pending().organisation;
  const auto vouchers = of.vouchers().load();
  const auto live = tallies_.live();
  if (holds(live, own) && !holds(vouchers, own)) return false;
  const auto count =
      std::count_if(live.begin(), live.end(), [&vouchers](auto id) { return holds(vouchers, id); });
  return 2 * static_cast<std::size_t>(count) > live.size();
}

result<> memberships::admit(const address& account, const record& of) const {
  const auto what = pending_statement(account, of);
  if (!tallies_.organisations().exists(what.organisation))
    return refuse("the organisation {} was removed", what.organisation);
  if (is_past(what.expiry, host_.block_time()))
    return refuse("the certificate of {} expired at second {}", to_hex(account.view()), what.expiry);
  SWARM_CHECK(check_not_removed(what.identity));
  SWARM_TRY(const auto silent, check_room(what.organisation, what.role, of.status()));
  if (seats_.has(account)) SWARM_CHECK(seats_.check_identity(account, what.identity));
  if (silent) take_seat_of(*silent, account);
  put_in_force(what, of);
  drop_pending(of);
  emit(node_admitted{account, statement_hash(what)});
  return {};
}

void memberships::put_in_force(const node_statement& what, const record& of) const {
  auto status = of.status();
  if (!status.active) {
    status.index = records_.list().add(what.account);
  } else {
    tallies_.count_out(status.organisation, status.type);
    if (status.organisation != what.organisation) leases_.forget(what.account, status);
  }
  tallies_.count_in(what.organisation, what.role);
  status.type = what.role;
  status.active = true;
  status.organisation = what.organisation;
  status.since_block = context_.block_num;
  status.expiry = what.expiry;
  status.sequence = what.sequence;
  of.set_status(status);
  of.set_identity(what.identity);
  of.removal_voters().store({});
}

void memberships::end(const record& of) const {
  auto status = of.status();
  leases_.forget(records_.list().at(status.index), status);
  if (const auto moved = records_.list().remove(status.index); !moved.is_zero()) {
    const auto there = records_.of(moved);
    auto slot = there.status();
    slot.index = status.index;
    there.set_status(slot);
  }
  tallies_.count_out(status.organisation, status.type);
  status.active = false;
  status.since_block = context_.block_num;
  status.index = 0;
  of.set_status(status);
  of.removal_voters().store({});
}

result<> memberships::end_with_seat(const address& account, const record& of) const {
  end(of);
  return seats_.has(account) ? seats_.change(account, false) : result<>{};
}

result<> memberships::leave() const {
  const auto& account = context_.caller;
  const auto of = records_.of(account);
  const auto status = of.status();
  const bool waits = of.pending().type != node_type{};
  if (waits) drop_pending(of);
  if (!status.active && waits) return {};
  if (status.type == node_type{}) return refuse("{} is not registered", to_hex(account.view()));
  if (!status.active)
    return refuse("{} left already, in block {}", to_hex(account.view()), status.since_block);
  emit(node_left{account, status.type});
  return end_with_seat(account, of);
}

result<organisation_id> memberships::organisation_of_caller(std::initializer_list<node_type> types) const {
  SWARM_CHECK(require_active_node(host_, context_.caller, types));
  const auto id = records_.of(context_.caller).status().organisation;
  if (id != 0) return id;
  return refuse("this chain was begun without organisations: nobody vouches, accuses or removes on it");
}

result<> memberships::remove(const address& account) const {
  SWARM_TRY(const auto voter, organisation_of_caller({node_type::sn, node_type::swci}));
  const auto of = records_.of(account);
  const auto status = of.status();
  const auto waits = of.pending();
  if (!status.active && waits.type == node_type{} && !seats_.has(account))
    return refuse("{} is no node that could be removed", to_hex(account.view()));
  const auto own =
      status.active || waits.type == node_type{} ? seats_.organisation_of(account) : waits.organisation;
  if (voter == own) return carry_out_removal(account, of, voter);
  auto voters = of.removal_voters().load();
  const bool repeated = holds(voters, voter);
  if (!repeated) {
    voters.push_back(voter);
    emit(removal_voted{account, voter});
  }
  const auto counted = tallies_.voting();
  const auto votes =
      std::count_if(voters.begin(), voters.end(), [&counted](auto id) { return holds(counted, id); });
  if (2 * static_cast<std::size_t>(votes) > counted.size()) return carry_out_removal(account, of, voter);
  if (repeated)
    return refuse("the organisation {} votes so already: {} of more than {} votes are there", voter, votes,
                  counted.size() / 2);
  of.removal_voters().store(voters);
  return {};
}

/// Statement and vouches are void, and so is whatever was claimed up to now: a later registration needs a higher
/// sequence, vouches, and another certificate.
result<> memberships::carry_out_removal(const address& account, const record& of, organisation_id by) const {
  const auto waits = of.pending();
  emit(node_removed{account, by});
  if (of.status().active) {
    records_.set_removal(of.identity(), context_.block_num); // what only waits may name another's
    end(of);
  }
  if (seats_.has(account)) SWARM_CHECK(seats_.change(account, false));
  auto status = of.status();
  status.sequence = std::max(status.sequence, waits.sequence);
  if (status.type == node_type{}) {
    status.type = waits.type;
    status.organisation = waits.organisation;
    status.since_block = context_.block_num;
  }
  of.set_status(status);
  if (waits.type != node_type{}) drop_pending(of);
  of.removal_voters().store({});
  if (records_.founder_of(account) != 0) records_.set_founder(account, 0);
  return {};
}

result<> memberships::accuse(organisation_id accused) const {
  SWARM_TRY(const auto accuser, organisation_of_caller({node_type::sn}));
  if (accuser == accused) return refuse("the organisation {} would accuse itself", accused);
  if (!tallies_.organisations().exists(accused)) return refuse("there is no organisation {}", accused);
  auto tally = tallies_.of(accused);
  if (tally.sns == 0) return refuse("the organisation {} has no SN that could answer", accused);
  if (tally.accused_at != 0)
    return refuse("the organisation {} is accused since second {}", accused, tally.accused_at);
  const auto now = host_.block_time();
  if (now < tally.rests_until)
    return refuse("the organisation {} answered a moment ago, accuse it from second {} on", accused,
                  tally.rests_until);
  tally.accused_at = std::max<std::uint64_t>(now, 1);
  tallies_.set(accused, tally);
  emit(organisation_accused{accused, context_.caller});
  return {};
}

result<> memberships::answer() const {
  SWARM_TRY(const auto own, organisation_of_caller({node_type::sn}));
  auto tally = tallies_.of(own);
  if (tally.accused_at == 0) return refuse("nobody accuses the organisation {}", own);
  tally.accused_at = 0;
  tally.rests_until = host_.block_time() + accusation_rest_seconds;
  tallies_.set(own, tally);
  emit(accusation_answered{own, context_.caller});
  return {};
}

result<> memberships::settle(const address& account) const {
  const auto of = records_.of(account);
  const auto status = of.status();
  if (status.active && !is_member(host_, status)) {
    end(of);
    emit(node_expired{account, status.type});
    return {};
  }
  if (of.pending().type == node_type{})
    return refuse("there is nothing to settle about {}", to_hex(account.view()));
  if (is_stale(of)) {
    drop_pending(of);
    return {};
  }
  if (!is_vouched_for(of)) return refuse("the vouches for {} are not enough yet", to_hex(account.view()));
  return admit(account, of);
}

} // namespace swarm::contracts
