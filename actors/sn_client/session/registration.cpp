#include "actors/sn_client/session/session_machine.hpp"
#include "actors/sn_client/session/views.hpp"
#include "contracts/organisations/client.hpp"

#include <algorithm>

/// How a node becomes known on the chain: it registers with a proof, and waits until others have vouched for it.
namespace swarm::session {

std::vector<rpc_call> session_machine::questions_about_self() const {
  const auto account = options_.key->account();
  const auto registry = contracts::node_registry_address();
  if (!options_.registration) return {};
  std::vector<rpc_call> out{eth_call(registry, contracts::encode_node(account))};
  if (!options_.prove) return out;
  out.push_back(eth_call(registry, contracts::encode(contracts::pending_of_args{account})));
  out.push_back(eth_call(contracts::organisation_registry_address(),
                         contracts::encode(contracts::anchor_owner_args{options_.anchor})));
  return out;
}

/// What a view cannot say is as good as nothing.
void session_machine::take_standing(const responses& from, std::size_t first) {
  known_ = view_at<contracts::node_args>(from, first).value_or(contracts::node_view{});
  if (!options_.prove) return;
  waits_ = view_at<contracts::pending_of_args>(from, first + 1).value_or(contracts::pending_view{});
  organisation_ = view_at<contracts::anchor_owner_args>(from, first + 2).value_or(0);
}

void session_machine::introduce(time_point now) {
  const auto& wanted = *options_.registration;
  if (!known_.active || known_.identity != wanted.identity || known_.endpoint != wanted.endpoint
      || known_.name != wanted.name || renewal_due())
    return register_node(now);
  became_ready(now);
  const auto& sn = live()->sn;
  std::get<ready>(phase_).parent_is_stale = !sn.is_zero() && known_.parent != sn;
}

/// As this node wants to be known now. What it has claimed before it claims in the same words, so that vouches stay.
result<contracts::register_node_args> session_machine::registration() const {
  auto out = *options_.registration;
  out.parent = link_of(phase_)->sn;
  if (!options_.prove) return out;
  const auto& waiting = waits_.statement;
  const auto sequence_for = [&](std::uint64_t expiry) {
    const auto same = [&](contracts::organisation_id organisation, const hash32& identity,
                          std::uint64_t until) {
      return organisation == organisation_ && identity == out.identity && (until == 0 || until == expiry);
    };
    if (known_.active && same(known_.organisation, known_.identity, known_.expiry)) return known_.sequence;
    if (!waiting.account.is_zero() && same(waiting.organisation, waiting.identity, waiting.expiry))
      return waiting.sequence;
    return std::max(known_.sequence, waiting.sequence) + 1;
  };
  const auto prove = [&](std::uint64_t sequence) {
    return options_.prove({network_->chain_id, network_->genesis},
                          {options_.key->account(), organisation_, static_cast<std::uint8_t>(out.type),
                           out.identity, 0, sequence});
  };
  auto sequence = sequence_for(out.expiry);
  SWARM_TRY(auto proved, prove(sequence));
  if (const auto right = sequence_for(proved.claim.expiry); right != sequence) {
    sequence = right;
    SWARM_TRY(proved, prove(sequence));
  }
  out.organisation = organisation_;
  out.identity = proved.claim.identity;
  out.expiry = proved.claim.expiry;
  out.sequence = sequence;
  out.proof = std::move(proved.proof);
  return out;
}

void session_machine::register_node(time_point now) {
  if (txns_.registers()) return;
  auto wanted = registration();
  if (wanted)
    return submit(contracts::node_registry_address(), contracts::encode_register_node(*wanted),
                  "register this node", std::nullopt, now);
  const auto why = "this node cannot register: " + wanted.error().message;
  note(log::level::error, why);
  if (std::holds_alternative<registering>(phase_)) give_up(why, false, now);
}

void session_machine::ask_standing(time_point now) {
  if (auto* here = std::get_if<registering>(&phase_)) here->look_at.reset();
  ask(questions_about_self(), question::standing{}, now);
}

/// Until it is a member a node waits; a member that has changed its SN says so.
void session_machine::answer(const question::standing&, responses& from, time_point now) {
  take_standing(from, 0);
  const bool waits = !waits_.statement.account.is_zero();
  if (auto* here = std::get_if<ready>(&phase_)) {
    if (std::exchange(here->parent_is_stale, false) || renewal_due()) register_node(now);
    return;
  }
  auto* here = std::get_if<registering>(&phase_);
  if (here == nullptr) return;
  if (known_.active) return became_ready(now);
  if (!waits) return give_up("it knows nothing of this node's registration any more", false, now);
  if (here->wait >= standing_wait_longest && !std::exchange(here->told, true))
    note(log::level::warning,
         fmt::format("this node waits until other organisations vouch for it, {} have; why others do not "
                     "stands in the logs of their SNs",
                     waits_.vouchers.size()));
  here->look_at = now + here->wait;
  here->wait = std::min(2 * here->wait, standing_wait_longest);
  if (renewal_due()) register_node(now);
}

/// Whether what is registered, or waits for vouches, ends long before this node's certificate does.
bool session_machine::renewal_due() const {
  const auto& own = *options_.registration;
  const auto& waiting = waits_.statement;
  const bool waits = !waiting.account.is_zero() && waiting.identity == own.identity;
  if (!waits && (!known_.active || known_.identity != own.identity)) return false;
  return transport::is_renewal_due(waits ? waiting.expiry : known_.expiry, own.expiry, unix_ms_ / 1000);
}

void session_machine::step(const event::renewed& what, time_point now) {
  auto& wanted = options_.registration;
  if (!wanted) return;
  wanted->expiry = what.expiry;
  if (wanted->identity == what.identity) {
    if (!std::holds_alternative<ready>(phase_) || now < renew_at_ || !renewal_due()) return;
    renew_at_ = now + renewal_interval;
    return ask_standing(now);
  }
  wanted->identity = what.identity;
  options_.anchor = what.anchor;
  if (live() == nullptr) return;
  // A node registers over a connection that it has made with the certificate that it registers.
  act(action::disconnect{serial_});
  asks_.lost();
  dial(now);
}

} // namespace swarm::session
