#include "actors/sn/proofs/make_proof.hpp"
#include "actors/sn/proofs/proof_json.hpp"
#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training/client.hpp"
#include "contracts/training/dealing.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <fstream>

namespace audit_test {

using namespace swarm;
using namespace swarm::proofs;
namespace json = boost::json;
using ledger::test::temp_dir;
using ledger::test::test_key;
using swarm::testing::wording;

namespace {

const std::string contract(contracts::default_training_name);
constexpr std::uint8_t first = 21, second = 22;

/// A chain in a directory, with one training of two peers that merges a round.
struct trained_chain {
  temp_dir dir;
  std::unique_ptr<ledger::chain> chain;
  std::map<std::uint8_t, std::uint64_t> nonces;
  std::vector<std::uint8_t> sealers{1};

  trained_chain() {
    ledger::chain_options options;
    options.dir = dir / "chain";
    options.genesis = ledger::genesis_params{.validators = {test_key(1).account()}};
    options.contracts = contracts::make_contracts();
    options.limits.keep_states = 4; // once `prune` is called
    chain = *ledger::chain::open(std::move(options));
    for (const std::uint8_t key : {first, second})
      register_node(key, contracts::node_type::sl);
    train_round(1);
  }

  void send(std::uint8_t key, const address& to, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[key]++;
    fields.gas_limit = 5'000'000;
    fields.to = to;
    fields.data = std::move(input);
    REQUIRE(chain->submit(ledger::make_signed(fields, test_key(key), chain->chain_id())->raw()));
  }
  void train(std::uint8_t key, bytes input) {
    send(key, contracts::training_address(contract), std::move(input));
  }

  /// Puts everything that waits into one block; every transaction must succeed.
  void seal() {
    const auto made = chain->build_block(1'700'000'000, chain->genesis().validators.front(), 1000);
    REQUIRE(made);
    const auto& block = *(*made)->block;
    for (const auto& outcome : block.outcomes)
      REQUIRE_MESSAGE(outcome.consensus.ok, contracts::revert_text(outcome.revert_output));
    const auto digest = ledger::seal_digest(chain->chain_id(), chain->genesis_hash(), block.hash, 0);
    ledger::seal_record seals;
    for (const auto key : sealers)
      seals.seals.push_back({test_key(key).sign_recoverable(digest)});
    REQUIRE(chain->commit(*made, seals));
  }

  void register_node(std::uint8_t key, contracts::node_type type) {
    hash32 fingerprint;
    fingerprint[0] = key;
    send(key, contracts::node_registry_address(),
         contracts::encode_register_node({.type = type,
                                          .identity = fingerprint,
                                          .name = fmt::format("node-{}", key),
                                          .endpoint = "host:1"}));
    seal();
  }

  static contracts::opening opening_of(std::uint8_t key) {
    return {hash32(u256(key)), hash32(u256(3)), hash32(u256(4))};
  }

  /// The leader merges it; or, with models that are large, both do in shards.
  void train_round(std::uint64_t round_num, bool in_shards = false) {
    const std::uint64_t size = in_shards ? 20 * contracts::model_chunk_bytes : 100;
    for (const std::uint8_t key : {first, second}) {
      if (round_num == 1) train(key, contracts::encode_register_peer({2, "mean", 5, {}, 10, true}));
      const auto commitment =
          contracts::commitment_of(test_key(key).account(), 1, round_num, opening_of(key));
      train(key,
            contracts::encode_check_in({1, round_num, commitment, size, hash32(u256(1)), key, 0, false}));
      seal();
    }
    for (const std::uint8_t key : {first, second}) {
      const auto what = opening_of(key);
      train(key, encode(contracts::reveal_args{1, round_num, what.digest, what.salt, what.seed_hash}));
      seal();
    }
    if (in_shards) return merge_in_shards(round_num);
    const auto answer = chain->call({.from = test_key(first).account(),
                                     .to = contracts::training_address(contract),
                                     .input = contracts::encode_head()});
    const auto leader = contracts::decode_head(answer->output)->leader;
    const auto one = test_key(first).account(), other = test_key(second).account();
    train(leader == one ? first : second,
          contracts::encode_commit_merge({1,
                                          round_num,
                                          0,
                                          hash32(u256(99)),
                                          100,
                                          {other},
                                          {one},
                                          {contracts::exclusion_reason::not_finite}}));
    seal();
    train(leader == one ? second : first, encode(contracts::attest_args{1, round_num, 0, 1}));
    seal();
  }

  /// As there are two makers of ten chunks each, each shard has five units of two. Both check what the other has made.
  void merge_in_shards(std::uint64_t round_num) {
    std::uint32_t shard = 0;
    for (const std::uint8_t key : {first, second}) {
      const std::vector<hash32> roots(5, hash32(u256(1000 + key)));
      train(key, encode(contracts::commit_shard_args{1, round_num, 0, shard++, roots}));
      seal();
    }
    for (const std::uint8_t key : {first, second}) {
      train(key, encode(contracts::attest_args{1, round_num, 0, 1}));
      seal();
    }
  }

  void take_in_two_validators() {
    // Of two members only the first seals, so the validators change with the third.
    for (const std::uint8_t key : {2, 3}) {
      register_node(key, contracts::node_type::sn);
      send(1, contracts::node_registry_address(),
           contracts::encode_propose_validator_vote(test_key(key).account(), true));
      seal();
    }
    REQUIRE(chain->validators_after(chain->head()->header.block_num)->size() == 3);
    sealers = {2, 3};
  }

  contracts::merge_trust trust() const { return {{}, chain->genesis_hash()}; }
};

/// The value at a path such as "models.0.digest".
json::value& at(json::value& top, std::string_view path) {
  auto* here = &top;
  while (!path.empty()) {
    const auto key = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), key.size() + 1));
    here = here->is_array() ? &here->as_array().at(std::stoul(std::string(key))) : &here->as_object().at(key);
  }
  return *here;
}

