#include "transport/p2p/p2p_node.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "transport/p2p/testing/net.hpp"
#include "transport/ws/websocket.hpp"

#include <doctest/doctest.h>

#include <set>

namespace p2p_node_test {

using namespace swarm;
using namespace swarm::p2p;
using namespace swarm::transport;
using namespace swarm::transport::test;
using namespace swarm::p2p::test;
using namespace std::chrono_literals;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

hash32 hash_of(std::uint8_t last) {
  hash32 out;
  out[31] = last;
  return out;
}

} // namespace

TEST_CASE("three SNs that know one of them find each other and talk") {
  net n;
  auto &a = n.add(), &b = n.add(), &c = n.add();
  a.head = {40, hash_of(40)};
  c.options.validates = false;
  b.options.dial = c.options.dial = {a.options.endpoint};
  for (std::uint64_t num = 1; num <= 40; ++num)
    a.chain[num] = {bytes(1000, static_cast<std::uint8_t>(num)), bytes(65, 1)};
  for (auto& each : n.nodes)
    each->start(n.io);
  REQUIRE(n.meshed());
  const auto facts_of_a = b.locked([&] {
    for (const auto& [id, facts] : b.neighbors)
      if (facts.account == a.key.account()) return facts;
    return neighbor_facts{};
  });
  CHECK(facts_of_a.cert_fingerprint == a.identity->fingerprint());
  CHECK(facts_of_a.endpoint == a.options.endpoint);
  CHECK(facts_of_a.head == a.head);
  CHECK(facts_of_a.validates);
  CHECK(facts_of_a.name().find(to_hex(a.key.account().view())) == 0);

  // Consensus: to validators, to one.
  a.node->broadcast_consensus({1, 2, 3}, [](const neighbor_facts& to) { return to.validates; });
  CHECK(a.node->send_consensus(a.id_of(c), {4}));
  CHECK_FALSE(a.node->send_consensus(12'345, {4}));
  CHECK(eventually([&] { return b.locked([&] { return b.consensus.size(); }) == 1; }));
  CHECK(eventually([&] { return c.locked([&] { return c.consensus.size(); }) == 1; }));
  CHECK(b.consensus[0].second == bytes{1, 2, 3});
  CHECK(c.consensus[0].second == bytes{4});

  // Transactions: small and large, each handed over once.
  const bytes small(200, 5), large(50'000, 6);
  a.node->gossip_txn(small);
  a.node->gossip_txn(large);
  for (auto* each : {&b, &c}) {
    CHECK(eventually([&] { return each->has_txn(small) && each->has_txn(large); }));
    CHECK(each->locked([&] { return each->txns.size(); }) == 2);
  }

  // Heads: to all, to one.
  a.node->announce_head({41, hash_of(41)});
  a.node->announce_head({42, hash_of(42)}, a.id_of(c));
  CHECK(eventually([&] { return b.locked([&] { return !b.heads.empty(); }); }));
  CHECK(b.heads.back() == head_facts{41, hash_of(41)});
  CHECK(eventually([&] {
    return c.locked([&] { return !c.heads.empty() && c.heads.back() == head_facts{42, hash_of(42)}; });
  }));

  // Blocks.
  CHECK(b.node->ask_blocks(b.id_of(a), 11, 20));
  CHECK(b.node->ask_blocks(b.id_of(a), 41, 20));
  CHECK(eventually([&] { return b.locked([&] { return b.blocks.size(); }) == 2; }));
  CHECK(b.blocks[0].first == 11);
  REQUIRE(b.blocks[0].second.size() == 20);
  CHECK(b.blocks[0].second[19].block == bytes(1000, 30));
  CHECK(b.blocks[0].second[19].seals == bytes(65, 1));
  CHECK(b.blocks[1].second.empty());

  const auto status = a.node->status();
  REQUIRE(status.neighbors.size() == 2);
  CHECK(status.neighbors[0].frames_in > 0);
  CHECK(status.neighbors[0].bytes_out > 0);
  n.in_order();
}

TEST_CASE("a transaction reaches those who know nobody who made it") {
  net n;
  auto &a = n.add(), &b = n.add(false), &c = n.add(false);
  b.options.dial = c.options.dial = {a.options.endpoint};
  for (auto& each : n.nodes)
    each->start(n.io);
  REQUIRE(eventually([&] { return a.neighbor_count() == 2; }));
  REQUIRE(eventually([&] { return b.neighbor_count() == 1 && c.neighbor_count() == 1; }));
  std::vector<bytes> sent;
  for (std::uint8_t i = 0; i < 100; ++i) {
    sent.emplace_back(i % 10 == 0 ? 9'000 : 100, i);
    b.node->gossip_txn(sent.back());
  }
  CHECK(eventually([&] {
    return std::all_of(sent.begin(), sent.end(), [&](const auto& each) { return c.has_txn(each); });
  }));
  CHECK(c.locked([&] { return c.txns.size(); }) == 100);
  n.in_order();
}

TEST_CASE("two that dial each other at once keep one connection, the same at both ends") {
  for (int turn = 0; turn < 5; ++turn) {
    net n;
    auto &a = n.add(), &b = n.add();
    a.options.dial = {b.options.endpoint, "localhost:" + std::to_string(b.options.port), a.options.endpoint};
    b.options.dial = {a.options.endpoint};
    a.start(n.io);
    b.start(n.io);
    const auto settled = [&] {
      const auto at_a = a.node->status(), at_b = b.node->status();
      const auto now_at_a = a.id_of(b), now_at_b = b.id_of(a);
      return at_a.newcomers == 0 && at_b.newcomers == 0 && at_a.neighbors.size() == 1
             && at_b.neighbors.size() == 1 && at_a.neighbors[0].id == now_at_a
             && at_b.neighbors[0].id == now_at_b
             && at_a.neighbors[0].facts.dialled != at_b.neighbors[0].facts.dialled;
    };
    REQUIRE(eventually(settled));
    a.node->broadcast_consensus({1});
    b.node->broadcast_consensus({2});
    CHECK(eventually([&] { return a.locked([&] { return !a.consensus.empty(); }); }));
    CHECK(eventually([&] { return b.locked([&] { return !b.consensus.empty(); }); }));
    n.in_order();
  }
}

TEST_CASE("nodes of another chain are no neighbors, and both ends know why") {
  net n;
  auto &a = n.add(), &b = n.add();
  b.options.genesis = hash_of(1);
  b.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  CHECK(eventually([&] {
    const auto status = b.node->status();
    return status.targets.size() == 1
           && says(status.targets[0].last_failure, "hello refused: genesis: 0x00000000.. ");
  }));
  CHECK(a.neighbor_count() == 0);
  CHECK(b.neighbor_count() == 0);
}

TEST_CASE("nodes of releases that follow each other are neighbors, in the newest version that both speak") {
  net n;
  auto &a = n.add(), &b = n.add(), &c = n.add();
  a.options.versions = {2, 2};
  a.options.rules_known = b.options.rules_known = c.options.rules_known = 2;
  b.options.dial = {a.options.endpoint};
  c.options.dial = {a.options.endpoint, b.options.endpoint};
  for (auto* each : {&a, &b, &c})
    each->start(n.io);
  REQUIRE(n.meshed());
  const auto versions = [](auto& of) {
    std::multiset<std::pair<std::uint64_t, std::uint64_t>> out;
    for (const auto& each : of.node->status().neighbors)
      out.emplace(each.facts.version, each.facts.rules_known);
    return out;
  };
  using pairs = std::multiset<std::pair<std::uint64_t, std::uint64_t>>;
  CHECK(versions(a) == pairs{{2, 0}, {2, 0}});
  CHECK(versions(b) == pairs{{2, 0}, {3, 2}});
  CHECK(versions(c) == pairs{{2, 0}, {3, 2}});
}

TEST_CASE("nodes that speak no version in common part, and both know what to do") {
  net n;
  auto &a = n.add(), &b = n.add();
  a.options.versions = {2, 2};
  b.options.versions = {3, 3};
  b.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  CHECK(eventually([&] {
    const auto status = b.node->status();
    return status.targets.size() == 1
           && says(status.targets[0].last_failure,
                   "versions 3 of the P2P protocol; swarmd speaks 2: upgrade the older swarmd");
  }));
  CHECK(a.neighbor_count() == 0);
}

TEST_CASE("a neighbor that misbehaves is refused for a while") {
  net n;
  auto &a = n.add(), &b = n.add();
  a.options.refuse_for = 300ms;
  b.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  REQUIRE(n.meshed());
  a.node->penalize(a.id_of(b), "a block with a wrong root", 60);
  CHECK(a.neighbor_count() == 1);
  a.node->penalize(a.id_of(b), "a block with a wrong root", 60);
  CHECK(eventually([&] { return a.locked([&] { return !a.gone.empty(); }); }));
  CHECK(wording(a.locked([&] { return a.gone[0]; })) == "misbehaved: a block with a wrong root");
  CHECK(eventually([&] { return b.locked([&] { return !b.gone.empty(); }); }));
  CHECK(b.locked([&] { return b.gone[0]; }).find("1008") != std::string::npos);
  CHECK(says(b.locked([&] { return b.gone[0]; }), "misbehaved: a block with a wrong root"));
  // When the time is over it comes back by itself.
  CHECK(n.meshed());
  n.in_order();
}

TEST_CASE("a connection that its owner ends is dialled again, and no other ends with it") {
  net n;
  auto &a = n.add(), &b = n.add(), &c = n.add();
  b.options.dial = c.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  c.start(n.io);
  REQUIRE(n.meshed());
  const auto to_b = a.id_of(b), to_c = a.id_of(c);
  REQUIRE(a.node->status(to_b));
  CHECK(a.node->status(to_b)->facts.account == b.key.account());
  a.node->disconnect(to_b, "enough of it");
  // Two that dialled each other at once have lost a connection before, for another reason.
  const auto lost_one = [](auto& node, const auto& is_it) {
    return eventually([&] { return node.locked([&] { return std::ranges::any_of(node.gone, is_it); }); });
  };
  CHECK(lost_one(a, [](const std::string& why) { return wording(why) == "enough of it"; }));
  // Nothing is wrong with `b`.
  CHECK(lost_one(b, [](const std::string& why) { return why.find("1001") != std::string::npos; }));
  CHECK(!a.node->status(to_b));
  CHECK(n.meshed());
  CHECK(a.id_of(b) != to_b);
  CHECK(a.id_of(c) == to_c);
  CHECK(a.node->status().refused.empty());
  a.node->disconnect(to_b, "there is no such neighbor any more");
  CHECK(a.neighbor_count() == 2);
  n.in_order();
}

TEST_CASE("a node that starts again is taken back at once") {
  net n;
  auto &a = n.add(), &b = n.add();
  b.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  REQUIRE(n.meshed());
  b.node.reset();
  CHECK(eventually([&] { return a.neighbor_count() == 0; }));
  b.locked([&] {
    b.neighbors.clear();
    return 0;
  });
  b.options.dial.clear(); // a knows by now where b is
  b.start(n.io);
  CHECK(n.meshed());
  a.node->broadcast_consensus({1});
  CHECK(eventually([&] { return b.locked([&] { return !b.consensus.empty(); }); }));
  n.in_order();
}

TEST_CASE("the number of neighbors is bounded") {
  net n;
  auto &a = n.add(), &b = n.add(false), &c = n.add(false);
  a.options.neighbors_max = 1;
  b.options.dial = c.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  REQUIRE(eventually([&] { return a.neighbor_count() == 1; }));
  c.start(n.io);
  CHECK(eventually([&] {
    const auto status = c.node->status();
    return says(status.targets.at(0).last_failure, "there are 1 neighbors already");
  }));
  CHECK(a.neighbor_count() == 1);
}

TEST_CASE("a flood of consensus is read no faster than it is handled") {
  net n;
  auto &a = n.add(), &b = n.add();
  b.options.dial = {a.options.endpoint};
  a.options.session.queue_bytes_max = 256 * 1024 * 1024;
  b.keep_credits = true;
  a.start(n.io);
  b.start(n.io);
  REQUIRE(n.meshed());
  for (int i = 0; i < 500; ++i)
    a.node->broadcast_consensus(bytes(100'000, static_cast<std::uint8_t>(i)));
  const auto handled = [&] { return b.locked([&] { return b.consensus.size(); }); };
  CHECK(eventually([&] { return handled() == 64; }));
  while (handled() < 500) {
    const auto before = handled();
    CHECK(b.locked([&] { return b.credits.size(); }) <= 64);
    b.locked([&] {
      b.credits.clear();
      return 0;
    });
    REQUIRE(eventually([&] { return handled() > before; }));
  }
  for (std::size_t i = 0; i < 500; ++i)
    REQUIRE(b.consensus[i].second.at(0) == static_cast<std::uint8_t>(i));
  b.locked([&] {
    b.credits.clear();
    return 0;
  });
}

TEST_CASE("strangers with a certificate: no hello, nonsense, other paths, plain requests") {
  net n;
  auto& a = n.add();
  a.start(n.io);
  auto& hasty = n.add(); // the others have all the time that a loaded machine may take
  hasty.options.session.hello_wait = 100ms;
  hasty.start(n.io);
  const auto stranger = identity_of(n.ca.issue("stranger"));
  const auto end_of = [&](auto& node, const std::string& target,
                          const std::function<void(ws_session&)>& act) {
    auto closed = std::make_shared<waiting_for<error>>();
    auto opened = std::make_shared<waiting_for<int>>();
    ws_callbacks callbacks;
    callbacks.on_open = [opened](const peer_info&) { opened->set(1); };
    callbacks.on_close = [closed](const error& why) { closed->set(why); };
    auto session =
        ws_connect(n.io, stranger, "127.0.0.1", node.node->port(), target, {}, std::move(callbacks));
    opened->get();
    act(*session);
    return wording(closed->get());
  };
  CHECK(says(end_of(hasty, "/p2p", [](ws_session&) {}), "no hello in time"));
  CHECK(says(end_of(a, "/other", [](ws_session&) {}), "nothing but /p2p"));
  CHECK(says(end_of(a, "/p2p", [](ws_session& s) { (void)s.send_text("hi"); }),
             "misbehaved: malformed: a text message"));
  CHECK(says(end_of(a, "/p2p", [](ws_session& s) { (void)s.send_binary({200}); }), "unknown kind 200"));
  CHECK(says(end_of(a, "/p2p", [](ws_session& s) { (void)s.send_binary(encode(ping{1})); }),
             "ping before hello"));
  CHECK(a.neighbor_count() == 0);
  auto client = raw_tls::connect(a.node->port(), n.ca.issue("plain"));
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_answer().has("404"));
  CHECK(eventually([&] { return a.node->status().newcomers == 0; }));
}

TEST_CASE("a certificate that is not wanted is refused, whoever dials") {
  net n;
  auto &a = n.add(), &b = n.add();
  const auto unlike = [](const std::string& subject) {
    return [subject](const peer_info& peer) {
      return peer.cert_subject == subject && peer.anchor->subject == "OU=Swarm-Learning, CN=CA-1"
                 ? "it is an SL's"
                 : std::string();
    };
  };
  bool accepts = true;
  SUBCASE("it dials") {}
  SUBCASE("it is dialled") {
    accepts = false;
  }
  a.unwanted = unlike("OU=Swarm-Learning, CN=sn-1");
  (accepts ? b : a).options.dial = {(accepts ? a : b).options.endpoint};
  a.start(n.io);
  b.start(n.io);
  CHECK(eventually([&] { return a.node->status().unwanted > 1; }));
  CHECK(says(a.node->status().last_unwanted, "it is an SL's"));
  CHECK(a.neighbor_count() + b.neighbor_count() == 0);
}

TEST_CASE("a port in use and endpoints that are none are told at the start") {
  net n;
  auto &a = n.add(), &b = n.add();
  a.start(n.io);
  b.options.port = a.options.port;
  const auto fails_with = [&](auto code) {
    const auto started = p2p_node::start(n.io, b.identity, b.key.account(),
                                         [&](const hash32& digest) { return b.key.sign_recoverable(digest); },
                                         b.options, {}, {});
    return !started && started.error().is(code);
  };
  CHECK(fails_with(net_errc::in_use));
  b.options.dial = {"nowhere"};
  CHECK(fails_with(frame_errc::bad_endpoint));
  CHECK(a.node->dial("sn:0").error().is(frame_errc::bad_endpoint));
}

} // namespace p2p_node_test
