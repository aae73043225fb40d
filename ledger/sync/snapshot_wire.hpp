#pragma once

#include "ledger/proof/trust_chain.hpp"

#include <variant>

/// The questions and answers for a snapshot, as they travel inside a frame (transport/p2p). Each is one
/// canonical RLP list; a question has its kind in front. Nothing is verified here.
namespace swarm::sync {

inline constexpr std::size_t question_bytes_max = 64 * 1024;
inline constexpr std::size_t nodes_asked_max = 512; ///< trie nodes and codes together
inline constexpr std::size_t state_item_bytes_max = 64 * 1024;
inline constexpr std::size_t history_blocks_max = 128;          ///< in one answer
inline constexpr std::size_t changes_max = 32;                  ///< of validators, in one answer
inline constexpr std::size_t part_bytes_max = 16 * 1024 * 1024; ///< of an answer

/// Who seals now? The blocks after `after` that changed the validators, and a pivot.
struct trust_question {
  std::uint64_t after = 0;
  bool operator==(const trust_question&) const = default;
};
/// The next changes, oldest first, and the pivot when there are no more before it.
struct trust_answer {
  std::vector<ledger::handover> changes;
  std::optional<ledger::handover> pivot;
};

/// Asks for trie nodes and codes by their hashes.
struct state_question {
  std::vector<hash32> nodes;
  std::vector<hash32> codes;
  bool operator==(const state_question&) const = default;
};
/// Those that the sender has and that fit, in any order.
struct state_answer {
  std::vector<bytes> items;
  bool operator==(const state_answer&) const = default;
};

/// Asks for block `last`, the one before it, and so on, up to `count` of them, with the outcomes of
/// their execution.
struct history_question {
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  bool operator==(const history_question&) const = default;
};
struct past_block {
  bytes block;    ///< rlp[header, txns, ommers]
  bytes seals;    ///< formats/seal.hpp
  bytes receipts; ///< formats/receipt.hpp
  std::size_t size() const { return block.size() + seals.size() + receipts.size(); }
  bool operator==(const past_block&) const = default;
};
/// The blocks from `last` downwards, as many as there are and fit, at least one if there is one.
struct history_answer {
  std::vector<past_block> blocks;
  bool operator==(const history_answer&) const = default;
};

using question = std::variant<trust_question, state_question, history_question>;

bytes encode(const question& what);
bytes encode(const trust_answer& what);
bytes encode(const state_answer& what);
bytes encode(const history_answer& what);

/// Decoding is strict: what `encode` does not make is refused, and everything is bounded before it is copied.
result<question> decode_question(bytes_view raw);
result<trust_answer> decode_trust_answer(bytes_view raw);
result<state_answer> decode_state_answer(bytes_view raw);
result<history_answer> decode_history_answer(bytes_view raw);

} // namespace swarm::sync
