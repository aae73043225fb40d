#pragma once

#include "base/bytes.hpp"
#include "ledger/store/block_store.hpp"

#include <cstdint>
#include <vector>

namespace swarm::ledger {

struct block_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0; ///< in the range
  bool operator==(const block_range&) const = default;
};

/// What a chain lacks that was taken from a snapshot. Ranges are ascending, not empty, and do not touch.
struct snapshot_gaps {
  std::vector<block_range> blocks; ///< that are still to be fetched
  std::vector<block_range> states; ///< blocks after which the state is never there
  bool operator==(const snapshot_gaps&) const = default;

  bool lacks_block(std::uint64_t block_num) const;
  bool lacks_state(std::uint64_t block_num) const;
  /// Whether blocks from `first` to `last` are all here.
  bool whole(std::uint64_t first, std::uint64_t last) const;
  /// The block whose snapshot left out the state after `block_num`.
  std::uint64_t pivot_above(std::uint64_t block_num) const;
  std::uint64_t blocks_missing() const;
  std::uint64_t blocks_skipped() const; ///< fetched since then or not
};

/// rlp[version, [[first, last] ...], [[first, last] ...]].
bytes encode_gaps(const snapshot_gaps& gaps);
result<snapshot_gaps> decode_gaps(bytes_view raw);

/// Reads the gaps of a store; there are none for a chain that was followed from its beginning.
result<snapshot_gaps> stored_gaps(const block_store& store);

/// The errors for a block that is not here yet, for a state that never is, and for one older than those that
/// are kept, which begin with that after block `first`.
error missing_block_error(const snapshot_gaps& gaps, std::uint64_t block_num);
error missing_state_error(const snapshot_gaps& gaps, std::uint64_t block_num);
error given_up_error(std::uint64_t block_num, std::uint64_t first);

/// The notes of the store in which gaps are kept, and the changes of validators in blocks without a state.
inline constexpr std::string_view gaps_note = "snapshot.gaps";
inline constexpr std::string_view handover_notes = "snapshot.handover.";
std::string handover_note(std::uint64_t block_num);

} // namespace swarm::ledger
