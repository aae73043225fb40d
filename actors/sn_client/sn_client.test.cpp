#include "actors/sn_client/sn_client.hpp"

#include "actors/sn_client/session/sn_choice.hpp"
#include "actors/supervision/testing/test_tree.hpp"
#include "contracts/training_registry/client.hpp"
#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace sn_client_test {

using namespace swarm;
using namespace swarm::actors;
using actors::test::running_tree;
using transport::test::authority;
using transport::test::temp_folder;
namespace json = boost::json;

namespace {

/// An SN that knows no node and keeps what it was asked.
class fake_sn {
public:
  struct connection {
    std::shared_ptr<transport::ws_session> session;
    std::vector<std::string> methods; ///< of requests, in order
    std::vector<std::string> txns;    ///< raw
  };

  fake_sn(transport::io_runtime& io, std::shared_ptr<const transport::tls_identity> identity) {
    auto started = transport::http_server::start(
        io, std::move(identity), {.address = "127.0.0.1"}, [](const auto&, const auto&) {},
        [this](const std::shared_ptr<transport::ws_session>& session, const std::string&,
               const transport::peer_info&) { accept(session); });
    REQUIRE(started);
    server_ = std::move(*started);
  }
  ~fake_sn() { server_->stop(); }
  std::uint16_t port() const { return server_->port(); }
  /// Which transactions get an answer.
  std::function<bool(std::size_t connection, std::size_t txn)> answers = [](auto, auto) { return true; };
  /// The error that a transaction gets in place of a receipt, if any.
  std::function<json::object(std::size_t connection, std::size_t txn)> refuses = [](auto, auto) {
    return json::object();
  };
  std::atomic<std::uint64_t> txn_count{0}; ///< of the account, as the chain would tell
  // Set before anybody connects.
  char genesis = '1';
  std::vector<std::string> api_endpoints;

  connection seen(std::size_t index) {
    const std::lock_guard lock(mutex_);
    return index < connections_.size() ? connections_[index] : connection{};
  }
  bool wait_for(std::size_t index, const std::string& method) {
    return actors::test::eventually([&] {
      const auto methods = seen(index).methods;
      return std::find(methods.begin(), methods.end(), method) != methods.end();
    });
  }

private:
  void accept(const std::shared_ptr<transport::ws_session>& session) {
    std::size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      index = connections_.size();
      connections_.push_back({session, {}, {}});
    }
    transport::ws_callbacks callbacks;
    callbacks.on_message = [this, index, session](const transport::ws_message& message) {
      json::array answers_out;
      const auto batch = json::parse(message.as_text());
      for (const auto& request : batch.as_array())
        if (auto answer = answer_to(index, request.as_object())) answers_out.push_back(std::move(*answer));
      if (!answers_out.empty()) (void)session->send_text(json::serialize(answers_out));
    };
    session->start(std::move(callbacks));
  }

  std::optional<json::object> answer_to(std::size_t index, const json::object& request) {
    const std::lock_guard lock(mutex_);
    auto& here = connections_[index];
    const std::string method(request.at("method").as_string());
    here.methods.push_back(method);
    json::object out{{"jsonrpc", "2.0"}, {"id", request.at("id")}};
    if (method == "eth_chainId") {
      out["result"] = "0x539";
    } else if (method == "eth_getTransactionCount") {
      out["result"] = fmt::format("0x{:x}", txn_count.load());
    } else if (method == "eth_call") {
      out["result"] = "0x"; // no node of that account
    } else if (method == "eth_getBlockByNumber") {
      out["result"] = json::object{{"hash", "0x" + std::string(64, genesis)}};
    } else if (method == "swarm_apiEndpoints") {
      json::array all;
      for (const auto& each : api_endpoints)
        all.emplace_back(each);
      out["result"] = std::move(all);
    } else if (method == "eth_sendRawTransactionSync") {
      here.txns.emplace_back(request.at("params").as_array().at(0).as_string());
      if (!answers(index, here.txns.size() - 1)) return std::nullopt;
      auto why = refuses(index, here.txns.size() - 1);
      if (!why.empty()) {
        out["error"] = std::move(why);
        return out;
      }
      out["result"] = json::object{{"status", "0x1"}, {"blockNumber", "0x1"}};
    } else {
      out["result"] = nullptr;
    }
    return out;
  }

