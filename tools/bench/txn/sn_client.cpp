#include "tools/bench/txn/sn_client.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "transport/identity/registration_proof.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

namespace swarm::bench {

namespace json = boost::json;

void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::fflush(stderr);
  std::_Exit(1); // perhaps on a thread that the destructors would wait for
}

struct sn_client::parts {
  std::shared_ptr<transport::ws_session> link;
  std::mutex lock;
  std::deque<answer> open;
  bool ending = false;

  void take(std::string_view text) {
    answer next;
    {
      const std::lock_guard held(lock);
      if (open.empty()) die("an answer that nobody asked for: " + std::string(text.substr(0, 300)));
      next = std::move(open.front());
      open.pop_front();
    }
    next(text);
  }
};

namespace {

std::shared_ptr<const transport::tls_identity> identity_of(const credentials& files) {
  auto identity = transport::tls_identity::load(
      {.cert = files.cert, .key = files.key, .cacert = files.cacert, .capath = {}});
  if (!identity) die(identity.error().message);
  return *identity;
}

/// What a view of a contract says at the head.
template <class View>
contracts::abi::answer_of<View> view_of(sn_client& sn, const address& contract, const View& question) {
  const json::object call{{"to", to_hex(contract.view())}, {"input", to_hex(contracts::encode(question))}};
  const auto raw = from_hex(sn.ask("eth_call", {call, "latest"}).as_string().c_str());
  auto out = contracts::decode_answer<View>(raw.value());
  if (!out) die(out.error().message);
  return *out;
}

ledger::transaction signed_registration(const ledger::private_key& key, std::uint64_t nonce,
                                        std::uint64_t chain_id, const contracts::register_node_args& args) {
  ledger::txn_fields fields;
  fields.nonce = nonce;
  fields.gas_limit = contracts::call_gas;
  fields.to = contracts::node_registry_address();
  fields.data = contracts::encode_register_node(args);
  auto out = ledger::make_signed(std::move(fields), key, chain_id);
  if (!out) die(out.error().message);
  return *out;
}

} // namespace

sn_client::sn_client(transport::io_runtime& io, const credentials& files, std::uint16_t port)
    : parts_(std::make_shared<parts>()) {
  const auto identity = identity_of(files);
  auto opened = std::make_shared<std::promise<void>>();
  auto ready = opened->get_future();
  transport::ws_callbacks callbacks;
  callbacks.on_open = [opened](const transport::peer_info&) { opened->set_value(); };
  callbacks.on_message = [own = parts_](const transport::ws_message& message) {
    own->take(message.as_text());
  };
  callbacks.on_close = [own = parts_](const error& why) {
    const std::lock_guard held(own->lock);
    if (!own->ending) die(why.message);
  };
  parts_->link = transport::ws_connect(io, identity, "127.0.0.1", port, "/", {}, std::move(callbacks));
  ready.wait();
}

sn_client::~sn_client() {
  {
    const std::lock_guard held(parts_->lock);
    parts_->ending = true;
  }
  parts_->link->close();
}

void sn_client::post(std::string text, answer done) {
  {
    const std::lock_guard held(parts_->lock);
    parts_->open.push_back(std::move(done));
  }
  if (auto sent = parts_->link->send_text(std::move(text)); !sent) die(sent.error().message);
}

json::value sn_client::ask(std::string_view method, json::array params) {
  std::promise<std::string> promise;
  auto got = promise.get_future();
  post(call_text(method, std::move(params)),
       [&](std::string_view text) { promise.set_value(std::string(text)); });
  const auto text = got.get();
  auto response = json::parse(text).as_object();
  if (response.contains("error")) die(text);
  return response["result"];
}

std::string call_text(std::string_view method, json::array params) {
  return json::serialize(json::object{{"jsonrpc", "2.0"},
                                      {"id", 1},
                                      {"method", json::string(method.data(), method.size())},
                                      {"params", std::move(params)}});
}

contracts::register_node_args join(sn_client& sn, const credentials& files, const ledger::private_key& key) {
  const auto identity = identity_of(files);
  const auto chain_id = chain_id_of(sn);
  const auto first = sn.ask("eth_getBlockByNumber", {"0x0", false});
  const auto genesis = hash32::from_view(from_hex(first.at("hash").as_string().c_str()).value()).value();
  const auto organisation = view_of(sn, contracts::organisation_registry_address(),
                                    contracts::anchor_owner_args{identity->anchor()->fingerprint});
  auto proved = transport::prove_registration(
      *identity, {chain_id, genesis},
      {key.account(), organisation, static_cast<std::uint8_t>(contracts::node_type::sl), {}, 0, 1});
  if (!proved) die(proved.error().message);
  contracts::register_node_args args{.type = contracts::node_type::sl,
                                     .organisation = organisation,
                                     .identity = proved->claim.identity,
                                     .expiry = proved->claim.expiry,
                                     .sequence = 1,
                                     .name = "bench",
                                     .proof = std::move(proved->proof)};
  const auto receipt =
      sn.ask("eth_sendRawTransactionSync", {to_hex(signed_registration(key, 0, chain_id, args).raw())});
  if (receipt.at("status").as_string() != "0x1") die("the registration failed");
  while (!view_of(sn, contracts::node_registry_address(), contracts::node_args{key.account()}).active)
    std::this_thread::sleep_for(std::chrono::milliseconds(10)); // until others have vouched for it
  args.proof.clear();
  return args;
}

ledger::transaction make_update(const ledger::private_key& key, std::uint64_t nonce, std::uint64_t chain_id,
                                contracts::register_node_args own) {
  own.endpoint = fmt::format("h:{}", nonce % 60'000 + 1);
  return signed_registration(key, nonce, chain_id, own);
}

std::uint64_t chain_id_of(sn_client& sn) {
  return std::strtoull(sn.ask("eth_chainId", {}).as_string().c_str(), nullptr, 16);
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

} // namespace swarm::bench
