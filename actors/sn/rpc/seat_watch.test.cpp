#include "actors/sn/rpc/seat_watch.hpp"

#include "contracts/contracts.hpp"
#include "ledger/chain/chain_window.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/formats/sign_of_life.hpp"

#include <doctest/doctest.h>

namespace seat_watch_test {

using namespace swarm;
using namespace swarm::ledger::test;
using namespace std::chrono_literals;
using rpc::seat_watch;

namespace {

constexpr std::chrono::seconds lease{60};

/// A chain of two organisations, whose SNs are those of keys 1 and 2, and what one of them has heard.
struct stage {
  temp_dir dir;
  std::unique_ptr<ledger::chain> chain;
  rpc::liveness signs;
  std::uint64_t unix_s = 1'800'000'000;
  time_point now = time_point{} + 1h;
  std::map<std::uint8_t, std::uint64_t> nonces;
  std::uint64_t sequence = 0;

  stage() {
    auto options = test_options(dir / "chain");
    options.contracts = contracts::make_contracts();
    options.genesis->rules = 3;
    options.genesis->founders = {{"first", {hash32(u256(1))}, {test_key(1).account()}},
                                 {"second", {hash32(u256(2))}, {}}};
    chain = ledger::chain::open(std::move(options)).value();
    enter(1, 1, contracts::node_type::sn);
    enter(2, 2, contracts::node_type::sn);
    send(1, contracts::encode_vouch(account(2), pending(2).hash));
  }
  static address account(std::uint8_t key) { return test_key(key).account(); }
  void send(std::uint8_t key, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[key]++;
    fields.gas_limit = contracts::call_gas;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    REQUIRE(chain->submit(ledger::make_signed(std::move(fields), test_key(key), chain->chain_id())->raw()));
    const auto block = seal_block(*chain, unix_s).value();
    REQUIRE(block->outcomes.at(0).consensus.ok);
  }
  void enter(std::uint8_t key, contracts::organisation_id organisation, contracts::node_type type) {
    send(key, contracts::encode_register_node({.type = type,
                                               .organisation = organisation,
                                               .identity = hash32(u256(key)),
                                               .sequence = ++sequence}));
  }
  void admit(std::uint8_t key, contracts::organisation_id organisation, contracts::node_type type) {
    enter(key, organisation, type);
    for (const std::uint8_t by : {1, 2})
      send(by, contracts::encode_vouch(account(key), pending(key).hash));
  }
  template <class View>
  auto ask(const View& what) const {
    const auto out =
        chain->call({.to = contracts::node_registry_address(), .input = contracts::encode(what)});
    return contracts::decode_answer<View>(out->output).value();
  }
  contracts::pending_view pending(std::uint8_t key) const {
    return ask(contracts::pending_of_args{account(key)});
  }
  bytes sign(std::uint8_t key, std::uint64_t serial) const {
    return ledger::encode_sign_of_life(serial, 0, {}, test_key(key), chain->chain_id(),
                                       chain->genesis_hash());
  }
  void hear(std::uint8_t key, std::uint64_t serial) {
    CHECK(signs.heard_from(account(key), serial, {}, now, sign(key, serial)));
  }
  void pass(std::chrono::seconds span) {
    now += span;
    unix_s += static_cast<std::uint64_t>(span.count());
  }
  std::vector<seat_watch::call> look(seat_watch& watch) {
    return watch.look(*chain->window()->view(), ask(contracts::nodes_args{0, 256}), signs, lease, unix_s, now)
        .value();
  }
  /// The one call that the SN wants to make; none: it wants nothing.
  bytes wanted(seat_watch& watch) {
    const auto calls = look(watch);
    CHECK(calls.size() <= 1);
    return calls.empty() ? bytes() : calls.front().input;
  }
};

bytes accusation(const stage& s, std::uint8_t key, std::uint64_t serial) {
  return contracts::encode(
      contracts::accuse_node_args{stage::account(key), serial == 0 ? bytes() : s.sign(key, serial)});
}
bytes proof_of_life(const stage& s, std::uint8_t key, std::uint64_t serial) {
  return contracts::encode(contracts::answer_for_node_args{s.sign(key, serial)});
}

} // namespace

TEST_CASE("who is silent for longer than the lease is accused once, where no seat is left") {
  stage s;
  seat_watch own(stage::account(1)), other(stage::account(2));
  s.admit(10, 1, contracts::node_type::sl);
  s.hear(10, 7);
  s.pass(lease + 1s);
  CHECK(s.wanted(own).empty()); // nobody limits seats
  s.send(1, contracts::encode(contracts::limit_seats_args{contracts::seat_kind::sl, 2}));
  CHECK(s.wanted(own).empty()); // there is one left
  s.send(1, contracts::encode(contracts::limit_seats_args{contracts::seat_kind::sl, 1}));
  CHECK(s.wanted(other).empty()); // it is for those of its organisation to say
  const auto said = s.wanted(own);
  CHECK(said == accusation(s, 10, 7));
  CHECK(s.wanted(own).empty()); // it is on its way
  s.pass(std::chrono::seconds(16));
  CHECK(s.wanted(own) == said); // it was lost
  s.send(1, said);
  for (int i = 0; i < 100; ++i) {
    s.pass(1s);
    CHECK(s.wanted(own).empty());
    CHECK(s.wanted(other).empty());
  }
}

TEST_CASE("whose sign of life is heard is answered for, by one SN after the other") {
  stage s;
  seat_watch first(stage::account(1)), second(stage::account(2));
  s.admit(10, 1, contracts::node_type::sl);
  s.send(1, contracts::encode(contracts::limit_seats_args{contracts::seat_kind::sl, 1}));
  s.hear(10, 7);
  s.send(1, accusation(s, 10, 7)); // a lie
  CHECK(s.wanted(first).empty());  // which the sign that it was said with does not refute
  s.pass(2s);
  s.hear(10, 8);
  CHECK(s.wanted(first) == proof_of_life(s, 10, 8));
  CHECK(s.wanted(second).empty());
  s.pass(1s);
  const auto said = s.wanted(second);
  CHECK(said == proof_of_life(s, 10, 8));
  s.send(2, said);
  CHECK(s.wanted(first).empty());
  CHECK(s.ask(contracts::seat_leases_args{1}).at(1).accused.is_zero());
  // It may be accused again a minute later. The head's time is long ago then: nothing is asked of the contract before.
  s.pass(lease - 1s);
  CHECK(s.wanted(first).empty());
  s.pass(1s);
  const auto again = s.look(first);
  REQUIRE(again.size() == 1);
  CHECK(again[0].input == accusation(s, 10, 8));
  CHECK(!again[0].try_first);
}

TEST_CASE("for an organisation without a live SN the others' speak, once it has not answered") {
  stage s;
  seat_watch other(stage::account(2));
  s.send(1, contracts::encode(contracts::limit_seats_args{contracts::seat_kind::sn, 1}));
  s.hear(1, 5);
  s.pass(lease);
  CHECK(s.wanted(other).empty());
  s.pass(2s); // it is the second in turn
  CHECK(s.wanted(other).empty());
  s.pass(1s);
  const auto asked = s.wanted(other);
  CHECK(asked == contracts::encode(contracts::accuse_args{1}));
  s.send(2, asked);
  s.pass(std::chrono::seconds(contracts::answer_seconds));
  CHECK(s.wanted(other).empty());
  s.pass(1s);
  const auto calls = s.look(other);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].input == accusation(s, 1, 5));
  CHECK(!calls[0].try_first);
  s.send(2, calls[0].input);
  CHECK(s.ask(contracts::seat_leases_args{1}).at(0).accused == stage::account(1));
}

} // namespace seat_watch_test
