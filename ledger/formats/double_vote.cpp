#include "ledger/formats/double_vote.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

constexpr std::string_view vote_domain = "swarm qbft";
constexpr std::uint64_t proof_version = 1;

/// Checks that an item is what a vote of this kind can say. A content has one encoding, so two contents that
/// differ say different things.
result<> check_content(vote_kind kind, const rlp_item& item) {
  if (kind == vote_kind::commit) {
    SWARM_CHECK(decode_header(item));
    return {};
  }
  if (kind != vote_kind::round_change) {
    if (!item.is_list && item.payload.size() == hash32().size()) return {};
    return fail(double_vote_errc::malformed, "double vote: a {} without a block hash", to_string(kind));
  }
  SWARM_TRY(rlp_reader claim, rlp_reader::open(item, "prepared"));
  if (claim.at_end()) return {};
  SWARM_CHECK(claim.number("round"));
  SWARM_CHECK(claim.fixed<32>("digest"));
  return claim.finish();
}

result<double_vote::vote> take_vote(rlp_reader& from, vote_kind kind) {
  double_vote::vote out;
  SWARM_TRY(const rlp_item content, from.next("content"));
  SWARM_CHECK(check_content(kind, content));
  out.content = to_bytes(content.encoded);
  SWARM_TRY(out.signature, from.fixed<65>("signature"));
  return out;
}

result<hash32> digest_of(const double_vote& item, const double_vote::vote& vote, std::uint64_t chain_id,
                         const hash32& genesis_hash) {
  if (item.kind != vote_kind::commit)
    return vote_digest(chain_id, genesis_hash, item.kind, item.block_num, item.round_num, vote.content);
  SWARM_TRY(const auto header, decode_header(vote.content));
  if (header.block_num != item.block_num)
    return fail(double_vote_errc::other_place, "double vote: a commit for block {}, said to be for block {}",
                header.block_num, item.block_num);
  return seal_digest(chain_id, genesis_hash, keccak256(vote.content), item.round_num);
}

} // namespace

std::string_view to_string(vote_kind kind) {
  switch (kind) {
  case vote_kind::proposal:
    return "proposal";
  case vote_kind::prepare:
    return "prepare";
  case vote_kind::commit:
    return "commit";
  case vote_kind::round_change:
    return "round change";
  case vote_kind::reentry:
    return "re-entry";
  }
  return "unknown message";
}

hash32 vote_digest(std::uint64_t chain_id, const hash32& genesis_hash, vote_kind kind,
                   std::uint64_t block_num, std::uint64_t round_num, bytes_view content) {
  rlp_writer out(192);
  out.begin_list().string(as_bytes(vote_domain)).number(vote_version).number(chain_id);
  out.string(genesis_hash.view()).number(static_cast<std::uint8_t>(kind));
  out.number(block_num).number(round_num).encoded(content).end_list();
  return keccak256(out.take());
}

bytes encode_double_vote(const double_vote& item) {
  rlp_writer out(256 + item.first.content.size() + item.second.content.size());
  out.begin_list().number(proof_version).number(static_cast<std::uint8_t>(item.kind));
  out.number(item.block_num).number(item.round_num);
  for (const auto* vote : {&item.first, &item.second})
    out.encoded(vote->content).string(vote->signature.view());
  return out.end_list().take();
}

result<double_vote> decode_double_vote(bytes_view raw) {
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "double vote", double_vote_size_max));
  SWARM_TRY(const std::uint64_t version, from.number("version"));
  SWARM_TRY(const std::uint64_t code, from.number("code"));
  if (version != proof_version || code < static_cast<std::uint8_t>(vote_kind::proposal)
      || code > static_cast<std::uint8_t>(vote_kind::round_change))
    return fail(double_vote_errc::malformed, "double vote: version {}, code {}", version, code);
  double_vote out;
  out.kind = static_cast<vote_kind>(code);
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, from.number("round"));
  SWARM_TRY(out.first, take_vote(from, out.kind));
  SWARM_TRY(out.second, take_vote(from, out.kind));
  SWARM_CHECK(from.finish());
  return out;
}

result<address> check_double_vote(const double_vote& item, std::uint64_t chain_id, const hash32& genesis_hash,
                                  const author_recovery& recover_author) {
  if (item.first.content == item.second.content)
    return fail(double_vote_errc::same, "double vote: both {}s are for the same", to_string(item.kind));
  SWARM_TRY(const auto first, digest_of(item, item.first, chain_id, genesis_hash));
  SWARM_TRY(const auto second, digest_of(item, item.second, chain_id, genesis_hash));
  SWARM_TRY(const auto author, recover_author(first, item.first.signature));
  SWARM_TRY(const auto other, recover_author(second, item.second.signature));
  if (author != other)
    return fail(double_vote_errc::two_authors, "double vote: signed by {} and by {}", to_hex(author.view()),
                to_hex(other.view()));
  return author;
}

} // namespace swarm::ledger
