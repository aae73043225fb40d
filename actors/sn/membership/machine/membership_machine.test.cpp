#include "actors/sn/membership/machine/membership_machine.hpp"

#include "actors/sn/membership/machine/testing/names.hpp"
#include "base/testing/wording.hpp"
#include "contracts/training_registry/client.hpp"
#include "ledger/chain/chain_rules.hpp"

#include <doctest/doctest.h>

using namespace swarm;
using namespace swarm::membership;
using namespace swarm::membership::testing;
using namespace std::chrono_literals;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

const address registry = contracts::node_registry_address();

/// A machine of node 1, and the answers of a chain that a test has in its hands.
struct stage {
  membership_machine machine;
  time_point now{};
  std::vector<membership_action> done; ///< by the last event

  explicit stage(bool leaving = false) : machine(options(leaving)) {}

  static machine_options options(bool leaving) {
    machine_options out;
    out.self = account(1);
    out.cert_fingerprint = certificate(1);
    out.node_name = "sn-1";
    out.endpoint = "sn-1:30303";
    out.trainings = {"mine"};
    out.sentinel = "sentinel:30304";
    out.leaving = leaving;
    return out;
  }

  template <class Event>
  void step(const Event& event) {
    machine.step(event, now);
    done = machine.take_actions();
  }

  template <class Action>
  std::vector<Action> all() const {
    std::vector<Action> out;
    for (const auto& each : done)
      if (const auto* one = std::get_if<Action>(&each)) out.push_back(*one);
    return out;
  }
  template <class Action>
  const Action& only() const {
    const Action* found = nullptr;
    for (const auto& each : done)
      if (const auto* one = std::get_if<Action>(&each)) {
        REQUIRE(found == nullptr);
        found = one;
      }
    REQUIRE(found != nullptr);
    return *found;
  }
  bool sent_nothing() const { return all<action::submit>().empty(); }

  /// The machine looks at the chain, as it does every second, and the chain answers with `facts`.
  void look(const chain_facts& facts) {
    now += 1s;
    step(timer_fired{});
    const auto serial = only<action::read_facts>().serial;
    step(facts_read{serial, facts});
  }
};

contracts::node_view node(std::uint8_t number) {
  contracts::node_view out;
  out.account = account(number);
  out.type = contracts::node_type::sn;
  out.active = true;
  out.cert_fingerprint = certificate(number);
  out.name = fmt::format("sn-{}", number);
  out.endpoint = fmt::format("sn-{}:30303", number);
  return out;
}

/// SNs 1 to `nodes` are registered, 1 to `members` validate.
chain_facts network(std::uint8_t nodes, std::uint8_t members) {
  chain_facts out;
  out.block_num = 7;
  out.self = node(1);
  for (std::uint8_t i = 1; i <= nodes; ++i)
    out.nodes.push_back(node(i));
  for (std::uint8_t i = 1; i <= members; ++i)
    out.members.push_back(account(i));
  out.validators = out.members;
  return out;
}

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
  const auto wanted =
      contracts::encode_register_node({contracts::node_type::sn, certificate(1), {}, "sn-1", "sn-1:30303"});
  CHECK(s.only<action::submit>().what == purpose::registration);
  CHECK(s.only<action::submit>().to == registry);
  CHECK(s.only<action::submit>().input == wanted);

  s.look(network(1, 1));
  CHECK(s.sent_nothing());
  for (const auto& spoil : std::initializer_list<void (*)(contracts::node_view&)>{
           [](auto& self) { self.active = false; },
           [](auto& self) { self.cert_fingerprint = certificate(5); },
           [](auto& self) { self.endpoint = "elsewhere:1"; },
           [](auto& self) { self.name = "sn-x"; },
       }) {
    facts = network(1, 1);
    spoil(*facts.self);
    s.look(facts);
    CHECK(s.only<action::submit>().input == wanted);
  }
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
  s.step(connected({2, 3, 4}));
  auto facts = network(4, 4);
  s.look(facts);
  s.step(connected({2, 3}));
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
  s.step(connected({2, 3, 4}));
  s.look(facts);
  CHECK(s.only<action::submit>().input == contracts::encode_discard_validator_vote(account(4)));
  CHECK(s.only<action::say>().text
        == "no longer voting to remove 0x0000000000000000000000000000000000000004 from the validators");
}

TEST_CASE("a machine that starts anew counts absence from its start and repeats nothing") {
  auto facts = network(4, 4);
  facts.voted_on = {account(3)};
  stage s;
  s.step(start{});
  s.step(facts_read{1, facts});
  CHECK(s.sent_nothing());
  s.step(connected({2, 3}));
  s.now += absent_max - 2s;
  s.look(facts); // the vote on node 3, which is here, is an old one
  CHECK(s.only<action::submit>().input == contracts::encode_discard_validator_vote(account(3)));
  facts.voted_on.clear();
  s.look(facts);
  CHECK(s.only<action::submit>().input == vote_against(4));
  stage again;
  again.step(connected({2, 3}));
  facts.pending = true; // that vote waits for its block
  again.look(facts);
  CHECK(again.sent_nothing());
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
