#include "base/testing/wording.hpp"
#include "transport/p2p/testing/net.hpp"

namespace p2p_places_test {

using namespace swarm;
using namespace swarm::p2p;
using namespace swarm::p2p::test;
using swarm::testing::says;

namespace {

bool has(sn& at, const sn& other) {
  return at.id_of(other) != 0;
}

} // namespace

TEST_CASE("an organisation has so many places, which its registered SNs take from its newcomers") {
  net n;
  auto &a = n.add(), &b = n.add(false), &c = n.add(false);
  a.options.organisation_places = 1;
  b.options.dial = c.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  REQUIRE(eventually([&] { return has(a, b); }));
  c.start(n.io);
  CHECK(eventually([&] {
    return says(c.node->status().targets.at(0).last_failure,
                "its organisation has its 1 places beside those of validators");
  }));
  CHECK(has(a, b));
  CHECK(a.node->status().over_share >= 1);
  CHECK(says(a.node->status().last_over_share, "CA-1"));

  // With another certificate than the registered one it is nobody.
  a.node->set_known({.sns = {{c.key.account(), b.identity->fingerprint(), ""}}, .anchors = {}});
  const auto before = a.node->status().over_share;
  CHECK(eventually([&] { return a.node->status().over_share > before; }));
  CHECK(has(a, b));
  a.node->set_known({.sns = {{c.key.account(), c.identity->fingerprint(), ""}}, .anchors = {}});
  CHECK(eventually([&] { return has(a, c) && !has(a, b); }));

  a.node->set_validators({c.key.account()});
  CHECK(eventually([&] { return has(a, b) && has(a, c); }));
  n.in_order();
}

TEST_CASE("a vote gives an organisation more places") {
  net n;
  auto &a = n.add(), &b = n.add(false), &c = n.add(false);
  a.options.organisation_places = 1;
  b.options.dial = c.options.dial = {a.options.endpoint};
  a.start(n.io);
  b.start(n.io);
  c.start(n.io);
  REQUIRE(eventually([&] { return a.node->status().over_share >= 1; }));
  CHECK(a.neighbor_count() == 1);
  a.node->set_known({.sns = {}, .anchors = {{a.identity->anchor()->fingerprint, {7, 2}}}});
  CHECK(eventually([&] { return a.neighbor_count() == 2; }));
}

TEST_CASE("SNs of the chain are dialled until it knows them no more") {
  net n;
  auto &a = n.add(), &b = n.add();
  a.start(n.io);
  b.start(n.io);
  a.node->set_known(
      {.sns = {{b.key.account(), b.identity->fingerprint(), b.options.endpoint}}, .anchors = {}});
  CHECK(eventually([&] { return has(a, b); }));
  a.node->set_known({});
  b.node.reset();
  CHECK(eventually([&] { return a.node->status().targets.empty(); }));
}

TEST_CASE("connections without a hello make room for others") {
  net n;
  auto &a = n.add(), &b = n.add(false);
  a.options.newcomers_max = 2;
  b.options.dial = {a.options.endpoint};
  a.start(n.io);
  std::vector<std::shared_ptr<ws_session>> silent;
  for (int i = 0; i < 8; ++i) {
    auto opened = std::make_shared<waiting_for<int>>();
    ws_callbacks callbacks;
    callbacks.on_open = [opened](const peer_info&) { opened->set(1); };
    silent.push_back(ws_connect(n.io, identity_of(n.ca.issue("silent-" + std::to_string(i))), "127.0.0.1",
                                a.node->port(), "/p2p", {}, std::move(callbacks)));
    opened->get();
  }
  CHECK(eventually([&] { return a.node->status().newcomers == 2; }));
  CHECK(a.node->status().over_share >= 6);
  b.start(n.io);
  CHECK(eventually([&] { return has(a, b); }));
}

} // namespace p2p_places_test