wording message_of(const json::value& file) {
  const auto read = read_proof(json::serialize(file));
  return read ? "" : read.error().message;
}

} // namespace

TEST_CASE("an SN's chain proves a merge, over changes of its validators") {
  trained_chain swarm;
  const auto check = [&](std::uint64_t round_num, std::size_t handovers) {
    const auto made = make_proof(*swarm.chain, contract, round_num);
    REQUIRE_MESSAGE(made, made.error().message);
    CHECK(made->handovers.size() == handovers);
    CHECK(made->models.size() == 2);
    REQUIRE(made->checkers.size() == 1);
    CHECK(made->checkers[0].peer != made->leader);
    CHECK(made->models[0].weightage == second);
    CHECK(made->models[1].excluded == contracts::exclusion_reason::not_finite);
    const auto read = read_proof(json::serialize(to_json(*made)));
    REQUIRE_MESSAGE(read, read.error().message);
    const auto place = contracts::verify_merge_proof(*read, swarm.trust());
    REQUIRE_MESSAGE(place, place.error().message);
    return *place;
  };
  CHECK(check(1, 1).validators == 1);

  swarm.take_in_two_validators();
  swarm.train_round(2);
  CHECK(check(1, 1).validators == 1);
  CHECK(check(2, 2).validators == 3);
}

TEST_CASE("an SN's chain proves a merge that was put together of shards") {
  trained_chain swarm;
  swarm.train_round(2, true);
  const auto made = make_proof(*swarm.chain, contract, 2);
  REQUIRE_MESSAGE(made, made.error().message);
  CHECK(made->shards.size() == 2);
  CHECK(made->checkers.size() == 2);
  CHECK(made->models.size() == 2);
  const auto read = read_proof(json::serialize(to_json(*made)));
  REQUIRE_MESSAGE(read, read.error().message);
  const auto place = contracts::verify_merge_proof(*read, swarm.trust());
  REQUIRE_MESSAGE(place, place.error().message);
  auto bent = *made;
  bent.shards.pop_back();
  CHECK(contracts::verify_merge_proof(bent, swarm.trust()).error().is(contracts::merge_proof_errc::shards));
}

