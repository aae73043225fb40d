#include "ledger/sync/snapshot_wire.hpp"

#include "base/random.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace snapshot_wire_test {

using namespace swarm;
using namespace swarm::sync;

namespace {

hash32 hash_of(std::uint64_t number) {
  return u256(number);
}

/// However `raw` is altered, it is refused or is the one encoding of something else.
template <class Decode>
void check_strict(const bytes& raw, const Decode& decode) {
  for (std::size_t size = 0; size < raw.size(); ++size)
    CHECK_FALSE(decode(bytes_view(raw).first(size)));
  auto longer = raw;
  longer.push_back(0);
  CHECK_FALSE(decode(longer));
  seeded_random random(raw.size());
  for (int i = 0; i < 300; ++i) {
    auto odd = raw;
    odd[random.below(odd.size())] ^= static_cast<std::uint8_t>(1 + random.below(255));
    if (const auto read = decode(odd)) CHECK(encode(*read) == odd);
  }
}

} // namespace

TEST_CASE("questions survive their encoding and are strict") {
  const std::vector<question> all{trust_question{0}, trust_question{70'000},
                                  state_question{{hash_of(1), hash_of(2)}, {hash_of(3)}},
                                  state_question{{}, {hash_of(3)}}, history_question{9'000, 128}};
  for (const auto& each : all) {
    const auto raw = encode(each);
    const auto again = decode_question(raw);
    REQUIRE(again);
    CHECK(*again == each);
    check_strict(raw, decode_question);
  }
}

TEST_CASE("bounds of questions") {
  CHECK_FALSE(decode_question(encode(question(state_question{}))));
  CHECK_FALSE(decode_question(encode(question(history_question{5, 0}))));
  CHECK_FALSE(decode_question(encode(question(history_question{5, history_blocks_max + 1}))));
  CHECK_FALSE(decode_question(bytes{0xc2, 0x04, 0x01}));
  state_question wide;
  wide.nodes.resize(nodes_asked_max / 2 + 1, hash_of(1));
  CHECK(decode_question(encode(question(wide))));
  wide.codes = wide.nodes;
  CHECK_FALSE(decode_question(encode(question(wide))));
}

TEST_CASE("answers survive their encoding and are strict") {
  const state_answer state{{bytes(3, 1), bytes(600, 2)}};
  CHECK(*decode_state_answer(encode(state)) == state);
  check_strict(encode(state), decode_state_answer);
  CHECK(decode_state_answer(encode(state_answer{})));
  CHECK_FALSE(decode_state_answer(encode(state_answer{{bytes(state_item_bytes_max + 1, 1)}})));
  CHECK_FALSE(decode_state_answer(encode(state_answer{std::vector<bytes>(nodes_asked_max + 1, bytes{1})})));

  const history_answer history{{{bytes(30, 1), bytes(20, 2), bytes(10, 3)}, {bytes(1, 1), {}, {}}}};
  CHECK(*decode_history_answer(encode(history)) == history);
  check_strict(encode(history), decode_history_answer);
  CHECK_FALSE(decode_history_answer(encode(history_answer{std::vector<past_block>(history_blocks_max + 1)})));

  ledger::test::paper_chain chain({1, 2, 3});
  chain.add_block({}, {1, 2, 3, 4});
  chain.add_block({});
  trust_answer trust{{chain.handover_at(1)}, {}};
  const auto some = encode(trust);
  REQUIRE(decode_trust_answer(some));
  CHECK(encode(*decode_trust_answer(some)) == some);
  trust.pivot = chain.handover_at(2);
  const auto all = encode(trust);
  const auto again = decode_trust_answer(all);
  REQUIRE(again);
  CHECK(encode(*again) == all);
  CHECK(again->pivot->block.header == trust.pivot->block.header);
  for (std::size_t size = 0; size < all.size(); size += 13)
    CHECK_FALSE(decode_trust_answer(bytes_view(all).first(size)));
  trust.changes.resize(changes_max + 1, trust.changes.front());
  CHECK_FALSE(decode_trust_answer(encode(trust)));
}

} // namespace snapshot_wire_test
