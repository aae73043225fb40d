#include "actors/sn_client/session/session_machine.hpp"

#include <algorithm>
#include <bit>

namespace swarm::session {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

auto seconds_in(duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

} // namespace

session_machine::session_machine(session_options options)
    : options_(std::move(options)),
      choice_(options_.configured_sn, options_.other_sns, get_be64(options_.key->account().data())),
      pause_(200ms, 10s, get_be64(options_.key->account().data())), txns_(options_.key) {
  if (options_.trust) trust_.emplace(options_.trust->genesis);
}

const session_machine::link* session_machine::link_of(const phase& of) {
  return std::visit(
      [](const auto& each) -> const link* {
        if constexpr (std::is_base_of_v<link, std::decay_t<decltype(each)>>)
          return &each;
        else
          return nullptr;
      },
      of);
}

std::size_t session_machine::requests_open() const {
  const auto* here = link_of(phase_);
  return here == nullptr ? 0 : here->asked.size();
}

std::string session_machine::status() const {
  if (!connected())
    return fmt::format("cannot reach the SN {}: {} (attempt {})", sn(), trouble_, pause_.attempts());
  if (const auto* here = std::get_if<registering>(&phase_); here != nullptr && here->told)
    return fmt::format("connected to {}, waiting until other organisations vouch for this node", sn());
  if (!registered()) return fmt::format("connected to {}, registering", sn());
  return fmt::format("connected to {}, block {}, {} transactions under way", sn(), block_num_, txns_.size());
}

void session_machine::ask(const std::vector<rpc_call>& calls, any_question what, time_point now) {
  const auto first = next_id_;
  const bool prove = trust_ && chain_trust::has_views(calls);
  const auto request = prove ? trust_->to_prove(calls) : chain_trust::proof_request{calls, nullptr};
  next_id_ += request.sent.size();
  act(action::send{serial_, encode_batch(request.sent, first)});
  live()->asked.add(first, request.sent.size(), what, now, prove ? calls : std::vector<rpc_call>{},
                    request.has);
}

void session_machine::dial(time_point now) {
  if (serial_ == 0) note(log::level::info, "Attempting to contact API-Server at : " + sn());
  if (comparing_) comparing_->visited.reset();
  phase_ = connecting{now};
  act(action::connect{++serial_, sn()});
}

/// `elsewhere`: this SN is of no use whatever it answers; else it gets a few attempts.
void session_machine::went_down(const std::string& reason, bool elsewhere, time_point now) {
  if (comparing_ && comparing_->visited) return visit_next(now);
  const bool was_up = connected();
  const auto from = sn();
  const auto wait = pause_.next();
  const bool another = elsewhere ? choice_.move_on() : choice_.failed();
  trouble_ = reason;
  phase_ = down{now + wait};
  asks_.lost();
  if (was_up || another || pause_.attempts() == 1 || pause_.attempts() % 10 == 0)
    note(log::level::warning, fmt::format("Unable to contact API-Server {}: {}; trying {} until it answers",
                                          from, reason, another ? sn() : std::string("again")));
}

void session_machine::give_up(const std::string& reason, bool elsewhere, time_point now) {
  act(action::disconnect{serial_});
  went_down(reason, elsewhere, now);
}

void session_machine::step(const event::tick& now_is, time_point now) {
  unix_ms_ = now_is.unix_ms;
  if (const auto* waits = std::get_if<down>(&phase_); waits != nullptr && now >= waits->dial_at)
    return dial(now);
  if (const auto* dialling = std::get_if<connecting>(&phase_);
      dialling != nullptr && now >= dialling->since + connect_wait())
    return give_up("it cannot be connected to", false, now);
  check_link(now);
  check_behind(now);
  for (const auto& late : asks_.take_due(now))
    act(action::answered{late.call.id, fail(errc::unavailable, "{}", status()), late.call.asker});
  if (!std::holds_alternative<registering>(phase_) && !std::holds_alternative<ready>(phase_)) return;
  for (const auto& [nonce, txn] : txns_.all())
    if (txn.send_at && now >= *txn.send_at) send_txn(*txns_.find(nonce), now);
  if (const auto* here = std::get_if<registering>(&phase_);
      here != nullptr && here->look_at && now >= *here->look_at)
    ask_standing(now);
  if (const auto* here = std::get_if<ready>(&phase_); here != nullptr && now >= here->heartbeat_at) beat(now);
}

void session_machine::check_link(time_point now) {
  const auto* here = link_of(phase_);
  if (here == nullptr) return;
  if (now >= here->last_heard + silence_max)
    return give_up(fmt::format("no answer for {} s", seconds_in(silence_max)), false, now);
  if (const auto oldest = here->asked.oldest(); oldest && now >= *oldest + answer_max)
    give_up(fmt::format("one answer is missing for {} s", seconds_in(answer_max)), false, now);
}

time_point session_machine::wake_at() const {
  auto out = asks_.next_due().value_or(time_point::max());
  if (const auto* waits = std::get_if<down>(&phase_)) return std::min(out, waits->dial_at);
  if (const auto* dialling = std::get_if<connecting>(&phase_))
    return std::min(out, dialling->since + connect_wait());
  const auto* here = link_of(phase_);
  out = std::min({out, here->last_heard + silence_max, trust_due()});
  if (const auto oldest = here->asked.oldest()) out = std::min(out, *oldest + answer_max);
  if (std::holds_alternative<introducing>(phase_)) return out;
  if (const auto* waits = std::get_if<registering>(&phase_); waits != nullptr && waits->look_at)
    out = std::min(out, *waits->look_at);
  for (const auto& [nonce, txn] : txns_.all())
    if (txn.send_at) out = std::min(out, *txn.send_at);
  if (const auto* registered = std::get_if<ready>(&phase_)) out = std::min(out, registered->heartbeat_at);
  return out;
}

/// Signed, so that other SNs believe it of this one.
void session_machine::beat(time_point now) {
  auto& here = std::get<ready>(phase_);
  here.heartbeat_at = now + heartbeat_interval;
  const auto before = std::exchange(last_serial_, std::max(unix_ms_, last_serial_ + 1));
  const auto raw = ledger::encode_sign_of_life(last_serial_, block_num_, {}, *options_.key,
                                               network_->chain_id, network_->genesis);
  ask({{"swarm_heartbeat", {to_hex(raw)}}}, question::sign_of_life{before}, now);
  if (trust_ && (here.stale_since || here.heartbeats % heartbeats_per_survey == 1)) ask_freshness(now);
  if (here.heartbeats++ == 0) return; // it was asked when it introduced itself
  if ((here.heartbeats - 1) % heartbeats_per_survey == 0) return survey(now);
  // An SN that has just started hears of the others in its first seconds: 2, 4, 8, 16 seconds from now.
  if (choice_.count() == 1 && std::has_single_bit(here.heartbeats - 1))
    ask({{"swarm_apiEndpoints", {}}}, question::other_sns{}, now);
}

void session_machine::survey(time_point now) {
  ask({{"swarm_apiEndpoints", {}}}, question::other_sns{}, now);
  subscribe(now);        // again, if the SN could not when it was asked
  if (trust_) read(now); // an SN that keeps events from this node is of little use so
  if (std::get<ready>(phase_).parent_is_stale) ask_standing(now);
}

void session_machine::step(const event::link_up& news, time_point now) {
  if (news.serial != serial_ || !std::holds_alternative<connecting>(phase_)) return;
  if (comparing_ && comparing_->visited) return compare(news.by, now);
  phase_ = introducing{{{}, now, news.by}};
  note(log::level::info, fmt::format("API-Server is UP! ({})", sn()));
  if (trust_) return ask_changes(now);
  ask_introduction(now);
}

void session_machine::ask_introduction(time_point now) {
  live()->introduced = true;
  const auto account = options_.key->account();
  std::vector<rpc_call> calls{{"eth_chainId", {}},
                              {"eth_getTransactionCount", {to_hex(account.view()), "pending"}},
                              {"eth_getBlockByNumber", {"0x0", false}},
                              {"eth_coinbase", {}}};
  for (auto& each : questions_about_self())
    calls.push_back(std::move(each));
  if (trust_)
    for (auto& each : questions_about_sn(live()->sn, live()->certificate))
      calls.push_back(std::move(each));
  ask(calls, question::introduction{}, now);
}

void session_machine::step(const event::link_down& news, time_point now) {
  if (news.serial == serial_ && !std::holds_alternative<down>(phase_)) went_down(news.reason, false, now);
}

void session_machine::step(const event::received& news, time_point now) {
  if (news.serial != serial_ || live() == nullptr) return;
  live()->last_heard = now;
  boost::system::error_code failure;
  auto parsed = json::parse(news.text, failure);
  if (failure) return note(log::level::error, fmt::format("{} sent something that is not JSON", sn()));
  const auto take_one = [&](json::value& message) {
    const auto* object = message.if_object();
    if (object == nullptr || live() == nullptr) return;
    if (object->contains("method")) return read(now); // an eth_subscription: the contract moved
    if (auto whole = live()->asked.take(std::move(message))) take(std::move(*whole), now);
  };
  if (auto* batch = parsed.if_array()) {
    for (auto& message : *batch)
      take_one(message);
  } else {
    take_one(parsed);
  }
}

void session_machine::take(open_requests::answered from, time_point now) {
  if (!from.calls.empty()) return take_proved(std::move(from), now);
  std::visit([&](const auto& what) { answer(what, from.responses, now); }, from.what);
}

// The network, and this node's place in it

void session_machine::answer(const question::introduction&, responses& from, time_point now) {
  const auto chain = quantity_of(from[0]);
  const auto count = quantity_of(from[1]);
  const auto genesis = block_hash_of(from[2]);
  const bool knows_nodes = !options_.registration || output_of(from[4]);
  if (!chain || *chain == 0 || !count || !genesis || !knows_nodes)
    return give_up("it does not answer as an SN does", false, now);
  const network told{*chain, *genesis};
  if (trust_ && trust_->chain()->identity() != ledger::chain_identity{told.chain_id, told.genesis})
    return lied(ledger::lie::network, "it names another genesis block than the one that it has shown", now);
  if (options_.registration) take_standing(from, 4);
  if (trust_) {
    auto record = sn_record::read(from);
    if (!record) return give_up("it does not answer as an SN does", false, now);
    record->organisations |= organisation_ != 0;
    if (unregistered(*record, now)) return;
  }
  if (network_ && *network_ != told && !choice_.is_configured())
    return give_up("it belongs to another network", true, now);
  enter_network(told, *count, now);
  auto here = std::move(*live());
  if (!trust_) here.sn = address_of(from[3]).value_or(address{});
  phase_ = registering{std::move(here)};
  ask({{"swarm_apiEndpoints", {}}}, question::other_sns{}, now);
  // What is under way goes out once more, before anything new: nonces leave no gap.
  for (const auto& [nonce, txn] : txns_.all())
    send_txn(*txns_.find(nonce), now);
  if (!options_.registration) return became_ready(now);
  introduce(now);
}

/// What is under way was meant for the chain that this node knew.
void session_machine::enter_network(const network& told, std::uint64_t txn_count, time_point now) {
  const bool other = network_ && *network_ != told;
  const bool shorter = !txns_.empty() && txn_count < txns_.all().begin()->first;
  network_ = told;
  txns_.count_is(txn_count);
  if (!other && !shorter) return;
  for (auto& txn : txns_.take_all())
    finish(std::move(txn), fail(errc::conflict, "the SN has another chain now"), now);
}

void session_machine::became_ready(time_point now) {
  ready here;
  static_cast<link&>(here) = std::move(std::get<registering>(phase_));
  here.heartbeat_at = now;
  phase_ = std::move(here);
  pause_.reset();
  choice_.came_up();
  report_lies(now);
  submit_waiting(now);
  send_asks(now);
  if (!subscribe(now)) read(now);
}

void session_machine::answer(const question::other_sns&, responses& from, time_point) {
  auto told = texts_of(from[0], sns_told_max);
  if (told && choice_.learn(std::move(*told))) act(action::keep_sns{choice_.others()});
}

/// The last serial that the SN knew: after the clock was set back, this node goes on from there. One that is
/// very far ahead is a lie that would use up all serials. One that is neither this process's nor of its former
/// life comes from another process with the same key.
void session_machine::answer(const question::sign_of_life& to, responses& from, time_point now) {
  const auto known = quantity_of(from[0]);
  if (!known || *known > unix_ms_ + serial_ahead_max) return;
  const bool foreign = std::exchange(knows_serials_, true) && *known > to.before;
  last_serial_ = std::max(last_serial_, *known);
  if (!foreign || now < twin_noted_ + twin_note_interval) return;
  twin_noted_ = now;
  note(log::level::error,
       fmt::format(
           "another program says that it is this node, {}: both together count as one; give each a data "
           "directory with a key of its own",
           to_hex(options_.key->account().view())));
}

// Transactions

void session_machine::step(const event::submit& call, time_point now) {
  if (waiting_.size() < waiting_max) {
    waiting_.push_back(call);
    return submit_waiting(now);
  }
  act(action::call_done{call.id,
                        fail(errc::unavailable, "{}",
                             registered() ? "too many calls wait already" : "the SN cannot be reached")});
}

void session_machine::submit_waiting(time_point now) {
  while (!waiting_.empty() && txns_.size() < txns_max) {
    const auto* here = std::get_if<ready>(&phase_);
    if (here == nullptr || here->recounting) return;
    auto call = std::move(waiting_.front());
    waiting_.pop_front();
    note(log::level::debug, call.what);
    submit(call.to, std::move(call.input), std::move(call.what), call.id, now);
  }
}

void session_machine::submit(const address& to, bytes input, std::string what,
                             std::optional<std::uint64_t> call, time_point now) {
  const auto txn = txns_.sign(to, std::move(input), what, call, network_->chain_id);
  if (!txn) return finish({0, {}, std::move(what), call, {}}, tl::unexpected(txn.error()), now);
  send_txn(*txns_.find((*txn)->nonce), now);
}

void session_machine::send_txn(open_txn& txn, time_point now) {
  txn.send_at.reset();
  ask({{"eth_sendRawTransactionSync", {txn.raw}}}, question::receipt{txn.nonce}, now);
}

void session_machine::answer(const question::receipt& to, responses& from, time_point now) {
  if (txns_.find(to.nonce) == nullptr) return;
  auto receipt = receipt_of(from[0]);
  if (!receipt) return refused(to.nonce, receipt.error(), now);
  if (trust_ && txns_.find(to.nonce)->call) return ask_receipt_proof({to.nonce, std::move(*receipt)}, now);
  ended(to.nonce, std::move(*receipt), now);
}

/// A busy SN is asked again, one that cannot bring the transaction about is left if there is another. One
/// that the chain can never take any more is reported, whose it is then looks at the contract and decides
/// anew.
void session_machine::refused(std::uint64_t nonce, const error& why, time_point now) {
  const bool not_final = why.is(refusal::receipt_timeout);
  const bool unknown = why.is(refusal::history_incomplete);
  if (not_final && choice_.count() > 1)
    return give_up("it takes transactions but they do not become final", true, now);
  if (unknown && choice_.count() > 1)
    return give_up("it took a snapshot and cannot tell yet whether a transaction is final", true, now);
  if (not_final || unknown || why.is(refusal::busy)) {
    txns_.find(nonce)->send_at = now + resend_wait;
    return;
  }
  if (why.is(refusal::day_full)) {
    txns_.find(nonce)->send_at = now + day_full_wait;
    if (!std::exchange(told_of_full_day_, true))
      note(log::level::warning, "transactions wait: " + why.message);
    return;
  }
  if (why.is(refusal::nonce_too_low)) txns_.used(nonce);
  auto txn = std::move(*txns_.take(nonce));
  // Numbers may have gone apart, e.g. when the chain was restored from a backup: count anew.
  if (auto* here = std::get_if<ready>(&phase_); here != nullptr && txns_.empty() && !here->recounting) {
    here->recounting = true;
    ask({{"eth_getTransactionCount", {to_hex(options_.key->account().view()), "pending"}}},
        question::account_count{}, now);
  }
  finish(std::move(txn), tl::unexpected(why), now);
}

void session_machine::answer(const question::account_count&, responses& from, time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr) return;
  here->recounting = false;
  if (const auto count = quantity_of(from[0]); count && txns_.empty()) txns_.count_is(*count);
  submit_waiting(now);
}

