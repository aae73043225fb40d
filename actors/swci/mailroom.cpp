#include "actors/swci/mailroom.hpp"

#include "actors/sn_client/messages.hpp"

namespace swarm::actors {

namespace {

/// A little more than the SN client takes for any one answer.
constexpr auto answer_max = std::chrono::seconds(70);
/// The same when no SN answered already when the command began: time to go over to another one, or for a restart.
constexpr auto trouble_max = std::chrono::seconds(10);
/// A transaction may wait for SNs that come back.
constexpr auto receipt_max = std::chrono::seconds(180);

std::chrono::milliseconds within(std::chrono::milliseconds limit, std::chrono::steady_clock::time_point end) {
  const auto left = end - std::chrono::steady_clock::now();
  return std::min(limit, std::chrono::duration_cast<std::chrono::milliseconds>(left));
}

} // namespace

std::uint64_t mailroom::expect() {
  const std::lock_guard lock(mutex_);
  expected_.emplace(++last_, std::nullopt);
  return last_;
}

void mailroom::deliver(std::uint64_t id, letter what) {
  const std::lock_guard lock(mutex_);
  const auto at = expected_.find(id);
  if (at == expected_.end()) return;
  at->second = std::move(what);
  came_.notify_all();
}

result<mailroom::letter> mailroom::take_letter(std::uint64_t id, const std::stop_token& stop,
                                               std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  const bool is_here = came_.wait_for(lock, stop, limit, [&] { return expected_.at(id).has_value(); });
  auto node = expected_.extract(id);
  if (is_here) return std::move(*node.mapped());
  if (stop.stop_requested()) return fail(errc::cancelled, "the command was ended");
  return fail(errc::timeout, "no answer for {:.1f} s", std::chrono::duration<double>(limit).count());
}

result<std::vector<boost::json::value>> context_network::ask(std::vector<session::rpc_call> calls) {
  const auto limit = within(trouble_.empty() ? answer_max : trouble_max, until_);
  if (limit <= limit.zero()) return fail(errc::timeout, "the time for an answer is over");
  const auto id = mail_->expect();
  if (!env_->dir.send(sn_path_, session::event::ask{id, std::move(calls)}))
    mail_->deliver(id, result<std::vector<boost::json::value>>(
                           fail(errc::unavailable, "the client of the SN is being restarted")));
  auto answered = mail_->take<result<std::vector<boost::json::value>>>(id, stop_, limit);
  if (answered) trouble_.clear();
  if (answered || trouble_.empty() || answered.error().is(errc::cancelled)) return answered;
  return fail(errc::unavailable, "Unable to contact API-Server: {}", trouble_);
}

result<> context_network::submit(const address& to, bytes input, std::string what) {
  // What waits in the client is sent when an SN comes back, whatever the operator was told meanwhile.
  if (!trouble_.empty()) SWARM_CHECK(ask({{"eth_blockNumber", {}}}));
  const auto id = mail_->expect();
  if (!env_->dir.send(sn_path_, session::event::submit{id, to, std::move(input), std::move(what)}))
    mail_->deliver(id, result<session::call_receipt>(
                           fail(errc::unavailable, "the client of the SN is being restarted")));
  SWARM_TRY(const auto receipt, mail_->take<result<session::call_receipt>>(id, stop_, receipt_max));
  if (!receipt.ok) return fail(errc::conflict, "{}", receipt.revert);
  return {};
}

} // namespace swarm::actors
