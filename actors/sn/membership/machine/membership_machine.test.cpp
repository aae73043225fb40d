#include "actors/sn/membership/machine/membership_machine.hpp"

#include "actors/sn/membership/machine/testing/stage.hpp"
#include "base/testing/wording.hpp"
#include "contracts/training_registry/client.hpp"
#include "ledger/chain/chain_rules.hpp"

#include <doctest/doctest.h>

namespace membership_machine_test {

using namespace swarm;
using namespace swarm::membership;
using namespace swarm::membership::testing;
using namespace std::chrono_literals;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

const address registry = contracts::node_registry_address();

neighbors_seen connected(std::initializer_list<std::uint8_t> numbers) {
  neighbors_seen out;
  for (const auto i : numbers)
    out.nodes.push_back({account(i), certificate(i), true});
  return out;
}

bytes vote_for(std::uint8_t number) {
  return contracts::encode_propose_validator_vote(account(number), true);
}
bytes vote_against(std::uint8_t number) {
  return contracts::encode_propose_validator_vote(account(number), false);
}

result<network_entry> entry() {
  return network_entry{{1, 2, 3}, certificate(9), certificate(9), {"sn-2:30303"}};
}

const auto refused = [] { return tl::unexpected(error{"net", 1, "connection refused"}); };

} // namespace

TEST_CASE("an SN registers when the chain lacks it, and again when what the chain says is not so") {
  stage s;
  s.step(start{});
  auto facts = network(1, 1);
  facts.self.reset();
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  const auto wanted = registration(1);
  CHECK(s.only<action::submit>().what == purpose::registration);
  CHECK(s.only<action::submit>().to == registry);
  CHECK(s.only<action::submit>().input == wanted);

  s.look(network(1, 1));
  CHECK(s.sent_nothing());
  using change = void (*)(contracts::node_view&);
  const std::vector<std::pair<change, std::uint64_t>> changes{
      {[](auto& self) { self.active = false; }, 2},
      {[](auto& self) { self.identity = certificate(5); }, 2},
      {[](auto& self) { self.endpoint = "elsewhere:1"; },
       1}, // the same statement, which needs no new vouches
      {[](auto& self) { self.name = "sn-x"; }, 1},
  };
  for (const auto& [spoil, sequence] : changes) {
    facts = network(1, 1);
    spoil(*facts.self);
    s.look(facts);
    CHECK(s.only<action::submit>().input == registration(sequence));
  }
}

TEST_CASE("an SN that was removed by vote says so once, and registers with another certificate only") {
  stage s;
  auto facts = network(2, 1);
  facts.self->active = false;
  facts.removed = 17;
  facts.trainings_wanted = {"mine"};
  s.look(facts);
  CHECK(says(s.only<action::say>().text, "was removed by vote in block 17: it needs another certificate"));
  CHECK(s.sent_nothing());
  s.look(facts);
  CHECK(s.all<action::say>().empty());
  CHECK(s.sent_nothing());
  facts.self->identity = certificate(5); // the removed one; this node's is another now
  s.look(facts);
  CHECK(s.all<action::submit>().front().input == registration(2));
}

TEST_CASE("training contracts that the operator named are made when the chain lacks them") {
  stage s;
  s.step(start{});
  CHECK(s.only<action::read_facts>().trainings == std::vector<std::string>{"mine"});
  auto facts = network(1, 1);
  facts.trainings_wanted = {"mine"};
  s.step(facts_read{1, facts});
  CHECK(s.only<action::say>().text == "making the training contract 'mine'");
  CHECK(s.only<action::submit>().what == purpose::training);
  CHECK(s.only<action::submit>().to == contracts::training_registry_address());
  CHECK(s.only<action::submit>().input == contracts::encode_create_training("mine"));
}

