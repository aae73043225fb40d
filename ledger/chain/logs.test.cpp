#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <doctest/doctest.h>

namespace logs_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::wording;

namespace {

/// Emits one event for each word of the input: the word says which topics (1 to 4 of small numbers).
class noisy_contract final : public native_contract {
public:
  call_outcome call(contract_host& host, const call_context& context, bytes_view input) const override {
    for (auto byte : input) {
      log_entry entry{context.self, {}, {byte}};
      for (std::size_t i = 0; i < byte % 5u; ++i)
        entry.topics.push_back(word((byte >> i) % 3u));
      host.emit(std::move(entry));
    }
    return {};
  }
};

chain_options noisy_options(std::filesystem::path dir) {
  auto out = test_options(std::move(dir));
  out.contracts.kinds.push_back({8, std::make_shared<noisy_contract>()});
  for (std::uint8_t i = 1; i <= 3; ++i)
    out.contracts.genesis.push_back({test_address(i), 8, {}});
  return out;
}

/// Fills a chain with events and returns all of them, in order.
std::vector<log_hit> make_noise(chain& on, seeded_random& random, std::size_t blocks) {
  std::vector<log_hit> all;
  auto key = test_key(9);
  std::uint64_t nonce = 0;
  for (std::size_t b = 0; b < blocks; ++b) {
    auto txns = random.below(4);
    for (std::uint64_t i = 0; i < txns; ++i) {
      txn_fields fields;
      fields.nonce = nonce++;
      fields.gas_limit = 1'000'000;
      fields.to = test_address(static_cast<std::uint8_t>(1 + random.below(3)));
      fields.data.resize(random.below(4));
      for (auto& byte : fields.data)
        byte = static_cast<std::uint8_t>(random.below(256));
      REQUIRE(on.submit(*make_signed(fields, key, default_chain_id)));
    }
    auto block = seal_block(on);
    REQUIRE(block);
    std::uint64_t log_index = 0;
    for (std::size_t i = 0; i < (*block)->outcomes.size(); ++i)
      for (const auto& log : (*block)->outcomes[i].consensus.logs)
        all.push_back(
            {log, (*block)->header.block_num, (*block)->hash, (*block)->txns[i].hash(), i, log_index++});
  }
  return all;
}

bool same(const log_hit& a, const log_hit& b) {
  return a.entry == b.entry && a.block_num == b.block_num && a.block_hash == b.block_hash
         && a.txn_hash == b.txn_hash && a.txn_index == b.txn_index && a.log_index == b.log_index;
}

log_filter some_filter(seeded_random& random, std::uint64_t head) {
  log_filter out;
  out.from_block = random.below(head + 1);
  out.to_block = out.from_block + random.below(head + 5);
  for (std::uint64_t i = random.below(3); i > 0; --i)
    out.addresses.push_back(test_address(static_cast<std::uint8_t>(1 + random.below(4))));
  out.topics.resize(random.below(5));
  for (auto& topic : out.topics)
    for (std::uint64_t i = random.below(3); i > 0; --i)
      topic.push_back(word(random.below(4)));
  return out;
}

} // namespace

TEST_CASE("a filter matches by address and position, null is any, a longer one never matches") {
  log_entry entry{test_address(1), {word(1), word(2)}, {}};
  auto matches = [&](std::vector<address> addresses, std::vector<std::vector<hash32>> topics) {
    return log_filter{.addresses = std::move(addresses), .topics = std::move(topics)}.matches(entry);
  };
  CHECK(matches({}, {}));
  CHECK(matches({test_address(1), test_address(2)}, {}));
  CHECK_FALSE(matches({test_address(2)}, {}));
  CHECK(matches({}, {{word(1)}}));
  CHECK_FALSE(matches({}, {{word(2)}}));
  CHECK(matches({}, {{}, {word(3), word(2)}}));
  CHECK_FALSE(matches({}, {{word(2)}, {word(1)}}));
  CHECK(matches({}, {{}, {}}));
  CHECK_FALSE(matches({}, {{}, {}, {}}));
}

