#include "ledger/formats/double_vote.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"

#include <doctest/doctest.h>

namespace double_vote_test {

using namespace swarm;
using namespace swarm::ledger;

namespace {

constexpr std::uint64_t chain_id = 1337;
const hash32 genesis_hash = keccak256("genesis");

private_key key(std::uint8_t number) {
  return *private_key::from_bytes(bytes(32, number));
}

bytes content_of(vote_kind kind, std::uint8_t which) {
  block_header header;
  header.block_num = 8;
  header.timestamp = which;
  const auto hash = keccak256(bytes{which});
  rlp_writer out;
  switch (kind) {
  case vote_kind::commit:
    return encode_header(header);
  case vote_kind::round_change:
    out.begin_list();
    if (which > 0) out.number(which).string(hash.view());
    return out.end_list().take();
  default:
    return out.string(hash.view()).take();
  }
}

double_vote::vote signed_by(const private_key& who, const double_vote& at, bytes content) {
  const auto digest = at.kind == vote_kind::commit
                          ? seal_digest(chain_id, genesis_hash, keccak256(content), at.round_num)
                          : vote_digest(chain_id, genesis_hash, at.kind, at.block_num, at.round_num, content);
  return {std::move(content), who.sign_recoverable(digest)};
}

double_vote proof_of(vote_kind kind) {
  double_vote out{kind, 8, 2, {}, {}};
  out.first = signed_by(key(1), out, content_of(kind, 0));
  out.second = signed_by(key(1), out, content_of(kind, 1));
  return out;
}

constexpr std::array kinds{vote_kind::proposal, vote_kind::prepare, vote_kind::commit,
                           vote_kind::round_change};

bool breaks(const result<address>& outcome, double_vote_errc code) {
  return !outcome && outcome.error().is(code) && !outcome.error().message.empty();
}

} // namespace

TEST_CASE("two signatures of one validator for one place prove that it lied, whatever kind of vote it was") {
  for (const auto kind : kinds) {
    CAPTURE(to_string(kind));
    const auto raw = encode_double_vote(proof_of(kind));
    CHECK(raw.size() <= double_vote_size_max);
    const auto read = decode_double_vote(raw);
    REQUIRE(read);
    CHECK(encode_double_vote(*read) == raw);
    CHECK(check_double_vote(*read, chain_id, genesis_hash).value() == key(1).account());
  }
}

TEST_CASE("nobody is convicted by what does not contradict itself, or was signed by two, or elsewhere") {
  for (const auto kind : kinds) {
    CAPTURE(to_string(kind));
    const auto good = proof_of(kind);
    auto bad = good;
    bad.second = bad.first;
    CHECK(breaks(check_double_vote(bad, chain_id, genesis_hash), double_vote_errc::same));
    bad = good;
    bad.second = signed_by(key(2), bad, good.second.content);
    CHECK(breaks(check_double_vote(bad, chain_id, genesis_hash), double_vote_errc::two_authors));
    // Votes of two rounds, two heights or two chains contradict nothing. The signatures give other accounts.
    const auto innocent = [&](const double_vote& item, std::uint64_t chain, const hash32& genesis) {
      const auto author = check_double_vote(item, chain, genesis);
      return !author || *author != key(1).account();
    };
    bad = good;
    bad.round_num = 3;
    bad.second = signed_by(key(1), bad, good.second.content);
    bad.round_num = 2;
    CHECK(innocent(bad, chain_id, genesis_hash));
    CHECK(innocent(good, chain_id + 1, genesis_hash));
    CHECK(innocent(good, chain_id, keccak256("other")));
    bad = good;
    bad.block_num = 9;
    CHECK(innocent(bad, chain_id, genesis_hash));
    for (const auto other : kinds)
      if (other != kind) {
        bad = good;
        bad.kind = other;
        CHECK(innocent(bad, chain_id, genesis_hash));
      }
  }
  auto commits = proof_of(vote_kind::commit);
  commits.block_num = 9;
  CHECK(breaks(check_double_vote(commits, chain_id, genesis_hash), double_vote_errc::other_place));
}

TEST_CASE("whatever bytes are taken for a proof, they are its only encoding") {
  seeded_random random(7);
  for (const auto kind : kinds) {
    const auto good = encode_double_vote(proof_of(kind));
    for (std::size_t size = 0; size < good.size(); ++size)
      REQUIRE(!decode_double_vote(bytes_view(good).first(size)));
    for (int i = 0; i < 5000; ++i) {
      bytes raw = good;
      raw[random.below(raw.size())] = static_cast<std::uint8_t>(random());
      if (const auto read = decode_double_vote(raw)) REQUIRE(encode_double_vote(*read) == raw);
    }
    bytes longer = good;
    longer.push_back(0);
    CHECK(!decode_double_vote(longer));
  }
  CHECK(!decode_double_vote(bytes(double_vote_size_max + 1, 0)));
}

} // namespace double_vote_test
