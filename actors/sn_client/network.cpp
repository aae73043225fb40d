#include "actors/sn_client/network.hpp"

#include "actors/sl/files/model_fetch.hpp"
#include "actors/sn_client/rpc_codec.hpp"
#include "actors/sn_client/sn_choice.hpp"
#include "actors/supervision/paths.hpp"
#include "base/log.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "ledger/formats/sign_of_life.hpp"
#include "ledger/formats/transaction.hpp"
#include "transport/back_off.hpp"
#include "transport/ws/websocket.hpp"

#include <deque>
#include <map>

namespace swarm::actors {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto heartbeat_interval = 2s;
constexpr unsigned heartbeats_per_survey = 15; ///< of the other SNs
constexpr auto answer_wait = 15s;              ///< of any answer; heartbeats are answered at once
constexpr auto resend_wait = 250ms;            ///< for an SN that cannot take a transaction now
constexpr std::size_t unsent_max = 256;

/// A signed transaction on its way. Until its receipt is here it is sent again, byte for byte, on every new
/// connection, so it takes effect once however often the connection breaks.
struct open_txn {
  std::uint64_t nonce = 0;
  std::string raw; ///< hexadecimal
  std::string what;
  std::function<void(result<call_receipt>)> done;
};

std::string configured_sn(const config::sl_options& options) {
  return options.sn_api_service ? host_port(options.sn_api_service->host, options.sn_api_service->port)
                                : host_port(options.sn_ip, options.sn_api_port);
}

std::filesystem::path known_sns_of(const config::sl_options& options) {
  return options.data_dir.empty() ? options.data_dir : options.data_dir / "known-sns";
}

struct network_state {
  explicit network_state(std::shared_ptr<const sl_context> from)
      : context(std::move(from)), pause(200ms, 10s, get_be64(context->account().data())),
        choice(configured_sn(context->options), known_sns_of(context->options),
               get_be64(context->account().data())) {}

  const std::string& sn() const { return choice.current(); }
  std::string status() const {
    if (!up) return fmt::format("cannot reach the SN {}: {} (attempt {})", sn(), trouble, pause.attempts());
    if (!ready) return fmt::format("connected to {}, registering", sn());
    return fmt::format("connected to {}, block {}, {} transactions under way", sn(), block_num, txns.size());
  }
  std::string detail_json() const {
    return json::serialize(json::object{{"sn", sn()},
                                        {"sns_known", choice.count()},
                                        {"connected", up},
                                        {"registered", ready},
                                        {"account", to_hex(context->account().view())},
                                        {"contract", contract},
                                        {"block_num", block_num},
                                        {"transactions_under_way", txns.size()},
                                        {"reconnects", serial > 0 ? serial - 1 : 0}});
  }

  using answer = std::function<void(std::vector<json::value>)>;
  struct open_batch {
    std::uint64_t first_id;
    std::vector<json::value> responses;
    std::size_t missing;
    answer done;
  };

