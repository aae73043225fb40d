#include "ledger/consensus/block_facts.hpp"

#include "base/hash.hpp"
#include "ledger/consensus/rules.hpp"
#include "ledger/state/trie.hpp"

#include <algorithm>

namespace swarm::consensus {

using ledger::rlp_item;
using ledger::rlp_reader;

result<proposed_block> read_block(shared_bytes raw) {
  if (raw->size() > ledger::block_size_max)
    return fail(consensus_errc::too_large, "proposed block: {} bytes, the limit is {}", raw->size(),
                ledger::block_size_max);
  SWARM_TRY(rlp_reader from, rlp_reader::open(*raw, "proposed block"));
  SWARM_TRY(const rlp_item item, from.next("header"));
  SWARM_TRY(const ledger::block_header header, ledger::decode_header(item));
  auto out = own_block(header, keccak256(item.encoded), std::move(raw));
  out.body_checked = false;
  return out;
}

result<> check_body(proposed_block& block) {
  if (block.body_checked) return {};
  SWARM_TRY(rlp_reader from, rlp_reader::open(*block.raw, "proposed block"));
  SWARM_TRY(const rlp_item item, from.next("header"));
  SWARM_TRY(const ledger::block_header header, ledger::decode_header(item));
  SWARM_TRY(rlp_reader list, from.list("transactions"));
  std::vector<bytes> txns;
  while (!list.at_end()) {
    if (txns.size() == ledger::block_txns_max)
      return fail(consensus_errc::too_many_items, "proposed block: over {} transactions",
                  ledger::block_txns_max);
    SWARM_TRY(const rlp_item txn, list.next("transaction"));
    // A typed transaction is a string that starts with its type. A legacy one inside a string would give the
    // same root as it does as a list: two encodings of one hash.
    if (!txn.is_list && (txn.payload.empty() || txn.payload.front() > 0x7f))
      return fail(consensus_errc::body_mismatch, "proposed block: transaction {} is neither a list nor typed",
                  txns.size());
    txns.push_back(to_bytes(txn.is_list ? txn.encoded : txn.payload));
  }
  SWARM_TRY(const rlp_reader ommers, from.list("ommers"));
  if (!ommers.at_end()) return fail(consensus_errc::body_mismatch, "proposed block: has ommers");
  SWARM_TRY(const rlp_item seals, from.next("parent's seals"));
  SWARM_CHECK(from.finish());
  if (!std::ranges::equal(keccak256(seals.encoded).view(), header.extra_data))
    return fail(consensus_errc::body_mismatch,
                "proposed block {}: its seals of the parent are not those of its header", block.block_num);
  if (ledger::ordered_trie_root(txns) != header.txns_root)
    return fail(consensus_errc::body_mismatch,
                "proposed block {}: its transactions are not those of its header", block.block_num);
  block.body_checked = true;
  return {};
}

proposed_block own_block(const ledger::block_header& header, const hash32& hash, shared_bytes raw) {
  return {hash, header.parent_hash, header.block_num, header.coinbase, made_in_round(header), std::move(raw),
          true};
}

} // namespace swarm::consensus
