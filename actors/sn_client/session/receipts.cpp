#include "actors/sn_client/session/session_machine.hpp"

/// How this node's calls ended: an SN says so, and shows it. Of its registration a node reads in the contract.
namespace swarm::session {

using ledger::proof_errc;

void session_machine::ended(std::uint64_t nonce, call_receipt outcome, time_point now) {
  block_num_ = std::max(block_num_, outcome.block_num);
  told_of_full_day_ = false;
  txns_.used(nonce);
  finish(std::move(*txns_.take(nonce)), std::move(outcome), now);
}

void session_machine::ask_receipt_proof(const question::receipt_proof& about, time_point now) {
  const auto raw = from_hex(txns_.find(about.nonce)->raw);
  ask({chain_trust::receipt_question(*raw)}, about, now);
}

/// The transaction has most likely ended, but nobody knows how; whose it is looks at the contract.
void session_machine::unproved(const question::receipt_proof& about, const std::string& why, time_point now) {
  txns_.used(about.nonce);
  finish(std::move(*txns_.take(about.nonce)),
         fail(errc::unavailable, "the SN does not show how the transaction ended: {}", why), now);
}

void session_machine::answer(const question::receipt_proof& to, responses& from, time_point now) {
  auto* txn = txns_.find(to.nonce);
  if (txn == nullptr) return;
  const auto shown = text_of(from[0]);
  if (!shown && shown.error().is(refusal::busy)) {
    txn->send_at = now + resend_wait;
    return;
  }
  if (!shown) return unproved(to, shown.error().message, now);
  const auto raw = from_hex(txn->raw);
  const auto end = trust_->check_receipt(*shown, *raw);
  if (end && end->ok == to.told.ok) {
    auto outcome = to.told;
    outcome.block_num = end->block_num;
    return ended(to.nonce, std::move(outcome), now);
  }
  if (end)
    return lied(ledger::lie::receipt,
                fmt::format("it says that a transaction of this node ({}) {}, but block {} shows that it {}",
                            txn->what, to.told.ok ? "succeeded" : "failed", end->block_num,
                            end->ok ? "succeeded" : "failed"),
                now);
  const auto& why = end.error();
  if (why.is(proof_errc::old_head)) return unproved(to, why.message, now);
  if (why.category != error_category(ledger::seal_errc{}))
    return lied(ledger::lie::receipt, why.message, now);
  if (to.again) return unproved(to, why.message, now); // validators who came and went are not told of
  if (!live()->asking_changes) ask_changes(now);
  ask_receipt_proof({to.nonce, to.told, true}, now);
}

} // namespace swarm::session
