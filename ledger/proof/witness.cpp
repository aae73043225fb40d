#include "ledger/proof/witness.hpp"

#include "base/hash.hpp"
#include "ledger/formats/rlp.hpp"

#include <algorithm>
#include <unordered_map>

namespace swarm::ledger {

namespace {

constexpr std::size_t header_bytes_max = 1024;
constexpr std::size_t seals_bytes_max = 32 * 1024;
constexpr std::size_t node_bytes_max = 1024; ///< a branch of hashes has 532

/// Whatever is read once stays, so that nothing is recorded, or found, twice.
constexpr std::size_t keep_all = std::size_t{1} << 40;

/// The nodes of a witness by what they are, and which of them were read.
class witness_nodes {
public:
  static result<witness_nodes> open(std::span<const bytes> nodes) {
    if (nodes.size() > witness_nodes_max)
      return fail(proof_errc::witness, "witness: {} nodes, at most {} are read", nodes.size(),
                  witness_nodes_max);
    witness_nodes out;
    out.by_hash_.reserve(nodes.size());
    std::size_t size = 0;
    for (const auto& node : nodes) {
      size += node.size();
      if (size > witness_bytes_max)
        return fail(proof_errc::witness, "witness: more than {} bytes", witness_bytes_max);
      if (!out.by_hash_.emplace(keccak256(node), entry{&node}).second)
        return fail(proof_errc::witness, "witness: a node comes twice");
    }
    return out;
  }

  result<trie_node_ptr> read(const hash32& hash) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end())
      return fail(proof_errc::witness, "witness: node {} is missing", to_hex(hash.view()));
    found->second.used = true;
    auto node = decode_trie_node(*found->second.node);
    if (!node)
      return fail(proof_errc::witness, "witness: node {} is damaged: {}", to_hex(hash.view()),
                  node.error().message);
    return node;
  }
  bool all_used() const {
    return std::ranges::all_of(by_hash_, [](const auto& each) { return each.second.used; });
  }

private:
  struct entry {
    const bytes* node = nullptr;
    bool used = false;
  };
  std::unordered_map<hash32, entry> by_hash_;
};

/// Codes need no proof: the contracts are in the program.
node_source known_codes(const contract_table& contracts) {
  return [&contracts](const hash32& hash) -> result<bytes> {
    for (unsigned kind = 0; kind < 256; ++kind) {
      auto code = contract_table::code_of_kind(static_cast<std::uint8_t>(kind));
      if (contracts.by_kind(static_cast<std::uint8_t>(kind)) != nullptr && keccak256(code) == hash)
        return code;
    }
    return fail(errc::internal, "a contract has the code {}, which is unknown to this version",
                to_hex(hash.view()));
  };
}

} // namespace

bytes encode_proved_calls(const proved_calls& item) {
  std::size_t size = 2048;
  for (const auto& node : item.nodes)
    size += node.size() + 4;
  rlp_writer out(size);
  out.begin_list().string(item.block.header).string(encode_seals(item.block.seals)).begin_list();
  for (const auto& node : item.nodes)
    out.string(node);
  return out.end_list().end_list().take();
}

result<proved_calls> decode_proved_calls(bytes_view raw) {
  proved_calls out;
  SWARM_TRY(auto from, rlp_reader::open(raw, "proved calls"));
  SWARM_TRY(const auto header, from.string("header", header_bytes_max));
  out.block.header = to_bytes(header);
  SWARM_TRY(const auto seals, from.string("seals", seals_bytes_max));
  SWARM_TRY(out.block.seals, decode_seals(seals));
  SWARM_TRY(auto nodes, from.list("nodes"));
  SWARM_CHECK(from.finish());
  while (!nodes.at_end()) {
    if (out.nodes.size() >= witness_nodes_max)
      return fail(proof_errc::witness, "witness: more than {} nodes", witness_nodes_max);
    SWARM_TRY(const auto node, nodes.string("node", node_bytes_max));
    out.nodes.push_back(to_bytes(node));
  }
  return out;
}

witness_recorder::witness_recorder(state_store& from)
    : from_(from), recorded_(
                       decoded_node_source{[this](const hash32& hash) { return load(hash); }},
                       [this](const hash32& hash) { return from_.code(hash); }, keep_all) {}

result<trie_node_ptr> witness_recorder::load(const hash32& hash) {
  SWARM_TRY(auto node, from_.nodes().load(hash));
  auto raw = encode_trie_node(*node, [](const hash32&, const bytes&, const trie_node_ptr&) {}).rlp;
  bytes_ += raw.size();
  if (nodes_.size() >= witness_nodes_max || bytes_ > witness_bytes_max)
    return fail(errc::limit, "reads too much of the state to prove it: more than {} nodes or {} bytes",
                witness_nodes_max, witness_bytes_max);
  nodes_.push_back(std::move(raw));
  return node;
}

result<std::vector<call_result>> execute_witnessed(const block_header& on, const chain_identity& of,
                                                   std::span<const call_request> calls,
                                                   std::span<const bytes> nodes,
                                                   const contract_table& contracts) {
  SWARM_TRY(auto shown, witness_nodes::open(nodes));
  state_store store(decoded_node_source{[&shown](const hash32& hash) { return shown.read(hash); }},
                    known_codes(contracts), keep_all);
  std::vector<call_result> out;
  for (const auto& call : calls) {
    state_overlay state(store, on.state_root);
    auto done = execute_view(state, of, on, call, contracts);
    if (!done && done.error().is(errc::corrupt))
      return fail(proof_errc::witness, "witness: {}", done.error().message);
    if (!done) return tl::unexpected(std::move(done).error());
    out.push_back(std::move(done->call));
  }
  if (!shown.all_used()) return fail(proof_errc::witness, "witness: has a node that no call reads");
  return out;
}

} // namespace swarm::ledger