TEST_CASE("log queries find what a look at every log finds, also after a restart") {
  temp_dir dirs;
  seeded_random random(42);
  std::vector<log_hit> all;
  for (int round = 0; round < 2; ++round) {
    auto on = *chain::open(noisy_options(dirs / "a"));
    if (round == 0) all = make_noise(*on, random, 40);
    auto head = on->head()->header.block_num;
    std::size_t found_any = 0;
    for (int i = 0; i < 400; ++i) {
      auto filter = some_filter(random, head);
      std::vector<log_hit> expected;
      for (const auto& hit : all)
        if (hit.block_num >= filter.from_block && hit.block_num <= filter.to_block
            && filter.matches(hit.entry))
          expected.push_back(hit);
      auto got = on->logs(filter);
      REQUIRE(got);
      found_any += got->empty() ? 0 : 1;
      REQUIRE(got->size() == expected.size());
      CHECK(std::equal(got->begin(), got->end(), expected.begin(), same));
    }
    CHECK(found_any > 50);
  }
}

TEST_CASE("log queries that are reversed, too wide or too many are refused") {
  temp_dir dirs;
  auto options = noisy_options(dirs / "a");
  options.limits.logs_max = 5;
  options.limits.log_blocks_max = 8;
  auto on = *chain::open(options);
  seeded_random random(1);
  auto all = make_noise(*on, random, 30);
  REQUIRE(all.size() > 5);
  auto error_of = [&](const log_filter& filter) { return on->logs(filter).error(); };
  CHECK(error_of({.from_block = 3, .to_block = 2}).is(chain_errc::bad_filter));
  CHECK(error_of({.to_block = 9, .topics = std::vector<std::vector<hash32>>(5)}).is(chain_errc::bad_filter));
  CHECK(error_of({.to_block = 9, .addresses = std::vector<address>(257)}).is(chain_errc::bad_filter));
  CHECK(error_of({.to_block = 30}).is(chain_errc::too_many_logs));
  // Every block is looked at, but none has a log of four topics that are all 2.
  log_filter rare{.to_block = 30, .topics = {{word(0), word(1), word(2)}, {}, {}, {word(77)}}};
  CHECK(on->logs(rare)->empty());
  CHECK(on->logs({.from_block = 31, .to_block = 99})->empty());
}

TEST_CASE("a refused log query says how far it came, and succeeds up to there") {
  temp_dir dirs;
  seeded_random random(3);
  const auto limited = [&](const std::string& name, chain_limits limits) {
    auto options = noisy_options(dirs / name);
    options.limits = limits;
    return *chain::open(options);
  };
  std::size_t partial = 0;
  const auto check = [&](chain& on, const log_filter& filter) {
    log_query_work work, again;
    const auto refused = on.logs(filter, work);
    REQUIRE(!refused);
    CHECK(refused.error().is(chain_errc::too_many_logs));
    CHECK(wording(refused.error()).ends_with("ask for fewer blocks"));
    REQUIRE(work.reached <= filter.to_block);
    if (work.reached == filter.from_block) return;
    auto less = filter;
    less.to_block = work.reached - 1;
    CHECK(on.logs(less, again));
    CHECK(again.reached == work.reached);
    CHECK(again.blocks_read <= work.blocks_read);
    CHECK(again.index_seeks <= work.index_seeks);
    ++partial;
  };
  const log_filter two_groups{.to_block = 60, .addresses = {test_address(1)}, .topics = {{word(1), word(2)}}};
  const std::vector<std::pair<std::string, chain_limits>> cases{
      {"a", {.logs_max = 5}}, {"b", {.log_bytes_max = 2000}}, {"c", {.log_blocks_max = 8}}};
  for (const auto& [name, limits] : cases) {
    auto on = limited(name, limits);
    make_noise(*on, random, 60);
    for (std::uint64_t from = 0; from < 20; ++from)
      check(*on, {.from_block = from, .to_block = 60});
  }
  auto on = limited("d", {.log_seeks_max = 6});
  make_noise(*on, random, 60);
  check(*on, two_groups);
  CHECK(partial > 50);
}

TEST_CASE("a log query whose topics never meet reads no block, and its look-ups are bounded") {
  temp_dir dirs;
  auto options = noisy_options(dirs / "a");
  options.limits.log_seeks_max = 50;
  auto on = *chain::open(options);
  seeded_random random(5);
  make_noise(*on, random, 100);
  // One topic may have any value, the other must have one that no log has.
  log_query_work work;
  CHECK(on->logs({.to_block = 100, .topics = {{word(0)}, {word(77)}}}, work)->empty());
  CHECK(work.blocks_read == 0);
  CHECK(work.index_seeks <= 2);
}

} // namespace logs_test
