#pragma once

#include "ledger/proof/trust.hpp"
#include "ledger/state/execute.hpp"

#include <memory>
#include <unordered_map>

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
  std::vector<bytes> nodes; ///< but for those that the asker has
};

/// rlp[header, seals, [node ...]], header and seals in strings.
bytes encode_proved_calls(const proved_calls& item);
result<proved_calls> decode_proved_calls(bytes_view raw);

/// What `calls` read on top of the block with this hash. Who executed them has these nodes, whoever asked him
/// for what; so the id is all that an SN has to be told of what somebody has.
hash32 witness_id(const hash32& block, std::span<const call_request> calls);

/// Which nodes calls have read.
struct witness_set {
  hash32 id;
  std::unordered_map<hash32, std::size_t> sizes; ///< of their encodings
};

/// A witness as whoever has the state makes it.
struct recorded_calls {
  proved_calls shown;
  witness_set read; ///< with the nodes that are not shown because the asker has them
  std::uint64_t gas_used = 0;
};

/// The nodes of `read`, which is of the state in `from`, for somebody who has those of `has`; null: of nothing.
result<std::vector<bytes>> nodes_to_show(state_store& from, const witness_set& read, const witness_set* has);

/// Keeps what is read of a state. Reading fails with errc::limit when it is more than a witness may have.
class witness_recorder {
public:
  /// Nodes of `has` are not taken, but read like all others; null: none. It must outlive this.
  explicit witness_recorder(state_store& from, const witness_set* has = nullptr);
  witness_recorder(const witness_recorder&) = delete;
  witness_recorder& operator=(const witness_recorder&) = delete;

  /// The same state; what is read of it is recorded.
  state_store& state() { return recorded_; }
  /// The nodes read so far, in the order in which they were.
  std::vector<bytes> take() { return std::move(nodes_); }
  /// All nodes read so far, and the sizes of their encodings.
  std::unordered_map<hash32, std::size_t> take_read() { return std::move(read_); }

private:
  result<trie_node_ptr> load(const hash32& hash);

  state_store& from_;
  const witness_set* has_;
  std::vector<bytes> nodes_;
  std::unordered_map<hash32, std::size_t> read_;
  std::size_t bytes_ = 0;
  state_store recorded_;
};

/// A witness whose calls were executed: its nodes are what their hashes say, and known to be needed.
struct known_witness {
  struct known_node {
    trie_node_ptr node;
    std::size_t memory = 0; ///< bytes
  };
  hash32 id;
  std::vector<hash32> calls; ///< a hash of each
  std::unordered_map<hash32, known_node> nodes;
  std::size_t memory = 0; ///< bytes
};
using known_witness_ptr = std::shared_ptr<const known_witness>;

struct witnessed_calls {
  std::vector<call_result> results;
  known_witness_ptr witness; ///< what they read
};

/// Executes `calls`, each on top of the block with the header `on`, which the caller trusts, with nothing but
/// `nodes` and what this program has of an earlier witness, if there is one. A revert is a result. Whatever is wrong with the nodes is proof_errc::witness: one is missing,
/// comes twice, is not needed, or is another one than the state has. errc::internal: this program does not
/// know the contract, or cannot execute it, which is nobody's lie.
result<witnessed_calls> execute_witnessed(const block_header& on, const chain_identity& of,
                                          std::span<const call_request> calls, std::span<const bytes> nodes,
                                          const contract_table& contracts,
                                          const known_witness_ptr& has = nullptr);

/// What this program has of witnesses, within a bound: those of the calls that it executed last.
class witness_memory {
public:
  static constexpr std::size_t witnesses_max = 16;
  static constexpr std::size_t bytes_max = std::size_t{16} * 1024 * 1024;

  /// The newest one that has the most of these calls; null: none has any.
  known_witness_ptr best_for(std::span<const call_request> calls) const;
  /// Takes the place of one of the same calls.
  void keep(known_witness_ptr made);
  std::size_t memory() const { return memory_; }

private:
  std::vector<known_witness_ptr> kept_; ///< the newest is the last one
  std::size_t memory_ = 0;
};

} // namespace swarm::ledger
