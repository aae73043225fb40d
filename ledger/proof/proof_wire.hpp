#pragma once

#include "ledger/formats/rlp.hpp"
#include "ledger/proof/trust.hpp"

#include <span>
#include <string_view>
#include <vector>

/// What proofs have in common as bytes (RLP, Yellow Paper appendix B): a sealed header and lists of trie nodes.
namespace swarm::ledger {

inline constexpr std::size_t trie_node_bytes_max = 1024; ///< a branch of hashes has 532

/// Two items of an open list: the header and its seals.
void write_sealed(rlp_writer& out, const sealed_header& block);
/// Refuses a header over 1 KiB and seals over 32 KiB.
result<sealed_header> read_sealed(rlp_reader& from);

struct node_limits {
  std::size_t nodes_max;
  std::size_t node_bytes_max;
  proof_errc refusal; ///< the code of an error about the number of nodes
};
/// One item: a list of the nodes.
void write_nodes(rlp_writer& out, std::span<const bytes> nodes);
/// `what` is named in errors.
result<std::vector<bytes>> read_nodes(rlp_reader& from, std::string_view what, const node_limits& limits);

} // namespace swarm::ledger
