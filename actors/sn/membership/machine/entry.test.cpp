// How an SN becomes a member: by a registration with a proof, for which others vouch.
#include "actors/sn/membership/machine/testing/stage.hpp"

namespace entry_test {

using namespace swarm;
using namespace swarm::membership;
using namespace swarm::membership::testing;

TEST_CASE("an SN of an organisation waits until others have vouched for it, and sends nothing else before") {
  stage s;
  s.step(start{});
  auto facts = network(1, 1);
  facts.self.reset();
  facts.organisation = 2;
  facts.trainings_wanted = {"mine"};
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  CHECK(s.only<action::submit>().input == registration(1, 2));
  CHECK(s.all<action::set_timer>().back().after < 1s); // it looks again soon

  facts.self = node(1); // as the chain shows who waits
  facts.self->active = false;
  facts.self->pending = true;
  facts.waits.statement = {account(1), 2, contracts::node_type::sn, certificate(1), 99, 1};
  s.look(facts);
  CHECK(s.sent_nothing());
  facts.waits.statement.identity = certificate(5); // the certificate was renewed meanwhile
  s.look(facts);
  CHECK(s.only<action::submit>().input == registration(2, 2));
  facts.waits = {};
  facts.self->pending = false; // it was forgotten
  s.look(facts);
  CHECK(s.only<action::submit>().input == registration(2, 2));
  facts.self->active = true;
  facts.self->organisation = 2;
  s.look(facts);
  CHECK(s.only<action::submit>().what == purpose::training);
}

TEST_CASE("an SN whose certificate is renewed stays what it is until others have vouched for the new one") {
  stage s;
  auto facts = network(2, 2);
  facts.organisation = facts.self->organisation = 2;
  facts.identity = certificate(5);
  s.look(facts);
  CHECK(s.only<action::submit>().input == registration(2, 2, 5));
  facts.waits.statement = {account(1), 2, contracts::node_type::sn, certificate(5), 99, 2};
  facts.self->pending = true;
  facts.trainings_wanted = {"mine"};
  s.look(facts);
  CHECK(s.only<action::submit>().what == purpose::training);
}

TEST_CASE("an SN whose certificate ends later, under the same identity, says so in time") {
  stage s;
  auto facts = network(2, 2);
  facts.organisation = facts.self->organisation = 2;
  facts.self->sequence = 1;
  facts.self->expiry = 60;
  facts.expiry = 99;
  facts.unix_now = 10;
  s.look(facts);
  CHECK(s.sent_nothing());
  facts.unix_now = 30; // half of what the new one has is left
  s.look(facts);
  CHECK(s.only<action::submit>().input == registration(2, 2));
  facts.waits.statement = {account(1), 2, contracts::node_type::sn, certificate(1), 99, 2};
  facts.self->pending = true;
  s.look(facts);
  CHECK(s.sent_nothing());
}

TEST_CASE("an SN that cannot prove its registration says why") {
  stage s(false, fail(errc::denied, "no such key"));
  auto facts = network(1, 1);
  facts.self.reset();
  s.look(facts);
  CHECK(s.sent_nothing());
  CHECK(s.only<action::say>().text == "this SN cannot register: no such key");
}

} // namespace entry_test
