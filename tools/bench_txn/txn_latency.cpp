// Times one transaction at a time until it is final at the client, and one etcd put at a time, in turn.
//
//   txn_latency SN_HOST SN_PORT CERT KEY CA ETCD_PORT COUNT
//
// Prints one JSON object: medians and 99th percentiles in milliseconds. A transaction is a registry update of
// the client's own node, signed anew each time, sent over a kept WebSocket with mutual TLS as
// eth_sendRawTransactionSync; the put goes through etcd's JSON gateway over a kept plain connection.

#include "contracts/registry_client.hpp"
#include "ledger/formats/transaction.hpp"
#include "transport/websocket.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>

namespace {

using namespace swarm;
namespace json = boost::json;
namespace http = boost::beast::http;
using clock_type = std::chrono::steady_clock;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "txn_latency: %s\n", why.c_str());
  std::exit(1);
}

/// One request at a time over a WebSocket.
class sn_client {
public:
  sn_client(transport::io_runtime& io, std::shared_ptr<const transport::tls_identity> identity,
            std::string host, std::uint16_t port) {
    std::promise<void> opened;
    auto ready = opened.get_future();
    transport::ws_callbacks callbacks;
    callbacks.on_open = [&](const transport::peer_info&) { opened.set_value(); };
    callbacks.on_message = [this](transport::ws_message message) {
      answer_.set_value(std::string(message.as_text()));
    };
    callbacks.on_close = [](const error& why) { die(why.message); };
    link_ =
        transport::ws_connect(io, std::move(identity), std::move(host), port, "/", {}, std::move(callbacks));
    ready.wait();
  }
  ~sn_client() { link_.reset(); }

  json::value ask(std::string_view method, json::array params) {
    answer_ = {};
    auto got = answer_.get_future();
    auto text = json::serialize(
        json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}});
    if (auto sent = link_->send_text(std::move(text)); !sent) die(sent.error().message);
    auto response = json::parse(got.get()).as_object();
    if (response.contains("error")) die(json::serialize(response["error"]));
    return response["result"];
  }

private:
  std::shared_ptr<transport::ws_session> link_;
  std::promise<std::string> answer_;
};

class etcd_client {
public:
  explicit etcd_client(std::uint16_t port) : stream_(context_) {
    stream_.connect({boost::asio::ip::address_v4::loopback(), port});
    stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true));
  }
  void put(std::string_view value) {
    http::request<http::string_body> request(http::verb::post, "/v3/kv/put", 11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::content_type, "application/json");
    request.body() = json::serialize(json::object{{"key", "a2V5"}, {"value", value}});
    request.prepare_payload();
    http::write(stream_, request);
    http::response<http::string_body> response;
    http::read(stream_, buffer_, response);
    if (response.result_int() != 200) die("etcd answers " + response.body());
  }

private:
  boost::asio::io_context context_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
};

double milliseconds_of(auto&& work) {
  const auto begun = clock_type::now();
  work();
  return std::chrono::duration<double, std::milli>(clock_type::now() - begun).count();
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 8) die("usage: txn_latency SN_HOST SN_PORT CERT KEY CA ETCD_PORT COUNT");
  const auto identity =
      transport::tls_identity::load({.cert = argv[3], .key = argv[4], .cacert = argv[5], .capath = {}});
  if (!identity) die(identity.error().message);
  const int count = std::atoi(argv[7]);
  transport::io_runtime io(1);
  sn_client sn(io, *identity, argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])));
  etcd_client etcd(static_cast<std::uint16_t>(std::atoi(argv[6])));

  const auto key = ledger::private_key::make_random();
  const auto chain_id = std::strtoull(sn.ask("eth_chainId", {}).as_string().c_str(), nullptr, 16);
  std::vector<double> txn_ms, put_ms;
  constexpr int warm_up = 20;
  for (int i = 0; i < count + warm_up; ++i) {
    const auto txn = milliseconds_of([&] {
      ledger::txn_fields fields;
      fields.nonce = static_cast<std::uint64_t>(i);
      fields.gas_limit = 1'000'000;
      fields.to = contracts::node_registry_address();
      fields.data = contracts::encode_register_node(
          {contracts::node_type::swci, {}, {}, "bench", fmt::format("h:{}", i + 1)});
      const auto signed_txn = ledger::make_signed(std::move(fields), key, chain_id);
      if (!signed_txn) die(signed_txn.error().message);
      const auto receipt = sn.ask("eth_sendRawTransactionSync", {to_hex(signed_txn->raw())});
      if (receipt.at("status").as_string() != "0x1")
        die("the transaction failed: " + json::serialize(receipt));
    });
    const auto put = milliseconds_of([&] { etcd.put("dmFsdWU="); });
    if (i < warm_up) continue;
    txn_ms.push_back(txn);
    put_ms.push_back(put);
  }
  std::printf("%s\n", json::serialize(json::object{{"txn_p50", percentile(txn_ms, 0.5)},
                                                   {"txn_p99", percentile(txn_ms, 0.99)},
                                                   {"put_p50", percentile(put_ms, 0.5)},
                                                   {"put_p99", percentile(put_ms, 0.99)}})
                          .c_str());
  std::fflush(stdout);
  std::_Exit(0); // the connection's own end is no failure of the measurement
}
