#include "ledger/consensus/messages.hpp"

#include "ledger/consensus/testing/fixture.hpp"

namespace messages_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;
using ledger::rlp_errc;

namespace {

const scene at(4);

template <class Message, class Decode>
void check_strict(const Message& item, Decode decode) {
  const bytes raw = encode(item);
  const auto back = decode(raw);
  REQUIRE(back.has_value());
  CHECK(encode(*back) == raw);
  for (std::size_t size = 0; size < raw.size(); ++size)
    REQUIRE(!decode(bytes_view(raw).first(size)));
  bytes longer = raw;
  longer.push_back(0);
  CHECK(breaks(decode(longer), rlp_errc::trailing_bytes));
}

proposal_message justified_proposal() {
  const auto on = at.block(0);
  const auto proof = at.proof(1, on, {0, 1, 2});
  const prepared_claim claim{1, on.hash};
  return at.proposal(2, 2, on, {at.vote(0, 2, claim), at.vote(1, 2, claim), at.vote(3, 2)}, proof.prepares);
}

} // namespace

TEST_CASE("messages survive encoding and are refused when a byte is missing or over") {
  const auto on = at.block(0);
  check_strict(at.proposal(0, 0, on), decode_proposal);
  check_strict(justified_proposal(), decode_proposal);
  check_strict(at.prepare(1, 0, on.hash), decode_prepare);
  check_strict(at.commit(1, 5, on.hash), decode_commit);
  check_strict(at.round_change(1, 3), decode_round_change);
  check_strict(at.round_change(1, 3, at.proof(2, on, {0, 1, 2})), decode_round_change);
  check_strict(reentry_statement{8, 100'000, at.head.hash, at.validators[1], fake_sign(at.validators[1], {})},
               decode_reentry);
}

TEST_CASE("decoded fields are those that were encoded") {
  const auto sent = justified_proposal();
  const auto got = decode_proposal(encode(sent)).value();
  CHECK(got.block_num == 8);
  CHECK(got.round_num == 2);
  CHECK(got.block.hash == sent.block.hash);
  CHECK(got.block.parent_hash == at.head.hash);
  CHECK(got.block.proposer == at.validators[0]);
  CHECK(got.round_changes == sent.round_changes);
  CHECK(got.prepares == sent.prepares);
  const auto head = read_head(encode(sent)).value();
  CHECK(head.code == message_code::proposal);
  CHECK(head.block_num == 8);
  CHECK(head.round_num == 2);
}

TEST_CASE("another version, an unknown code and a huge round are refused by the head alone") {
  const auto raw = [](std::uint64_t version, std::uint64_t code, std::uint64_t round_num) {
    return ledger::rlp_writer()
        .begin_list()
        .number(version)
        .number(code)
        .number(8)
        .number(round_num)
        .end_list()
        .take();
  };
  CHECK(read_head(raw(1, 0x15, ledger::round_num_max)));
  CHECK(breaks(read_head(raw(2, 0x15, 1)), consensus_errc::version));
  CHECK(breaks(read_head(raw(1, 0x11, 1)), consensus_errc::unknown_code));
  CHECK(read_head(raw(1, 0x16, 1)));
  CHECK(breaks(read_head(raw(1, 0x17, 1)), consensus_errc::unknown_code));
  CHECK(breaks(read_head(raw(1, 0x112, 1)), consensus_errc::unknown_code));
  CHECK(breaks(read_head(raw(1, 0x15, ledger::round_num_max + 1)), consensus_errc::round_too_large));
  CHECK(breaks(read_head(raw(1, 0x15, std::uint64_t{1} << 31)), consensus_errc::round_too_large));
  CHECK(breaks(read_head(bytes(message_size_max + 1)), consensus_errc::too_large));
  CHECK(!read_head({}));
}

TEST_CASE("a message is not taken for one of another code") {
  const bytes prepare = encode(at.prepare(1, 0, filled(3)));
  CHECK(breaks(decode_commit(prepare), consensus_errc::unknown_code));
  CHECK(!decode_proposal(prepare));
}

TEST_CASE("huge rounds hide nowhere") {
  auto vote = at.vote(1, 3, prepared_claim{ledger::round_num_max + 1, filled(1)});
  round_change_message item{vote, at.block(0), {}};
  CHECK(breaks(decode_round_change(encode(item)), consensus_errc::round_too_large));
  auto prepare = at.prepare(0, ledger::round_num_max + 1, filled(1));
  CHECK(breaks(decode_prepare(encode(prepare)), consensus_errc::round_too_large));
  CHECK(breaks(decode_proposal(encode(at.proposal(0, 0, at.block(0), {}, {prepare}))),
               consensus_errc::round_too_large));
}

TEST_CASE("lists of more signatures than validators can be are refused") {
  const std::vector<signed_prepare> many(ledger::seals_max + 1, at.prepare(0, 0, filled(1)));
  CHECK(breaks(decode_proposal(encode(at.proposal(0, 0, at.block(0), {}, many))),
               consensus_errc::too_many_items));
  const std::vector<signed_round_change> votes(ledger::seals_max + 1, at.vote(0, 1));
  CHECK(
      breaks(decode_proposal(encode(at.proposal(0, 0, at.block(0), votes))), consensus_errc::too_many_items));
}

TEST_CASE("signatures bind chain, genesis, code, height, round and content") {
  const auto vote = at.prepare(0, 2, filled(1));
  const auto digest = signed_digest(at.domain, vote);
  auto other = at.domain;
  other.chain_id = 1338;
  CHECK(signed_digest(other, vote) != digest);
  other = at.domain;
  other.genesis_hash = filled(0x48);
  CHECK(signed_digest(other, vote) != digest);
  auto changed = vote;
  changed.block_num = 9;
  CHECK(signed_digest(at.domain, changed) != digest);
  changed = vote;
  changed.round_num = 3;
  CHECK(signed_digest(at.domain, changed) != digest);
  changed = vote;
  changed.digest = filled(2);
  CHECK(signed_digest(at.domain, changed) != digest);
  CHECK(proposal_digest(at.domain, vote.block_num, vote.round_num, vote.digest) != digest);
  const auto plain = signed_digest(at.domain, at.vote(0, 2));
  CHECK(signed_digest(at.domain, at.vote(0, 2, prepared_claim{0, filled(1)})) != plain);
  CHECK(signed_digest(at.domain, at.vote(0, 2, prepared_claim{1, filled(1)}))
        != signed_digest(at.domain, at.vote(0, 2, prepared_claim{0, filled(1)})));
}

TEST_CASE("a commit carries the seal that stands beside the block, and its round is not in the block hash") {
  const auto on = at.block(0);
  const auto vote = at.commit(1, 2, on.hash);
  CHECK(seal_digest(at.domain, vote) == ledger::seal_digest(1337, filled(0x47), on.hash, 2));
  CHECK(at.commit(1, 3, on.hash).seal != vote.seal);
  CHECK(at.proposal(0, 0, on).block.hash == at.proposal(2, 2, on).block.hash);
}

TEST_CASE("a block's hash stands for its transactions") {
  auto good = at.block(0);
  CHECK(check_body(good));
  CHECK(good.body_checked);
  // The same header over other transactions, over a legacy one disguised as a string, and over ommers.
  bool seals_too = true;
  const auto with = [&](auto&& put_rest) {
    auto from = ledger::rlp_reader::open(*good.raw, "block").value();
    ledger::rlp_writer out;
    out.begin_list().encoded(from.next("header")->encoded);
    put_rest(out);
    if (seals_too) out.encoded(ledger::encode_seals({}));
    return *read_block(std::make_shared<const bytes>(out.end_list().take()));
  };
  auto other = with([](auto& out) {
    out.begin_list().string(bytes{0x02, 0xc1, 0x80}).end_list().begin_list().end_list();
  });
  CHECK(other.hash == good.hash);
  CHECK(breaks(check_body(other), consensus_errc::body_mismatch));
  auto none = with([](auto& out) { out.begin_list().end_list().begin_list().end_list(); });
  CHECK(breaks(check_body(none), consensus_errc::body_mismatch));
  auto ommers = with([](auto& out) {
    out.begin_list().string(bytes{0x02, 0xc0}).end_list().begin_list().string(bytes{1}).end_list();
  });
  CHECK(breaks(check_body(ommers), consensus_errc::body_mismatch));
  auto more = with([](auto& out) {
    out.begin_list().string(bytes{0x02, 0xc0}).end_list().begin_list().end_list().number(1);
  });
  CHECK(breaks(check_body(more), rlp_errc::extra_item));

  // Other seals of the parent than those that the header names, and none.
  seals_too = false;
  const auto with_seals = [&](const bytes& seals) {
    return with([&](auto& out) {
      out.begin_list().string(bytes{0x02, 0xc0}).end_list().begin_list().end_list().encoded(seals);
    });
  };
  auto same = with_seals(ledger::encode_seals({}));
  CHECK(*same.raw == *good.raw);
  auto others = with_seals(ledger::encode_seals({1, {}}));
  CHECK(others.hash == good.hash);
  CHECK(breaks(check_body(others), consensus_errc::body_mismatch));
  auto without = with_seals({});
  CHECK(breaks(check_body(without), rlp_errc::missing_item));

  // A legacy transaction is a list; wrapped into a string it would have the same root.
  const bytes legacy{0xc1, 0x05};
  auto wrapped = make_block(at.head, at.validators[0], 1, {legacy});
  CHECK(breaks(check_body(wrapped), consensus_errc::body_mismatch));
}

} // namespace messages_test
