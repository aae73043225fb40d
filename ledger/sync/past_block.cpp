#include "ledger/sync/past_block.hpp"

#include "base/hash.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::sync {

namespace {

hash32 root_of_txns(std::span<const ledger::transaction> txns) {
  std::vector<bytes> values;
  values.reserve(txns.size());
  for (const auto& txn : txns)
    values.push_back(to_bytes(txn.raw()));
  return ledger::ordered_trie_root(values);
}

hash32 root_of_receipts(std::span<const ledger::receipt> receipts) {
  std::vector<bytes> values;
  values.reserve(receipts.size());
  for (const auto& each : receipts)
    values.push_back(ledger::encode_receipt(each));
  return ledger::ordered_trie_root(values);
}

result<verified_block> check(const past_block& from, std::uint64_t block_num, const hash32& hash,
                             const std::optional<hash32>& seals, std::uint64_t chain_id) {
  verified_block out;
  SWARM_TRY(out.content, ledger::decode_block(from.block, chain_id));
  const auto& header = out.content.header;
  out.hash = ledger::block_hash(header);
  if (header.block_num != block_num || out.hash != hash)
    return fail(errc::invalid, "it is block {} {}, wanted {}", header.block_num, to_hex(out.hash.view()),
                to_hex(hash.view()));
  if (root_of_txns(out.content.txns) != header.txns_root)
    return fail(errc::invalid, "its transactions are not those of its header");
  SWARM_TRY(out.receipts, ledger::decode_receipts(from.receipts));
  if (out.receipts.size() != out.content.txns.size())
    return fail(errc::invalid, "{} receipts for {} transactions", out.receipts.size(),
                out.content.txns.size());
  if (root_of_receipts(out.receipts) != header.receipts_root)
    return fail(errc::invalid, "its receipts are not those of its header");
  SWARM_CHECK(ledger::check_parent_seals(header, out.content.parent_seals));
  if (seals && keccak256(from.seals) != *seals)
    return fail(errc::invalid, "its seals are not those that the next block names");
  SWARM_TRY(out.seals, ledger::decode_seals(from.seals));
  return out;
}

} // namespace

result<verified_block> check_past_block(const past_block& from, std::uint64_t block_num, const hash32& hash,
                                        const std::optional<hash32>& seals, std::uint64_t chain_id) {
  auto out = check(from, block_num, hash, seals, chain_id);
  if (!out) return fail_with(std::move(out).error(), fmt::format("block {}", block_num));
  return out;
}

} // namespace swarm::sync
