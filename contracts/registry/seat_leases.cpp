#include "contracts/registry/seat_leases.hpp"

#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training_registry/owned.hpp"
#include "ledger/formats/sign_of_life.hpp"

namespace swarm::contracts {

namespace {

constexpr hash32 leases_slot = u256(21);
/// What recovering the author of a signature costs, as the EVM charges it.
constexpr std::uint64_t recovery_gas = 3000;

} // namespace

template <class Event>
void seat_leases::emit(const Event& event) const {
  host_.emit(abi::encode_event(context_.self, event));
}

hash32 seat_leases::place(organisation_id organisation, node_type role) const {
  hash32 key;
  put_be64(key.data() + 16, organisation);
  put_be64(key.data() + 24, static_cast<std::uint64_t>(role));
  return slots_.mapped(key, leases_slot);
}

/// Others than its own organisation speak for a node only while that cannot.
result<> seat_leases::check_accuser(organisation_id accused) const {
  const auto own = records_.of(context_.caller).status().organisation;
  if (own == accused) return require_active_node(host_, context_.caller, {node_type::sn, node_type::swci});
  SWARM_CHECK(require_active_node(host_, context_.caller, {node_type::sn}));
  if (!tallies_.is_live(tallies_.of(accused))) return {};
  return refuse("the node is one of the organisation {}, whose own SNs and SWCIs say whether it is silent",
                accused);
}

result<> seat_leases::accuse(const accuse_node_args& args) const {
  const auto status = records_.of(args.account).status();
  const auto who = to_hex(args.account.view());
  if (!status.active || !tallies_.organisations().exists(status.organisation))
    return refuse("{} has no seat", who);
  SWARM_CHECK(check_accuser(status.organisation));
  if (!limits_.is_full(status.organisation, status.type))
    return refuse("the organisation {} has seats of {} nodes left, nobody has to give one up",
                  status.organisation, to_string(status.type));
  const auto at = place(status.organisation, status.type);
  const auto open = slots_.get<accused_slot>(at);
  if (!open.account.is_zero()) return refuse("{} is accused already", to_hex(open.account.view()));
  if (const auto from = open.time + accusation_rest_seconds; open.time != 0 && host_.block_time() < from)
    return refuse("a node of this role answered a moment ago, accuse one from second {} on", from);
  accused_sign last;
  if (!args.last_sign.empty()) {
    host_.charge(recovery_gas);
    const auto sign = ledger::decode_sign_of_life(args.last_sign, context_.chain_id, context_.genesis_hash);
    if (!sign || sign->account != args.account) return refuse("this is no sign of life of {}", who);
    last.serial = sign->serial;
  }
  if (status.type == node_type::sl)
    if (const auto training = training_of_peer(host_, args.account); !training.empty())
      return refuse("{} is in the training {}, whose peers say whether it is silent", who,
                    in_quotes(training));
  slots_.put(at, accused_slot{args.account, host_.block_time()});
  slots_.put(slot_after(at, 1), last);
  emit(node_accused{args.account, context_.caller, last.serial});
  return {};
}

result<> seat_leases::answer(const answer_for_node_args& args) const {
  host_.charge(recovery_gas);
  const auto sign = ledger::decode_sign_of_life(args.sign, context_.chain_id, context_.genesis_hash);
  if (!sign) return refuse("no sign of life: {}", sign.error().message);
  const auto who = to_hex(sign->account.view());
  const auto status = records_.of(sign->account).status();
  const auto at = place(status.organisation, status.type);
  if (!status.active || slots_.get<accused_slot>(at).account != sign->account)
    return refuse("nobody says that {} is silent", who);
  if (const auto known = slots_.get<accused_sign>(slot_after(at, 1)).serial; sign->serial <= known)
    return refuse("the sign of life {} of {} is not after {}, which was known", sign->serial, who, known);
  acquit(sign->account, status);
  return {};
}

void seat_leases::acquit(const address& account, const node_slot& status) const {
  const auto at = place(status.organisation, status.type);
  slots_.put(at, accused_slot{{}, host_.block_time()});
  slots_.put(slot_after(at, 1), accused_sign{});
  emit(node_answered{account});
}

void seat_leases::hear(const address& account) const {
  if (!context_.has_rules(3)) return;
  const auto status = records_.of(account).status();
  if (!status.active) return;
  if (slots_.get<accused_slot>(place(status.organisation, status.type)).account == account)
    acquit(account, status);
}

void seat_leases::forget(const address& account, const node_slot& was) const {
  if (!context_.has_rules(3)) return;
  const auto at = place(was.organisation, was.type);
  if (slots_.get<accused_slot>(at).account != account) return;
  slots_.put(at, accused_slot{});
  slots_.put(slot_after(at, 1), accused_sign{});
}

std::optional<address> seat_leases::given_up(organisation_id organisation, node_type role) const {
  if (!context_.has_rules(3)) return std::nullopt;
  const auto open = slots_.get<accused_slot>(place(organisation, role));
  if (open.account.is_zero() || host_.block_time() <= open.time + seat_answer_seconds) return std::nullopt;
  if (role == node_type::sl && !training_of_peer(host_, open.account).empty()) return std::nullopt;
  return open.account;
}

result<std::vector<seat_lease_view>> seat_leases::view(organisation_id organisation) const {
  std::vector<seat_lease_view> out;
  if (!tallies_.organisations().exists(organisation)) return out;
  for (const auto role : {node_type::sn, node_type::sl, node_type::swop, node_type::swci}) {
    const auto at = place(organisation, role);
    const auto open = slots_.get<accused_slot>(at);
    const auto serial = slots_.get<accused_sign>(slot_after(at, 1)).serial;
    const bool rests = open.account.is_zero() && open.time != 0;
    out.push_back({role, limits_.taken(organisation, role), open.account, rests ? 0 : open.time, serial,
                   rests ? open.time + accusation_rest_seconds : 0});
  }
  return out;
}

} // namespace swarm::contracts