TEST_CASE("nothing is sent while a transaction of the node waits for a block") {
  stage s;
  s.step(connected({2}));
  auto facts = network(2, 1);
  facts.pending = true;
  facts.self.reset();
  facts.trainings_wanted = {"mine"};
  s.look(facts);
  CHECK(s.sent_nothing());
  facts.pending = false; // and one thing at a time: no vote beside a registration
  s.look(facts);
  for (const auto& each : s.all<action::submit>())
    CHECK(each.what != purpose::vote);
  CHECK(s.all<action::submit>().size() == 2);
}

TEST_CASE("a question to the chain is asked again only when it seems lost, and only the last answer counts") {
  stage s;
  s.step(start{});
  const auto first = s.only<action::read_facts>().serial;
  s.now += 9s;
  s.step(timer_fired{});
  CHECK(s.all<action::read_facts>().empty());
  CHECK(s.all<action::set_timer>().size() == 1);
  s.now += 1s;
  s.step(timer_fired{});
  const auto second = s.only<action::read_facts>().serial;
  auto facts = network(1, 1);
  facts.self.reset();
  s.step(facts_read{first, facts});
  CHECK(s.done.empty());
  s.step(facts_read{second, facts});
  CHECK(s.all<action::submit>().size() == 1);
  s.step(facts_read{second, facts});
  CHECK(s.done.empty());
}

TEST_CASE("where the SNs of the registry listen is told every time") {
  stage s;
  auto facts = network(4, 1);
  facts.nodes[1].active = false;
  facts.nodes[2].type = contracts::node_type::sl;
  s.look(facts);
  CHECK(s.only<action::dial>().endpoints == std::vector<std::string>{"sn-1:30303", "sn-4:30303"});
}

TEST_CASE("a connected SN is voted in, once") {
  stage s;
  s.step(connected({2}));
  auto facts = network(2, 1);
  s.look(facts);
  CHECK(s.only<action::submit>().input == vote_for(2));
  CHECK(s.only<action::say>().text
        == "voting to add 0x0000000000000000000000000000000000000002 to the validators");
  facts.pending = true;
  s.look(facts);
  CHECK(s.sent_nothing());
  facts.pending = false;
  facts.voted_on = {account(2)};
  s.look(facts);
  CHECK(s.sent_nothing());
}

TEST_CASE("who connects while the chain is asked is voted on only after the chain was asked about it") {
  stage s;
  s.step(start{});
  s.step(connected({2}));
  s.step(facts_read{1, network(2, 1)}); // says nothing of votes on node 2
  CHECK(s.sent_nothing());
  auto facts = network(2, 1);
  facts.voted_on = {account(2)};
  s.look(facts);
  CHECK(s.sent_nothing());
}

TEST_CASE("a member that is away for two minutes is voted out, and the vote taken back when it comes back") {
  stage s;
  s.step(connected({2, 3, 4, 5}));
  auto facts = network(5, 5);
  s.look(facts);
  s.step(connected({2, 3, 5}));
  s.now += absent_max - 2s;
  s.look(facts);
  CHECK(s.sent_nothing());
  s.look(facts);
  CHECK(s.only<action::submit>().input == vote_against(4));
  CHECK(s.only<action::say>().text
        == "voting to remove 0x0000000000000000000000000000000000000004 from the validators");
  facts.voted_on = {account(4)};
  s.look(facts);
  CHECK(s.sent_nothing());
  s.step(connected({2, 3, 4, 5}));
  s.look(facts);
  CHECK(s.only<action::submit>().input == contracts::encode_discard_validator_vote(account(4)));
  CHECK(s.only<action::say>().text
        == "no longer voting to remove 0x0000000000000000000000000000000000000004 from the validators");
}

TEST_CASE("a machine that starts anew counts absence from its start and repeats nothing") {
  auto facts = network(5, 5);
  facts.voted_on = {account(3)};
  stage s;
  s.step(start{});
  s.step(facts_read{1, facts});
  CHECK(s.sent_nothing());
  s.step(connected({2, 3, 5}));
  s.now += absent_max - 2s;
  s.look(facts); // the vote on node 3, which is here, is an old one
  CHECK(s.only<action::submit>().input == contracts::encode_discard_validator_vote(account(3)));
  facts.voted_on.clear();
  s.look(facts);
  CHECK(s.only<action::submit>().input == vote_against(4));
  stage again;
  again.step(connected({2, 3, 5}));
  facts.pending = true; // that vote waits for its block
  again.look(facts);
  CHECK(again.sent_nothing());
}