void session_machine::finish(open_txn txn, result<call_receipt> outcome, time_point now) {
  if (txn.call) {
    act(action::call_done{*txn.call, std::move(outcome)});
    return submit_waiting(now);
  }
  if (outcome && outcome->ok) {
    note(log::level::info, "NODE UID :  " + to_hex(options_.key->account().view()));
    if (!std::holds_alternative<registering>(phase_)) return;
    if (!trust_ && (organisation_ == 0 || known_.active)) return became_ready(now);
    return ask_standing(now);
  }
  const auto& why = outcome ? outcome->revert : outcome.error().message;
  note(log::level::error, "the SN refuses this node's registration: " + why);
  if (std::holds_alternative<registering>(phase_))
    give_up("it refuses this node's registration: " + why, false, now);
}

// Questions of this node's user

void session_machine::step(const event::ask& call, time_point now) {
  if (asks_.size() >= asks_max)
    return act(
        action::answered{call.id, fail(errc::unavailable, "too many questions wait already"), call.asker});
  asks_.add(call, now + answer_max);
  send_asks(now);
}

void session_machine::send_asks(time_point now) {
  if (!registered()) return;
  for (const auto& [key, call] : asks_.send_all())
    ask(call->calls, question::own_ask{key}, now);
}

void session_machine::answer(const question::own_ask& to, responses& from, time_point) {
  if (auto asked = asks_.take(to.key))
    act(action::answered{asked->call.id, std::move(from), std::move(asked->call.asker)});
}

