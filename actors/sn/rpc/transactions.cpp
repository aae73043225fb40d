#include "actors/sn/rpc/format.hpp"
#include "actors/sn/rpc/service.hpp"
#include "base/hash.hpp"
#include "ledger/state/execute.hpp"

/// Transactions and those who wait for them.
namespace swarm::rpc {

namespace json = boost::json;

namespace {

tl::unexpected<error> perhaps_in_history(std::string_view what) {
  return fail(
      rpc_errc::history_incomplete,
      "{}; it may be final in a block that this SN does not have yet, as history is being fetched: try "
      "again, or ask another SN",
      what);
}

/// Decodes a transaction and recovers its sender here rather than on the chain's thread. A bad signature is
/// left for the chain to refuse.
result<ledger::transaction> decoded(bytes_view raw, const ledger::chain_window& chain) {
  SWARM_TRY(auto txn, ledger::transaction::decode(raw, chain.view()->chain_id()));
  if (!chain.waits(txn.hash())) std::ignore = txn.recover_sender();
  return txn;
}

} // namespace

void service::send_raw(const params& given, const reply& to) {
  const auto raw = given.raw(0, "transaction");
  if (!raw) return to(tl::unexpected(raw.error()), now_);
  work_ += cost::signature;
  submit(*raw, std::nullopt, to);
}

void service::send_sync(const params& given, const reply& to) {
  work_ += cost::signature;
  const auto raw = given.raw(0, "transaction");
  if (!raw) return to(tl::unexpected(raw.error()), now_);
  if (auto place = view_->find_txn(keccak256(*raw));
      place && *place) // sent before, perhaps over a connection that broke
    return to(json::value(receipt_json(*(*place)->block, (*place)->index)), now_);
  auto wait = receipt_wait;
  if (given.has(1)) {
    const auto asked = given.number(1, "timeout");
    if (!asked) return to(tl::unexpected(asked.error()), now_);
    wait = std::min<duration>(wait, std::chrono::milliseconds(std::min<std::uint64_t>(*asked, 60'000)));
  }
  const auto held = [](const auto& counts, const hash32& by) {
    const auto found = counts.find(by);
    return found == counts.end() ? 0 : found->second;
  };
  if (waiting_.size() >= waiting_max || held(waiting_by_, to.from().client) >= client_waiting_max
      || held(waiting_by_organisation_, to.from().organisation) >= organisation_waiting_max)
    return to(
        fail(rpc_errc::waiting_full,
             "at most {} calls of one client, {} of one organisation, {} of all wait for receipts at a time; "
             "try again",
             client_waiting_max, organisation_waiting_max, waiting_max),
        now_);
  submit(*raw, now_ + wait, to);
}

void service::submit(bytes_view raw, std::optional<time_point> until, const reply& to) {
  if (submissions_.size() >= submissions_max)
    return to(fail(rpc_errc::waiting_full, "too many transactions are on their way to the pool; try again"),
              now_);
  auto txn = decoded(raw, *chain_);
  if (!txn) return to(tl::unexpected(std::move(txn).error()), now_);
  if (const auto& may_call = to.from().may_call; may_call && txn->fields().to)
    if (auto may = may_call(*txn->fields().to, txn->fields().data); !may)
      return to(tl::unexpected(std::move(may).error()), now_);
  const auto token = next_token_++;
  if (until) {
    waiting_.emplace(token, waiter{txn->hash(), *until, to});
    ++waiting_by_[to.from().client];
    ++waiting_by_organisation_[to.from().organisation];
  }
  const bool silent = until && !held_;
  if (held_) ++held_->open;
  if (!silent) submissions_.emplace(token, submission{txn->hash(), to, held_});
  actions_.emplace_back(action::submit{token, std::move(*txn), silent});
}

void service::step(const event::submitted& what, time_point now) {
  now_ = now;
  const auto found = submissions_.extract(what.token);
  if (!found.empty()) release(found.mapped().then);
  const bool waits = what.outcome || what.outcome.error().is(ledger::pool_errc::already_known);
  if (const auto waiting = waiting_.find(what.token); waiting != waiting_.end()) {
    if (waits) return;
    const auto one = waiting_.extract(waiting);
    look_at_head();
    stop_waiting(one.mapped().done.from());
    one.mapped().done(receipt_or_trouble(one.mapped().txn, what.outcome.error()), now_);
  } else if (!found.empty()) {
    const auto& one = found.mapped();
    one.done(what.outcome ? method_result(json::value(hex_data(one.txn.view())))
                          : tl::unexpected<failure>(what.outcome.error()),
             now_);
  }
}

/// The receipt if there is one, else the error: the transaction may have become final, by way of another SN,
/// while it was on its way to the pool.
method_result service::receipt_or_trouble(const hash32& txn, const error& why) const {
  if (auto place = view_->find_txn(txn); place && *place)
    return json::value(receipt_json(*(*place)->block, (*place)->index));
  if (why.is(ledger::execution_errc::nonce_too_low) && !view_->history_complete())
    return perhaps_in_history(why.message);
  return tl::unexpected<failure>(why);
}

void service::step(const event::block_final& what, time_point now) {
  now_ = now;
  look_at_head();
  const auto& block = *what.block;
  const bool skipped = block.header.block_num > last_block_ + 1;
  last_block_ = std::max(last_block_, block.header.block_num);
  wake(block);
  if (skipped) wake_skipped();
  notify(block);
}

/// Blocks were adopted without being shown one by one, as with a snapshot. Whoever waits for a transaction
/// that is no longer in the pool is told what is known.
void service::wake_skipped() {
  std::unordered_map<hash32, ledger::txn_place> final;
  const auto ended = take_waiting([&](const waiter& one) {
    if (chain_->waits(one.txn)) return false;
    const auto place = view_->find_txn(one.txn);
    if (place && *place) final.emplace(one.txn, **place);
    return (place && *place) || !view_->history_complete();
  });
  for (const auto& one : ended) {
    const auto at = final.find(one.txn);
    if (at != final.end())
      one.done(json::value(receipt_json(*at->second.block, at->second.index)), now_);
    else
      one.done(perhaps_in_history(fmt::format("transaction {} waits no more", to_hex(one.txn.view()))), now_);
  }
}

void service::wake(const ledger::executed_block& block) {
  if (waiting_.empty()) return;
  std::unordered_map<hash32, std::size_t> index;
  for (std::size_t i = 0; i < block.txns.size(); ++i)
    index.emplace(block.txns[i].hash(), i);
  for (const auto& one : take_waiting([&](const waiter& each) { return index.contains(each.txn); }))
    one.done(json::value(receipt_json(block, index.at(one.txn))), now_);
}

template <class Ended>
std::vector<service::waiter> service::take_waiting(Ended ended) {
  std::vector<waiter> out;
  std::erase_if(waiting_, [&](auto& entry) {
    if (!ended(entry.second)) return false;
    stop_waiting(entry.second.done.from());
    out.push_back(std::move(entry.second));
    return true;
  });
  return out;
}

void service::stop_waiting(const caller& who) {
  const auto one_less = [](auto& counts, const hash32& by) {
    const auto own = counts.find(by);
    if (--own->second == 0) counts.erase(own);
  };
  one_less(waiting_by_, who.client);
  one_less(waiting_by_organisation_, who.organisation);
}

void service::step(event::tick, time_point now) {
  now_ = now;
  for (const auto& one : take_waiting([&](const waiter& each) { return each.until <= now; })) {
    failure why = fail(rpc_errc::receipt_timeout, "timeout: transaction {} is not final yet, it still waits",
                       to_hex(one.txn.view()))
                      .value();
    why.data = to_hex(one.txn.view());
    one.done(tl::unexpected(std::move(why)), now_);
  }
}

} // namespace swarm::rpc