TEST_CASE("the status names organisations that could stop or fork the chain, if there are others") {
  stage s;
  auto facts = network(4, 4);
  facts.powers = {{1, 3, true, true}, {2, 2, true, false}};
  s.look(facts);
  CHECK(s.machine.status()
        == "registered, 4 validators, 0 SNs connected; the organisation 1 alone could stop or fork the "
           "chain; the "
           "organisation 2 alone could stop the chain");
  facts.powers = {{1, 4, true, true}};
  s.look(facts);
  CHECK(s.machine.status() == "registered, 4 validators, 0 SNs connected");
}

TEST_CASE("a validator that is needed and away is told of once, and in the status") {
  stage s;
  s.step(connected({2, 3, 4}));
  const auto facts = network(4, 4);
  s.look(facts);
  s.step(connected({2, 3}));
  s.now += absent_max - 2s;
  s.look(facts);
  CHECK(s.all<action::say>().empty());
  s.look(facts);
  CHECK(s.sent_nothing());
  CHECK(s.only<action::say>().text
        == "the validator 0x0000000000000000000000000000000000000004 is away for two minutes and stays one: "
           "without it "
           "the chain survives 0 lying validators, with it 1; if it does not come back, its organisation or "
           "most "
           "organisations may remove it: REMOVE NODE 0x0000000000000000000000000000000000000004");
  CHECK(s.machine.status() == "registered, 4 validators of which 1 is needed and away, 2 SNs connected");
  s.look(facts);
  CHECK(s.all<action::say>().empty());
  s.step(connected({2, 3, 4}));
  s.look(facts);
  CHECK(s.machine.status() == "registered, 4 validators, 3 SNs connected");
}

TEST_CASE("an SN leaves: the contract is asked first, then it is over when the chain says so") {
  stage s;
  auto facts = network(4, 4);
  s.look(facts);
  s.step(leave_wanted{});
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  CHECK(s.only<action::submit>().what == purpose::leave);
  CHECK(s.only<action::submit>().input == contracts::encode_leave_node());
  CHECK(s.only<action::submit>().try_first);
  CHECK(s.all<action::answer_leave>().empty());
  CHECK(s.machine.leaving()); // one that starts anew now must not register again
  s.step(submitted{purpose::leave, {}});
  CHECK(s.only<action::say>().text == "leaving the network, as the operator wishes");
  CHECK(!s.only<action::answer_leave>().outcome->left);
  CHECK(s.only<action::answer_leave>().outcome->block_num == 7);
  CHECK(s.machine.leaving());

  facts.pending = true;
  s.look(facts);
  CHECK(s.sent_nothing());
  facts.pending = false;
  facts.self->active = false;
  facts.self->since_block = 8;
  s.look(facts); // it does not register again
  CHECK(s.sent_nothing());
  s.step(leave_wanted{}); // it still seals the next block
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  CHECK(!s.only<action::answer_leave>().outcome->left);
  facts.validators = {account(2), account(3), account(4)};
  s.step(leave_wanted{});
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  CHECK(s.only<action::answer_leave>().outcome->left);
  CHECK(s.only<action::answer_leave>().outcome->block_num == 8);
}

TEST_CASE("the wish to leave outlives the machine: who left does not register again") {
  auto facts = network(4, 4);
  facts.self->active = false;
  stage s(true);
  s.look(facts);
  CHECK(s.sent_nothing());
  stage other;
  other.look(facts);
  CHECK(other.only<action::submit>().what == purpose::registration);
}

