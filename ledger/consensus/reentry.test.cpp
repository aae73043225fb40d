#include "ledger/consensus/reentry.hpp"

#include "base/testing/wording.hpp"
#include "ledger/consensus/testing/fixture.hpp"

namespace reentry_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;
using swarm::testing::says;

namespace {

constexpr auto first = reentry_stride; ///< round of a first re-entry

reentry_place place_of(const scene& at, std::vector<record_entry> stored = {}) {
  return {at.domain, at.head.block_num, at.head.hash, std::move(stored)};
}

result<std::vector<record_entry>> reenter(const scene& at, std::size_t who,
                                          std::vector<record_entry> stored = {},
                                          std::optional<std::uint64_t> round_num = {}) {
  return records_of_reentry(place_of(at, std::move(stored)), fake_scheme(at.validators[who]), at.block_num(),
                            round_num);
}

/// A node that lost its record, with its operator's word.
struct reentering_node : test_node {
  reentering_node(const scene& at, std::size_t self, machine_options options = {})
      : test_node(at, self, std::move(options)) {
    disk = *reenter(at, self);
    begin();
  }
};

reentry_statement word_of(const scene& at, std::size_t who) {
  reentry_statement out{at.block_num(), first, at.head.hash, at.validators[who], {}};
  out.signature = fake_sign(at.validators[who], signed_digest(at.domain, out));
  return out;
}

template <class Action>
bool has(const std::vector<action>& in) {
  return !all_of<Action>(in).empty();
}

const bytes& value_in(const std::vector<record_entry>& records, std::string_view key) {
  return std::find_if(records.begin(), records.end(), [&](const auto& e) { return e.key == key; })->value;
}

round_change_message last_change(const test_node& node) {
  return *decode_round_change(*node.last_said(message_code::round_change));
}

} // namespace

TEST_CASE(
    "a validator without its record says once that it keeps silent, also if it learns later that it is one") {
  scene at(4);
  test_node node(at, 1);
  node.disk.clear();
  CHECK(all_of<report>(node.begin()).size() == 1);
  CHECK(!has<report>(node.feed(head_changed{{8, filled(8), at.validators[0]}, at.validators})));

  scene before(4);
  before.validators.erase(before.validators.begin() + 1);
  test_node later(at, 1);
  later.machine.emplace(machine_options{.domain = at.domain}, fake_scheme(at.validators[1]));
  CHECK(!has<report>(later.feed(start{at.head, before.validators, {}})));
  CHECK(has<report>(later.feed(head_changed{{8, filled(8), at.validators[0]}, at.validators})));
  CHECK(!has<report>(later.feed(head_changed{{9, filled(9), at.validators[0]}, at.validators})));
}

TEST_CASE("an operator's word is for the block after the head, and nothing else") {
  const scene at(4);
  const auto at_block = [&](std::uint64_t block_num) {
    return records_of_reentry(place_of(at), fake_scheme(at.validators[1]), block_num, {});
  };
  CHECK(at_block(8));
  for (const std::uint64_t below : {0, 1, 7}) {
    const auto refused = at_block(below);
    REQUIRE(breaks(refused, consensus_errc::wrong_block));
    CHECK(says(refused.error(), "final"));
    CHECK(says(refused.error(), "--block 8"));
  }
  const auto beyond = at_block(9);
  REQUIRE(breaks(beyond, consensus_errc::wrong_block));
  CHECK(says(beyond.error(), "let it catch up"));
}

TEST_CASE("a key whose record is whole does not re-enter") {
  const scene at(4);
  const auto place = [&](std::uint64_t block_num, std::uint64_t round_num) {
    return record_entry{record_key::place,
                        encode_place({at.validators[1], at.domain.genesis_hash, block_num, round_num})};
  };
  CHECK(breaks(reenter(at, 1, {place(8, 0)}), consensus_errc::record_is_there));
  CHECK(breaks(reenter(at, 1, {place(9, 0)}), consensus_errc::record_is_there)); // the chain lost its end
  CHECK(reenter(at, 1, {place(7, 0)}));                                          // older than the chain
  CHECK(reenter(at, 1, {place(8, 2)}));                                          // without its round change
  CHECK(reenter(at, 2, {place(8, 0)}));                                          // of another key
  CHECK(reenter(at, 1, {place(8, 0), {record_key::prepare, encode(at.commit(1, 0, filled(1)))}}));
  CHECK(breaks(reenter(at, 1, {place(8, 2), {record_key::round_change, encode(at.round_change(1, 2))}}),
               consensus_errc::record_is_there));
  auto torn = place(8, 0);
  torn.value.pop_back();
  CHECK(reenter(at, 1, {torn}));
  CHECK(breaks(reenter(at, 1, *reenter(at, 1)), consensus_errc::record_is_there)); // it has been told already
}

