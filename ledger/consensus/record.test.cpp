#include "ledger/consensus/record.hpp"

#include "ledger/consensus/testing/fixture.hpp"

namespace record_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;

namespace {

const scene at(4);

std::vector<record_entry> full_record() {
  const auto on = at.block(0);
  return {{record_key::place, encode_place({at.validators[1], at.domain.genesis_hash, 8, 2})},
          {record_key::prepare, encode(at.prepare(1, 2, on.hash))},
          {record_key::commit, encode(at.commit(1, 2, on.hash))},
          {record_key::round_change, encode(at.round_change(1, 2))},
          {record_key::proposal, encode(at.proposal(0, 0, on))},
          {record_key::certificate, encode_certificate(8, at.proof(2, on, {0, 1, 2}))}};
}

auto load(const std::vector<record_entry>& entries) {
  return load_records(entries, at.validators[1], at.domain.genesis_hash);
}

} // namespace

TEST_CASE("a record is read back as it was written") {
  const auto entries = full_record();
  const auto saved = load(entries).value().value();
  CHECK(saved.place.block_num == 8);
  CHECK(saved.place.round_num == 2);
  CHECK(saved.prepare == entries[1].value);
  CHECK(saved.commit == entries[2].value);
  CHECK(saved.round_change == entries[3].value);
  CHECK(saved.proposal == entries[4].value);
  REQUIRE(saved.prepared);
  CHECK(saved.prepared->round_num == 2);
  CHECK(saved.prepared->block.hash == at.block(0).hash);
  CHECK(saved.prepared->prepares == at.prepares({0, 1, 2}, 2, at.block(0).hash));
}

TEST_CASE("entries of another height are left out") {
  auto entries = full_record();
  entries[0].value = encode_place({at.validators[1], at.domain.genesis_hash, 9, 0});
  const auto saved = load(entries).value().value();
  CHECK(saved.prepare.empty());
  CHECK(saved.commit.empty());
  CHECK(saved.round_change.empty());
  CHECK(saved.proposal.empty());
  CHECK(!saved.prepared);
}

TEST_CASE("a record of another key or chain is none") {
  CHECK(!load_records(full_record(), at.validators[2], at.domain.genesis_hash).value());
  CHECK(!load_records(full_record(), at.validators[1], filled(1)).value());
  CHECK(!load({}).value());
}

TEST_CASE("a damaged record is an error, whichever byte is missing") {
  for (std::size_t which = 0; which < 6; ++which) {
    auto entries = full_record();
    const auto whole = entries[which].value;
    for (std::size_t size = 1; size < whole.size(); ++size) {
      entries[which].value.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto loaded = load(entries);
      // Messages are only looked at up to their height here; the machine decodes the rest.
      if (which == 0 || which == 5) REQUIRE(!loaded);
    }
  }
  auto entries = full_record();
  entries[0].value = ledger::rlp_writer().begin_list().number(2).end_list().take();
  CHECK(breaks(load(entries), consensus_errc::damaged_record));
}

TEST_CASE("a snapshot moves the record on only if nothing can have been signed after its block") {
  const auto moved = [](const std::vector<record_entry>& stored, std::uint64_t head_num,
                        std::uint64_t pivot_num) {
    return records_with_pivot(stored, at.validators[1], at.domain.genesis_hash, head_num, pivot_num);
  };
  const auto whole = full_record(); // of block 8
  const auto next = moved(whole, 7, 100);
  REQUIRE(next.size() == 1);
  const auto saved = load(next).value().value();
  CHECK(saved.place.block_num == 101);
  CHECK(saved.place.round_num == 0);
  CHECK(moved(whole, 3, 8).size() == 1); // the chain had lost its end: block 8 was voted on, no later one
  CHECK(moved(whole, 3, 7).empty());     // the votes on block 8 are still good, and needed
  CHECK(moved(whole, 8, 100).empty());   // older than the chain: it says nothing
  CHECK(moved({}, 7, 100).empty());
  const record_entry& place = whole[0];
  CHECK(moved({place}, 7, 100).empty()); // in round 2 without what led there
  CHECK(moved({{record_key::place, encode_place({at.validators[1], at.domain.genesis_hash, 8, 0})}}, 7, 100)
            .size()
        == 1);
  CHECK(records_with_pivot(whole, at.validators[0], at.domain.genesis_hash, 7, 100).empty());
  CHECK(records_with_pivot(whole, at.validators[1], filled(9), 7, 100).empty());
  auto torn = whole;
  torn[0].value.resize(torn[0].value.size() / 2);
  CHECK(moved(torn, 7, 100).empty());
}

TEST_CASE("a node that took a snapshot starts with the record that was moved on, and may vote") {
  scene next(4, 101);
  next.head = {100, filled(5), next.validators[0]};
  test_node node(next, 1);
  node.disk = records_with_pivot(full_record(), at.validators[1], at.domain.genesis_hash, 7, 100);
  node.begin();
  CHECK(!node.machine->status().silent);
  node.disk = full_record(); // without moving it on
  node.begin();
  CHECK(node.machine->status().silent);
}

} // namespace record_test