TEST_CASE("who may not leave hears why and stays; any other trouble is told as it is") {
  stage s;
  const auto facts = network(1, 1);
  s.look(facts);
  s.step(leave_wanted{});
  s.step(facts_read{s.only<action::read_facts>().serial, facts});
  s.step(submitted{purpose::leave, fail(errc::denied, "the last validator")});
  CHECK(wording(s.only<action::answer_leave>().outcome.error())
        == "this SN cannot leave: the last validator");
  CHECK(s.only<action::answer_leave>().outcome.error().is(errc::denied));
  CHECK(!s.machine.leaving());
  s.step(leave_wanted{});
  const auto serial = s.only<action::read_facts>().serial;
  s.step(facts_read{serial, fail(errc::io, "the disk is broken")});
  CHECK(s.only<action::answer_leave>().outcome.error().is(errc::io));
  CHECK(s.only<action::say>().warning);
}

TEST_CASE("leaving waits for what is under way, and everybody who asked meanwhile gets the one answer") {
  stage s;
  auto facts = network(2, 1);
  facts.pending = true;
  s.look(facts);
  s.step(leave_wanted{});
  const auto serial = s.only<action::read_facts>().serial;
  s.step(leave_wanted{});
  CHECK(s.done.empty()); // the chain is being asked
  s.step(facts_read{serial, facts});
  CHECK(s.sent_nothing());
  CHECK(!s.only<action::answer_leave>().outcome->left);
}

TEST_CASE(
    "a newcomer asks the sentinel until it answers, ever more rarely, and opens the chain it is told of") {
  stage s;
  s.step(start{});
  s.step(no_chain{});
  s.only<action::ask_sentinel>();
  CHECK(s.all<action::say>().empty());
  duration longest{};
  std::size_t lines = 0;
  for (int i = 0; i < 25; ++i) {
    s.step(entry_found{refused()});
    CHECK(s.all<action::open_chain>().empty());
    lines += s.all<action::say>().size();
    if (i == 0)
      CHECK(s.only<action::say>().text
            == "Unable to contact API-Server sentinel:30304: connection refused; trying again until it "
               "answers");
    const auto pause = s.only<action::set_timer>().after;
    longest = std::max(longest, pause);
    CHECK(pause <= 10s);
    s.now += pause;
    s.step(timer_fired{});
    s.only<action::ask_sentinel>();
  }
  CHECK(longest > 4s);
  CHECK(lines == 3);
  CHECK(s.machine.status().find("sentinel:30304") != std::string::npos);
  s.step(entry_found{entry()});
  CHECK(s.only<action::open_chain>().genesis == bytes{1, 2, 3});
  CHECK(s.only<action::dial>().endpoints == std::vector<std::string>{"sn-2:30303"});
  s.step(facts_read{s.only<action::read_facts>().serial, network(2, 2)});
  CHECK(s.machine.status() == "registered, 2 validators, 0 SNs connected");
  s.step(entry_found{entry()}); // late, to a question that was taken for lost
  CHECK(s.done.empty());
}

TEST_CASE("a sentinel that never answers is asked again") {
  stage s;
  s.step(start{});
  s.step(no_chain{});
  const auto patience = s.only<action::set_timer>().after;
  CHECK(patience >= 30s);
  s.now += patience;
  s.step(timer_fired{});
  s.only<action::ask_sentinel>();
}

TEST_CASE("a network whose genesis block this program does not make is not joined") {
  stage s;
  s.step(start{});
  s.step(no_chain{});
  auto other = entry();
  other->genesis_hash = certificate(8);
  s.step(entry_found{other});
  CHECK(s.all<action::open_chain>().empty());
  CHECK(s.only<action::give_up>().why.find("the contracts differ") != std::string::npos);
  CHECK(s.only<action::give_up>().why.find("sentinel:30304") != std::string::npos);
}

