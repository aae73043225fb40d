#include "ledger/consensus/messages.hpp"

#include "base/hash.hpp"

namespace swarm::consensus {

using ledger::rlp_reader;
using ledger::rlp_writer;

namespace {

constexpr std::size_t vote_size = 160; ///< bytes of one signed vote in a list, at most

rlp_writer begin_message(message_code code, std::uint64_t block_num, std::uint64_t round_num,
                         std::size_t size) {
  rlp_writer out(size + 64);
  out.begin_list().number(wire_version).number(static_cast<std::uint8_t>(code));
  out.number(block_num).number(round_num);
  return out;
}

void put_claim(rlp_writer& out, const std::optional<prepared_claim>& claim) {
  out.begin_list();
  if (claim) out.number(claim->round_num).string(claim->digest.view());
  out.end_list();
}

void put_prepares(rlp_writer& out, std::span<const signed_prepare> prepares) {
  out.begin_list();
  for (const auto& item : prepares) {
    out.begin_list().number(item.block_num).number(item.round_num);
    out.string(item.digest.view()).string(item.signature.view()).end_list();
  }
  out.end_list();
}

void put_round_changes(rlp_writer& out, std::span<const signed_round_change> votes) {
  out.begin_list();
  for (const auto& item : votes) {
    out.begin_list().number(item.block_num).number(item.round_num);
    put_claim(out, item.prepared);
    out.string(item.signature.view()).end_list();
  }
  out.end_list();
}

result<std::uint64_t> take_round(rlp_reader& from) {
  SWARM_TRY(const std::uint64_t round_num, from.number("round"));
  if (round_num > ledger::round_num_max)
    return fail(consensus_errc::round_too_large, "round {}, at most {} is believed", round_num,
                ledger::round_num_max);
  return round_num;
}

result<std::optional<prepared_claim>> take_claim(rlp_reader& from) {
  SWARM_TRY(rlp_reader list, from.list("prepared"));
  if (list.at_end()) return std::optional<prepared_claim>{};
  prepared_claim out;
  SWARM_TRY(out.round_num, take_round(list));
  SWARM_TRY(out.digest, list.fixed<32>("digest"));
  SWARM_CHECK(list.finish());
  return std::optional{out};
}

/// Reads a prepare's fields, as they stand in a message or inside a list.
result<signed_prepare> take_prepare(rlp_reader& from) {
  signed_prepare out;
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, take_round(from));
  SWARM_TRY(out.digest, from.fixed<32>("digest"));
  SWARM_TRY(out.signature, from.fixed<65>("signature"));
  SWARM_CHECK(from.finish());
  return out;
}

tl::unexpected<error> too_many(std::string_view what) {
  return fail(consensus_errc::too_many_items, "over {} {}", ledger::seals_max, what);
}

result<std::vector<signed_prepare>> take_prepares(rlp_reader& from) {
  SWARM_TRY(rlp_reader list, from.list("prepares"));
  std::vector<signed_prepare> out;
  while (!list.at_end()) {
    if (out.size() == ledger::seals_max) return too_many("prepares");
    SWARM_TRY(rlp_reader item, list.list("prepare"));
    SWARM_TRY(const signed_prepare vote, take_prepare(item));
    out.push_back(vote);
  }
  return out;
}

result<std::vector<signed_round_change>> take_round_changes(rlp_reader& from) {
  SWARM_TRY(rlp_reader list, from.list("round changes"));
  std::vector<signed_round_change> out;
  while (!list.at_end()) {
    if (out.size() == ledger::seals_max) return too_many("round changes");
    SWARM_TRY(rlp_reader item, list.list("round change"));
    signed_round_change vote;
    SWARM_TRY(vote.block_num, item.number("block number"));
    SWARM_TRY(vote.round_num, take_round(item));
    SWARM_TRY(vote.prepared, take_claim(item));
    SWARM_TRY(vote.signature, item.fixed<65>("signature"));
    SWARM_CHECK(item.finish());
    out.push_back(vote);
  }
  return out;
}

result<rlp_reader> open_message(bytes_view raw) {
  if (raw.size() > message_size_max)
    return fail(consensus_errc::too_large, "message: {} bytes, the limit is {}", raw.size(),
                message_size_max);
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "message", message_size_max));
  SWARM_TRY(const std::uint64_t version, from.number("version"));
  if (version != wire_version)
    return fail(consensus_errc::version, "message: version {}, this program speaks version {}", version,
                wire_version);
  return from;
}

/// Opens a message that must have a certain code.
result<rlp_reader> open_message(bytes_view raw, message_code wanted) {
  SWARM_TRY(rlp_reader from, open_message(raw));
  SWARM_TRY(const std::uint64_t code, from.number("code"));
  if (code != static_cast<std::uint8_t>(wanted))
    return fail(consensus_errc::unknown_code, "message: code {}, expected a {}", code, to_string(wanted));
  return from;
}

result<proposed_block> take_block(bytes_view raw) {
  return read_block(std::make_shared<const bytes>(to_bytes(raw)));
}

} // namespace

result<message_head> read_head(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw));
  SWARM_TRY(const std::uint64_t code, from.number("code"));
  if (code < static_cast<std::uint8_t>(message_code::proposal)
      || code > static_cast<std::uint8_t>(message_code::reentry))
    return fail(consensus_errc::unknown_code, "message: code {} is unknown", code);
  message_head out;
  out.code = static_cast<message_code>(code);
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, take_round(from));
  return out;
}

bytes content_of(const hash32& block_hash) {
  return rlp_writer(40).string(block_hash.view()).take();
}