  std::shared_ptr<const sl_context> context;
  transport::back_off pause;
  sn_choice choice;
  std::shared_ptr<transport::ws_session> link;
  std::uint64_t serial = 0; ///< of the present connection
  bool up = false;
  bool ready = false;       ///< registered, so other transactions may follow
  bool registering = false; ///< the transaction that registers this node is under way
  std::string trouble = "not tried yet";
  std::uint64_t next_id = 1;
  std::map<std::uint64_t, open_batch> batches; ///< by last id
  std::uint64_t chain_id = 0;
  hash32 genesis_hash;
  std::uint64_t last_serial = 0; ///< of this node's signs of life
  unsigned heartbeats = 0;       ///< of the present connection
  time_point last_answer;
  std::uint64_t next_nonce = 0;
  std::deque<open_txn> txns;
  std::deque<std::pair<address, submit_call>> unsent; ///< until this node is registered
  std::string contract;
  address contract_address;
  std::size_t pages = 1;
  bool reading = false;
  bool read_again = false;
  std::uint64_t block_num = 0;
};

using self_pointer = role_actor<network_state>*;

void ask_batch(self_pointer self, std::vector<rpc_call> calls, network_state::answer done) {
  auto& s = self->state();
  const auto first = s.next_id;
  s.next_id += calls.size();
  auto text = encode_batch(calls, first);
  s.batches.emplace(s.next_id - 1, network_state::open_batch{first, std::vector<json::value>(calls.size()),
                                                             calls.size(), std::move(done)});
  if (auto sent = s.link->send_text(std::move(text)); !sent) self->note_error(sent.error().message);
}

void take_response(network_state& s, json::value response) {
  const auto* id = response.as_object().if_contains("id");
  if (id == nullptr || !id->is_number()) return;
  const auto number = id->to_number<std::uint64_t>();
  auto found = s.batches.lower_bound(number);
  if (found == s.batches.end() || number < found->second.first_id) return;
  auto& batch = found->second;
  batch.responses[number - batch.first_id] = std::move(response);
  if (--batch.missing > 0) return;
  auto finished = std::move(batch);
  s.batches.erase(found);
  finished.done(std::move(finished.responses));
}

// -- connection

void dial(self_pointer self) {
  auto& s = self->state();
  const auto serial = ++s.serial;
  auto env = self->shared_env();
  auto path = self->path();
  transport::ws_callbacks callbacks;
  callbacks.on_open = [env, path, serial](const transport::peer_info&) {
    env->dir.send(path, link_up{serial});
  };
  callbacks.on_message = [env, path, serial](transport::ws_message message) {
    env->dir.send(path, link_message{serial, std::move(message.data), std::move(message.credit)});
  };
  callbacks.on_close = [env, path, serial](error why) {
    env->dir.send(path, link_down{serial, why.message});
  };
  const auto to = endpoint::parse(s.sn());
  if (!to) return self->end_process(1, to.error().message);
  s.link = transport::ws_connect(*s.context->io, s.context->identity, to->host, to->port, "/", {},
                                 std::move(callbacks));
}

void went_down(self_pointer self, const std::string& reason) {
  auto& s = self->state();
  const bool was_up = std::exchange(s.up, false);
  s.ready = s.reading = s.read_again = false;
  s.batches.clear();
  s.trouble = reason;
  if (was_up) s.pause.reset();
  const auto wait = s.pause.next();
  const auto sn = s.sn();
  const bool another = s.choice.failed();
  if (was_up || another || s.pause.attempts() == 1 || s.pause.attempts() % 10 == 0)
    log::warning(s.context->log_source, "Unable to contact API-Server {}: {}; trying {} until it answers", sn,
                 reason, another ? s.sn() : std::string("again"));
  self->delayed_send(self, wait, reconnect_due{});
}

/// The SN is connected, but of no use.
void give_up_link(self_pointer self, const std::string& reason) {
  auto& s = self->state();
  ++s.serial; // whatever this link still says is not heard
  s.link->close(transport::ws_close_code::going_away, "another SN is asked");
  went_down(self, reason);
}

// -- transactions

void send_txn(self_pointer self, std::uint64_t nonce);

void finish_txn(self_pointer self, std::uint64_t nonce, result<call_receipt> outcome) {
  auto& txns = self->state().txns;
  const auto found =
      std::find_if(txns.begin(), txns.end(), [&](const auto& txn) { return txn.nonce == nonce; });
  if (found == txns.end()) return;
  auto done = std::move(found->done);
  txns.erase(found);
  done(std::move(outcome));
}

/// What the SN said to a transaction. A full or slow SN is asked again; a transaction the chain can never
/// take any more is reported, the follower then looks at the contract and decides anew.
void take_receipt(self_pointer self, std::uint64_t nonce, const json::value& response) {
  auto receipt = receipt_of(response);
  if (receipt) {
    self->state().block_num = std::max(self->state().block_num, receipt->block_num);
    return finish_txn(self, nonce, std::move(receipt));
  }
  const auto& text = receipt.error().message;
  const bool not_final = text.find("timeout") != std::string::npos;
  if (not_final && self->state().choice.move_on())
    return give_up_link(self, "it takes transactions but they do not become final");
  if (not_final) return send_txn(self, nonce);
  const bool may_be_final = text.find("history is being fetched") != std::string::npos;
  if (may_be_final && self->state().choice.move_on())
    return give_up_link(self, "it took a snapshot and cannot tell yet whether a transaction is final");
  const bool passing = text.find("pool is full") != std::string::npos
                       || text.find("try again") != std::string::npos
                       || text.find("rate limit") != std::string::npos;
  if (passing) return void(self->delayed_send(self, resend_wait, resend_due{nonce}));
  finish_txn(self, nonce, tl::unexpected(receipt.error()));
  // Numbers may have gone apart, e.g. when the chain was restored from a backup: count anew.
  auto& s = self->state();
  if (s.txns.empty())
    ask_batch(self, {{"eth_getTransactionCount", {to_hex(s.context->account().view()), "pending"}}},
              [self](std::vector<json::value> responses) {
                if (const auto count = quantity_of(responses.at(0)); count && self->state().txns.empty())
                  self->state().next_nonce = *count;
              });
}

void send_txn(self_pointer self, std::uint64_t nonce) {
  auto& s = self->state();
  const auto found =
      std::find_if(s.txns.begin(), s.txns.end(), [&](const auto& txn) { return txn.nonce == nonce; });
  if (found == s.txns.end() || !s.up) return;
  ask_batch(
      self, {{"eth_sendRawTransactionSync", {found->raw}}},
      [self, nonce](std::vector<json::value> responses) { take_receipt(self, nonce, responses.at(0)); });
}

void submit(self_pointer self, const address& to, bytes input, std::string what,
            std::function<void(result<call_receipt>)> done) {
  auto& s = self->state();
  ledger::txn_fields fields;
  fields.nonce = s.next_nonce;
  fields.gas_limit = contracts::call_gas;
  fields.to = to;
  fields.data = std::move(input);
  auto txn = ledger::make_signed(std::move(fields), *s.context->key, s.chain_id);
  if (!txn) return done(tl::unexpected(txn.error()));
  s.txns.push_back({s.next_nonce, to_hex(txn->raw()), std::move(what), std::move(done)});
  send_txn(self, s.next_nonce++);
}

void submit_for_follower(self_pointer self, const address& to, const submit_call& call) {
  auto env = self->shared_env();
  auto follower = sibling(*self, "follower");
  log::debug(self->state().context->log_source, "{}", call.what);
  submit(self, to, call.input, call.what, [env, follower, id = call.id](result<call_receipt> receipt) {
    if (!receipt) return void(env->dir.send(follower, call_done{id, false, 0, receipt.error().message}));
    env->dir.send(follower, call_done{id, receipt->ok, receipt->block_num, receipt->revert});
  });
}

// -- following the contract

void read_view(self_pointer self) {
  auto& s = self->state();
  if (!s.ready || s.contract.empty()) return;
  if (s.reading) {
    s.read_again = true;
    return;
  }
  s.reading = true;
  s.read_again = false;
  ask_batch(self, view_calls(s.contract_address, s.pages),
            [self, name = s.contract](std::vector<json::value> responses) {
              auto& state = self->state();
              state.reading = false;
              auto view = view_of(responses);
              if (name != state.contract) return read_view(self);
              if (!view && view.error().is(errc::not_found)) {
                self->tell(sibling(*self, "follower"), contract_unavailable{name, view.error().message});
                return;
              }
              if (!view) {
                self->note_error(view.error().message);
              } else {
                state.block_num = std::max(state.block_num, view->block_num);
                if (view->peers.size() == state.pages * contracts::page_entries_max) {
                  ++state.pages; // more peers than were asked for
                  return read_view(self);
                }
                self->tell(sibling(*self, "follower"), view_ready{name, std::move(*view)});
              }
              if (state.read_again) read_view(self);
            });
}

/// Only what changes what a peer has to do next; check-ins of others are seen when the round closes.
json::array topics_followed() {
  json::array topics;
  for (const auto& topic : {contracts::event_topic<contracts::round_closed>(),
                            contracts::event_topic<contracts::round_reopened>(),
                            contracts::event_topic<contracts::leader_changed>(),
                            contracts::event_topic<contracts::merge_committed>(),
                            contracts::event_topic<contracts::training_complete>(),
                            contracts::event_topic<contracts::training_reset>()})
    topics.emplace_back(to_hex(topic.view()));
  return topics;
}

void follow(self_pointer self) {
  auto& s = self->state();
  if (!s.ready || s.contract.empty()) return;
  json::object filter{{"address", to_hex(s.contract_address.view())},
                      {"topics", json::array{topics_followed()}}};
  ask_batch(self, {{"eth_subscribe", {"logs", std::move(filter)}}},
            [self](std::vector<json::value> responses) {
              if (auto text = error_of(responses.at(0)); !text.empty())
                self->note_error("cannot subscribe to the contract: " + text);
              read_view(self);
            });
}

// -- registration

/// The JSON-RPC servers of the network's SNs, for when this one goes away.
void survey(self_pointer self) {
  ask_batch(self, {{"swarm_apiEndpoints", {}}}, [self](std::vector<json::value> responses) {
    const auto* found = responses.at(0).as_object().if_contains("result");
    const auto* list = found == nullptr ? nullptr : found->if_array();
    if (list == nullptr) return;
    std::vector<std::string> endpoints;
    for (const auto& each : *list)
      if (each.is_string()) endpoints.emplace_back(each.get_string().data(), each.get_string().size());
    if (auto kept = self->state().choice.learn(std::move(endpoints)); !kept)
      self->note_error(kept.error().message);
  });
}

/// Signed, so that other SNs believe it of this one. The answer is the last serial the SN knows: after the
/// clock was set back, this node goes on from there.
void say_alive(self_pointer self) {
  auto& s = self->state();
  s.last_serial = std::max(unix_milliseconds(), s.last_serial + 1);
  const auto raw =
      ledger::encode_sign_of_life(s.last_serial, {}, *s.context->key, s.chain_id, s.genesis_hash);
  ask_batch(self, {{"swarm_heartbeat", {to_hex(raw)}}}, [self](std::vector<json::value> responses) {
    auto& state = self->state();
    if (const auto known = quantity_of(responses.at(0)))
      state.last_serial = std::max(state.last_serial, *known);
  });
}

void heartbeat(self_pointer self) {
  auto& s = self->state();
  self->delayed_send(self, heartbeat_interval, heartbeat_due{});
  if (!s.up) return;
  if (std::chrono::steady_clock::now() - s.last_answer > answer_wait)
    return give_up_link(self, fmt::format("no answer for {} s", answer_wait.count()));
  if (!s.ready) return;
  say_alive(self);
  if (s.heartbeats++ % heartbeats_per_survey == 0) survey(self);
}

void became_ready(self_pointer self) {
  auto& s = self->state();
  if (s.ready || !s.up) return;
  s.ready = true;
  s.pause.reset();
  for (const auto& [to, call] : std::exchange(s.unsent, {}))
    submit_for_follower(self, to, call);
  follow(self);
}

void submit_registration(self_pointer self, const contracts::register_node_args& wanted) {
  self->state().registering = true;
  submit(self, contracts::node_registry_address(), contracts::encode_register_node(wanted),
         "register this node", [self](result<call_receipt> receipt) {
           auto& state = self->state();
           state.registering = false;
           if (!receipt || !receipt->ok)
             return self->note_error("the SN refuses this node's registration: "
                                     + (receipt ? receipt->revert : receipt.error().message));
           log::info(state.context->log_source, "NODE UID :  {}", to_hex(state.context->account().view()));
           became_ready(self);
         });
}

void register_node(self_pointer self, const std::vector<json::value>& responses) {
  auto& s = self->state();
  const auto chain = quantity_of(responses.at(0));
  const auto count = quantity_of(responses.at(1));
  const auto output = output_of(responses.at(2));
  const auto genesis = block_hash_of(responses.at(3));
  if (!chain || !count || !output || !genesis) {
    s.link->close(transport::ws_close_code::policy, "unexpected answers");
    return self->note_error(fmt::format("{} does not answer as an SN does", s.sn()));
  }
  const bool other_chain = s.chain_id != 0 && (s.chain_id != *chain || s.genesis_hash != *genesis);
  if (other_chain && !s.choice.is_configured()) {
    const auto other = s.sn();
    s.choice.move_on();
    return give_up_link(self, other + " belongs to another network");
  }
  const bool shorter = !s.txns.empty() && *count < s.txns.front().nonce;
  s.choice.came_up();
  s.chain_id = *chain;
  s.genesis_hash = *genesis;
  if (other_chain || shorter) { // what is under way was meant for a chain that is gone
    for (auto& txn : std::exchange(s.txns, {}))
      txn.done(fail(errc::conflict, "the SN has another chain now"));
  }
  if (s.txns.empty()) s.next_nonce = *count;
  const auto& context = *s.context;
  const auto self_now = contracts::decode_node(*output);
  contracts::register_node_args wanted{contracts::node_type::sl,
                                       context.identity->fingerprint(),
                                       {},
                                       context.options.node_name,
                                       context.file_endpoint};
  // What is under way goes out once more, before anything new: nonces leave no gap.
  for (const auto& txn : s.txns)
    send_txn(self, txn.nonce);
  if (self_now && self_now->active && self_now->cert_fingerprint == wanted.cert_fingerprint
      && self_now->endpoint == wanted.endpoint && self_now->name == wanted.name)
    return became_ready(self);
  if (!s.registering) submit_registration(self, wanted);
}

void came_up(self_pointer self) {
  auto& s = self->state();
  s.up = true;
  s.heartbeats = 0;
  s.last_answer = std::chrono::steady_clock::now();
  log::info(s.context->log_source, "API-Server is UP! ({})", s.sn());
  const auto self_text = to_hex(s.context->account().view());
  ask_batch(self,
            {{"eth_chainId", {}},
             {"eth_getTransactionCount", {self_text, "pending"}},
             eth_call(contracts::node_registry_address(), contracts::encode_node(s.context->account())),
             {"eth_getBlockByNumber", {"0x0", false}}},
            [self](std::vector<json::value> responses) { register_node(self, responses); });
}

void take_message(self_pointer self, std::string_view text) {
  boost::system::error_code failure;
  auto parsed = json::parse(text, failure);
  if (failure) return self->note_error(fmt::format("{} sent something that is not JSON", self->state().sn()));
  const auto take_one = [self](json::value& message) {
    auto* object = message.if_object();
    if (object == nullptr) return;
    if (object->contains("method")) return read_view(self); // an eth_subscription: the contract moved
    take_response(self->state(), std::move(message));
  };
  if (auto* batch = parsed.if_array()) {
    for (auto& message : *batch)
      take_one(message);
  } else {
    take_one(parsed);
  }
}

caf::behavior network_behavior(self_pointer self) {
  log::info(self->state().context->log_source, "Attempting to contact API-Server at : {}",
            self->state().sn());
  dial(self);
  self->delayed_send(self, heartbeat_interval, heartbeat_due{});
  return {
      [=](const link_up& news) {
        if (news.serial == self->state().serial) came_up(self);
      },
      [=](const link_down& news) {
        if (news.serial == self->state().serial) went_down(self, news.reason);
      },
      [=](const link_message& news) {
        if (news.serial != self->state().serial) return;
        self->state().last_answer = std::chrono::steady_clock::now();
        take_message(self, as_text(news.text));
      },
      [=](reconnect_due) { dial(self); },
      [=](heartbeat_due) { heartbeat(self); },
      [=](const resend_due& due) { send_txn(self, due.nonce); },
      [=](const follow_contract& wanted) {
        auto& s = self->state();
        const bool changed = s.contract != wanted.name;
        s.contract = wanted.name;
        s.contract_address = contracts::training_address(wanted.name);
        if (changed) s.pages = 1;
        follow(self);
      },
      [=](read_contract) { read_view(self); },
      [=](const submit_call& call) {
        auto& s = self->state();
        if (s.ready) return submit_for_follower(self, s.contract_address, call);
        if (s.unsent.size() < unsent_max) return void(s.unsent.emplace_back(s.contract_address, call));
        self->tell(sibling(*self, "follower"), call_done{call.id, false, 0, "the SN cannot be reached"});
      },
  };
}

} // namespace

start_function network_actor(std::shared_ptr<const sl_context> context) {
  return role<network_state>(network_behavior, std::move(context));
}

} // namespace swarm::actors
