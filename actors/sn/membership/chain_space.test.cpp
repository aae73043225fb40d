// The rule on space in a chain: what a pool takes, and what no proposer can put into a block.
#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/space_rule.hpp"

#include <doctest/doctest.h>

#include <map>

namespace membership_chain_space_test {

using namespace swarm;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

constexpr std::uint64_t midnight = 20'000 * std::uint64_t{86'400};
constexpr std::uint64_t a_day = 60'000; ///< bytes that beta may use
constexpr contracts::organisation_id alpha = 1, beta = 2;

/// A chain of two organisations. Alpha has its only validator, of key 1; key 2 is an SL of beta's.
struct stage {
  temp_dir dir;
  std::uint64_t time = midnight + 60;
  std::unique_ptr<ledger::chain> chain;
  std::map<address, std::uint64_t> nonces;

  stage() {
    chain = open(dir / "chain", contracts::make_contracts());
    submit_good(1, contracts::node_registry_address(), registration(contracts::node_type::sn, alpha));
    seal();
    contracts::organisation_limits limits;
    limits.chain_bytes_per_day = a_day;
    submit_good(1, contracts::organisation_registry_address(),
                contracts::encode(contracts::set_limits_args{beta, limits}));
    submit_good(2, contracts::node_registry_address(), registration(contracts::node_type::sl, beta));
    seal();
    const auto answer =
        view(contracts::node_registry_address(), contracts::pending_of_args{test_key(2).account()});
    const auto waits = contracts::decode_pending_of(answer).value();
    submit_good(1, contracts::node_registry_address(),
                contracts::encode_vouch(test_key(2).account(), waits.hash));
    seal();
  }
  std::unique_ptr<ledger::chain> open(const std::filesystem::path& where,
                                      ledger::native_contract_set contracts) {
    auto options = test_options(where);
    options.contracts = std::move(contracts);
    options.genesis->timestamp = midnight;
    options.genesis->founders = {{"alpha", {hash32(u256(1))}, {test_key(1).account()}},
                                 {"beta", {hash32(u256(2))}, {}}};
    options.now = [this] { return time; };
    return ledger::chain::open(std::move(options)).value();
  }
  static bytes registration(contracts::node_type type, contracts::organisation_id of, std::size_t proof = 0) {
    return contracts::encode_register_node(
        {.type = type, .organisation = of, .sequence = 1, .proof = bytes(proof, 1)});
  }
  static address nowhere() { return test_key(99).account(); }

  ledger::transaction make(std::uint8_t key, const address& to, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[test_key(key).account()];
    fields.gas_limit = contracts::call_gas;
    fields.to = to;
    fields.data = std::move(input);
    return ledger::make_signed(std::move(fields), test_key(key), chain->chain_id()).value();
  }
  result<hash32> submit(std::uint8_t key, const address& to, bytes input) {
    auto out = chain->submit(make(key, to, std::move(input)));
    if (out) ++nonces[test_key(key).account()];
    return out;
  }
  void submit_good(std::uint8_t key, const address& to, bytes input) {
    const auto done = submit(key, to, std::move(input));
    if (!done) FAIL(done.error().message);
  }
  ledger::block_ptr seal_on(ledger::chain& on) {
    const auto made = on.build_block(time, test_key(1).account(), 1000).value();
    const auto digest = ledger::seal_digest(on.chain_id(), on.genesis_hash(), made->block->hash, 0);
    return on.commit(made, {.round_num = 0, .seals = {{test_key(1).sign_recoverable(digest)}}}).value();
  }
  ledger::block_ptr seal() { return seal_on(*chain); }
  template <class Args>
  bytes view(const address& of, const Args& args) {
    return chain->call({.to = of, .input = contracts::encode(args)}).value().output;
  }
  contracts::chain_use_view use(contracts::organisation_id id) {
    const auto answer =
        view(contracts::organisation_registry_address(), contracts::chain_uses_args{u256(id - 1), u256(1)});
    return contracts::decode_answer<contracts::chain_uses_args>(answer).value().front();
  }
  /// Fills beta's day as far as transactions of a kilobyte go.
  void fill() {
    while (submit(2, nowhere(), bytes(1000, 7)))
      seal();
  }
};

/// A validator whose program has no such rule: the block that it makes on top of the same chain.
ledger::block block_of_a_liar(stage& s, ledger::transaction txn) {
  s.chain.reset();
  auto lawless = contracts::make_contracts();
  lawless.space = nullptr;
  std::filesystem::copy(s.dir / "chain", s.dir / "liar", std::filesystem::copy_options::recursive);
  auto liar = s.open(s.dir / "liar", lawless);
  REQUIRE(liar->submit(std::move(txn)));
  const auto made = liar->build_block(s.time, test_key(1).account(), 1000).value();
  REQUIRE(made->block->txns.size() == 1);
  s.chain = s.open(s.dir / "chain", contracts::make_contracts());
  const auto raw = ledger::encode_block({made->block->header, made->block->txns, made->block->parent_seals});
  return ledger::decode_block(raw, s.chain->chain_id()).value();
}

