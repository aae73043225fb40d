#pragma once

#include "actors/sn_client/session/session_machine.hpp"
#include "contracts/training_registry/client.hpp"
#include "ledger/formats/transaction.hpp"

#include <functional>
#include <map>

/// A session machine and the SN that it talks to, for tests: what the machine wants is written down, and
/// answered as a test says.
namespace swarm::session::test {

namespace json = boost::json;
using namespace std::chrono_literals;

struct request {
  std::uint64_t serial = 0; ///< of the connection
  std::uint64_t id = 0;
  std::string method;
  json::array params;
};

inline ledger::private_key key_of(std::uint8_t seed) {
  const bytes secret(32, seed);
  return std::move(*ledger::private_key::from_bytes(secret));
}

inline session_options options_of(std::uint8_t seed = 1, std::vector<std::string> others = {}) {
  session_options out;
  out.configured_sn = "own:1";
  out.other_sns = std::move(others);
  out.key = std::make_shared<const ledger::private_key>(key_of(seed));
  out.registration =
      contracts::register_node_args{.type = contracts::node_type::sl, .name = "sl-1", .endpoint = "here:1"};
  return out;
}

inline json::object error_of(int code, std::string_view reason) {
  return {{"code", code}, {"message", "for people"}, {"data", json::object{{"reason", reason}}}};
}

class session_rig {
public:
  explicit session_rig(const session_options& options = options_of())
      : machine(options), endpoints(options.other_sns) {
    tick();
  }

  session_machine machine;
  time_point now = time_point{} + 1h;
  std::uint64_t unix_ms = 1'000'000;

  // What the machine wanted.
  std::vector<action::connect> dialled;
  std::vector<std::uint64_t> hung_up;
  std::vector<request> asked; ///< all, in order
  std::vector<action::contract_read> reads;
  std::map<std::uint64_t, std::vector<result<call_receipt>>> done;                ///< by call
  std::map<std::uint64_t, std::vector<result<std::vector<json::value>>>> answers; ///< by question
  std::vector<std::vector<std::string>> kept;
  std::vector<hash32> kept_genesis;
  address sn_account; ///< as the SN says
  std::vector<action::note> notes;

  // What the SN says.
  std::uint64_t chain_id = 7;
  char genesis = '1';
  std::uint64_t txn_count = 0;
  std::uint64_t block_num = 5;
  std::vector<std::string> endpoints;
  std::map<std::string, event::presented> certificates; ///< by endpoint
  /// In place of the usual answer, if it is not null: {"result": ...} or {"error": ...}; an empty object:
  /// none.
  std::function<json::value(const request&)> instead = [](const request&) { return json::value(); };

  template <class Event>
  void step(const Event& event) {
    machine.step(event, now);
    for (auto& each : machine.take_actions())
      std::visit([this](auto& what) { this->note(what); }, each);
  }
  void tick() { step(event::tick{unix_ms}); }
  /// Time passes, and the machine hears of it whenever it wants to.
  void pass(duration span) {
    const auto until = now + span;
    while (machine.wake_at() <= until) {
      const auto next = std::max(now, machine.wake_at());
      unix_ms += static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(next - now).count());
      now = next;
      tick();
    }
    now = until;
  }
  std::uint64_t serial() const { return dialled.empty() ? 0 : dialled.back().serial; }
  void up() { step(event::link_up{serial(), certificates[dialled.back().endpoint]}); }
  void down(std::string reason = "gone") { step(event::link_down{serial(), std::move(reason)}); }
  void hears(std::string_view text) { step(event::received{serial(), text}); }
  void hears_on(std::uint64_t link, std::string_view text) { step(event::received{link, text}); }
  void respond(const request& to, json::object fields) {
    fields["jsonrpc"] = "2.0";
    fields["id"] = to.id;
    hears_on(to.serial, json::serialize(fields));
  }
  void notify() { hears(R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1"}})"); }