// Following a contract

void session_machine::step(const event::follow& wanted, time_point now) {
  const bool moves = followed_.name != wanted.name || followed_.contract != wanted.contract
                     || followed_.topics != wanted.topics;
  followed_ = wanted;
  ++followed_version_;
  if (moves) ++watch_version_;
  if (!subscribe(now)) read(now);
}

void session_machine::step(const event::read&, time_point now) {
  read(now);
}

bool session_machine::subscribe(time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr || followed_.name.empty()) return false;
  if (here->subscribed_version == watch_version_ && (here->subscribing || !here->subscription.empty()))
    return here->subscribing;
  if (!here->subscription.empty())
    ask({{"eth_unsubscribe", {std::exchange(here->subscription, {})}}}, question::unsubscription{}, now);
  here->subscribed_version = watch_version_;
  here->subscribing = true;
  if (followed_.contract.is_zero()) {
    ask({{"eth_subscribe", {"newHeads"}}}, question::subscription{watch_version_}, now);
    return true;
  }
  json::array topics;
  for (const auto& topic : followed_.topics)
    topics.emplace_back(to_hex(topic.view()));
  json::array any_of_them; // not in braces: compilers differ about an array of one array
  any_of_them.emplace_back(std::move(topics));
  json::object filter{{"address", to_hex(followed_.contract.view())}, {"topics", std::move(any_of_them)}};
  ask({{"eth_subscribe", {"logs", std::move(filter)}}}, question::subscription{watch_version_}, now);
  return true;
}