std::uint64_t size_of(const ledger::executed_block& block) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < block.txns.size(); ++i) {
    out += block.txns[i].raw().size() + block.outcomes[i].revert_output.size();
    for (const auto& log : block.outcomes[i].consensus.logs)
      out += 20 + 32 * log.topics.size() + log.data.size();
  }
  return out;
}

} // namespace

TEST_CASE("the chain counts each organisation's bytes: transactions, logs, and why they failed") {
  stage s;
  const auto before = s.use(beta);
  CHECK(before.day_begins == midnight);
  CHECK(before.limit == a_day);
  CHECK(before.newcomers == before.bytes); // its registration; alpha's vouch is alpha's
  CHECK(before.newcomers > 400);
  const auto alphas = s.use(alpha).bytes;
  s.submit_good(2, s.nowhere(), bytes(500, 1));
  s.submit_good(2, contracts::node_registry_address(),
                contracts::encode(contracts::answer_args{})); // reverts
  s.submit_good(2, contracts::node_registry_address(), s.registration(contracts::node_type::sl, beta, 900));
  const auto block = s.seal();
  REQUIRE(block->txns.size() == 3);
  CHECK(!block->outcomes[1].revert_output.empty());
  CHECK(!block->outcomes[2].consensus.logs.empty());
  CHECK(s.use(beta).bytes == before.bytes + size_of(*block));
  CHECK(s.use(beta).newcomers == before.newcomers);
  CHECK(s.use(alpha).bytes == alphas);
}

TEST_CASE("a pool refuses what is over its organisation's day, and says whose, how much and until when") {
  stage s;
  s.fill();
  const auto refused = s.submit(2, s.nowhere(), bytes(1000, 7));
  REQUIRE(!refused);
  CHECK(refused.error().is(ledger::space_errc::day_full));
  for (const auto* part : {"'beta'", "60000", "2024-10-05 00:00 UTC"})
    CHECK_MESSAGE(says(refused.error().message, part), refused.error().message);
  CHECK(s.use(beta).bytes <= a_day / 10 * 9);
  CHECK(s.use(beta).bytes > a_day / 10 * 9 - 1500);
  CHECK(s.submit(1, s.nowhere(), bytes(1000, 7))); // alpha's day is another
  s.time = midnight + 86'400;                      // although no block has come since
  CHECK(s.submit(2, s.nowhere(), bytes(1000, 7)));
  const auto block = s.seal();
  CHECK(block->txns.size() == 2);
  CHECK(s.use(beta).day_begins == midnight + 86'400);
  CHECK(s.use(beta).bytes < 1500);
}

TEST_CASE("a maker of blocks passes over what has no room, and takes what has") {
  stage s;
  for (int i = 0; i < 60; ++i) // all fit when they come
    s.submit_good(2, s.nowhere(), bytes(1500, 7));
  s.submit_good(1, s.nowhere(), bytes(10, 7));
  const auto block = s.seal();
  CHECK(block->txns.front().sender()
        == test_key(1).account()); // the other organisation does not wait for beta's
  CHECK(block->txns.size() < 40);
  CHECK(s.use(beta).bytes <= a_day / 10 * 9);
  s.seal();
  CHECK(!s.chain->has_executable());
}

TEST_CASE("what has no room because of its logs leaves no trace") {
  stage s;
  while (s.use(beta).bytes < a_day / 10 * 9 - 4500) {
    s.submit_good(2, s.nowhere(), bytes(1000, 7));
    s.seal();
  }
  const auto before = s.use(beta);
  s.submit_good(2, contracts::node_registry_address(), s.registration(contracts::node_type::sl, beta, 2000));
  CHECK(s.seal()->txns.empty());
  CHECK(s.use(beta) == before);
  --s.nonces[test_key(2).account()];
  s.submit_good(2, s.nowhere(), bytes(1000, 7));
  CHECK(s.seal()->txns.size() == 1);
}

TEST_CASE("a block in which a proposer puts more of its organisation's than its day has is no block") {
  stage s;
  s.fill();
  const auto block = block_of_a_liar(s, s.make(2, s.nowhere(), bytes(1000, 7)));
  const auto judged = s.chain->validate_block(block);
  REQUIRE(!judged);
  CHECK(judged.error().is(ledger::chain_errc::txn_not_executable));
  CHECK(says(judged.error().message, "'beta'"));
}

TEST_CASE("a block in which a proposer puts what nobody answers for is no block") {
  stage s;
  const auto block = block_of_a_liar(s, s.make(77, s.nowhere(), bytes(1000, 7)));
  const auto judged = s.chain->validate_block(block);
  REQUIRE(!judged);
  CHECK(judged.error().is(ledger::chain_errc::txn_not_executable));
  CHECK(says(judged.error().message, "is no member"));
}

TEST_CASE("a flood of registrations that claim an organisation leaves its day to its members") {
  stage s;
  std::uint8_t key = 100;
  while (
      s.submit(key, contracts::node_registry_address(), s.registration(contracts::node_type::sl, beta, 100))
      && !s.seal()->txns.empty())
    REQUIRE(++key < 200);
  CHECK(s.use(beta).newcomers <= a_day / 10);
  const auto newcomers = s.use(beta).newcomers;
  s.fill();
  CHECK(s.use(beta).bytes - newcomers > a_day / 10 * 8 - 1500);
}

} // namespace membership_chain_space_test