TEST_CASE("a key re-enters in a round beyond those of its last re-entry at the block") {
  const scene at(4);
  const auto round_of = [](const std::vector<record_entry>& records) {
    return decode_place(value_in(records, record_key::place))->round_num;
  };
  CHECK(round_of(*reenter(at, 1)) == first);
  CHECK(round_of(*reenter(at, 1, {}, 3 * first)) == 3 * first);
  for (const std::uint64_t none : {std::uint64_t{0}, std::uint64_t{1}, first + 1, 5 * first})
    CHECK(breaks(reenter(at, 1, {}, none), consensus_errc::wrong_round));
  // Only the place is lost once more.
  const record_entry word{record_key::reentry, encode(word_of(at, 1))};
  CHECK(round_of(*reenter(at, 1, {word})) == 2 * first);
  CHECK(breaks(reenter(at, 1, {word}, first), consensus_errc::wrong_round));
}

TEST_CASE("a certificate that is still there stays, votes do not") {
  const scene at(4);
  const auto on = at.block(0);
  const record_entry kept{record_key::certificate, encode_certificate(8, at.proof(0, on, {0, 1, 2}))};
  const auto records = *reenter(at, 1, {kept, {record_key::commit, encode(at.commit(1, 0, on.hash))}});
  CHECK(value_in(records, record_key::certificate) == kept.value);
  CHECK(value_in(records, record_key::commit).empty());
  const scene later(4, 9);
  CHECK(value_in(*reenter(later, 1, {kept}), record_key::certificate).empty());
}

TEST_CASE("who re-enters listens first, then speaks in the round of re-entry, and again after a restart") {
  const scene at(4);
  reentering_node node(at, 1);
  CHECK(node.machine->status().silent);
  CHECK(node.machine->status().reentering);
  node.feed(work_available{});
  node.hear(at.proposal(0, 0, at.block(0)));
  CHECK(node.said.empty());
  node.timer(timer_kind::reentry);
  CHECK(!node.machine->status().silent);
  CHECK(node.machine->status().round_num == first);
  CHECK(node.said_count(message_code::reentry) == 1);
  CHECK(*node.last_said(message_code::reentry) == encode(word_of(at, 1)));
  CHECK(last_change(node).vote.round_num == first);
  CHECK(!last_change(node).vote.prepared);
  const auto said = node.said;
  node.begin();
  CHECK(node.machine->status().round_num == first);
  REQUIRE(node.said.size() == 2);
  CHECK(*node.last_said(message_code::round_change) == *said.back());
}

TEST_CASE("without work it goes on listening, as an idle chain is silent") {
  const scene at(4);
  reentering_node node(at, 1);
  for (int i = 0; i < 3; ++i)
    CHECK(has<set_timer>(node.timer(timer_kind::reentry)));
  CHECK(node.said.empty());
  node.hear(at.round_change(2, 1)); // others work
  node.timer(timer_kind::reentry);
  CHECK(node.machine->status().round_num == first);
}

TEST_CASE("it takes over the highest certificate that it hears of") {
  const scene at(4);
  const auto low = at.proof(0, at.block(0), {0, 2, 3}), high = at.proof(2, at.block(2, 5), {0, 2, 3});
  for (const bool deaf : {false, true}) {
    machine_options options;
    options.planted.reenters_deaf = deaf;
    reentering_node node(at, 1, options);
    node.hear(at.round_change(0, 1, low));
    node.hear(at.round_change(2, 3, high));
    node.hear(at.round_change(3, 3));
    node.timer(timer_kind::reentry);
    REQUIRE(node.said_count(message_code::round_change) == 1);
    if (deaf) {
      CHECK(!last_change(node).vote.prepared);
      continue;
    }
    CHECK(last_change(node).vote.prepared == prepared_claim{2, high.block.hash});
    node.begin(); // it keeps it
    CHECK(node.machine->status().prepared == prepared_claim{2, high.block.hash});
  }
}

TEST_CASE("if the others have the block, the word is void, and the old rule holds") {
  const scene at(4);
  reentering_node node(at, 1);
  node.feed(head_changed{{8, filled(8), at.validators[0]}, at.validators});
  CHECK(node.machine->status().silent);
  CHECK(!node.machine->status().reentering);
  CHECK(node.machine->records_with_block(8).empty());
  node.feed(work_available{});
  node.timer(timer_kind::reentry);
  node.feed(timer_fired{{timer_kind::reentry, 8, 0}}); // the one of before
  CHECK(node.said.empty());
}

