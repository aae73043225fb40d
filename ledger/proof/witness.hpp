#pragma once

#include "ledger/proof/trust.hpp"
#include "ledger/state/execute.hpp"

/// Calls that somebody without the state can execute: the trie nodes of all that they read, each node once.
namespace swarm::ledger {

/// The most nodes that a witness has, and their bytes.
inline constexpr std::size_t witness_nodes_max = 65'536;
inline constexpr std::size_t witness_bytes_max = 4 * 1024 * 1024;
/// The most calls with one witness.
inline constexpr std::size_t witness_calls_max = 256;

/// A block, and what calls on top of it read of its state.
struct proved_calls {
  sealed_header block;
  std::vector<bytes> nodes;
  std::uint64_t gas_used = 0; ///< by those who made it; nobody has to believe it
};

/// rlp[header, seals, [node ...]], header and seals in strings.
bytes encode_proved_calls(const proved_calls& item);
result<proved_calls> decode_proved_calls(bytes_view raw);

/// Keeps what is read of a state. Reading fails with errc::limit when it is more than a witness may have.
class witness_recorder {
public:
  explicit witness_recorder(state_store& from);
  witness_recorder(const witness_recorder&) = delete;
  witness_recorder& operator=(const witness_recorder&) = delete;

  /// The same state; what is read of it is recorded.
  state_store& state() { return recorded_; }
  /// The nodes read so far, in the order in which they were.
  std::vector<bytes> take() { return std::move(nodes_); }

private:
  result<trie_node_ptr> load(const hash32& hash);

  state_store& from_;
  std::vector<bytes> nodes_;
  std::size_t bytes_ = 0;
  state_store recorded_;
};

/// Executes `calls`, each on top of the block with the header `on`, which the caller trusts, with nothing but
/// `nodes`. A revert is a result. Whatever is wrong with the nodes is proof_errc::witness: one is missing,
/// comes twice, is not needed, or is another one than the state has. errc::internal: this program does not
/// know the contract, or cannot execute it, which is nobody's lie.
result<std::vector<call_result>> execute_witnessed(const block_header& on, const chain_identity& of,
                                                   std::span<const call_request> calls,
                                                   std::span<const bytes> nodes,
                                                   const contract_table& contracts);

} // namespace swarm::ledger