bytes content_of(const std::optional<prepared_claim>& claim) {
  rlp_writer out(50);
  put_claim(out, claim);
  return out.take();
}

hash32 proposal_digest(const signing_domain& domain, std::uint64_t block_num, std::uint64_t round_num,
                       const hash32& block_hash) {
  return ledger::vote_digest(domain.chain_id, domain.genesis_hash, message_code::proposal, block_num,
                             round_num, content_of(block_hash));
}

hash32 signed_digest(const signing_domain& domain, const signed_prepare& vote) {
  return ledger::vote_digest(domain.chain_id, domain.genesis_hash, message_code::prepare, vote.block_num,
                             vote.round_num, content_of(vote.digest));
}

hash32 signed_digest(const signing_domain& domain, const signed_round_change& vote) {
  return ledger::vote_digest(domain.chain_id, domain.genesis_hash, message_code::round_change, vote.block_num,
                             vote.round_num, content_of(vote.prepared));
}

hash32 signed_digest(const signing_domain& domain, const reentry_statement& word) {
  rlp_writer content(80);
  content.begin_list().string(word.parent_hash.view()).string(word.account.view()).end_list();
  return ledger::vote_digest(domain.chain_id, domain.genesis_hash, message_code::reentry, word.block_num,
                             word.round_num, content.take());
}

hash32 seal_digest(const signing_domain& domain, const commit_message& vote) {
  return ledger::seal_digest(domain.chain_id, domain.genesis_hash, vote.digest, vote.round_num);
}

bytes encode(const proposal_message& item) {
  const auto votes = item.round_changes.size() + item.prepares.size();
  auto out = begin_message(message_code::proposal, item.block_num, item.round_num,
                           item.block.raw->size() + 100 + votes * vote_size);
  out.string(*item.block.raw).string(item.signature.view());
  put_round_changes(out, item.round_changes);
  put_prepares(out, item.prepares);
  return out.end_list().take();
}

bytes encode(const signed_prepare& item) {
  auto out = begin_message(message_code::prepare, item.block_num, item.round_num, vote_size);
  return out.string(item.digest.view()).string(item.signature.view()).end_list().take();
}

bytes encode(const commit_message& item) {
  auto out = begin_message(message_code::commit, item.block_num, item.round_num, vote_size);
  return out.string(item.digest.view()).string(item.seal.view()).end_list().take();
}

bytes encode(const round_change_message& item) {
  const auto block_size = item.block ? item.block->raw->size() : 0;
  auto out = begin_message(message_code::round_change, item.vote.block_num, item.vote.round_num,
                           block_size + 150 + item.prepares.size() * vote_size);
  put_claim(out, item.vote.prepared);
  out.string(item.vote.signature.view());
  out.string(item.block ? bytes_view(*item.block->raw) : bytes_view{});
  put_prepares(out, item.prepares);
  return out.end_list().take();
}

bytes encode(const reentry_statement& item) {
  auto out = begin_message(message_code::reentry, item.block_num, item.round_num, vote_size);
  out.string(item.parent_hash.view()).string(item.account.view()).string(item.signature.view());
  return out.end_list().take();
}

result<proposal_message> decode_proposal(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw, message_code::proposal));
  proposal_message out;
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, take_round(from));
  SWARM_TRY(const bytes_view block, from.string("block", ledger::block_size_max));
  SWARM_TRY(out.signature, from.fixed<65>("signature"));
  SWARM_TRY(out.round_changes, take_round_changes(from));
  SWARM_TRY(out.prepares, take_prepares(from));
  SWARM_CHECK(from.finish());
  SWARM_TRY(out.block, take_block(block));
  return out;
}

result<signed_prepare> decode_prepare(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw, message_code::prepare));
  return take_prepare(from);
}

result<commit_message> decode_commit(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw, message_code::commit));
  SWARM_TRY(const signed_prepare same_form, take_prepare(from));
  return commit_message{same_form.block_num, same_form.round_num, same_form.digest, same_form.signature};
}

result<round_change_message> decode_round_change(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw, message_code::round_change));
  round_change_message out;
  SWARM_TRY(out.vote.block_num, from.number("block number"));
  SWARM_TRY(out.vote.round_num, take_round(from));
  SWARM_TRY(out.vote.prepared, take_claim(from));
  SWARM_TRY(out.vote.signature, from.fixed<65>("signature"));
  SWARM_TRY(const bytes_view block, from.string("block", ledger::block_size_max));
  SWARM_TRY(out.prepares, take_prepares(from));
  SWARM_CHECK(from.finish());
  if (!block.empty()) {
    SWARM_TRY(out.block, take_block(block));
  }
  return out;
}

result<reentry_statement> decode_reentry(bytes_view raw) {
  SWARM_TRY(rlp_reader from, open_message(raw, message_code::reentry));
  reentry_statement out;
  SWARM_TRY(out.block_num, from.number("block number"));
  SWARM_TRY(out.round_num, take_round(from));
  SWARM_TRY(out.parent_hash, from.fixed<32>("parent hash"));
  SWARM_TRY(out.account, from.fixed<20>("account"));
  SWARM_TRY(out.signature, from.fixed<65>("signature"));
  SWARM_CHECK(from.finish());
  return out;
}

void put_prepares_into(ledger::rlp_writer& out, std::span<const signed_prepare> prepares) {
  put_prepares(out, prepares);
}

result<std::vector<signed_prepare>> take_prepares_from(ledger::rlp_reader& from) {
  return take_prepares(from);
}

} // namespace swarm::consensus