// This is not a test: it writes examples/audit/*.proof.json anew, when the format gets another version.
TEST_CASE("sample" * doctest::skip()) {
  trained_chain swarm;
  swarm.take_in_two_validators();
  swarm.train_round(2);
  swarm.train_round(3, true);
  for (const std::uint64_t round_num : {2, 3}) {
    const auto made = make_proof(*swarm.chain, contract, round_num);
    REQUIRE(made);
    std::ofstream out(fmt::format("{}/examples/audit/{}.proof.json", SWARM_SOURCE_DIR,
                                  round_num == 2 ? "sample" : "shards"));
    out << json::serialize(to_json(*made)) << '\n';
    MESSAGE("genesis hash: ", to_hex(made->chain.genesis_hash.view()));
  }
}

TEST_CASE("records of long ago are proved as ever when the states of their blocks are given up") {
  trained_chain swarm;
  swarm.take_in_two_validators();
  swarm.train_round(2);
  const auto first_round = to_json(*make_proof(*swarm.chain, contract, 1));
  const auto second_round = to_json(*make_proof(*swarm.chain, contract, 2));
  for (int i = 0; i < 10; ++i)
    swarm.seal();
  for (int idle = 0; idle < 2;)
    idle = *swarm.chain->prune() ? 0 : idle + 1;
  REQUIRE(swarm.chain->stats().states_from == swarm.chain->head()->header.block_num - 3);
  for (const std::uint64_t block_num : {0, 5, 9})
    CHECK(swarm.chain->account_of(test_key(1).account(), block_num)
              .error()
              .is(ledger::chain_errc::state_missing));
  CHECK(to_json(*make_proof(*swarm.chain, contract, 1)) == first_round);
  CHECK(to_json(*make_proof(*swarm.chain, contract, 2)) == second_round);
}

TEST_CASE("a round of an earlier generation can still be proved") {
  trained_chain swarm;
  swarm.register_node(2, contracts::node_type::sn);
  swarm.train(2, contracts::encode_reset());
  swarm.seal();
  CHECK(make_proof(*swarm.chain, contract, 1)->generation == 1);
  CHECK(make_proof(*swarm.chain, contract, 1, 1));
  CHECK(wording(make_proof(*swarm.chain, contract, 1, 2).error())
        == "'" + contract + "' has no merge of round 1 in generation 2");
}

TEST_CASE("what cannot be proved is said") {
  trained_chain swarm;
  CHECK(wording(make_proof(*swarm.chain, contract, 7).error())
        == "'" + contract + "' has no merge of round 7");
  CHECK(wording(make_proof(*swarm.chain, "nobody's", 1).error())
        == "there is no training contract 'nobody's' on this chain");
  const auto refused = [&](std::string_view params) {
    return wording(answer_proof(*swarm.chain, params).error());
  };
  CHECK(refused("[]") == "params is not an object");
  CHECK(refused("{}") == "params.contract is missing: the name of a training contract");
  CHECK(refused(R"({"contract":"x"})") == "params.round is missing: the number of a merged round");
  CHECK(refused(R"({"contract":"x","round":"1"})") == "params.round is not a whole number");
  CHECK(refused(R"({"contract":"x","round":-1})") == "params.round is not a whole number");
  const auto answer =
      answer_proof(*swarm.chain, R"({"contract":")" + contract + R"(","round":1,"generation":1})");
  REQUIRE(answer);
  CHECK(read_proof(*answer));
}