TEST_CASE("it may vote as soon as it sees the block decided while it listens") {
  const scene at(4);
  reentering_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  node.timer(timer_kind::reentry);
  CHECK(node.said.empty());
  node.feed(head_changed{{8, on.hash, at.validators[0]}, at.validators});
  CHECK(!node.machine->status().silent);
}

TEST_CASE("a word of another key or about another chain does not count") {
  const scene at(4);
  test_node node(at, 1);
  const auto with = [&](const reentry_statement& word) {
    node.disk = *reenter(at, 1);
    for (auto& entry : node.disk)
      if (entry.key == record_key::reentry) entry.value = encode(word);
    const auto actions = node.begin();
    CHECK(!has<set_timer>(actions));
    return node.machine->status().silent && !node.machine->status().reentering;
  };
  auto word = word_of(at, 1);
  word.parent_hash = filled(3);
  word.signature = fake_sign(at.validators[1], signed_digest(at.domain, word));
  CHECK(with(word));
  word = word_of(at, 1);
  word.signature = fake_sign(at.validators[2], signed_digest(at.domain, word));
  CHECK(with(word));
  CHECK(with(word_of(at, 2)));
}

TEST_CASE("every SN sees once for each block that an operator has spoken, and believes nothing more") {
  const scene at(4);
  test_node node(at, 1);
  const auto seen = all_of<reentry_seen>(node.hear(word_of(at, 2)));
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].author == at.validators[2]);
  CHECK(seen[0].block_num == 8);
  CHECK(node.hear(word_of(at, 2)).empty());
  auto other = word_of(at, 2); // another word of the same, which costs nothing
  other.round_num = 2 * first;
  CHECK(node.hear(other).empty());
  CHECK(node.machine->status().round_num == 0);
  CHECK(!node.machine->status().active);

  auto word = word_of(at, 3);
  word.signature = fake_sign(at.validators[2], signed_digest(at.domain, word)); // in the name of another
  CHECK(has<penalize>(node.hear(word)));
  word = word_of(at, 3);
  word.account = fake_account(9);
  word.signature = fake_sign(word.account, signed_digest(at.domain, word)); // of no validator
  CHECK(has<penalize>(node.hear(word)));
  word = word_of(at, 3);
  word.parent_hash = filled(1);
  word.signature = fake_sign(at.validators[3], signed_digest(at.domain, word));
  CHECK(has<penalize>(node.hear(word)));
  CHECK(all_of<reentry_seen>(node.hear(word_of(at, 3))).size() == 1);
}

TEST_CASE("f + 1 that re-enter pull the others along") {
  const scene at(4);
  test_node node(at, 1);
  node.feed(work_available{});
  node.hear(at.round_change(2, first));
  CHECK(node.machine->status().round_num == 0);
  node.hear(at.round_change(3, first));
  CHECK(node.machine->status().round_num == first);
}

TEST_CASE("one that re-enters is followed where there is no quorum without it, and only then") {
  const scene at(4);
  test_node needs_it(at, 1);
  needs_it.feed(work_available{});
  needs_it.timer();
  needs_it.hear(at.round_change(2, 1)); // number 0 is gone
  needs_it.hear(at.round_change(3, first));
  CHECK(needs_it.machine->status().round_num == 1);
  needs_it.timer();
  CHECK(needs_it.machine->status().round_num == first);

  test_node needs_nobody(at, 1);
  needs_nobody.feed(work_available{});
  needs_nobody.timer();
  for (const std::size_t who : {0, 2})
    needs_nobody.hear(at.round_change(who, 1));
  needs_nobody.hear(at.round_change(3, first));
  needs_nobody.timer();
  CHECK(needs_nobody.machine->status().round_num == 2);
}

TEST_CASE("a liar leads nobody so far that rounds run out") {
  const scene at(4);
  test_node node(at, 1);
  node.feed(work_available{});
  node.timer();
  node.hear(at.round_change(3, ledger::round_num_max));
  for (int i = 0; i < 20; ++i) {
    node.hear(at.round_change(2, node.machine->status().round_num));
    node.timer();
  }
  CHECK(node.machine->status().round_num > reentry_round_max);
  CHECK(node.machine->status().round_num < reentry_round_max + 20);
}

TEST_CASE("the timeouts of rounds begin anew at a re-entry") {
  const scene at(4);
  reentering_node node(at, 1);
  node.feed(work_available{});
  const auto timers = all_of<set_timer>(node.timer(timer_kind::reentry));
  const auto round = std::find_if(timers.begin(), timers.end(),
                                  [](const auto& one) { return one.timer.kind == timer_kind::round; });
  REQUIRE(round != timers.end());
  CHECK(round->after == machine_options{}.round_timeout_base);
}

} // namespace reentry_test