void session_machine::answer(const question::subscription& to, responses& from, time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr) return;
  auto id = text_of(from[0]);
  if (id && (id->empty() || id->size() > subscription_bytes_max))
    id = fail(refusal::malformed_answer, "a subscription has no such id");
  if (to.version != here->subscribed_version) { // something else is followed by now
    if (id) ask({{"eth_unsubscribe", {*id}}}, question::unsubscription{}, now);
    return;
  }
  here->subscribing = false;
  if (id)
    here->subscription = std::move(*id);
  else
    note(log::level::error, "cannot subscribe to the contract: " + id.error().message);
  read(now);
}

void session_machine::read(time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr || followed_.name.empty()) return;
  if (std::exchange(here->reading, true)) {
    here->read_again = true;
    return;
  }
  std::vector<rpc_call> calls{{"eth_blockNumber", {}}};
  calls.insert(calls.end(), followed_.reads.begin(), followed_.reads.end());
  ask(calls, question::contract{followed_version_}, now);
}

void session_machine::answer(const question::contract& to, responses& from, time_point now) {
  auto* here = std::get_if<ready>(&phase_);
  if (here == nullptr) return;
  here->reading = false;
  const bool again = std::exchange(here->read_again, false);
  if (to.version != followed_version_) return read(now);
  if (const auto block_num = quantity_of(from[0])) {
    block_num_ = std::max(block_num_, *block_num);
    from.erase(from.begin());
    act(action::contract_read{followed_.name, *block_num, std::move(from)});
  } else {
    note(log::level::error, block_num.error().message);
  }
  if (again) read(now);
}

} // namespace swarm::session
