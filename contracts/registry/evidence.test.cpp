#include "contracts/registry/evidence.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/training_probe.hpp"
#include "ledger/formats/double_vote.hpp"

#include <doctest/doctest.h>

namespace evidence_test {

using namespace swarm;
using namespace swarm::contracts;
using ledger::vote_kind;
using swarm::testing::wording;

namespace {

ledger::private_key key(std::uint8_t number) {
  return *ledger::private_key::from_bytes(bytes(32, number));
}

address account(std::uint8_t number) {
  return key(number).account();
}

bytes hash_item(std::uint8_t which) {
  return ledger::rlp_writer().string(keccak256(bytes{which}).view()).take();
}

/// A proof that `first` prepared one block and `second` another in the same round.
bytes proof_of(std::uint8_t first, std::uint8_t second, std::uint64_t chain_id = 1337) {
  ledger::double_vote out{vote_kind::prepare, 8, 1, {hash_item(1), {}}, {hash_item(2), {}}};
  const auto sign = [&](std::uint8_t who, ledger::double_vote::vote& vote) {
    vote.signature = key(who).sign_recoverable(
        ledger::vote_digest(chain_id, {}, out.kind, out.block_num, out.round_num, vote.content));
  };
  sign(first, out.first);
  sign(second, out.second);
  return ledger::encode_double_vote(out);
}

/// A chain with so many validators from its beginning.
struct network {
  explicit network(std::uint8_t count) : world(make_contracts(), accounts(count)) {}

  static std::vector<address> accounts(std::uint8_t count) {
    std::vector<address> out;
    for (std::uint8_t i = 1; i <= count; ++i)
      out.push_back(account(i));
    std::sort(out.begin(), out.end());
    return out;
  }
  memory_world::outcome report(const address& from, bytes proof) {
    return world.send(from, node_registry_address(), encode_report_double_vote(std::move(proof)));
  }
  wording refusal(bytes proof) {
    const auto done = report(account(1), std::move(proof));
    return done.ok ? "" : revert_text(done.output);
  }
  std::vector<address> validators() const {
    const auto raw = world.view({}, node_registry_address(), encode(get_validators_args{})).output;
    return decode_answer<get_validators_args>(raw).value();
  }
  u256 proved_in(std::uint8_t number) const {
    const auto raw =
        world.view({}, node_registry_address(), encode(double_vote_of_args{account(number)})).output;
    return decode_answer<double_vote_of_args>(raw).value();
  }

  memory_world world;
};

std::string hex(std::uint8_t number) {
  return to_hex(account(number).view());
}

} // namespace

TEST_CASE("a validator that voted twice loses its seat, whoever proves it, and never gets one again") {
  network net(4);
  const auto done = net.report(test_account(99), proof_of(3, 3));
  REQUIRE(done.ok);
  auto left = network::accounts(4);
  std::erase(left, account(3));
  CHECK(net.validators() == left);
  REQUIRE(done.events.size() == 2);
  CHECK(decode_event<node_registry_interface>(done.events[0].topics, done.events[0].data).value()
        == node_event{validators_changed{account(3), false, left}});
  CHECK(decode_event<node_registry_interface>(done.events[1].topics, done.events[1].data).value()
        == node_event{double_vote_proved{account(3), static_cast<std::uint8_t>(vote_kind::prepare), 8, 1,
                                         test_account(99)}});
  CHECK(net.proved_in(3) == u256(net.world.block_num()));
  CHECK(net.proved_in(2) == u256(0));
  const auto again =
      net.world.send(account(1), node_registry_address(), encode_propose_validator_vote(account(3), true));
  CHECK_FALSE(again.ok);
  CHECK(wording(revert_text(again.output))
        == hex(3)
               + " signed two different votes, as was proved in block 1: it never seals again; a node goes "
                 "on with "
                 "another key");
  CHECK(net.refusal(proof_of(3, 3)) == hex(3) + " is no member of the validators, whatever it signed");
}

TEST_CASE("what proves nothing takes no seat") {
  network net(4);
  const auto all = net.validators();
  CHECK(net.refusal(proof_of(2, 3))
        == "no proof of a double vote: double vote: signed by " + hex(2) + " and by " + hex(3));
  CHECK(net.refusal(proof_of(7, 7)) == hex(7) + " is no member of the validators, whatever it signed");
  CHECK(net.refusal(proof_of(3, 3, 1338)) != ""); // votes of another chain
  auto one = ledger::decode_double_vote(proof_of(3, 3)).value();
  one.second = one.first;
  CHECK(net.refusal(ledger::encode_double_vote(one))
        == "no proof of a double vote: double vote: both prepares are for the same");
  CHECK(net.refusal({}) != "");
  CHECK(net.refusal(bytes(100, 0xc1)) != "");
  CHECK(net.refusal(bytes(100'000, 0)) != "");
  CHECK(net.validators() == all);
}

TEST_CASE("liars go one after the other, but the last validator stays") {
  network net(3);
  CHECK(net.refusal(proof_of(1, 1)) == "");
  CHECK(net.refusal(proof_of(2, 2)) == "");
  CHECK(net.validators() == std::vector{account(3)});
  CHECK(net.refusal(proof_of(3, 3)) == hex(3) + " is the last validator and has to stay");
  CHECK(net.proved_in(3) == u256(0));
}

TEST_CASE("a report costs gas for what it makes the chain compute, also one that fails") {
  network net(4);
  CHECK(net.report(account(1), proof_of(3, 3)).gas >= 6000);
  CHECK(net.report(account(1), bytes(1000, 1)).gas >= 6000);
}

} // namespace evidence_test