  /// Everything that is asked on the present connection and not answered yet, until nothing more is asked.
  void serve() {
    while (served_ < asked.size()) {
      const auto next = asked[served_++];
      if (next.serial != serial()) continue;
      auto fields = answer_to(next);
      if (!fields.empty()) respond(next, std::move(fields));
    }
  }
  /// As far as a registered node.
  void get_ready() {
    up();
    serve();
    tick();
    serve();
  }
  std::vector<request> asked_for(std::string_view method) const {
    std::vector<request> out;
    for (const auto& each : asked)
      if (each.method == method) out.push_back(each);
    return out;
  }
  request last(std::string_view method) const { return asked_for(method).back(); }
  std::vector<std::string> txns() const {
    std::vector<std::string> out;
    for (const auto& each : asked_for("eth_sendRawTransactionSync"))
      out.emplace_back(each.params.at(0).as_string());
    return out;
  }
  void submit(std::uint64_t id) {
    step(event::submit{id, contracts::training_registry_address(), bytes{1, 2, static_cast<std::uint8_t>(id)},
                       "a call"});
  }
  void ask(std::uint64_t id, std::size_t calls = 1) {
    step(event::ask{id, std::vector<rpc_call>(calls, eth_call({}, {}))});
  }
  void follow(std::string name, std::uint8_t at = 9, std::size_t reads_asked = 1) {
    address where;
    where[19] = at;
    step(event::follow{
        std::move(name), where, {hash32{}}, std::vector<rpc_call>(reads_asked, eth_call(where, {}))});
  }
  bool said(std::string_view part) const {
    return std::any_of(notes.begin(), notes.end(),
                       [&](const auto& each) { return each.text.find(part) != std::string::npos; });
  }

  json::object answer_to(const request& to) {
    if (auto other = instead(to); !other.is_null()) return other.as_object();
    if (to.method == "eth_chainId") return {{"result", fmt::format("{:#x}", chain_id)}};
    if (to.method == "eth_getTransactionCount") return {{"result", fmt::format("{:#x}", txn_count)}};
    if (to.method == "eth_getBlockByNumber")
      return {{"result", json::object{{"hash", "0x" + std::string(64, genesis)}}}};
    if (to.method == "eth_blockNumber") return {{"result", fmt::format("{:#x}", block_num)}};
    if (to.method == "eth_call") return {{"result", "0x"}};
    if (to.method == "eth_coinbase") return {{"result", to_hex(sn_account.view())}};
    if (to.method == "eth_subscribe") return {{"result", fmt::format("{:#x}", ++subscriptions_)}};
    if (to.method == "swarm_heartbeat") return {{"result", "0x0"}};
    if (to.method == "swarm_apiEndpoints") {
      json::array all;
      for (const auto& each : endpoints)
        all.emplace_back(each);
      return {{"result", std::move(all)}};
    }
    if (to.method == "eth_sendRawTransactionSync") {
      ++txn_count;
      return {{"result", json::object{{"status", "0x1"}, {"blockNumber", "0x9"}}}};
    }
    return {{"result", nullptr}};
  }

private:
  void note(action::connect& a) { dialled.push_back(a); }
  void note(action::disconnect& a) { hung_up.push_back(a.serial); }
  void note(action::send& a) {
    const auto batch = json::parse(a.text);
    for (const auto& each : batch.as_array()) {
      const auto& one = each.as_object();
      asked.push_back({a.serial, one.at("id").to_number<std::uint64_t>(),
                       one.at("method").as_string().c_str(), one.at("params").as_array()});
    }
  }
  void note(action::call_done& a) { done[a.id].push_back(std::move(a.outcome)); }
  void note(action::answered& a) { answers[a.id].push_back(std::move(a.responses)); }
  void note(action::contract_read& a) { reads.push_back(std::move(a)); }
  void note(action::keep_sns& a) { kept.push_back(std::move(a.endpoints)); }
  void note(action::keep_genesis& a) { kept_genesis.push_back(a.hash); }
  void note(action::note& a) { notes.push_back(std::move(a)); }

  std::size_t served_ = 0;
  std::uint64_t subscriptions_ = 0;
};

/// The rig's SN lets transactions wait: nothing is said to them.
inline void hold_txns(session_rig& rig) {
  rig.instead = [](const request& to) {
    return to.method == "eth_sendRawTransactionSync" ? json::value(json::object()) : json::value();
  };
}

} // namespace swarm::session::test
