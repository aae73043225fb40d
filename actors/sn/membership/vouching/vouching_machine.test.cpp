#include "actors/sn/membership/vouching/vouching_machine.hpp"

#include <doctest/doctest.h>

namespace vouching_machine_test {

using namespace swarm;
using namespace swarm::vouching;
using namespace std::chrono_literals;

namespace {

address account(std::uint8_t number) {
  address out;
  out[19] = number;
  return out;
}
hash32 statement(std::uint8_t number) {
  hash32 out;
  out[31] = number;
  return out;
}

constexpr organisation_id ours = 1, theirs = 2, third = 3;

/// The machine of SN 1; SN 2 is of the same organisation, SNs 3 and 4 are of others.
struct stage {
  vouching_machine machine{account(1)};
  time_point now{time_point{} + 1h};
  std::vector<vouching_action> done; ///< by the last event

  stage() {
    step(event::council{{{account(1), ours}, {account(2), ours}, {account(3), theirs}, {account(4), third}}});
  }
  template <class Event>
  void step(const Event& event) {
    machine.step(event, now);
    done = machine.take_actions();
  }
  void pass(duration span) {
    now += span;
    step(event::tick{});
  }
  void apply(std::uint8_t who, const address& parent = account(1), organisation_id of = ours,
             std::string objection = {}) {
    step(event::applied{account(who), statement(who), of, parent, "CN=sl", std::move(objection)});
  }
  void vouch_of(organisation_id by, std::uint8_t who) {
    step(event::vouched{account(who), statement(who), by});
  }
  template <class Action>
  std::vector<Action> all() const {
    std::vector<Action> out;
    for (const auto& each : done)
      if (const auto* one = std::get_if<Action>(&each)) out.push_back(*one);
    return out;
  }
  bool vouches(std::uint8_t who) const {
    return all<action::vouch>() == std::vector{action::vouch{account(who), statement(who)}};
  }
};

} // namespace

TEST_CASE("an SN vouches at once for who comes through it") {
  stage s;
  s.apply(20);
  CHECK(s.vouches(20));
  s.apply(20);
  CHECK(s.done.empty());
  s.vouch_of(ours, 20);
  s.pass(1h);
  CHECK(s.all<action::vouch>().empty());
}

TEST_CASE("a vouch that got lost is given again") {
  stage s;
  s.apply(20);
  s.pass(vouching_machine::vouch_again_after - 1ms);
  CHECK(s.done.empty());
  s.pass(1ms);
  CHECK(s.vouches(20));
}

TEST_CASE("of several SNs of an organisation one vouches, the others only if it does not") {
  stage s;
  s.apply(20, account(2));
  CHECK(s.done.empty());
  SUBCASE("it does") {
    s.vouch_of(ours, 20);
    s.pass(vouching_machine::turn);
    CHECK(s.done.empty());
  }
  SUBCASE("it does not") {
    s.pass(vouching_machine::turn);
    CHECK(s.vouches(20));
  }
  SUBCASE("it is no member any more") {
    s.step(event::council{{{account(1), ours}}});
    CHECK(s.vouches(20));
  }
}

TEST_CASE("through an SN of another organisation: the first of each vouches at once") {
  stage s;
  s.apply(20, account(3), theirs);
  CHECK(s.vouches(20));
}

TEST_CASE("who is no member yet vouches when it has become one") {
  vouching_machine machine(account(9));
  machine.step(event::council{{{account(1), ours}}}, {});
  machine.step(event::applied{account(20), statement(20), ours, account(9), "CN=sl", {}}, {});
  machine.step(event::lost{account(21), "CN=sl", "revoked"}, {});
  CHECK(machine.take_actions().empty());
  machine.step(event::council{{{account(9), ours}}}, {});
  CHECK(machine.take_actions().size() == 1);
}

TEST_CASE("a proof that does not hold gets no vouch, and the log names who and why") {
  stage s;
  s.apply(20, account(1), theirs, "the certificate is revoked");
  REQUIRE(s.done.size() == 1);
  const auto line = s.all<action::say>().at(0);
  CHECK(line.warning);
  CHECK(line.text == "this SN does not vouch for CN=sl: the certificate is revoked");
  CHECK(s.machine.last_refusal() == "CN=sl: the certificate is revoked");
  s.pass(1h);
  CHECK(s.done.empty());
  // Whoever is refused a thousand times fills no log.
  s.apply(21, account(1), theirs, "bad");
  CHECK(s.done.size() == 1);
  for (std::uint8_t i = 22; i < 120; ++i) {
    s.apply(i, account(1), theirs, "bad");
    CHECK(s.done.empty());
  }
  CHECK(s.machine.refusals() == 100);
}

TEST_CASE("what was refused is vouched for once this SN trusts it") {
  stage s;
  s.apply(20, account(1), theirs, "not trusted");
  s.apply(20, account(1), theirs, "not trusted");
  CHECK(s.machine.refusals() == 1);
  s.apply(20, account(1), theirs);
  CHECK(s.vouches(20));
}

TEST_CASE("a renewed statement is looked at anew") {
  stage s;
  s.apply(20);
  s.vouch_of(ours, 20);
  s.step(event::applied{account(20), statement(99), ours, account(1), "CN=sl", {}});
  CHECK(s.all<action::vouch>() == std::vector{action::vouch{account(20), statement(99)}});
  s.vouch_of(ours, 20); // of the old statement
  s.pass(vouching_machine::vouch_again_after);
  CHECK(s.all<action::vouch>().size() == 1);
  s.step(event::closed{account(20)});
  s.pass(1h);
  CHECK(s.done.empty());
  CHECK(s.machine.applicants() == 0);
}

TEST_CASE("organisations that let an applicant wait are accused once, and then it is counted anew") {
  stage s;
  s.apply(21);
  s.vouch_of(ours, 21);
  s.vouch_of(third, 21);
  s.pass(vouching_machine::patience - 1ms);
  CHECK(s.done.empty());
  s.pass(1ms);
  CHECK(s.all<action::accuse>() == std::vector{action::accuse{theirs}});
  s.step(event::accused{theirs});
  s.pass(vouching_machine::settle_after);
  CHECK(s.all<action::settle>() == std::vector{action::settle{account(21)}});
  CHECK(s.all<action::accuse>().empty());
  s.pass(vouching_machine::settle_after); // it may have been too early
  CHECK(s.all<action::settle>().size() == 1);
  s.pass(vouching_machine::settle_after);
  CHECK(s.all<action::settle>().size() == 1);
  s.pass(1h); // it answered, and has its reasons
  CHECK(s.done.empty());
}

TEST_CASE("an applicant is settled by one organisation first, another one for each, and by the others a "
          "moment later") {
  stage s;
  for (const std::uint8_t who : {20, 21, 22})
    s.apply(who);
  for (const std::uint8_t who : {20, 21, 22})
    s.vouch_of(ours, who);
  s.pass(vouching_machine::patience);
  REQUIRE(s.all<action::accuse>().size() == 2);
  s.pass(vouching_machine::settle_after);
  CHECK(s.all<action::settle>() == std::vector{action::settle{account(21)}});
  s.pass(vouching_machine::turn);
  CHECK(s.all<action::settle>() == std::vector{action::settle{account(22)}});
  s.step(event::closed{account(20)}); // another one did
  s.pass(vouching_machine::turn);
  CHECK(s.all<action::settle>().empty());
}

TEST_CASE("hundreds of applicants of one organisation are not settled all at once, another's is") {
  stage s;
  for (int i = 0; i < 80; ++i)
    s.apply(static_cast<std::uint8_t>(3 * i), account(1), theirs);
  s.apply(243, account(1), third);
  s.step(event::accused{third});
  s.pass(vouching_machine::settle_after);
  CHECK(s.all<action::settle>().size() == static_cast<std::size_t>(vouching_machine::settles_burst) + 1);
  s.pass(1s);
  CHECK(s.all<action::settle>().size() == static_cast<std::size_t>(vouching_machine::settles_per_second));
}

TEST_CASE("an SN that is not live is not waited for, and one that was accused is not accused by everybody") {
  stage s;
  SUBCASE("not live") {
    s.step(event::council{{{account(1), ours}, {account(3), theirs, false}, {account(4), third}}});
    s.apply(20);
    s.vouch_of(ours, 20);
    s.pass(vouching_machine::patience);
    CHECK(s.all<action::accuse>() == std::vector{action::accuse{third}});
  }
  SUBCASE("accused by another") {
    s.apply(20);
    s.vouch_of(ours, 20);
    s.step(event::accused{theirs});
    s.step(event::accused{third});
    s.pass(vouching_machine::patience);
    CHECK(s.all<action::accuse>().empty());
  }
}

TEST_CASE("an SN that does not vouch itself accuses nobody") {
  stage s;
  s.apply(20, account(1), ours, "bad");
  s.pass(vouching_machine::patience);
  CHECK(s.all<action::accuse>().empty());
}

TEST_CASE("an accused organisation answers, by its first SN or by the next one") {
  stage s;
  SUBCASE("the first") {
    s.step(event::accused{ours});
    CHECK(s.all<action::answer>().size() == 1);
    s.pass(vouching_machine::answer_again_after);
    CHECK(s.all<action::answer>().size() == 1); // it is not on the chain
    s.step(event::answered{ours});
    s.pass(1h);
    CHECK(s.done.empty());
  }
  SUBCASE("the next one") {
    s.step(event::council{{{account(2), ours}, {account(1), ours}}});
    s.step(event::accused{ours});
    CHECK(s.done.empty());
    s.pass(vouching_machine::turn);
    CHECK(s.all<action::answer>().size() == 1);
  }
}

TEST_CASE("a member of the own organisation whose certificate is revoked is removed") {
  stage s;
  s.step(event::lost{account(20), "CN=sl", "its certificate is revoked"});
  CHECK(s.all<action::remove>() == std::vector{action::remove{account(20)}});
  s.step(event::lost{account(20), "CN=sl", "its certificate is revoked"});
  CHECK(s.done.empty());
  s.now += vouching_machine::remove_again_after;
  s.step(event::lost{account(20), "CN=sl", "its certificate is revoked"});
  CHECK(s.all<action::remove>().size() == 1);
  s.step(event::lost{account(1), "CN=sn", "its certificate is revoked"}); // never itself
  CHECK(s.done.empty());
}

TEST_CASE("one organisation's thousand applicants take nothing from another's") {
  stage s;
  std::size_t vouches = 0;
  for (int i = 0; i < 1000; ++i) {
    address who = account(200);
    who[0] = static_cast<std::uint8_t>(i >> 8);
    who[1] = static_cast<std::uint8_t>(i);
    s.step(event::applied{who, statement(1), theirs, account(1), "CN=sl", {}});
    vouches += s.all<action::vouch>().size();
  }
  CHECK(vouches == static_cast<std::size_t>(vouching_machine::vouches_burst));
  s.apply(20);
  CHECK(s.vouches(20));
  s.pass(1s); // the others have their turn by and by
  CHECK(s.all<action::vouch>().size() == static_cast<std::size_t>(vouching_machine::vouches_per_second));
}

} // namespace vouching_machine_test
