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

/// Who signed it is found out here rather than on the chain's thread, which says what is wrong with a signature.
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
  const auto own = waiting_by_.find(to.from().client);
  if (waits_ >= waiting_max || (own != waiting_by_.end() && own->second >= client_waiting_max))
    return to(fail(rpc_errc::waiting_full,
                   "at most {} calls of one client, {} of all wait for receipts at a time; try again",
                   client_waiting_max, waiting_max),
              now_);
  submit(*raw, now_ + wait, to);
}

void service::submit(bytes_view raw, std::optional<time_point> until, const reply& to) {
  if (submissions_.size() >= submissions_max)
    return to(fail(rpc_errc::waiting_full, "too many transactions are on their way to the pool; try again"),
              now_);
  auto txn = decoded(raw, *chain_);
  if (!txn) return to(tl::unexpected(std::move(txn).error()), now_);
  if (until) {
    ++waits_;
    ++waiting_by_[to.from().client];
  }
  if (held_) ++held_->open;
  submissions_.emplace(next_token_, submission{txn->hash(), until, to, held_});
  actions_.emplace_back(action::submit{next_token_++, std::move(*txn)});
}

void service::step(const event::submitted& what, time_point now) {
  now_ = now;
  const auto found = submissions_.extract(what.token);
  if (found.empty()) return;
  const auto& one = found.mapped();
  release(one.then);
  const bool waits = what.outcome || what.outcome.error().is(ledger::pool_rule::already_known);
  if (one.until && waits) {
    waiting_.push_back({one.txn, *one.until, one.done});
    return;
  }
  if (what.outcome) return one.done(json::value(hex_data(one.txn.view())), now_);
  if (!one.until) return one.done(tl::unexpected(what.outcome.error()), now_);
  look_at_head();
  stop_waiting(one.done.from().client);
  one.done(receipt_or_trouble(one.txn, what.outcome.error()), now_);
}

/// It may have become final, by way of another SN, while it was on its way to the pool.
method_result service::receipt_or_trouble(const hash32& txn, const error& why) const {
  if (auto place = view_->find_txn(txn); place && *place)
    return json::value(receipt_json(*(*place)->block, (*place)->index));
  if (why.is(ledger::execution_rule::nonce_too_low) && !view_->history_complete())
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

/// Blocks were taken over without being shown one by one, as with a snapshot: who waits for a transaction
/// that does not wait itself any more learns what is known.
void service::wake_skipped() {
  std::vector<std::pair<waiter, method_result>> ready;
  std::erase_if(waiting_, [&](waiter& one) {
    if (chain_->waits(one.txn)) return false;
    const auto place = view_->find_txn(one.txn);
    if (place && *place)
      ready.emplace_back(std::move(one), json::value(receipt_json(*(*place)->block, (*place)->index)));
    else if (!view_->history_complete())
      ready.emplace_back(std::move(one), perhaps_in_history(fmt::format("transaction {} waits no more",
                                                                        to_hex(one.txn.view()))));
    else
      return false;
    return true;
  });
  for (auto& [one, outcome] : ready) {
    stop_waiting(one.done.from().client);
    one.done(std::move(outcome), now_);
  }
}

void service::wake(const ledger::executed_block& block) {
  if (waiting_.empty()) return;
  std::unordered_map<hash32, std::size_t> index;
  for (std::size_t i = 0; i < block.txns.size(); ++i)
    index.emplace(block.txns[i].hash(), i);
  std::vector<std::pair<waiter, std::size_t>> ready;
  std::erase_if(waiting_, [&](waiter& one) {
    const auto found = index.find(one.txn);
    if (found == index.end()) return false;
    ready.emplace_back(std::move(one), found->second);
    return true;
  });
  for (auto& [one, at] : ready) {
    stop_waiting(one.done.from().client);
    one.done(json::value(receipt_json(block, at)), now_);
  }
}

void service::stop_waiting(const hash32& client) {
  --waits_;
  const auto own = waiting_by_.find(client);
  if (--own->second == 0) waiting_by_.erase(own);
}

void service::step(event::tick, time_point now) {
  now_ = now;
  std::vector<waiter> late;
  std::erase_if(waiting_, [&](waiter& one) {
    if (one.until > now) return false;
    late.push_back(std::move(one));
    return true;
  });
  for (auto& one : late) {
    stop_waiting(one.done.from().client);
    failure why = fail(rpc_errc::receipt_timeout, "timeout: transaction {} is not final yet, it still waits",
                       to_hex(one.txn.view()))
                      .value();
    why.data = to_hex(one.txn.view());
    one.done(tl::unexpected(std::move(why)), now_);
  }
}

} // namespace swarm::rpc
