#include "actors/sn_client/session/session_machine.hpp"

#include <algorithm>

/// What the session believes: proofs, not the SN. Here is what it does while these are missing, old, or lies.
namespace swarm::session {

using namespace std::chrono_literals;
using ledger::lie;
using ledger::proof_errc;

namespace {

/// Seals by others than the validators whom this node knows: there may be new ones, or it is a lie.
bool by_others(const error& why) {
  return why.category == error_category(ledger::seal_errc{});
}

} // namespace

/// Who the validators are is known before anything else is asked.
void session_machine::ask_changes(time_point now) {
  live()->asking_changes = true;
  ask({{"eth_chainId", {}}, trust_->question(), {"eth_coinbase", {}}}, question::validator_changes{}, now);
}

void session_machine::answer(const question::validator_changes&, responses& from, time_point now) {
  auto& here = *live();
  here.asking_changes = false;
  const auto chain_id = quantity_of(from[0]);
  if (!chain_id || *chain_id == 0) return give_up("it does not answer as an SN does", false, now);
  if (const auto no = result_of(from[1]); !no && no.error().is(refusal::busy)) {
    here.changes_at = now + resend_wait;
    return;
  }
  if (here.sn.is_zero()) here.sn = address_of(from[2]).value_or(address{});
  const bool first = trust_->chain() == nullptr;
  const auto more = trust_->take(*chain_id, from[1]);
  if (!more && more.error().is(proof_errc::genesis)) return other_network(more.error().message, now);
  if (!more) return lied(lie::validators, more.error().message, now);
  if (first) began_trust();
  if (*more) return ask_changes(now);
  if (comparing_) return ask_others_to_compare(now);
  if (std::holds_alternative<introducing>(phase_) && !here.introduced) return ask_introduction(now);
  ask_again(now);
}

void session_machine::other_network(const std::string& reason, time_point now) {
  const auto& from = options_.trust->kept_in;
  give_up(fmt::format(
              "it belongs to another network: {}{}", reason,
              from.empty() ? "" : fmt::format(" ({} says so; change that if a new network was begun)", from)),
          true, now);
}

/// Whoever lies once is not asked again as long as anybody else is there.
void session_machine::lied(lie about, const std::string& how, time_point now) {
  ++lies_;
  remember_lie(about);
  note(log::level::error,
       fmt::format("the SN {} ({}) LIES: {}; this node leaves it", sn(), to_hex(live()->sn.view()), how));
  choice_.distrust();
  act(action::keep_sns{choice_.others()});
  give_up("it lies: " + how, true, now);
}

void session_machine::remember_lie(lie about) {
  const unreported one{live()->certificate.identity, about};
  if (unreported_.size() < unreported_max && std::ranges::find(unreported_, one) == unreported_.end())
    unreported_.push_back(one);
}

/// The SNs of a network hear of each other's lies from those whom they were told to.
void session_machine::report_lies(time_point now) {
  const auto present = live()->certificate.identity;
  for (const auto& each : unreported_)
    if (each.accused != present)
      ask({{"swarm_reportLie", {to_hex(each.accused.view()), ledger::words_of(each.about).code}}},
          question::lie_report{}, now);
  std::erase_if(unreported_, [&](const auto& each) { return each.accused != present; });
}

/// Takes the answer to a batch with views, whose `calls` these are.
void session_machine::take_proved(open_requests::answered from, time_point now) {
  auto& here = *live();
  auto checked = trust_->check(from.calls, std::move(from.responses), from.has);
  if (checked) {
    here.behind_since.reset();
    block_num_ = std::max(block_num_, trust_->chain()->head());
    from.responses = std::move(*checked);
    return std::visit([&](const auto& what) { answer(what, from.responses, now); }, from.what);
  }
  const auto& why = checked.error();
  if (why.is(errc::internal)) { // a contract that this program does not know is nobody's lie
    const boost::json::object no{{"error", boost::json::object{{"code", -32000}, {"message", why.message}}}};
    responses all(from.calls.size(), no);
    return std::visit([&](const auto& what) { answer(what, all, now); }, from.what);
  }
  if (by_others(why)) {
    here.again.push_back({std::move(from.calls), from.what, trust_->chain()->reached(), why.message, {}});
    if (!here.asking_changes && !here.changes_at) ask_changes(now);
    return;
  }
  if (!why.is(proof_errc::old_head))
    return lied(why.is(proof_errc::header) || why.is(proof_errc::fork) ? lie::head : lie::view, why.message,
                now);
  if (!here.behind_since) here.behind_since = now;
  here.again.push_back({std::move(from.calls), from.what, 0, why.message, now + resend_wait});
}

/// All changes of validators are known now that this SN knows.
void session_machine::ask_again(time_point now) {
  auto& waiting = live()->again;
  const auto reached = trust_->chain()->reached();
  const auto false_one =
      std::ranges::find_if(waiting, [&](const auto& each) { return !each.at && each.reached == reached; });
  if (false_one != waiting.end()) return lied(lie::head, std::string(false_one->why), now);
  auto ready_now = std::exchange(waiting, {});
  for (auto& each : ready_now) {
    if (each.at)
      waiting.push_back(std::move(each));
    else
      ask(each.calls, each.what, now);
  }
}

/// Whether that of its SN is in the way of asking it for anything. An SN that has just started, or renewed its
/// certificate, is asked again until its registration is on the chain.
bool session_machine::unregistered(const sn_record& record, time_point now) {
  auto& here = *live();
  const auto trouble = record.trouble_with(here.certificate);
  if (trouble.empty()) return false;
  if (!here.unregistered_since) here.unregistered_since = now;
  if (now < *here.unregistered_since + unregistered_max)
    here.introduce_at = now + resend_wait;
  else
    leave_unregistered(record, trouble, now);
  return true;
}

void session_machine::leave_unregistered(const sn_record& record, const std::string& trouble,
                                         time_point now) {
  if (record.node.active) remember_lie(lie::certificate); // others may have started a moment ago
  note(log::level::error,
       fmt::format("{} presents a certificate that is not that of an SN of this network ({}): {}", sn(),
                   live()->certificate.subject, trouble));
  give_up("its certificate is not that of an SN of this network: " + trouble, true, now);
}

/// An SN that is behind gets some time to come up with what this node has seen of the chain elsewhere.
void session_machine::check_behind(time_point now) {
  auto* here = live();
  if (here == nullptr || !trust_) return;
  if (here->behind_since && now >= *here->behind_since + behind_max)
    return give_up(fmt::format("its chain ends before block {}, which is final", trust_->chain()->head()),
                   true, now);
  if (here->changes_at && now >= *here->changes_at) {
    here->changes_at.reset();
    ask_changes(now);
  }
  if (here->introduce_at && now >= *here->introduce_at) {
    here->introduce_at.reset();
    ask_introduction(now);
  }
  auto waiting = std::exchange(here->again, {});
  for (auto& each : waiting) {
    if (each.at && now >= *each.at)
      ask(each.calls, each.what, now);
    else
      here->again.push_back(std::move(each));
  }
}

/// A block that is final need not be the newest. Who says so is more validators than can lie together.
void session_machine::ask_freshness(time_point now) {
  std::vector<rpc_call> calls{{"swarm_validatorSigns", {}}};
  for (auto& each : questions_about_sn(live()->sn, live()->certificate))
    calls.push_back(std::move(each));
  ask(calls, question::freshness{}, now);
}

void session_machine::answer(const question::freshness&, responses& from, time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr) return;
  if (const auto record = sn_record::read(from); record && !record->trouble().empty())
    return leave_unregistered(*record, record->trouble(), now);
  const auto shown = trust_->fresh_by(from[0], unix_ms_, fresh_ms);
  if (shown.enough()) return here->stale_since.reset();
  if (!here->stale_since) here->stale_since = now;
  if (now < *here->stale_since + stale_max) return;
  const auto words =
      fmt::format("it does not show that its chain is the newest: of {} validators needed {} say so",
                  shown.needed, shown.shown);
  if (choice_.count() > 1) return give_up(words, true, now);
  if (now < stale_noted_ + twin_note_interval) return;
  stale_noted_ = now;
  note(log::level::warning, fmt::format("the SN {}: {}", sn(), words));
}

time_point session_machine::trust_due() const {
  auto out = time_point::max();
  const auto* here = link_of(phase_);
  if (here == nullptr) return out;
  if (here->behind_since) out = std::min(out, *here->behind_since + behind_max);
  if (here->changes_at) out = std::min(out, *here->changes_at);
  if (here->introduce_at) out = std::min(out, *here->introduce_at);
  for (const auto& each : here->again)
    if (each.at) out = std::min(out, *each.at);
  return out;
}

} // namespace swarm::session
