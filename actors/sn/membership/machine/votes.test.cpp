#include "actors/sn/membership/machine/votes.hpp"

#include "actors/sn/membership/machine/testing/names.hpp"

#include <doctest/doctest.h>

namespace votes_test {

using namespace swarm;
using namespace swarm::membership;
using namespace swarm::membership::testing;
using namespace std::chrono_literals;

namespace {

/// Nodes 1 to `nodes` are registered SNs, all connected to node 1; the first `members` of them are members.
network_view network(std::uint8_t nodes, std::uint8_t members) {
  network_view out;
  out.self = account(1);
  for (std::uint8_t i = 1; i <= nodes; ++i) {
    contracts::node_view node;
    node.account = account(i);
    node.type = contracts::node_type::sn;
    node.active = true;
    node.identity = certificate(i);
    out.nodes.push_back(node);
    if (i > 1) out.connected.push_back({account(i), certificate(i), true});
    if (i <= members) out.members.push_back(account(i));
    if (i <= members && members != 2) out.validators.push_back(account(i));
  }
  if (members == 2) out.validators = {account(1)};
  return out;
}

void disconnect(network_view& view, std::uint8_t number, duration since) {
  std::erase_if(view.connected, [&](const auto& node) { return node.account == account(number); });
  view.absent[account(number)] = since;
}

} // namespace

TEST_CASE("newcomers are voted in one after the other, in the order of their registration") {
  auto view = network(4, 2);
  CHECK(next_vote(view) == vote{account(3), true});
  view.voted_on.insert(account(3));
  CHECK(next_vote(view) == vote{account(4), true});
  view.voted_on.insert(account(4));
  CHECK(next_vote(view) == std::nullopt);
}

TEST_CASE("whoever lost its seat for two different votes is not voted in again") {
  auto view = network(4, 2);
  view.barred.insert(account(3));
  CHECK(next_vote(view) == vote{account(4), true});
  view.barred.insert(account(4));
  CHECK(next_vote(view) == std::nullopt);
}

TEST_CASE("an observer, a stranger, another certificate and an SL are not voted in; who is no validator does "
          "not vote") {
  auto view = network(3, 2);
  view.connected[1].validates = false;
  CHECK(next_vote(view) == std::nullopt);
  view = network(3, 2);
  view.connected[1].cert_fingerprint = certificate(9);
  CHECK(next_vote(view) == std::nullopt);
  view = network(3, 2);
  view.nodes[2].type = contracts::node_type::sl;
  CHECK(next_vote(view) == std::nullopt);
  view = network(3, 2);
  view.nodes[2].active = false;
  CHECK(next_vote(view) == std::nullopt);
  view = network(3, 2);
  disconnect(view, 3, 0s);
  CHECK(next_vote(view) == std::nullopt);
  view = network(3, 2);
  view.self = account(2);
  CHECK(next_vote(view) == std::nullopt);
}

TEST_CASE("a member away for long is voted out while a quorum is here") {
  auto view = network(5, 5);
  disconnect(view, 3, absent_max - 1s);
  CHECK(next_vote(view) == std::nullopt);
  view.absent[account(3)] = absent_max;
  CHECK(next_vote(view) == vote{account(3), false});
  view.voted_on.insert(account(3));
  CHECK(next_vote(view) == std::nullopt);
  view.voted_on.clear();
  disconnect(view, 4, 1s); // three of five are no quorum: nothing can be decided, nobody is judged
  CHECK(next_vote(view) == std::nullopt);
}

TEST_CASE("a member without which fewer liars are survived stays, however long it is away") {
  auto view = network(4, 4);
  disconnect(view, 3, absent_max);
  CHECK(next_vote(view) == std::nullopt);
  CHECK(kept_absent(view) == std::vector<address>{account(3)});
  view = network(3, 3); // these survive no liar, nor do fewer
  disconnect(view, 3, absent_max);
  CHECK(next_vote(view) == vote{account(3), false});
  CHECK(kept_absent(view).empty());
  view = network(4, 4);
  std::erase(view.validators, account(3)); // a member that waits for a seat
  disconnect(view, 3, absent_max);
  CHECK(next_vote(view) == vote{account(3), false});
}

TEST_CASE("a vote against somebody who is back is taken back") {
  auto view = network(4, 4);
  view.voted_on.insert(account(3));
  CHECK(next_vote(view) == vote{account(3), false, true});
}

TEST_CASE("who sits for an organisation that was removed is voted out, although it is here and needed") {
  auto view = network(4, 4);
  view.homeless.insert(account(3));
  CHECK(next_vote(view) == vote{account(3), false});
  view.voted_on.insert(account(3));
  CHECK(next_vote(view) == std::nullopt); // the vote stays
  disconnect(view, 3, absent_max);
  CHECK(kept_absent(view).empty());
  view.homeless = {view.self};
  view.voted_on.clear();
  CHECK(next_vote(view) == std::nullopt); // others see to that
}

} // namespace votes_test