  std::mutex mutex_;
  std::vector<connection> connections_;
  std::unique_ptr<transport::http_server> server_;
};

std::shared_ptr<sn_client_options> client_of(const std::shared_ptr<transport::io_runtime>& io, authority& ca,
                                             std::uint16_t sn_port) {
  auto options = std::make_shared<sn_client_options>();
  options->trusting = true;
  options->sn = fmt::format("127.0.0.1:{}", sn_port);
  options->log_source = "test";
  options->io = io;
  options->identity = transport::test::identity_of(ca.issue("sl-1"));
  options->key = std::make_shared<const ledger::private_key>(ledger::private_key::make_random());
  options->registration = contracts::register_node_args{.type = contracts::node_type::sl,
                                                        .identity = options->identity->fingerprint(),
                                                        .name = "sl-1",
                                                        .endpoint = "127.0.0.1:1"};
  options->user = "follower";
  return options;
}

supervisor_spec
node_of(std::shared_ptr<const sn_client_options> options,
        const std::shared_ptr<actors::test::journal>& heard = std::make_shared<actors::test::journal>()) {
  return {.name = "root",
          .how = strategy::one_for_one,
          .intensity = {},
          .children = {{.name = "sn", .start = sn_client_actor(std::move(options))},
                       actors::test::puppet_child("follower", heard)}};
}

const address somewhere = contracts::training_registry_address();

} // namespace

TEST_CASE("what is under way goes out once on each connection, before the node registers again") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto io = std::make_shared<transport::io_runtime>(2);
  fake_sn sn(*io, transport::test::identity_of(ca.issue("sn-1")));
  sn.answers = [](std::size_t connection, std::size_t txn) { return txn == connection; }; // the registrations

  running_tree tree(node_of(client_of(io, ca, sn.port())));
  REQUIRE(tree.wait_running("/sn"));
  tree.dir().send("/sn", session::event::follow{"c", somewhere, {}, {}});
  REQUIRE(sn.wait_for(0, "eth_subscribe")); // registered
  CHECK(sn.seen(0).txns.size() == 1);
  tree.dir().send("/sn", session::event::submit{1, somewhere, bytes{1, 2, 3}, "a call"});
  REQUIRE(actors::test::eventually([&] { return sn.seen(0).txns.size() == 2; }));

  sn.txn_count = 1;
  sn.seen(0).session->close(transport::ws_close_code::going_away);
  REQUIRE(sn.wait_for(1, "eth_subscribe")); // registered again; whatever was to be sent again came before
  const auto again = sn.seen(1);
  REQUIRE(again.txns.size() == 2);
  CHECK(again.txns[0] == sn.seen(0).txns[1]);
  CHECK(again.txns[1] != again.txns[0]);
  CHECK(std::count(again.methods.begin(), again.methods.end(), "eth_subscribe") == 1);
  CHECK(tree.end() == 0);
}

TEST_CASE("a node goes over to another SN when its own is gone, with what is under way") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto io = std::make_shared<transport::io_runtime>(2);
  auto first = std::make_unique<fake_sn>(*io, transport::test::identity_of(ca.issue("sn-1")));
  fake_sn second(*io, transport::test::identity_of(ca.issue("sn-2")));
  first->api_endpoints = {fmt::format("127.0.0.1:{}", first->port()),
                          fmt::format("127.0.0.1:{}", second.port())};
  first->answers = [](auto, std::size_t txn) { return txn == 0; }; // the registration
  running_tree tree(node_of(client_of(io, ca, first->port())));
  REQUIRE(tree.wait_running("/sn"));
  tree.dir().send("/sn", session::event::follow{"c", somewhere, {}, {}});
  REQUIRE(first->wait_for(0, "swarm_apiEndpoints"));
  tree.dir().send("/sn", session::event::submit{1, somewhere, bytes{1, 2, 3}, "a call"});
  REQUIRE(actors::test::eventually([&] { return first->seen(0).txns.size() == 2; }));
  const auto under_way = first->seen(0).txns[1];
  second.txn_count = 1;
  first.reset();
  REQUIRE(second.wait_for(0, "eth_subscribe"));
  CHECK(second.seen(0).txns.at(0) == under_way);
  CHECK(second.wait_for(0, "swarm_heartbeat"));
  CHECK(tree.end() == 0);
}

