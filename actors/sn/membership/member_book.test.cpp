#include "actors/sn/membership/member_book.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <doctest/doctest.h>

#include <map>

namespace member_book_test {

using namespace swarm;
using namespace swarm::ledger::test;
using membership::ended_membership;
using swarm::testing::says;

namespace {

hash32 certificate(std::uint64_t number) {
  return hash32(u256(number));
}

/// A chain that three organisations founded, of which keys 1, 2 and 9 may be SNs, and who its members are. The certificate of a key has its
/// number, unless a test says otherwise.
struct stage {
  temp_dir dir;
  std::unique_ptr<ledger::chain> chain;
  std::map<address, std::uint64_t> nonces;
  membership::member_book book;
  std::uint64_t sequence = 0, seen = 0;

  explicit stage(bool founded = true) {
    auto options = test_options(dir / "chain");
    options.contracts = contracts::make_contracts();
    if (founded)
      options.genesis->founders = {{"A", {certificate(101)}, {test_key(1).account()}},
                                   {"B", {certificate(102)}, {}},
                                   {"C", {certificate(109)}, {}}};
    chain = ledger::chain::open(std::move(options)).value();
    book.watch(chain->window());
  }
  void send(std::uint8_t key, bytes input, const address& to = contracts::node_registry_address()) {
    ledger::txn_fields fields;
    fields.nonce = nonces[test_key(key).account()]++;
    fields.gas_limit = contracts::call_gas;
    fields.to = to;
    fields.data = std::move(input);
    REQUIRE(chain->submit(ledger::make_signed(std::move(fields), test_key(key), chain->chain_id())->raw()));
  }
  void apply(std::uint8_t key, std::uint64_t with = 0, std::uint64_t expiry = 0) {
    const contracts::organisation_id organisation = key == 1 ? 1 : key == 9 ? 3 : 2;
    send(key, contracts::encode_register_node(
                  {.type = key <= 2 || key == 9 ? contracts::node_type::sn : contracts::node_type::sl,
                   .organisation = organisation,
                   .identity = certificate(with == 0 ? key : with),
                   .expiry = expiry,
                   .sequence = ++sequence}));
    seal();
  }
  /// Both organisations vouch for it, or those of these SNs.
  void vouch(std::uint8_t key, const std::vector<std::uint8_t>& by_whom = {1, 2}) {
    const auto answer =
        chain->call({.to = contracts::node_registry_address(),
                     .input = contracts::encode(contracts::pending_of_args{test_key(key).account()})});
    const auto waits = contracts::decode_pending_of(answer->output).value();
    for (const auto by : by_whom)
      send(by, contracts::encode_vouch(test_key(key).account(), waits.hash));
    seal();
  }
  void admit(std::uint8_t key, std::uint64_t with = 0, std::uint64_t expiry = 0) {
    apply(key, with, expiry);
    vouch(key);
  }
  void seal(std::uint64_t timestamp = 0) {
    const auto made = chain->build_block(timestamp, test_key(1).account(), 1000).value();
    const auto digest = ledger::seal_digest(chain->chain_id(), chain->genesis_hash(), made->block->hash, 0);
    REQUIRE(chain->commit(made, {.round_num = 0, .seals = {{test_key(1).sign_recoverable(digest)}}}));
  }
  bool reads(std::uint64_t number) { return static_cast<bool>(book.may_read(certificate(number), "CN=x")); }
  std::string refusal(std::uint64_t number) {
    return book.may_read(certificate(number), fmt::format("CN=number-{}", number)).error().message;
  }
  std::vector<ended_membership> ended() { return book.ended_since(seen); }

  void begin() {
    apply(1);
    apply(2);
    vouch(2, {1});
    REQUIRE(reads(1));
    REQUIRE(reads(2));
  }
};

} // namespace

TEST_CASE("a chain without organisations is open to everybody") {
  stage s(false);
  CHECK(s.reads(7));
  CHECK(s.book.is_anchor(certificate(7)));
}

TEST_CASE("members read, with the certificates that they have registered") {
  stage s;
  CHECK_FALSE(s.reads(1)); // it has not registered yet
  s.begin();
  CHECK_FALSE(s.reads(3));
  CHECK(says(s.refusal(3), "CN=number-3 is none of a member's: register a node with it first"));
  CHECK(s.book.is_anchor(certificate(101)));
  CHECK_FALSE(s.book.is_anchor(certificate(3)));
  s.apply(3);
  CHECK_FALSE(s.reads(3)); // it waits
  s.vouch(3);
  CHECK(s.reads(3));
  CHECK(s.ended().empty());
}

TEST_CASE("who waits is told for whom") {
  stage s;
  s.begin();
  s.apply(3);
  CHECK(says(s.refusal(3), "is not vouched for by enough organisations yet: by none, not by A, B"));
  s.vouch(3, {2});
  CHECK(says(s.refusal(3), "by B, not by A"));
}

TEST_CASE("a member that renews its certificate reads with both until the new one is in force") {
  stage s;
  s.begin();
  s.admit(3);
  s.apply(3, 33);
  CHECK(s.reads(3));
  CHECK(s.reads(33));
  CHECK(s.ended().empty());
  s.vouch(3);
  CHECK_FALSE(s.reads(3));
  CHECK(s.reads(33));
  const auto ended = s.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].identity == certificate(3));
  CHECK(ended[0].how == ended_membership::cause::replaced);
  CHECK(s.ended().empty()); // each is told once
}

