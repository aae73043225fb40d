#include "ledger/formats/block.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {

void put_txns(rlp_writer& to, std::span<const transaction> txns) {
  to.begin_list();
  for (const auto& txn : txns)
    put_item(to, txn);
  to.end_list();
}

std::size_t size_guess(std::span<const transaction> txns) {
  std::size_t out = 32;
  for (const auto& txn : txns)
    out += txn.raw().size() + 4;
  return out;
}

result<> check_block_size(std::size_t size) {
  if (size > block_size_max)
    return fail(block_errc::too_large, "block: {} bytes, the limit is {}", size, block_size_max);
  return {};
}

/// Reads the transactions, the empty list of ommers and the seals up to the end of `from`.
result<block_body> read_body(rlp_reader& from, std::uint64_t chain_id) {
  SWARM_TRY(rlp_reader list, from.list("transactions"));
  block_body out;
  while (!list.at_end()) {
    if (out.txns.size() == block_txns_max)
      return fail(block_errc::too_many_txns, "block: over {} transactions", block_txns_max);
    SWARM_TRY(const rlp_item item, list.next("transaction"));
    auto next = transaction::decode_item(item, chain_id);
    if (!next)
      return fail_with(std::move(next).error(), fmt::format("block: transaction {}", out.txns.size()));
    out.txns.push_back(std::move(*next));
  }
  SWARM_TRY(const rlp_reader ommers, from.list("ommers"));
  if (!ommers.at_end()) return fail(block_errc::has_ommers, "block: has ommers, this chain has none");
  SWARM_TRY(const rlp_item seals, from.next("parent's seals"));
  SWARM_TRY(out.parent_seals, decode_seals(seals));
  SWARM_CHECK(from.finish());
  return out;
}

void put_rest(rlp_writer& to, const seal_record& parent_seals) {
  to.begin_list().end_list().encoded(encode_seals(parent_seals));
}

} // namespace

bytes encode_block(const block& item) {
  rlp_writer out(size_guess(item.txns) + 732 + item.parent_seals.seals.size() * 67);
  out.begin_list().encoded(encode_header(item.header));
  put_txns(out, item.txns);
  put_rest(out, item.parent_seals);
  return out.end_list().take();
}

result<block> decode_block(bytes_view raw, std::uint64_t chain_id) {
  SWARM_CHECK(check_block_size(raw.size()));
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "block"));
  SWARM_TRY(const rlp_item header, from.next("header"));
  block out;
  SWARM_TRY(out.header, decode_header(header));
  SWARM_TRY(auto body, read_body(from, chain_id));
  out.txns = std::move(body.txns);
  out.parent_seals = std::move(body.parent_seals);
  return out;
}

bytes encode_body(std::span<const transaction> txns, const seal_record& parent_seals) {
  rlp_writer out(size_guess(txns) + 32 + parent_seals.seals.size() * 67);
  out.begin_list();
  put_txns(out, txns);
  put_rest(out, parent_seals);
  return out.end_list().take();
}

result<block_body> decode_body(bytes_view raw, std::uint64_t chain_id) {
  SWARM_CHECK(check_block_size(raw.size()));
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "block body"));
  return read_body(from, chain_id);
}

result<> check_parent_seals(const block_header& header, const seal_record& parent_seals) {
  const auto wanted = hash_of_seals(parent_seals);
  if (std::ranges::equal(header.extra_data, wanted.view())) return {};
  return fail(block_errc::parent_seals,
              "block {}: its extra data is {}, the hash of its parent's seals is {}", header.block_num,
              to_hex(header.extra_data), to_hex(wanted.view()));
}

} // namespace swarm::ledger