TEST_CASE("an SN of another network is not taken in place of a node's own") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto io = std::make_shared<transport::io_runtime>(2);
  const auto identity = transport::test::identity_of(ca.issue("sn-1"));
  auto own = std::make_unique<fake_sn>(*io, identity);
  fake_sn stranger(*io, identity), friendly(*io, identity);
  stranger.genesis = '2';
  own->api_endpoints = {fmt::format("127.0.0.1:{}", stranger.port()),
                        fmt::format("127.0.0.1:{}", friendly.port())};
  const auto context = client_of(io, ca, own->port());
  const auto asked_next = [&] { // the account decides on whom it tries first
    session::sn_choice choice("own:1", {}, get_be64(context->key->account().data()));
    REQUIRE(choice.learn(own->api_endpoints));
    choice.move_on();
    return choice.current();
  };
  while (asked_next() != own->api_endpoints[0])
    context->key = std::make_shared<const ledger::private_key>(ledger::private_key::make_random());
  running_tree tree(node_of(context));
  REQUIRE(tree.wait_running("/sn"));
  tree.dir().send("/sn", session::event::follow{"c", somewhere, {}, {}});
  REQUIRE(own->wait_for(0, "swarm_apiEndpoints"));
  own.reset();
  REQUIRE(stranger.wait_for(0, "eth_getBlockByNumber"));
  REQUIRE(friendly.wait_for(0, "eth_subscribe"));
  const auto asked = stranger.seen(0).methods;
  CHECK(std::count(asked.begin(), asked.end(), "eth_sendRawTransactionSync") == 0);
  CHECK(tree.end() == 0);
}

namespace {

json::object in_history() {
  return {
      {"code", -32000}, {"message", "for people"}, {"data", json::object{{"reason", "history_incomplete"}}}};
}

} // namespace

TEST_CASE("a node asks again while its SN cannot tell whether a transaction is final") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto io = std::make_shared<transport::io_runtime>(2);
  fake_sn sn(*io, transport::test::identity_of(ca.issue("sn-1")));
  sn.refuses = [](auto, std::size_t txn) { return txn < 2 ? in_history() : json::object(); };
  running_tree tree(node_of(client_of(io, ca, sn.port())));
  REQUIRE(tree.wait_running("/sn"));
  tree.dir().send("/sn", session::event::follow{"c", somewhere, {}, {}});
  REQUIRE(sn.wait_for(0, "eth_subscribe")); // registered in the end
  const auto sent = sn.seen(0).txns;
  REQUIRE(sent.size() == 3);
  CHECK(sent[1] == sent[0]);
  CHECK(sent[2] == sent[0]);
  CHECK(tree.end() == 0);
}

TEST_CASE("a node goes over to an SN that can tell whether a transaction is final") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto io = std::make_shared<transport::io_runtime>(2);
  fake_sn first(*io, transport::test::identity_of(ca.issue("sn-1")));
  fake_sn second(*io, transport::test::identity_of(ca.issue("sn-2")));
  first.api_endpoints = {fmt::format("127.0.0.1:{}", first.port()),
                         fmt::format("127.0.0.1:{}", second.port())};
  first.refuses = [](auto, std::size_t txn) { return txn > 0 ? in_history() : json::object(); };
  running_tree tree(node_of(client_of(io, ca, first.port())));
  REQUIRE(tree.wait_running("/sn"));
  tree.dir().send("/sn", session::event::follow{"c", somewhere, {}, {}});
  REQUIRE(first.wait_for(0, "swarm_apiEndpoints"));
  REQUIRE(first.wait_for(0, "swarm_heartbeat"));
  second.txn_count = 1;
  tree.dir().send("/sn", session::event::submit{1, somewhere, bytes{1, 2, 3}, "a call"});
  REQUIRE(second.wait_for(0, "eth_subscribe"));
  CHECK(second.seen(0).txns.at(0) == first.seen(0).txns.at(1));
  CHECK(tree.end() == 0);
}

} // namespace sn_client_test
