#pragma once

#include "ledger/consensus/validation.hpp"
#include "ledger/formats/consensus_record.hpp"

#include <array>
#include <string>

namespace swarm::consensus {

/// One value of the store's consensus table. Keys are those of `record_keys`. A new value replaces the old
/// one, so the table holds no more than one height.
using record_entry = ledger::consensus_record;

/// `place` is where this node is. The others are its own messages, to be sent again byte for byte, the
/// highest certificate, and the operator's word that the key may vote again (reentry.hpp). An entry counts
/// only at the height it was made for, and a vote only in its round.
namespace record_key {
inline constexpr std::string_view place = "qbft.place";
inline constexpr std::string_view proposal = "qbft.proposal";
inline constexpr std::string_view prepare = "qbft.prepare";
inline constexpr std::string_view commit = "qbft.commit";
inline constexpr std::string_view round_change = "qbft.round_change";
inline constexpr std::string_view certificate = "qbft.certificate";
inline constexpr std::string_view reentry = "qbft.reentry";
} // namespace record_key
inline constexpr std::array record_keys{record_key::place,  record_key::proposal,     record_key::prepare,
                                        record_key::commit, record_key::round_change, record_key::certificate,
                                        record_key::reentry};

/// rlp[version, account, genesis hash, block_num, round]: it promises that this key has signed nothing beyond
/// this height and round that is not recorded.
struct place_record {
  address account;
  hash32 genesis_hash;
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
};
bytes encode_place(const place_record& item);
result<place_record> decode_place(bytes_view raw);

/// rlp[version, block_num, round, block, [prepare ...]].
bytes encode_certificate(std::uint64_t block_num, const certificate& item);
struct stored_certificate {
  std::uint64_t block_num = 0;
  certificate proof;
};
result<stored_certificate> decode_certificate(bytes_view raw);

/// What a node with a new key and a new data directory writes beside block 0: it says that the key has signed
/// nothing yet. Without it a node keeps silent until it has seen a block decided.
std::vector<record_entry> initial_records(const address& account, const hash32& genesis_hash);

/// What is written with the block of a snapshot. `stored` are the entries of `record_keys` of a chain with
/// the head `head_num`. When they are a whole record of a block after the head and not after the pivot, the
/// key has signed nothing beyond the pivot, and the record is moved on. Otherwise nothing is written, and the
/// node keeps silent as it would without the snapshot.
std::vector<record_entry> records_with_pivot(std::span<const record_entry> stored, const address& account,
                                             const hash32& genesis_hash, std::uint64_t head_num,
                                             std::uint64_t pivot_num);

/// What was stored about the height `place.block_num`; entries of other heights are left out.
struct saved_height {
  place_record place;
  bytes proposal, prepare, commit, round_change; ///< encoded messages, empty for none
  std::optional<certificate> prepared;
  std::optional<reentry_statement> reentry; ///< into the round of `place`
};
/// None when there is no record, or it belongs to another key or chain. Fails when it is damaged.
result<std::optional<saved_height>> load_records(std::span<const record_entry> entries,
                                                 const address& account, const hash32& genesis_hash);

} // namespace swarm::consensus
