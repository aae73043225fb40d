#pragma once

#include "ledger/chain/executed_block.hpp"
#include "ledger/chain/snapshot_gaps.hpp"
#include "ledger/native_contract.hpp"
#include "ledger/store/block_store.hpp"

namespace swarm::ledger {

/// One thing that is wrong with a store.
struct store_finding {
  column where = column::meta;
  std::uint64_t block_num = 0; ///< 0 also for what belongs to no block
  std::string text;            ///< what is wrong, without column and block
  bool repairable = false;     ///< follows from headers, bodies and seals
};
/// "column receipts, block 5: ...".
std::string to_string(const store_finding& finding);

struct store_report {
  std::uint64_t head_num = 0;
  std::uint64_t txns = 0;
  std::uint64_t trie_nodes = 0;
  std::vector<store_finding> findings; ///< at most `store_findings_max`
  std::uint64_t findings_count = 0;
  bool sound() const { return findings_count == 0; }
  bool repairable() const;
};
inline constexpr std::size_t store_findings_max = 50;
/// The report in one line, with what to do next.
std::string verdict(const store_report& report);

struct store_check_options {
  std::filesystem::path dir;
  native_contract_set contracts;
  std::function<void(const std::string&)> progress; ///< a line now and then
  rocksdb::Env* env = nullptr;
};

/// Reads and checks everything: files against their checksums; identity; each header against its parent; each
/// body, receipts and bloom against the header; seals against the validators of the block; that every index
/// entry is there and no other; each trie node and code against its hash, and that everything below each
/// state root is there. Of revert data, which no root covers, only the form is checked. What a snapshot left
/// out is no fault. No other process may have the directory open; nothing is changed. Fails when the
/// directory cannot be read at all or holds another chain.
result<store_report> check_store(const store_check_options& options);

/// Executes all blocks to make anew what follows from headers, bodies and seals: receipts, outputs, indexes,
/// state, head. Then checks all of it. Fails when those three, or the files, are damaged themselves; the
/// message says what to do. It may be interrupted and run again.
result<store_report> repair_store(const store_check_options& options);

/// The check at every start: the last blocks, without their signatures.
result<> check_recent_blocks(const block_store& store, const executed_block& head, const snapshot_gaps& gaps,
                             std::uint64_t chain_id);

} // namespace swarm::ledger
