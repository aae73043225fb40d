#include "ledger/consensus/reentry.hpp"

#include <fmt/format.h>

namespace swarm::consensus {

namespace {

const bytes* value_of(const reentry_place& at, std::string_view key) {
  const auto found =
      std::find_if(at.stored.begin(), at.stored.end(), [&](const auto& e) { return e.key == key; });
  return found == at.stored.end() || found->value.empty() ? nullptr : &found->value;
}

result<> check_block(const reentry_place& at, std::uint64_t block_num) {
  const auto next = at.head_num + 1;
  if (block_num == next) return {};
  if (block_num < next)
    return fail(
        consensus_errc::wrong_block,
        "block {} is here and final, the head is block {} {}; a validator can only vote on block {}. If all "
        "SNs have this head, say --block {}",
        block_num, at.head_num, to_hex(at.head_hash.view()), next, next);
  return fail(
      consensus_errc::wrong_block,
      "this directory ends at block {} {}: it must be at block {} first. Start the SN, let it catch up with "
      "the others (it does so while it keeps silent), and stop it again",
      at.head_num, to_hex(at.head_hash.view()), block_num - 1);
}

/// As the machine judges it when it starts.
bool is_whole(const saved_height& own) {
  if (!own.proposal.empty() && !decode_proposal(own.proposal)) return false;
  if (!own.prepare.empty() && !decode_prepare(own.prepare)) return false;
  if (!own.commit.empty() && !decode_commit(own.commit)) return false;
  if (own.round_change.empty()) return own.place.round_num == 0 || own.reentry;
  const auto said = decode_round_change(own.round_change);
  return said && (own.place.round_num == 0 || said->vote.round_num == own.place.round_num);
}

result<> check_lost(const reentry_place& at, const address& account) {
  const auto saved = load_records(at.stored, account, at.domain.genesis_hash);
  if (!saved || !*saved || (*saved)->place.block_num <= at.head_num || !is_whole(**saved)) return {};
  const auto& own = **saved;
  if (own.reentry && own.round_change.empty())
    return fail(consensus_errc::record_is_there,
                "it re-enters at block {} already: start the SN, and see what its status says",
                own.place.block_num);
  return fail(
      consensus_errc::record_is_there,
      "the record of this key's votes is whole, up to block {}: this validator does not keep silent for it. "
      "Start the SN; if there is no quorum, re-enter those validators that say that they keep silent",
      own.place.block_num);
}

/// The round of the last re-entry at this block, if it is still known.
std::uint64_t round_before(const reentry_place& at) {
  const auto* raw = value_of(at, record_key::reentry);
  if (raw == nullptr) return 0;
  const auto word = decode_reentry(*raw);
  return word && word->block_num == at.head_num + 1 ? word->round_num : 0;
}

result<std::uint64_t> choose_round(const reentry_place& at, std::optional<std::uint64_t> wanted) {
  const auto before = round_before(at);
  const auto out = wanted.value_or(before + reentry_stride);
  if (out == 0 || out % reentry_stride != 0 || out > reentry_round_max)
    return fail(consensus_errc::wrong_round, "round {}: a key re-enters in round {}, {}, ... or {}", out,
                reentry_stride, 2 * reentry_stride, reentry_round_max);
  if (out <= before)
    return fail(
        consensus_errc::wrong_round,
        "this key has re-entered at block {} in round {} before, and may have signed there; say --round {}",
        at.head_num + 1, before, before + reentry_stride);
  return out;
}

/// A certificate proves itself: who has one of this block keeps it, and does not vote against it.
bytes certificate_kept(const reentry_place& at, std::uint64_t block_num, std::uint64_t round_num) {
  const auto* raw = value_of(at, record_key::certificate);
  if (raw == nullptr) return {};
  const auto stored = decode_certificate(*raw);
  const bool fits = stored && stored->block_num == block_num && stored->proof.round_num < round_num
                    && stored->proof.block.parent_hash == at.head_hash;
  return fits ? *raw : bytes{};
}

} // namespace

result<std::vector<record_entry>> records_of_reentry(const reentry_place& at, const signature_scheme& scheme,
                                                     std::uint64_t block_num,
                                                     std::optional<std::uint64_t> round_num) {
  SWARM_CHECK(check_block(at, block_num));
  SWARM_CHECK(check_lost(at, scheme.account));
  SWARM_TRY(const std::uint64_t round, choose_round(at, round_num));
  reentry_statement word{block_num, round, at.head_hash, scheme.account, {}};
  word.signature = scheme.sign(signed_digest(at.domain, word));
  return std::vector<record_entry>{
      {record_key::place, encode_place({scheme.account, at.domain.genesis_hash, block_num, round})},
      {record_key::reentry, encode(word)},
      {record_key::certificate, certificate_kept(at, block_num, round)},
      {record_key::proposal, {}},
      {record_key::prepare, {}},
      {record_key::commit, {}},
      {record_key::round_change, {}}};
}

} // namespace swarm::consensus
