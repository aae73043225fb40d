// Times one transaction at a time until it is final at the client and, unless ETCD_PORT is 0, one etcd put at
// a time in turn.
//
//   txn_latency CERT KEY CA COUNT ETCD_PORT SN_PORT
//
// Prints one JSON object: medians and 99th percentiles in milliseconds. A transaction is a registry update of
// the client's own node, signed anew each time, sent over a kept WebSocket with mutual TLS as
// eth_sendRawTransactionSync; the put goes through etcd's JSON gateway over a kept plain connection.

#include "tools/bench/txn/sn_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <cstdio>
#include <optional>

namespace {

using namespace swarm;
using namespace swarm::bench;
namespace json = boost::json;
namespace http = boost::beast::http;
using clock_type = std::chrono::steady_clock;

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

} // namespace

int main(int argc, char** argv) {
  if (argc != 7) die("usage: txn_latency CERT KEY CA COUNT ETCD_PORT SN_PORT");
  const int count = std::atoi(argv[4]);
  transport::io_runtime io(1);
  const credentials files{argv[1], argv[2], argv[3]};
  sn_client sn(io, files, static_cast<std::uint16_t>(std::atoi(argv[6])));
  std::optional<etcd_client> etcd;
  if (const auto port = static_cast<std::uint16_t>(std::atoi(argv[5])); port != 0) etcd.emplace(port);

  const auto key = ledger::private_key::make_random();
  const auto chain_id = chain_id_of(sn);
  const auto own = join(sn, files, key);
  std::vector<double> txn_ms, put_ms;
  const int warm_up = std::min(20, count);
  for (int i = 0; i < count + warm_up; ++i) {
    const auto txn = milliseconds_of([&] {
      const auto update = make_update(key, static_cast<std::uint64_t>(i) + 1, chain_id, own);
      const auto receipt = sn.ask("eth_sendRawTransactionSync", {to_hex(update.raw())});
      if (receipt.at("status").as_string() != "0x1")
        die("the transaction failed: " + json::serialize(receipt));
    });
    const auto put = etcd ? milliseconds_of([&] { etcd->put("dmFsdWU="); }) : 0;
    if (i < warm_up) continue;
    txn_ms.push_back(txn);
    put_ms.push_back(put);
  }
  json::object out{{"txn_p50", percentile(txn_ms, 0.5)}, {"txn_p99", percentile(txn_ms, 0.99)}};
  if (etcd) {
    out["put_p50"] = percentile(put_ms, 0.5);
    out["put_p99"] = percentile(put_ms, 0.99);
  }
  std::printf("%s\n", json::serialize(out).c_str());
}
