#include "ledger/formats/block.hpp"

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

result<> check_size(std::size_t size) {
  if (size > block_size_max)
    return fail(block_errc::too_large, "block: {} bytes, the limit is {}", size, block_size_max);
  return {};
}

/// Reads the transactions and the empty list of ommers up to the end of `from`.
result<std::vector<transaction>> read_body(rlp_reader& from, std::uint64_t chain_id) {
  SWARM_TRY(rlp_reader list, from.list("transactions"));
  std::vector<transaction> out;
  while (!list.at_end()) {
    if (out.size() == block_txns_max)
      return fail(block_errc::too_many_txns, "block: over {} transactions", block_txns_max);
    SWARM_TRY(const rlp_item item, list.next("transaction"));
    auto next = transaction::decode_item(item, chain_id);
    if (!next) return fail_with(std::move(next).error(), fmt::format("block: transaction {}", out.size()));
    out.push_back(std::move(*next));
  }
  SWARM_TRY(const rlp_reader ommers, from.list("ommers"));
  if (!ommers.at_end()) return fail(block_errc::has_ommers, "block: has ommers, this chain has none");
  SWARM_CHECK(from.finish());
  return out;
}

} // namespace

bytes encode_block(const block& item) {
  rlp_writer out(size_guess(item.txns) + 700);
  out.begin_list().encoded(encode_header(item.header));
  put_txns(out, item.txns);
  return out.begin_list().end_list().end_list().take();
}

result<block> decode_block(bytes_view raw, std::uint64_t chain_id) {
  SWARM_CHECK(check_size(raw.size()));
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "block"));
  SWARM_TRY(const rlp_item header, from.next("header"));
  block out;
  SWARM_TRY(out.header, decode_header(header));
  SWARM_TRY(out.txns, read_body(from, chain_id));
  return out;
}

bytes encode_body(std::span<const transaction> txns) {
  rlp_writer out(size_guess(txns));
  out.begin_list();
  put_txns(out, txns);
  return out.begin_list().end_list().end_list().take();
}

result<std::vector<transaction>> decode_body(bytes_view raw, std::uint64_t chain_id) {
  SWARM_CHECK(check_size(raw.size()));
  SWARM_TRY(rlp_reader from, rlp_reader::open(raw, "block body"));
  return read_body(from, chain_id);
}

} // namespace swarm::ledger