TEST_CASE("who was removed by a vote is told so, and comes back with another certificate") {
  stage s;
  s.begin();
  s.admit(3);
  CHECK(s.ended().empty());
  s.send(2, contracts::encode_remove_node(test_key(3).account()));
  s.seal();
  CHECK_FALSE(s.reads(3));
  CHECK(says(s.refusal(3), "was removed by a vote"));
  const auto ended = s.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].account == test_key(3).account());
  CHECK(ended[0].how == ended_membership::cause::removed);
  CHECK(ended[0].block_num == s.chain->head()->header.block_num);
  CHECK_FALSE(ended[0].shared);
  CHECK(s.book.was_removed(certificate(3)));
  CHECK_FALSE(s.book.was_removed(certificate(34)));
}

TEST_CASE("who was a member only between two looks is told of all the same, as its connections are there") {
  stage s;
  s.begin();
  CHECK(s.ended().empty());
  s.admit(3);
  s.send(2, contracts::encode_remove_node(test_key(3).account()));
  s.seal();
  const auto ended = s.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].account == test_key(3).account());
  CHECK(ended[0].identity == certificate(3));
  CHECK(ended[0].how == ended_membership::cause::removed);
}

TEST_CASE("a certificate that others share stays good for them") {
  stage s;
  s.begin();
  s.admit(3, 50);
  s.admit(4, 50);
  CHECK(s.reads(50));
  s.send(2, contracts::encode_remove_node(test_key(3).account()));
  s.seal();
  CHECK(s.reads(50));
  REQUIRE(s.ended().size() == 1);
  CHECK_FALSE(s.book.was_removed(certificate(50)));
  s.send(4, contracts::encode_leave_node());
  s.seal();
  CHECK_FALSE(s.reads(50));
  CHECK(s.book.was_removed(certificate(50)));
}

TEST_CASE("an expired certificate is none of a member's from the first block after it on") {
  stage s;
  s.begin();
  const auto now = s.chain->head()->header.timestamp;
  s.admit(3, 0, now + 100);
  s.seal(now + 100);
  CHECK(s.reads(3));
  s.seal(now + 101);
  CHECK_FALSE(s.reads(3));
  const auto ended = s.ended();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].how == ended_membership::cause::expired);
}

TEST_CASE("an organisation that is removed takes its CA and its nodes with it, also for a book that is new") {
  stage s;
  s.begin();
  s.admit(9);
  const auto removed = [&](std::uint64_t anchor, std::uint64_t number) {
    return s.book.was_of_removed_organisation(certificate(anchor), certificate(number));
  };
  CHECK_FALSE(removed(102, 2));
  for (const std::uint8_t by : {1, 9})
    s.send(by, contracts::encode(contracts::remove_organisation_args{2}),
           contracts::organisation_registry_address());
  s.seal();
  CHECK_FALSE(s.reads(2));
  CHECK_FALSE(s.book.is_anchor(certificate(102)));
  REQUIRE(s.ended().size() == 1);
  CHECK(removed(102, 2));
  CHECK(removed(102, 77)); // a fresh certificate of its CA
  CHECK_FALSE(removed(101, 77));
  CHECK_FALSE(removed(200, 77)); // of one that nobody here knows yet
  membership::member_book after_restart;
  after_restart.watch(s.chain->window());
  CHECK(after_restart.was_of_removed_organisation(certificate(102), certificate(2)));
  CHECK_FALSE(after_restart.was_of_removed_organisation(certificate(200), certificate(77)));
}

TEST_CASE("a book that looks seldom sees the same") {
  stage s;
  s.begin();
  for (int i = 0; i < 70; ++i) // more blocks than it follows one by one
    s.apply(1);
  s.admit(3);
  s.admit(4);
  CHECK(s.reads(3));
  s.send(2, contracts::encode_remove_node(test_key(3).account()));
  s.seal();
  for (int i = 0; i < 70; ++i)
    s.apply(1);
  CHECK_FALSE(s.reads(3));
  CHECK(s.reads(4));
  REQUIRE(s.ended().size() == 1);
}

} // namespace member_book_test