TEST_CASE("a network with another genesis block than the operator's is not joined") {
  for (const bool same : {false, true}) {
    auto options = stage::options(false, {});
    options.genesis_hash = same ? entry()->genesis_hash : certificate(8);
    stage s(options);
    s.step(start{});
    s.step(no_chain{});
    s.step(entry_found{entry()});
    CHECK(s.all<action::open_chain>().size() == (same ? 1 : 0));
    if (!same) CHECK(s.only<action::give_up>().why.find("--genesis-hash says") != std::string::npos);
  }
}

TEST_CASE("an SN joins no network of which SNs of two organisations say different things, and says whom it "
          "believes") {
  for (const bool pinned : {false, true})
    for (const std::string_view said : {"", "same", "other"}) {
      auto options = stage::options(false, {});
      if (pinned) options.genesis_hash = entry()->genesis_hash;
      stage s(options);
      s.step(start{});
      s.step(no_chain{});
      auto found = entry();
      if (said == "same") found->confirmed_by = "b:2";
      if (said == "other") found->contradicted_by = "b:2";
      s.step(entry_found{found});
      const bool joins = pinned || said != "other";
      CHECK(s.all<action::open_chain>().size() == (joins ? 1 : 0));
      if (!joins) CHECK(s.only<action::give_up>().why.find("one of them lies") != std::string::npos);
      const auto words = s.all<action::say>();
      const bool tells = std::ranges::any_of(words, [&](const auto& each) {
        return each.text.find(said == "same" ? "b:2 of another organisation" : "alone") != std::string::npos;
      });
      CHECK(tells == (joins && !pinned));
    }
}

TEST_CASE("a network that another version began is not joined, and not asked for again") {
  stage s;
  s.step(start{});
  s.step(no_chain{});
  s.step(entry_found{fail(ledger::chain_errc::other_version, "this chain was made by swarmd 0.1")});
  CHECK(s.all<action::open_chain>().empty());
  const auto why = s.only<action::give_up>().why;
  CHECK(why.find("sentinel:30304") != std::string::npos);
  CHECK(says(why, "this chain was made by swarmd 0.1"));
  CHECK(why.find("same version") != std::string::npos);
}

TEST_CASE("nobody can leave a network that is not joined yet") {
  stage s;
  s.step(start{});
  s.step(leave_wanted{});
  CHECK(s.done.empty()); // the chain is being asked
  s.step(no_chain{});
  CHECK(s.only<action::answer_leave>().outcome.error().is(errc::unavailable));
  s.step(leave_wanted{});
  CHECK(s.only<action::answer_leave>().outcome.error().is(errc::unavailable));
}

TEST_CASE("a double vote that consensus saw is reported until its author has no seat, never one's own") {
  stage s;
  s.look(network(4, 4));
  s.step(double_vote_seen{account(3), {1, 2, 3}});
  s.step(double_vote_seen{account(1), {4}}); // whose key somebody else has, too: the others see to it
  s.step(double_vote_seen{account(9), {5}}); // no member
  CHECK(s.sent_nothing());
  auto facts = network(4, 4);
  facts.pending = true; // vouches, for instance: the report does not wait for them, and is sent once
  s.look(facts);
  CHECK(s.only<action::submit>().what == purpose::evidence);
  s.look(facts);
  CHECK(s.sent_nothing());
  for (int i = 0; i < 2; ++i) { // a report that was lost is made again
    s.look(network(4, 4));
    CHECK(s.only<action::submit>().what == purpose::evidence);
    CHECK(s.only<action::submit>().to == registry);
    CHECK(s.only<action::submit>().input == contracts::encode_report_double_vote({1, 2, 3}));
    CHECK(s.only<action::submit>().try_first);
    CHECK(says(s.only<action::say>().text, to_hex(account(3).view())));
    s.step(submitted{purpose::evidence, {}});
  }
  facts = network(4, 4);
  std::erase(facts.members, account(3));
  s.look(facts);
  CHECK(s.sent_nothing());
  s.look(network(4, 4)); // let in again by mistake: the old proof is forgotten
  CHECK(s.sent_nothing());
}

} // namespace membership_machine_test