TEST_CASE("a proof file is read strictly") {
  trained_chain swarm;
  const json::value good = to_json(*make_proof(*swarm.chain, contract, 1));
  REQUIRE(message_of(good) == "");
  const auto with = [&](std::string_view path, json::value value) {
    auto bent = good;
    at(bent, path) = std::move(value);
    return message_of(bent);
  };
  CHECK(with("format", "another") == "format: 'another', this program reads 'swarmd merge proof'");
  CHECK(with("version", 1) == "version: 1, this program reads version 4");
  CHECK(with("chain_id", 1.5) == "chain_id: not a whole number of 64 bits");
  CHECK(with("round", -1) == "round: not a whole number of 64 bits");
  CHECK(with("term", 1ULL << 32) == "term: does not fit 32 bits");
  CHECK(with("leader", "0x12") == "leader: 1 bytes, must be 20");
  CHECK(with("digest", "12") == "digest: not a text of bytes that starts with 0x");
  CHECK(with("contract", 5) == "contract: not a text");
  CHECK(with("models", 5) == "models: not a list");
  CHECK(with("models.1", 5) == "models[1]: not an object");
  CHECK(with("models.1.excluded", 5) == "models[1].excluded: not a text");
  CHECK(with("models.1.excluded", "late")
        == "models[1].excluded: not one of the reasons of a training contract");
  CHECK(with("models.0.reveal.receipt_proof.0", "0xzz").starts_with("models[0].reveal.receipt_proof[0]: "));
  CHECK(with("blocks.0.seals.0", "0x00") == "blocks[0].seals[0]: 1 bytes, must be 65");
  CHECK(with("handovers.0.validator_proofs.0", nullptr) == "handovers[0].validator_proofs[0]: not a list");
  CHECK(with("merge.transaction_proof", json::array(65))
        == "merge.transaction_proof: 65 items, at most 64 are read");
  for (const auto& field : good.as_object()) {
    auto bent = good;
    bent.as_object().erase(field.key());
    CHECK(message_of(bent) == std::string(field.key()) + ": missing");
  }
  CHECK(wording(read_proof("{").error()).starts_with("not JSON: "));
  CHECK(wording(read_proof("[]").error()) == ": not an object");
  CHECK(wording(read_proof(std::string(20, '[')).error()).starts_with("not JSON: "));
}

namespace {

/// Alters one leaf after the other of a JSON file.
void each_altered(json::value& top, json::value& here, const std::string& path,
                  const std::function<void(const std::string&)>& check) {
  if (here.is_object()) {
    for (auto& field : here.as_object())
      each_altered(top, field.value(), path + "." + std::string(field.key()), check);
    return;
  }
  if (here.is_array()) {
    for (std::size_t i = 0; i < here.as_array().size(); ++i)
      each_altered(top, here.as_array()[i], fmt::format("{}[{}]", path, i), check);
    return;
  }
  const auto kept = here;
  if (here.is_string()) {
    auto& text = here.as_string();
    for (const auto place : {std::size_t{2}, text.size() / 2, text.size() - 1}) {
      const auto before = text[place];
      text[place] = before == '0' ? '1' : '0';
      check(path);
      text[place] = before;
    }
    return;
  }
  here = here.is_null() ? json::value("late") : json::value(here.to_number<std::uint64_t>() + 1);
  check(path);
  here = kept;
}

} // namespace

TEST_CASE("nothing in a proof file can be altered") {
  trained_chain swarm;
  swarm.train_round(2, true);
  std::size_t altered = 0;
  for (const std::uint64_t round_num : {1, 2}) {
    json::value file = to_json(*make_proof(*swarm.chain, contract, round_num));
    each_altered(file, file, "", [&](const std::string& path) {
      const auto read = read_proof(json::serialize(file));
      const auto verdict = read ? contracts::verify_merge_proof(*read, swarm.trust())
                                : result<contracts::merge_place>(tl::unexpected(read.error()));
      CHECK_MESSAGE(!verdict, path);
      if (!verdict) CHECK_MESSAGE(!verdict.error().message.empty(), path);
      ++altered;
    });
  }
  CHECK(altered > 200);
}

} // namespace audit_test
