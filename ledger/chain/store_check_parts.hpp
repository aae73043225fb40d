#pragma once

#include "ledger/chain/genesis.hpp"
#include "ledger/chain/store_check.hpp"
#include "ledger/formats/seal.hpp"

/// Shared by store_check.cpp and store_repair.cpp.
namespace swarm::ledger {

inline constexpr std::uint64_t progress_blocks = 10'000; ///< from one word about the progress to the next

/// A store and its chain's first block, as this program makes it.
struct opened_store {
  std::unique_ptr<block_store> blocks;
  genesis_params params;
  hash32 genesis_hash;
  stored_head head;
  bool head_known = true; ///< else it was found by the headers
  snapshot_gaps gaps;

  bool lacks_state(std::uint64_t block_num) const {
    return block_num < blocks->states_from() || gaps.lacks_state(block_num);
  }
};
result<opened_store> open_for_check(const store_check_options& options);

/// Checks all of an open store.
result<store_report> check_opened(opened_store& store, const store_check_options& options);

/// The parts of one block from which everything else follows.
struct block_source {
  block_header header;
  hash32 hash;
  std::vector<transaction> txns;
  seal_record parent_seals;
  seal_record seals;
};
/// Returns none, and adds to `findings`, when a part is missing or wrong. `parent` is null for block 0 and
/// for a block whose parent a snapshot left out.
result<std::optional<block_source>> read_source(const opened_store& store, std::uint64_t block_num,
                                                const block_source* parent,
                                                std::vector<store_finding>& findings);
/// Checks that a quorum of the validators sealed the block.
result<> check_source_seals(const opened_store& store, const block_source& block,
                            std::span<const address> validators);

inline constexpr std::string_view fetch_again =
    "move the directory away and start again: the chain is fetched from the other SNs, and a validator keeps "
    "silent until a block was decided; where there is no other SN, restore it from a copy";

} // namespace swarm::ledger
